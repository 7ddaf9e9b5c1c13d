// request 2.88 over the host's calls. `request-promise` builds on `perform`.
'use strict';
const { basic, bytes, find, isObject, join, json, query, send, setDefault, withQuery } = require('malgil-http');

// (url, options, callback), (url, callback) or (options, callback) as options with a callback.
function options(first, second, third) {
  const given = typeof first === 'string' ? { ...(isObject(second) ? second : {}), uri: first } : { ...first };
  const callback = [second, third, given.callback].find((value) => typeof value === 'function');
  return { ...given, callback };
}

function authorization({ user, username, pass, password, bearer }) {
  if (bearer !== undefined) return `Bearer ${typeof bearer === 'function' ? bearer() : bearer}`;
  return basic(user === undefined ? username : user, pass === undefined ? password : pass);
}

async function perform(given) {
  if (given.formData || given.multipart) throw new Error('Multipart bodies are not available in Malgil scripts');
  const headers = { ...given.headers };
  let { body } = given;
  if (given.form) {
    body = typeof given.form === 'string' ? given.form : query(given.form);
    setDefault(headers, 'Content-Type', 'application/x-www-form-urlencoded');
  }
  if (given.json) {
    setDefault(headers, 'Accept', 'application/json');
    const value = given.json === true ? body : given.json;
    if (value !== undefined && !given.form) {
      body = given.json === true && typeof value === 'string' && find(headers, 'content-type') ? value : JSON.stringify(value);
      setDefault(headers, 'Content-Type', 'application/json');
    }
  }
  if (given.auth) setDefault(headers, 'Authorization', authorization(given.auth));
  const place = given.uri || given.url;
  const url = join(given.baseUrl, isObject(place) ? place.href : place);
  const href = withQuery(url, given.qs ? query(given.qs) : '');
  const answer = await send({
    method: given.method || 'GET',
    url: href,
    headers,
    body,
    timeout: given.timeout,
    follow: given.followRedirect !== false,
  });
  const content = given.encoding === null ? bytes(answer) : answer.text;
  const parsed = given.json && typeof content === 'string' ? json(content) : content;
  const response = {
    statusCode: answer.status,
    statusMessage: answer.reason,
    headers: answer.headers,
    body: parsed,
    request: { uri: { href: answer.url }, href: answer.url, method: given.method || 'GET', headers },
  };
  response.toJSON = () => ({ statusCode: answer.status, body: parsed, headers: answer.headers, request: response.request });
  return response;
}

// The shortcuts of request and request-promise around `start`, which takes options.
function withMethods(start, defaults = {}) {
  const merged = (given) => ({ ...defaults, ...given, headers: { ...defaults.headers, ...given.headers } });
  const request = (...given) => start(merged(options(...given)));
  for (const method of ['get', 'head', 'options', 'post', 'put', 'patch', 'delete']) {
    request[method] = (...given) => start({ ...merged(options(...given)), method: method.toUpperCase() });
  }
  request.del = request.delete;
  request.defaults = (more) => withMethods(start, merged(more));
  request.jar = () => ({ setCookie() {}, getCookies: () => [], getCookieString: () => '' });
  request.cookie = (text) => text;
  return request;
}

// The request object: events instead of a stream.
function start(given) {
  const listeners = {};
  const emit = (name, ...values) => (listeners[name] || []).forEach((listener) => listener(...values));
  const emitter = {
    on(name, listener) {
      (listeners[name] = listeners[name] || []).push(listener);
      return emitter;
    },
    once: (name, listener) => emitter.on(name, listener),
    abort() {},
    end() {},
    pipe() {
      throw new Error('Streams of request are not available in Malgil scripts');
    },
  };
  // What a callback throws must fail the run, as it would end the process in Node.js: so it runs outside of a promise.
  const later = (work) => setImmediate(work);
  perform(given).then(
    (response) =>
      later(() => {
        emit('response', response);
        emit('data', given.encoding === null ? response.body : String(isObject(response.body) ? JSON.stringify(response.body) : response.body));
        emit('end');
        emit('complete', response, response.body);
        if (given.callback) given.callback(null, response, response.body);
      }),
    (error) =>
      later(() => {
        emit('error', error);
        if (given.callback) given.callback(error);
      }),
  );
  return emitter;
}

module.exports = withMethods(start);
Object.defineProperty(module.exports, 'inner', { value: { perform, withMethods } });
