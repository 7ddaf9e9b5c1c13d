// Bundles the npm modules that scripts may require: `node build.mjs OUT` writes one file for each, the body of a
// CommonJS module, and modules.json: for each the other modules that it needs, and every bundled package with its licence.
import { build } from 'esbuild';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const HERE = import.meta.dirname;

// Modules of Node itself, by npm packages that do the same without Node.
const BUILTINS = {
  assert: 'assert/',
  buffer: 'buffer/',
  crypto: './entries/crypto.js',
  events: 'events/',
  path: 'path-browserify',
  querystring: 'querystring/',
  stream: 'stream-browserify',
  string_decoder: 'string_decoder/',
  url: './entries/url.js',
  util: './entries/util.js',
};
const PACKAGES = {
  bluebird: 'bluebird',
  cheerio: 'cheerio',
  'csv-parse': 'csv-parse',
  'csv-parse/lib/sync': 'csv-parse/lib/sync.js',
  'iconv-lite': 'iconv-lite',
  jsonwebtoken: 'jsonwebtoken',
  lodash: 'lodash',
  moment: './entries/moment.js',
  'moment-timezone': './entries/moment-timezone.js',
  underscore: 'underscore',
  uuid: 'uuid',
  xml2js: 'xml2js',
};
// What a bundle may use without requiring it; the prelude has the same table.
const GLOBALS = { Buffer: 'buffer', TextDecoder: 'util', TextEncoder: 'util', URL: 'url', URLSearchParams: 'url' };

// Required at run time instead of being bundled again and again; `buffer/` with its slash means the npm package.
const apart = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(node:)?(${[...Object.keys(BUILTINS), 'moment'].join('|')})$`) }, ({ path }) => ({
      path: path.replace(/^node:/, ''),
      external: true,
    }));
    onResolve({ filter: /^(node:)?(fs|http|https|net|timers|tty|vm|zlib)$/ }, ({ path }) => ({ path, namespace: 'none' }));
  },
};
const none = { name: 'none', setup: ({ onLoad }) => onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: '' })) };

const out = resolve(process.argv[2]);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const modules = {};
const packages = {};
for (const [name, source] of Object.entries({ ...BUILTINS, ...PACKAGES })) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `module.exports = require(${JSON.stringify(source)})`, resolveDir: HERE },
    bundle: true,
    format: 'cjs',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    legalComments: 'eof',
    write: false,
    metafile: true,
    define: { global: 'globalThis' },
    plugins: [apart, none],
    logOverride: { 'empty-import-meta': 'silent' },
  });
  const { text } = outputFiles[0];
  const needs = Object.values(metafile.outputs)[0].imports.map(({ path }) => path);
  const used = Object.entries(GLOBALS).filter(([word]) => new RegExp(`\\b${word}\\b`).test(text));
  modules[name] = [...new Set([...needs, ...used.map(([, module]) => module)])].filter((other) => other !== name).sort();
  for (const input of Object.keys(metafile.inputs)) {
    const found = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) packages[found[1]] = JSON.parse(readFileSync(join(HERE, 'node_modules', found[1], 'package.json'))).license;
  }
  writeFileSync(join(out, `${name.replaceAll('/', '~')}.js`), text);
}
const sorted = Object.fromEntries(Object.entries(packages).sort());
writeFileSync(join(out, 'modules.json'), `${JSON.stringify({ modules, packages: sorted }, null, 1)}\n`);
