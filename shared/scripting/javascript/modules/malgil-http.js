// What the HTTP libraries share. The host makes the call: `call` takes {method, url, headers, body, timeout, follow} and
// gives {status, headers, url, text, base64?}; a body of bytes travels as {base64}.
'use strict';
const REASONS = {
  200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No Content', 206: 'Partial Content', 301: 'Moved Permanently',
  302: 'Found', 303: 'See Other', 304: 'Not Modified', 307: 'Temporary Redirect', 308: 'Permanent Redirect',
  400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found',
  405: 'Method Not Allowed', 406: 'Not Acceptable', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone',
  413: 'Payload Too Large', 415: 'Unsupported Media Type', 422: 'Unprocessable Entity', 429: 'Too Many Requests',
  500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

const isObject = (value) => typeof value === 'object' && value !== null;
const isBytes = (value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
const isForm = (value) => isObject(value) && Object.prototype.toString.call(value) === '[object URLSearchParams]';
const find = (headers, name) => Object.keys(headers).find((key) => key.toLowerCase() === name);

// A header unless the author has set it.
function setDefault(headers, name, value) {
  if (!find(headers, name.toLowerCase())) headers[name] = value;
}

function encodeBody(body) {
  if (body === undefined || body === null) return '';
  if (!isBytes(body)) return String(body);
  const { Buffer } = require('buffer');
  const bytes = ArrayBuffer.isView(body) ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : Buffer.from(body);
  return { base64: bytes.toString('base64') };
}

async function send({ method = 'GET', url, headers = {}, body, timeout, follow = true }) {
  const given = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && value !== null) given[name] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  setDefault(given, 'Accept', '*/*');
  const answer = await call({
    method: String(method).toUpperCase(),
    url: String(url),
    headers: given,
    body: encodeBody(body),
    timeout,
    follow,
  });
  answer.reason = REASONS[answer.status] || '';
  return answer;
}

// The body as a Buffer.
function bytes(answer) {
  const { Buffer } = require('buffer');
  return answer.base64 === undefined ? Buffer.from(answer.text, 'utf8') : Buffer.from(answer.base64, 'base64');
}

const strict = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

// {a: {b: [1, 2]}} as a[b][0]=1&a[b][1]=2, as the module qs does.
function query(values, prefix) {
  return Object.keys(values)
    .filter((key) => values[key] !== undefined)
    .map((key) => {
      const name = prefix === undefined ? key : `${prefix}[${key}]`;
      const value = values[key];
      if (value instanceof Date) return `${strict(name)}=${strict(value.toISOString())}`;
      if (isObject(value) && !isBytes(value)) return query(value, name);
      return `${strict(name)}=${strict(value === null ? '' : String(value))}`;
    })
    .filter((part) => part)
    .join('&');
}

function withQuery(url, text) {
  if (!text) return url;
  const [place, fragment] = String(url).split('#');
  const joined = `${place}${place.includes('?') ? '&' : '?'}${text}`;
  return fragment === undefined ? joined : `${joined}#${fragment}`;
}

function join(base, url) {
  if (!base || /^[a-z][a-z\d+.-]*:\/\//i.test(url)) return url;
  return url ? `${String(base).replace(/\/+$/, '')}/${String(url).replace(/^\/+/, '')}` : base;
}

function basic(user, password) {
  const { Buffer } = require('buffer');
  return `Basic ${Buffer.from(`${user === undefined ? '' : user}:${password === undefined ? '' : password}`).toString('base64')}`;
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

module.exports = { basic, bytes, find, isBytes, isForm, isObject, join, json, query, send, setDefault, withQuery };
