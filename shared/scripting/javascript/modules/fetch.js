// fetch 1.1: fetchUrl(url, options, callback(error, meta, body)).
'use strict';
const { bytes, send, setDefault } = require('malgil-http');

function fetchUrl(url, given, last) {
  const options = typeof given === 'function' ? {} : given || {};
  const callback = typeof given === 'function' ? given : last;
  const headers = { ...options.headers };
  if (options.payload) setDefault(headers, 'Content-Type', 'application/x-www-form-urlencoded');
  send({
    method: options.method || (options.payload ? 'POST' : 'GET'),
    url,
    headers,
    body: options.payload,
    timeout: options.timeout,
    follow: !options.disableRedirects,
  }).then(
    (answer) =>
      setImmediate(() => {
        const meta = { status: answer.status, responseHeaders: answer.headers, finalUrl: answer.url };
        callback(null, meta, options.outputEncoding ? answer.text : bytes(answer));
      }),
    (error) => setImmediate(() => callback(error)),
  );
}

module.exports = { fetchUrl };
