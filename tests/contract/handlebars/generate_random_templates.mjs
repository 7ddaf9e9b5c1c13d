// Writes tests/data/handlebars/random_templates.jsonl.gz: random templates with what npm handlebars makes of them.
// Run after `npm ci` in tests/peers: node tests/contract/handlebars/generate_random_templates.mjs
//
// First line: the contexts. Every further line: [template, place of its context, whether it makes HTML, output].
// Where our spelling is not Handlebars' own (a[0], $eq(a, b)), a template is made in both spellings side by side.

import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'

const require = createRequire(new URL('../../peers/package.json', import.meta.url))
const Handlebars = require('handlebars')
const utils = require('handlebars/dist/cjs/handlebars/utils')

const COUNT = 2000
const MAX_NESTING = 4
const MAX_OUTPUT = 20000

let state = 20261122
function random() { // mulberry32
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}
const chance = (share) => random() < share
const below = (count) => Math.floor(random() * count)
const pick = (list) => list[below(list.length)]

// A text in both spellings.
const both = (text) => ({ ours: text, theirs: text })
const join = (...parts) => parts.map((part) => (typeof part === 'string' ? both(part) : part)).reduce((left, right) => (
  { ours: left.ours + right.ours, theirs: left.theirs + right.theirs }), both(''))

const contexts = [
  {},
  {
    name: '철수', price: 12000, rate: 0.1, zero: 0, empty: '', yes: true, no: false, nothing: null,
    user: { name: 'Ann <b>&', age: 31, tags: ['a', 'b', 'c'], address: { city: '서울', 'zip code': '04524' } },
    items: [
      { name: '사과', price: 1500, sale: true, options: ['red', 'green'] },
      { name: '"배"', price: 2000.5, sale: false, options: [] },
      { name: "감'`=", price: 0, options: ['홍시', '단감', 'dried'] },
    ],
    list: [1, 2.5, 'x', true, false, 0, ''], none: [], matrix: [[1, 2], [3, 4]],
    map: { b: 1, a: 'two', 10: 'ten', 2: 'two', '': 'blank' },
  },
  {
    name: '', price: 1e21, rate: 1e-7, zero: 0, empty: [], yes: {}, no: 0, nothing: null,
    user: null, items: [], list: 'text', none: 0, matrix: [[], [1, 2]], map: {},
  },
  {
    name: '😀 {{name}} {{{{raw}}}}', price: -0.000001, rate: 123456789012345680000, zero: '0', empty: ' ', yes: 'no', no: '',
    user: { name: 5, age: '31', tags: { x: [1, 2], y: { z: true } }, address: 'nowhere' },
    items: { first: { name: 'F', price: 1 }, second: { name: 'S', options: { k: 'v', w: 'u' } } },
    list: [{ name: 'n1', list: [1, 2] }, { name: 'n2' }], none: false, matrix: 'abc', map: ['p', 'q'],
  },
]

const NAMES = ['name', 'price', 'rate', 'zero', 'empty', 'yes', 'no', 'nothing', 'user', 'items', 'list', 'none', 'matrix', 'map', 'missing']
const INNER = ['name', 'age', 'tags', 'address', 'city', 'price', 'sale', 'options', 'length', 'list', 'x', 'constructor', '__proto__', 'toString']
const TEXTS = ['a', '말길 ', ' ', '\n', '  \n', '\n  ', ' x\n', '<i>', '\t', '\r\n', 'end.', '😀', '\n\n', ' }', '{ ', '\\ ']
const LITERALS = ['1', '-2', '2.50', '0', '"x"', "'two words'", '"Ann <b>&"', '"say \\"hi\\""', 'true', 'false', 'null', 'undefined', '12000', '""']
const tilde = () => (chance(0.12) ? '~' : '')

function segment() {
  const name = pick(INNER)
  return pick([
    () => both(`.${name}`), () => both(`.${name}`), () => both(`/${name}`), () => both(`.[${name}]`),
    () => { const index = below(4); return { ours: `[${index}]`, theirs: `.[${index}]` } },
    () => { const index = below(3); return both(`.[${index}]`) },
    () => ({ ours: `["zip code"]`, theirs: '.[zip code]' }), () => both('.[zip code]'),
    () => ({ ours: `[ '${name}' ]`, theirs: `.[${name}]` }),
  ])()
}

function path(parameters) {
  const head = pick([
    () => both(pick(NAMES)), () => both(pick(NAMES)), () => both(pick(INNER)),
    () => both('this'), () => both('.'), () => both(`this.${pick(INNER)}`), () => both(`./${pick(NAMES)}`),
    () => both(`../${pick(NAMES)}`), () => both(`../../${pick(NAMES)}`), () => both('..'),
    () => both(`@root.${pick(NAMES)}`), () => both(pick(['@index', '@key', '@first', '@last', '@../index', '@../key'])),
    () => both(`[${pick(NAMES)}]`), () => both(parameters.length ? pick(parameters) : pick(NAMES)),
  ])()
  if (/^(\.|\.\.)$/.test(head.ours) || /^@[^r]/.test(head.ours)) return head
  return join(head, ...Array.from({ length: pick([0, 0, 0, 1, 1, 2]) }, segment))
}

function value(parameters, nesting) {
  if (nesting < 3 && chance(0.15)) return call(parameters, nesting + 1, true)
  return chance(0.3) ? both(pick(LITERALS)) : path(parameters)
}

function call(parameters, nesting, isNested) {
  const name = pick(['$eq', '$ne', '$lt', '$lte', '$gt', '$gte', '$and', '$or', 'lookup'])
  const count = name === '$and' || name === '$or' ? 2 + below(2) : 2
  const values = Array.from({ length: count }, () => value(parameters, nesting))
  const theirs = `${name} ${values.map((each) => each.theirs).join(' ')}`
  if (chance(0.3)) {
    return { ours: `${name}(${values.map((each) => each.ours).join(pick([',', ', ', ' , ']))})`, theirs: isNested ? `(${theirs})` : theirs }
  }
  const ours = `${name} ${values.map((each) => each.ours).join(' ')}`
  return isNested ? { ours: `(${ours})`, theirs: `(${theirs})` } : { ours, theirs }
}

function mustache(parameters) {
  const inside = chance(0.2) ? call(parameters, 0, false) : path(parameters)
  const space = pick(['', '', ' '])
  return pick([
    () => join('{{', tilde(), space, inside, space, tilde(), '}}'),
    () => join('{{', tilde(), space, inside, space, tilde(), '}}'),
    () => join('{{', tilde(), space, inside, space, tilde(), '}}'),
    // Handlebars adds neighbouring numbers that it does not escape; a text before them makes it print them.
    () => join('·{{', tilde(), '{', inside, '}', tilde(), '}}'),
    () => join('·{{', tilde(), '&', inside, tilde(), '}}'),
  ])()
}

const ELSE = () => `{{${tilde()}${pick(['else', '^', ' else '])}${tilde()}}}`

function head(parameters, nesting, isInverted = false) {
  // Handlebars fails on parameters of a block that begins with ^.
  const names = isInverted ? [] : pick([[], [], ['item'], ['item', 'key']])
  const as = names.length ? ` as |${names.join(' ')}|` : ''
  return pick([
    () => ({ name: 'if', text: join('if ', value(parameters, nesting), chance(0.1) ? ' includeZero=true' : ''), names: [] }),
    () => ({ name: 'unless', text: join('unless ', value(parameters, nesting)), names: [] }),
    () => ({ name: 'each', text: join('each ', path(parameters), as), names }),
    () => ({ name: 'each', text: join('each ', pick(['items', 'list', 'map', 'matrix', 'user.tags', 'this', 'options']), as), names }),
    () => ({ name: 'with', text: join('with ', path(parameters), as.replace(' key', '')), names: names.slice(0, 1) }),
    () => { const name = pick(NAMES); return { name, text: both(name), names: [] } },
  ])()
}

function block(parameters, nesting) {
  const isInverted = chance(0.2)
  const opening = head(parameters, nesting, isInverted)
  let text = join('{{', tilde(), isInverted ? '^' : '#', opening.text, tilde(), '}}')
  text = join(text, program([...opening.names, ...parameters], nesting + 1))
  if (!isInverted) {
    for (let count = pick([0, 0, 0, 1, 2]); count > 0; count--) {
      const link = head(parameters, nesting)
      text = join(text, '{{', tilde(), 'else ', link.text, tilde(), '}}', program([...link.names, ...parameters], nesting + 1))
    }
  }
  if (chance(0.4)) text = join(text, ELSE(), program(parameters, nesting + 1))
  return join(text, '{{', tilde(), '/', opening.name, tilde(), '}}')
}

function program(parameters, nesting) {
  return join(...Array.from({ length: below(nesting ? 5 : 8) }, () => pick([
    () => both(pick(TEXTS)), () => both(pick(TEXTS)), () => both(pick(TEXTS)),
    () => mustache(parameters), () => mustache(parameters), () => mustache(parameters),
    () => (nesting < MAX_NESTING ? block(parameters, nesting) : both('deep')),
    () => (nesting < MAX_NESTING ? block(parameters, nesting) : both('deep')),
    () => both(`{{${tilde()}! a comment${tilde()}}}`), () => both(`{{${tilde()}!-- with {{tags}} --${tilde()}}}`),
    () => both(`\\{{${pick(NAMES)}}}`), () => join('\\\\{{', path(parameters), '}}'),
    () => (nesting ? both(pick(TEXTS)) : both('{{{{raw}}}} {{name}} {{{{raw}}}}nested{{{{/raw}}}} {{{{/raw}}}}')),
  ])()))
}

const isTrue = (found) => !Handlebars.Utils.isEmpty(found) && found !== 0
const withoutOptions = (test) => (...values) => test(...values.slice(0, -1))
Handlebars.registerHelper({
  $eq: (left, right) => left === right,
  $ne: (left, right) => left !== right,
  $lt: (left, right) => left < right,
  $lte: (left, right) => left <= right,
  $gt: (left, right) => left > right,
  $gte: (left, right) => left >= right,
  $and: withoutOptions((...values) => (values.every(isTrue) ? values.at(-1) : values.find((each) => !isTrue(each)))),
  $or: withoutOptions((...values) => (values.some(isTrue) ? values.find(isTrue) : values.at(-1))),
  raw: (options) => options.fn(),
})
// Inside a block in a loop over null Handlebars takes an empty object for the null: we do not, so such templates are left out.
let sawNull = false
const each = Handlebars.helpers.each
Handlebars.registerHelper('each', function (items, options) {
  sawNull ||= items !== null && typeof items === 'object' && Object.values(items).includes(null)
  return each.call(this, items, options)
})
Handlebars.log = () => {} // names of the prototype are refused loudly
Handlebars.logger.level = 'error'
console.error = () => {}

// Two differences on purpose: objects print as their JSON, and outside HTML nothing is escaped.
const printed = function () { return JSON.stringify(this) }
Object.defineProperty(Object.prototype, 'toString', { value: printed, configurable: true, enumerable: false, writable: true })
const escapeHtml = utils.escapeExpression
const asText = (found) => (found == null ? '' : String(found))

const lines = [JSON.stringify(contexts)]
while (lines.length <= COUNT) {
  const template = program([], 0)
  const place = below(contexts.length)
  const makesHtml = chance(0.5)
  utils.escapeExpression = makesHtml ? escapeHtml : asText
  sawNull = false
  const output = Handlebars.compile(template.theirs)(JSON.parse(JSON.stringify(contexts[place])))
  if (template.ours.includes('{{') && output.length < MAX_OUTPUT && !sawNull) lines.push(JSON.stringify([template.ours, place, makesHtml, output]))
}
writeFileSync(new URL('../../data/handlebars/random_templates.jsonl.gz', import.meta.url), gzipSync(lines.join('\n') + '\n', { level: 9 }))
