// The world of an author's script: what Node.js gives and V8 alone does not, and `__malgil`, through which the host
// drives a run. Only JSON texts cross that border. Nothing is defended against the script here: it can only lie about
// its own run, and the host trusts nothing that it is told.
(function (global) {
  'use strict';
  const { parse, stringify } = JSON;
  const { now } = Date;
  const MAX_LINES = 100;
  const MAX_LOG_CHARACTERS = 10 * 1024;
  const MAX_RESULT_CHARACTERS = 50000;
  const MAX_CALLS = 5;
  const MAX_CALL_CHARACTERS = 400 * 1024;

  // Whatever could block V8's thread, or run after the end of the run that it belongs to.
  for (const name of ['Atomics', 'FinalizationRegistry', 'SharedArrayBuffer', 'WebAssembly']) delete global[name];

  const plain = (properties) => Object.assign(Object.create(null), properties); // no toJSON but its own
  const hidden = (name, value) => Object.defineProperty(global, name, { value, writable: true, configurable: true });
  const cut = (text, length) => (text.length > length ? `${text.slice(0, length)}...` : text);

  // ---- console

  let notes = '';
  let lines = 0;
  let characters = 0;

  function show(value) {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return String(value.stack || value);
    if (typeof value === 'object' && value !== null) {
      try {
        return stringify(value);
      } catch {
        return String(value); // a circle
      }
    }
    return String(value);
  }

  function note(line) {
    if (lines === MAX_LINES || characters >= MAX_LOG_CHARACTERS) return;
    const shown = cut(line, MAX_LOG_CHARACTERS - characters);
    lines += 1;
    characters += shown.length;
    notes += (notes && ',') + stringify(shown);
  }

  const logger = (level) => (...values) => note(`console.${level}: ${values.map(show).join(' ')}`);
  global.console = { debug: logger('debug') };
  for (const level of ['log', 'info', 'warn', 'error', 'trace', 'dir']) global.console[level] = logger(level);
  for (const ignored of ['assert', 'count', 'group', 'groupEnd', 'table', 'time', 'timeEnd']) {
    global.console[ignored] = () => {};
  }

  // ---- timers: the host waits, and calls `tick` when one is due

  const timers = new Map();
  let lastTimer = 0;

  class Timer {
    constructor(id) {
      this.id = id;
    }
    ref() {
      return this;
    }
    unref() {
      return this;
    }
    hasRef() {
      return true;
    }
    [Symbol.toPrimitive]() {
      return this.id;
    }
  }

  function addTimer(callback, milliseconds, values, again) {
    if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function');
    const delay = Math.max(Number(milliseconds) || 0, 0);
    lastTimer += 1;
    timers.set(lastTimer, { at: now() + delay, delay: Math.max(delay, 1), callback, values, again });
    return new Timer(lastTimer);
  }

  const clear = (timer) => void timers.delete(Number(timer));
  hidden('setTimeout', (callback, milliseconds, ...values) => addTimer(callback, milliseconds, values, false));
  hidden('setInterval', (callback, milliseconds, ...values) => addTimer(callback, milliseconds, values, true));
  hidden('setImmediate', (callback, ...values) => addTimer(callback, 0, values, false));
  for (const name of ['clearTimeout', 'clearInterval', 'clearImmediate']) hidden(name, clear);
  delete global.__timer_manager;

  function firstTimer() {
    let first = null;
    for (const entry of timers) if (first === null || entry[1].at < first[1].at) first = entry;
    return first;
  }

  // ---- modules: `define`d by the host, run when they are first required

  const factories = new Map();
  const loaded = new Map();
  const SUBPATHS = [
    [/^lodash\/(\w+)$/, (name) => require('lodash')[name]],
    [/^uuid\/(v\d)$/, (name) => require('uuid')[name]],
    [/^moment\/(?:min\/)?locales?(?:\/([\w-]+))?$/, (name) => (name && require('moment').locale(name), require('moment'))],
    [/^csv-parse\/sync$/, () => require('csv-parse/lib/sync')],
    [/^(buffer|events|punycode|querystring|string_decoder|url|util)\/$/, (name) => require(name)],
  ];

  function require(asked) {
    const name = String(asked).replace(/^node:/, '');
    if (loaded.has(name)) return loaded.get(name).exports;
    const factory = factories.get(name);
    if (factory) {
      const module = { exports: {}, id: name };
      loaded.set(name, module);
      try {
        factory.call(module.exports, module.exports, require, module, call);
      } catch (error) {
        loaded.delete(name);
        throw error;
      }
      return module.exports;
    }
    for (const [pattern, find] of SUBPATHS) {
      const match = pattern.exec(name);
      const found = match && find(match[1]);
      if (found) return found;
    }
    throw Object.assign(new Error(missing(name)), { code: 'MODULE_NOT_FOUND' });
  }

  let missing = (name) => `Cannot find module '${name}': it is not available in Malgil scripts`;

  // A global of Node.js that a module implements; shipped only with scripts that name it.
  function lazy(name, module, find) {
    Object.defineProperty(global, name, {
      configurable: true,
      get: () => find(require(module)),
      set: (value) => hidden(name, value),
    });
  }
  lazy('Buffer', 'buffer', (exports) => exports.Buffer);
  lazy('URL', 'url', (exports) => exports.URL);
  lazy('URLSearchParams', 'url', (exports) => exports.URLSearchParams);
  lazy('TextEncoder', 'util', (exports) => exports.TextEncoder);
  lazy('TextDecoder', 'util', (exports) => exports.TextDecoder);
  lazy('fetch', 'node-fetch', (exports) => exports);
  lazy('btoa', 'buffer', ({ Buffer }) => (text) => Buffer.from(String(text), 'latin1').toString('base64'));
  lazy('atob', 'buffer', ({ Buffer }) => (text) => Buffer.from(String(text), 'base64').toString('latin1'));

  // ---- chance: bytes of the operating system, sent with the run

  let entropy = '';

  function getRandomValues(array) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    if (entropy.length < 2 * bytes.length) throw new RangeError('A script gets at most 16384 random bytes a run');
    for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(entropy.slice(2 * i, 2 * i + 2), 16);
    entropy = entropy.slice(2 * bytes.length);
    return array;
  }

  function randomUUID() {
    const bytes = getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  hidden('crypto', { getRandomValues, randomUUID });

  // ---- the rest of Node.js

  hidden('global', global);
  hidden('self', global);
  const nextTick = (callback, ...values) => void Promise.resolve().then(() => callback(...values)).catch(fail);
  hidden('process', {
    arch: '',
    argv: [],
    browser: true,
    cwd: () => '/',
    emitWarning() {},
    env: {},
    nextTick,
    on() {},
    once() {},
    platform: 'linux',
    removeListener() {},
    version: 'v12.22.12',
    versions: { node: '12.22.12' },
  });
  hidden('queueMicrotask', (callback) => void Promise.resolve().then(callback).catch(fail));

  // ---- HTTP: the host makes the calls; only the modules get this function

  let calls = '';
  let lastCall = 0;
  const pending = new Map();

  function call(request) {
    return new Promise((resolve, reject) => {
      // The host counts too; here it keeps a flood from the border.
      if (lastCall === MAX_CALLS) throw new RangeError(`A script may make at most ${MAX_CALLS} HTTP calls a run`);
      const id = lastCall + 1;
      const text = stringify(plain({ ...request, headers: plain(request.headers), id }));
      if (text.length > MAX_CALL_CHARACTERS) {
        throw new RangeError(`The request is too large: at most ${MAX_CALL_CHARACTERS} characters`);
      }
      lastCall = id;
      pending.set(id, { resolve, reject });
      calls += (calls && ',') + text;
    });
  }

  // ---- the run

  let done = null;
  let endedWithoutResult = false;

  function finish(value) {
    if (done !== null) return;
    try {
      const text = stringify(value) || 'null';
      if (text.length > MAX_RESULT_CHARACTERS) {
        throw plain({ name: 'ResultTooLargeError', message: `The result is larger than ${MAX_RESULT_CHARACTERS} bytes` });
      }
      done = `{"result":${stringify(text)}}`;
    } catch (error) {
      fail(error);
    }
  }

  function fail(error) {
    if (done !== null) return;
    let name = 'Error';
    let message = '';
    try {
      const isObject = typeof error === 'object' && error !== null;
      name = String((isObject && error.name) || name);
      message = String(isObject && 'message' in error ? error.message : show(error));
      const place = /script\.js:(\d+)/.exec(String((isObject && error.stack) || ''));
      if (place) note(`${name} at line ${place[1]} of the script`);
    } catch (other) {
      message = 'The error of the script cannot be read';
    }
    done = `{"error":${stringify(plain({ name: cut(name, 100), message: cut(message, 2000) }))}}`;
  }

  function guarded(work) {
    try {
      work();
    } catch (error) {
      fail(error);
    }
  }

  const host = {
    // Give the run its context and its chance; `available` says of a missing module why it is missing.
    begin(context, random, unavailable) {
      host.context = context;
      entropy = random;
      const reasons = parse(unavailable);
      missing = (name) => `Cannot find module '${name}': ${reasons[name] || 'it is not available in Malgil scripts'}`;
    },
    define: (name, factory) => void factories.set(name, factory),
    // Run the author's module and what it exports.
    main(factory) {
      guarded(() => {
        const module = { exports: {}, id: '.' };
        factory.call(module.exports, module.exports, require, module);
        const handler = module.exports;
        if (typeof handler !== 'function') throw new TypeError('module.exports is not a function');
        const takesCallback = handler.length > 1;
        const value = handler(parse(host.context), (error, result) => (error ? fail(error) : finish(result)));
        if (value !== null && value !== undefined && typeof value.then === 'function') {
          value.then((result) => {
            // An async function with a callback may end before the callback is called.
            if (result === undefined && takesCallback) endedWithoutResult = true;
            else finish(result);
          }, (reason) => fail(reason === undefined ? new Error('The promise was rejected') : reason));
        } else if (value !== undefined && !takesCallback) {
          finish(value);
        }
      });
    },
    // Run the timer that is due first.
    tick() {
      const first = firstTimer();
      if (first === null || first[1].at > now()) return;
      const [id, timer] = first;
      if (timer.again) timer.at = now() + timer.delay;
      else timers.delete(id);
      guarded(() => timer.callback.apply(global, timer.values));
    },
    // The answer to an HTTP call.
    answer(id, text) {
      const waiting = pending.get(id);
      pending.delete(id);
      const answer = parse(text);
      if (answer.error) waiting.reject(Object.assign(new Error(answer.error.message), answer.error));
      else waiting.resolve(answer);
    },
    // What happened since: asked when nothing more runs by itself.
    poll() {
      const next = firstTimer();
      if (done === null && next === null && pending.size === 0) {
        if (endedWithoutResult) finish(undefined);
        else {
          fail(plain({
            name: 'NeverEndedError',
            message: 'The script neither called its callback nor settled its promise, and waits for nothing any more',
          }));
        }
      }
      const wait = next === null ? 'null' : Math.max(next[1].at - now(), 0);
      const text = `{"calls":[${calls}],"notes":[${notes}],"wait":${wait},"done":${done}}`;
      calls = '';
      notes = '';
      return text;
    },
  };
  Object.defineProperty(global, '__malgil', { value: Object.freeze({ ...host }) });
})(globalThis);
