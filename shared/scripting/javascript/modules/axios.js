// axios 0.19 over the host's calls.
'use strict';
const { basic, bytes, find, isBytes, isForm, isObject, join, json, send, setDefault, withQuery } = require('malgil-http');

const WITH_BODY = ['post', 'put', 'patch'];

class Cancel {
  constructor(message) {
    this.message = message;
  }
}

class CancelToken {
  constructor(executor) {
    executor((message) => {
      this.reason = this.reason || new Cancel(message);
    });
  }
  throwIfRequested() {
    if (this.reason) throw this.reason;
  }
  static source() {
    let cancel;
    const token = new CancelToken((given) => (cancel = given));
    return { token, cancel };
  }
}

class Interceptors {
  constructor() {
    this.handlers = [];
  }
  use(fulfilled, rejected) {
    return this.handlers.push([fulfilled, rejected]) - 1;
  }
  eject(id) {
    this.handlers[id] = [];
  }
}

const encode = (text) =>
  encodeURIComponent(text)
    .replace(/%40/g, '@')
    .replace(/%3A/gi, ':')
    .replace(/%24/g, '$')
    .replace(/%2C/gi, ',')
    .replace(/%20/g, '+')
    .replace(/%5B/gi, '[')
    .replace(/%5D/gi, ']');

function serialize(params) {
  if (isForm(params)) return params.toString();
  const parts = [];
  for (const [key, value] of Object.entries(params)) {
    if (value === undefined || value === null) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      const text = item instanceof Date ? item.toISOString() : isObject(item) ? JSON.stringify(item) : item;
      parts.push(`${encode(Array.isArray(value) ? `${key}[]` : key)}=${encode(text)}`);
    }
  }
  return parts.join('&');
}

function transformRequest(data, headers) {
  if (isForm(data)) {
    setDefault(headers, 'Content-Type', 'application/x-www-form-urlencoded;charset=utf-8');
    return data.toString();
  }
  if (!isObject(data) || isBytes(data)) return data;
  setDefault(headers, 'Content-Type', 'application/json;charset=utf-8');
  return JSON.stringify(data);
}

const transformResponse = (data) => (typeof data === 'string' ? json(data) : data);
const each = (transforms, data, headers) => [].concat(transforms || []).reduce((value, f) => f(value, headers), data);

function failure(message, config, code, response) {
  const error = Object.assign(new Error(message), { config, request: {}, response, isAxiosError: true });
  if (code) error.code = code;
  error.toJSON = () => ({ message, name: error.name, code, config });
  return error;
}

function mergedHeaders(defaults, own, method) {
  const merged = {};
  for (const [name, value] of [
    ...Object.entries((defaults && defaults.common) || {}),
    ...Object.entries((defaults && defaults[method]) || {}),
    ...Object.entries(defaults || {}).filter(([, value]) => !isObject(value)),
    ...Object.entries(own || {}),
  ]) {
    const before = find(merged, name.toLowerCase());
    if (before) delete merged[before];
    merged[name] = value;
  }
  return merged;
}

async function dispatch(config) {
  if (config.cancelToken) config.cancelToken.throwIfRequested();
  const { headers } = config;
  const data = each(config.transformRequest, config.data, headers);
  if (WITH_BODY.includes(config.method) && data !== undefined) {
    setDefault(headers, 'Content-Type', 'application/x-www-form-urlencoded');
  }
  if (config.auth) headers.Authorization = basic(config.auth.username, config.auth.password);
  let url = join(config.baseURL, config.url || '');
  if (config.params) url = withQuery(url, (config.paramsSerializer || serialize)(config.params));
  setDefault(headers, 'Accept', 'application/json, text/plain, */*');
  let answer;
  try {
    answer = await send({
      method: config.method,
      url,
      headers,
      body: data,
      timeout: config.timeout,
      follow: config.maxRedirects !== 0,
    });
  } catch (error) {
    if (error.code === 'ETIMEDOUT') throw failure(`timeout of ${config.timeout || 0}ms exceeded`, config, 'ECONNABORTED');
    throw failure(error.message, config, error.code);
  }
  const body = config.responseType === 'arraybuffer' ? bytes(answer) : answer.text;
  const response = {
    data: each(config.transformResponse, body, answer.headers),
    status: answer.status,
    statusText: answer.reason,
    headers: answer.headers,
    config,
    request: { path: url, res: { responseUrl: answer.url } },
  };
  if (config.validateStatus && !config.validateStatus(answer.status)) {
    throw failure(`Request failed with status code ${answer.status}`, config, null, response);
  }
  return response;
}

function create(defaults) {
  const instance = (first, second) => {
    const own = typeof first === 'string' ? { ...second, url: first } : { ...first };
    const method = String(own.method || instance.defaults.method || 'get').toLowerCase();
    const config = { ...instance.defaults, ...own, method };
    config.headers = mergedHeaders(instance.defaults.headers, own.headers, method);
    let promise = Promise.resolve(config);
    for (const handlers of [...instance.interceptors.request.handlers].reverse()) promise = promise.then(...handlers);
    promise = promise.then(dispatch);
    for (const handlers of instance.interceptors.response.handlers) promise = promise.then(...handlers);
    return promise;
  };
  instance.defaults = defaults;
  instance.interceptors = { request: new Interceptors(), response: new Interceptors() };
  instance.request = instance;
  instance.getUri = (config) => withQuery(config.url, config.params ? serialize(config.params) : '');
  for (const method of ['get', 'delete', 'head', 'options']) {
    instance[method] = (url, config) => instance({ ...config, method, url });
  }
  for (const method of WITH_BODY) instance[method] = (url, data, config) => instance({ ...config, method, url, data });
  return instance;
}

const DEFAULTS = {
  headers: { common: {} },
  timeout: 0,
  transformRequest: [transformRequest],
  transformResponse: [transformResponse],
  validateStatus: (status) => status >= 200 && status < 300,
};
for (const method of ['get', 'delete', 'head', 'options', ...WITH_BODY]) DEFAULTS.headers[method] = {};

const axios = create(DEFAULTS);
axios.create = (own = {}) =>
  create({ ...axios.defaults, ...own, headers: { ...axios.defaults.headers, ...own.headers } });
Object.assign(axios, {
  Cancel,
  CancelToken,
  all: (promises) => Promise.all(promises),
  default: axios,
  isAxiosError: (error) => Boolean(error && error.isAxiosError),
  isCancel: (value) => value instanceof Cancel,
  spread: (callback) => (values) => callback(...values),
});
module.exports = axios;
