// superagent 5 over the host's calls.
'use strict';
const { basic, find, isBytes, isForm, isObject, json, query, send, withQuery } = require('malgil-http');

const TYPES = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  'form-data': 'multipart/form-data',
  html: 'text/html',
  text: 'text/plain',
  xml: 'text/xml',
};
const typed = (type) => TYPES[type] || type;

class Response {
  constructor(answer, request) {
    const [type, ...parameters] = String(answer.headers['content-type'] || '').split(/ *; */);
    const { status, text } = answer;
    Object.assign(this, { status, statusCode: status, statusType: Math.floor(status / 100), text, type, req: request });
    this.headers = answer.headers;
    this.header = answer.headers;
    this.redirects = answer.url === request.url ? [] : [answer.url];
    for (const [name, value] of parameters.map((parameter) => parameter.split('='))) this[name] = value;
    this.info = this.statusType === 1;
    this.ok = this.statusType === 2;
    this.redirect = this.statusType === 3;
    this.clientError = this.statusType === 4;
    this.serverError = this.statusType === 5;
    Object.assign(this, { accepted: status === 202, noContent: status === 204, badRequest: status === 400 });
    Object.assign(this, { unauthorized: status === 401, forbidden: status === 403, notFound: status === 404 });
    this.body = this.parsed();
    this.error = this.clientError || this.serverError ? this.failure(answer.reason) : false;
  }

  parsed() {
    if (/[/+]json$/i.test(this.type)) {
      const value = json(this.text);
      return this.text && value !== this.text ? value : {};
    }
    if (this.type !== TYPES.form) return {};
    return Object.fromEntries(
      this.text.split('&').map((pair) => pair.split('=').map((part) => decodeURIComponent((part || '').replace(/\+/g, ' ')))),
    );
  }

  failure(reason) {
    const { req, status, text } = this;
    const message = `cannot ${req.method} ${req.url} (${status})`;
    return Object.assign(new Error(message), { status, text, method: req.method, path: req.url, reason });
  }

  get(name) {
    return this.headers[name.toLowerCase()];
  }
}

class Request {
  constructor(method, url) {
    Object.assign(this, { method: method.toUpperCase(), url, headers: {}, parameters: [], follow: true });
    this.isOk = (response) => response.status >= 200 && response.status < 300;
  }

  set(name, value) {
    if (isObject(name)) for (const [key, each] of Object.entries(name)) this.set(key, each);
    else {
      const before = find(this.headers, name.toLowerCase());
      if (before) delete this.headers[before];
      this.headers[name] = value;
    }
    return this;
  }

  get(name) {
    return this.headers[find(this.headers, name.toLowerCase())];
  }

  unset(name) {
    delete this.headers[find(this.headers, name.toLowerCase())];
    return this;
  }

  type(type) {
    return this.set('Content-Type', typed(type));
  }

  accept(type) {
    return this.set('Accept', typed(type));
  }

  auth(user, password, options = {}) {
    const kind = (isObject(password) ? password : options).type;
    return this.set('Authorization', kind === 'bearer' ? `Bearer ${user}` : basic(user, isObject(password) ? '' : password));
  }

  query(values) {
    this.parameters.push(isForm(values) || !isObject(values) ? String(values) : query(values));
    return this;
  }

  sortQuery() {
    return this;
  }

  send(data) {
    if (isObject(data) && !isBytes(data) && !isForm(data) && !Array.isArray(data)) {
      this.data = { ...(isObject(this.data) ? this.data : {}), ...data };
    } else if (typeof data === 'string' && typeof this.data === 'string') {
      this.data += `${this.get('content-type') === TYPES.form ? '&' : ''}${data}`;
    } else {
      this.data = isForm(data) ? data.toString() : data;
    }
    if (!this.get('content-type')) this.type(isObject(data) && !isForm(data) ? 'json' : 'form');
    return this;
  }

  field() {
    throw new Error('Multipart bodies are not available in Malgil scripts');
  }

  attach() {
    return this.field();
  }

  timeout(given) {
    this.milliseconds = isObject(given) ? given.deadline || given.response : given;
    return this;
  }

  redirects(count) {
    this.follow = count > 0;
    return this;
  }

  ok(callback) {
    this.isOk = callback;
    return this;
  }

  retry() {
    return this; // a run has five calls
  }

  buffer() {
    return this;
  }

  use(plugin) {
    plugin(this);
    return this;
  }

  async perform() {
    let body = this.data;
    if (isObject(body) && !isBytes(body)) body = this.get('content-type') === TYPES.form ? query(body) : JSON.stringify(body);
    const url = withQuery(this.url, this.parameters.filter((part) => part).join('&'));
    const { headers, method, milliseconds: timeout, follow } = this;
    const answer = await send({ method, url, headers, body, timeout, follow });
    const response = new Response(answer, this);
    if (this.isOk(response)) return response;
    const error = new Error(answer.reason || `Unsuccessful HTTP response: ${answer.status}`);
    throw Object.assign(error, { status: answer.status, response, original: null });
  }

  run() {
    if (!this.promise) this.promise = this.perform();
    return this.promise;
  }

  then(fulfilled, rejected) {
    return this.run().then(fulfilled, rejected);
  }

  catch(rejected) {
    return this.run().catch(rejected);
  }

  finally(callback) {
    return this.run().finally(callback);
  }

  // What the callback throws must fail the run, so it runs outside of a promise.
  end(callback = () => {}) {
    this.run().then(
      (response) => setImmediate(() => callback(null, response)),
      (error) => setImmediate(() => callback(error, error.response)),
    );
    return this;
  }
}

const isPlace = (value) => typeof value === 'string' && /^[a-z]+:\/\//i.test(value);

// superagent('GET', url), superagent(url) or superagent(url, callback)
function superagent(first, second) {
  if (!isPlace(first)) return new Request(first, second);
  const request = new Request('GET', first);
  return typeof second === 'function' ? request.end(second) : request;
}

for (const method of ['get', 'head', 'options', 'post', 'put', 'patch', 'delete']) {
  // A second argument is the query of a GET, the body of others.
  superagent[method] = (url, data, callback) => {
    const request = new Request(method, url);
    const given = typeof data === 'function' ? undefined : data;
    if (given !== undefined) request[['get', 'head'].includes(method) ? 'query' : 'send'](given);
    const end = typeof data === 'function' ? data : callback;
    return end ? request.end(end) : request;
  };
}
superagent.del = superagent.delete;
superagent.agent = () => superagent;
module.exports = Object.assign(superagent, { Request, Response });
