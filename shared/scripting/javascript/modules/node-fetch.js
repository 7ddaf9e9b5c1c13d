// node-fetch 2, which is also the global fetch.
'use strict';
const { bytes, isForm, send, setDefault } = require('malgil-http');

class Headers {
  constructor(given = {}) {
    this.map = {};
    const pairs = given instanceof Headers ? given.entries() : Symbol.iterator in given ? given : Object.entries(given);
    for (const [name, value] of pairs) this.append(name, value);
  }
  append(name, value) {
    const key = String(name).toLowerCase();
    this.map[key] = key in this.map ? `${this.map[key]}, ${value}` : String(value);
  }
  set(name, value) {
    this.map[String(name).toLowerCase()] = String(value);
  }
  get(name) {
    const value = this.map[String(name).toLowerCase()];
    return value === undefined ? null : value;
  }
  has(name) {
    return String(name).toLowerCase() in this.map;
  }
  delete(name) {
    delete this.map[String(name).toLowerCase()];
  }
  forEach(callback) {
    for (const [name, value] of this.entries()) callback(value, name, this);
  }
  raw() {
    return Object.fromEntries(Object.entries(this.map).map(([name, value]) => [name, [value]]));
  }
  entries() {
    return Object.entries(this.map)[Symbol.iterator]();
  }
  keys() {
    return Object.keys(this.map)[Symbol.iterator]();
  }
  values() {
    return Object.values(this.map)[Symbol.iterator]();
  }
  [Symbol.iterator]() {
    return this.entries();
  }
}

class FetchError extends Error {
  constructor(message, type, code) {
    super(message);
    Object.assign(this, { name: 'FetchError', type, code, errno: code });
  }
}

class Response {
  constructor(answer, asked) {
    this.answer = answer;
    this.status = answer.status;
    this.statusText = answer.reason;
    this.ok = answer.status >= 200 && answer.status < 300;
    this.url = answer.url;
    this.redirected = answer.url !== asked;
    this.headers = new Headers(answer.headers);
    this.bodyUsed = false;
  }
  read() {
    if (this.bodyUsed) throw new TypeError(`body used already for: ${this.url}`);
    this.bodyUsed = true;
    return this.answer;
  }
  async text() {
    return this.read().text.replace(/^\ufeff/, '');
  }
  async json() {
    const text = await this.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new FetchError(`invalid json response body at ${this.url} reason: ${error.message}`, 'invalid-json');
    }
  }
  async buffer() {
    return bytes(this.read());
  }
  async arrayBuffer() {
    const { buffer, byteOffset, byteLength } = bytes(this.read());
    return buffer.slice(byteOffset, byteOffset + byteLength);
  }
  clone() {
    return new Response(this.answer, this.url);
  }
}

class Request {
  constructor(place, options = {}) {
    Object.assign(this, place instanceof Request ? place : { url: String(place.href || place) }, options);
  }
}

async function fetch(place, options) {
  const given = new Request(place, options);
  const headers = { ...new Headers(given.headers).map };
  if (isForm(given.body)) setDefault(headers, 'Content-Type', 'application/x-www-form-urlencoded;charset=UTF-8');
  else if (typeof given.body === 'string') setDefault(headers, 'Content-Type', 'text/plain;charset=UTF-8');
  const { method, url, body, timeout, redirect } = given;
  let answer;
  try {
    answer = await send({ method, url, headers, body, timeout, follow: redirect !== 'manual' && redirect !== 'error' });
  } catch (error) {
    throw new FetchError(`request to ${url} failed, reason: ${error.message}`, 'system', error.code);
  }
  if (redirect === 'error' && answer.status >= 300 && answer.status < 400 && answer.headers.location) {
    throw new FetchError(`redirect mode is set to error: ${url}`, 'no-redirect');
  }
  return new Response(answer, url);
}

module.exports = Object.assign(fetch, { default: fetch, fetch, FetchError, Headers, Request, Response });
