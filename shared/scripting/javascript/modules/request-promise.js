// request-promise 4.2 over `request`.
'use strict';
const { perform, withMethods } = require('request').inner;

class StatusCodeError extends Error {
  constructor(statusCode, body, options, response) {
    super(`${statusCode} - ${JSON.stringify(body)}`);
    Object.assign(this, { name: 'StatusCodeError', statusCode, error: body, options, response });
  }
}

class RequestError extends Error {
  constructor(cause, options) {
    super(String(cause));
    Object.assign(this, { name: 'RequestError', cause, error: cause, options, code: cause.code });
  }
}

async function start(options) {
  const response = await perform(options).catch((cause) => {
    throw new RequestError(cause, options);
  });
  const isFine = response.statusCode >= 200 && response.statusCode < 300;
  if (options.simple !== false && !isFine) {
    throw new StatusCodeError(response.statusCode, response.body, options, response);
  }
  if (options.transform) return options.transform(response.body, response, options.resolveWithFullResponse);
  return options.resolveWithFullResponse ? response : response.body;
}

function startWithCallback(options) {
  const promise = start(options);
  promise.promise = () => promise;
  promise.cancel = () => {};
  if (options.callback) {
    promise.then(
      (result) => setImmediate(() => options.callback(null, options.resolveWithFullResponse ? result : { body: result }, result)),
      (error) => setImmediate(() => options.callback(error.cause || error)),
    );
  }
  return promise;
}

module.exports = withMethods(startWithCallback);
module.exports.errors = { RequestError, StatusCodeError };
