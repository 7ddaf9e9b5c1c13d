// Writes the golden rows of DATE and FORMAT with the packages that define them: `node generate.mjs OUTPUT_DIRECTORY`.
// Fixed lists and a seeded generator, never the clock: the same package versions always write the same rows.
// The packages come from tests/peers/node_modules (`npm ci` in tests/peers); PEERS names another package.json.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(process.env.PEERS ?? join(here, "../../peers/package.json"));
process.env.TZ = "UTC";
const numeral = require("numeral");
const moment = require("moment-timezone");
require("moment/locale/ko");
moment.locale("en");
moment.suppressDeprecationWarnings = true;
console.error = () => {}; // unknown time zones are meant

let seed = 12345;
function random() {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff;
  return seed / 0x7fffffff;
}

/** Formats that the package's own tests use: [value, format, expected] triples. */
function testedFormats(directory) {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) return testedFormats(path);
    if (!name.endsWith(".js")) return [];
    const triple = /\[\s*(?:-?[\d.eE+]+|'[^']*'|null|undefined|NaN)\s*,\s*'([^']*)'\s*,\s*'[^']*'\s*\]/g;
    return [...readFileSync(path, "utf8").matchAll(triple)].map((match) => match[1]);
  });
}

const numeralFormats = new Set([
  ...testedFormats(join(dirname(require.resolve("numeral")), "tests")),
  "", "0", "0,0", "0.0", "0.00", "0,0.00", "0,0.[00]", "0.[0000]", "0[.]00", "(0,0)", "+0,0", "-0", "0a", "0.0a",
  "0.00a", "0 a", "0,0 a", "0.[0]a", "0ak", "0am", "0ab", "0at", "0o", "0,0o", "0%", "0.0%", "0 %", "0.[00]%", "$0,0",
  "$ 0,0", "0,0 $", "0,0$", "$0.0a", "($0,0)", "$-0,0", "-$0,0", "0b", "0ib", "0.0b", "0.0 b", "0.00ib", "0 ib",
  "00:00:00", "0e+0", "0.00e+0", "0,0.0e+0", "0 BPS", "0BPS", "0,0[.]00 $", "00000", "000,000", "0.000000", ".00",
  ".0", "0,0.000a", "0.0 a $", "₩0,0", "0,0원", '0,0 "개"',
]);
const values = [
  0, -0, 1, -1, 2, 5, 9, 10, 11, 12, 13, 21, 22, 99, 100, 101, 111, 123.456, -123.456, 0.5, 0.05, 0.005, 1.005, 1.5,
  2.5, 1.255, 999, 999.5, 999.999, 1000, 1024, 1234.5, 1230974, 10000, -10000, 100000, 999999, 999949, 1e6, 1.5e6,
  123456789, 1e9, 1e12, 1.2345e12, 1e15, -0.001, 0.000001, 0.1 + 0.2, 1e21, 3600, 86399, 63846, null, "01234.5",
  "1,234.5", "안녕하세요", "", "12abc", "$10,000.00", "3.4%", "1.2m", "2k", "0:25:14", "-76%", true, [],
];
for (let i = 0; i < 40; i++) {
  values.push(Math.round((random() - 0.5) * Math.pow(10, Math.floor(random() * 12)) * 1000) / 1000);
}

const tokens = (
  "M Mo MM MMM MMMM Q Qo D Do DD DDD DDDo DDDD d do dd ddd dddd e E w wo ww W Wo WW YY YYYY Y YYYYY YYYYYY gg gggg " +
  "GG GGGG A a H HH h hh k kk m mm s ss S SS SSS SSSS SSSSSS SSSSSSSSS z zz Z ZZ X x LT LTS L LL LLL LLLL l ll lll " +
  "llll N NN y N hmm hmmss Hmm Hmmss"
).split(" ");
const momentFormats = [
  ...tokens,
  "", "YYYY-MM-DD", "YYYY.MM", "YYYY년 MM월 DD일 HH시 mm분", "YYYY년 M월 D일 dddd", "A h:mm", "a hh:mm:ss",
  "YYYY-MM-DDTHH:mm:ssZ", "YYYY-MM-DD[T]HH:mm:ss.SSSZZ", "[오늘은] dddd [입니다]", "MM/DD(ddd)", "YYMMDD",
  "dddd, MMMM Do YYYY, h:mm:ss a", "[escaped] \\Y\\Y YYYY", "HH:mm:ss.SSS", "Do MMM YY", "kk:mm",
  "DDDD/GGGG-[W]WW-E", "LL LT", "l LTS", "YYYYMMDDHHmmss", "M월 D일(dd)", "x X", "Qo [quarter]", "gggg-ww", "🙂 YYYY",
  "T z", "[]YYYY", "[[YYYY]]", "YYYY [년",
];
const instants = [
  "2018-12-07T05:47:14.667Z", "2018-12-07", "2020-02-29T23:59:59.999Z", "2021-01-01T00:00:00Z", "2021-01-03T15:00:00Z",
  "2019-12-29T12:00:00Z", "2019-12-30T12:00:00Z", "2024-03-10T09:59:59Z", "2024-03-10T10:00:00Z",
  "2024-11-03T05:59:59Z", "2024-11-03T06:30:00Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.001Z",
  "1988-05-08T00:00:00Z", "1961-08-10T00:00:00Z", "2038-01-19T03:14:08Z", "2099-12-31T23:59:59Z",
  "0099-06-01T00:00:00Z", "2016-02-01T12:00:00+09:00", "2018-12-07T05:47", "2018-12", "20181207", "20181207T054714",
  "2018-W49-5", "2018-341", "2018-12-07 05:47:14", "Fri, 07 Dec 2018 05:47:14 +0000", 1544161634667, 0, -1, 1e12,
  "2018-13-01", "not a date", "",
];
for (let i = 0; i < 30; i++) instants.push(Math.floor(random() * 4e12) - 5e11);
const zones = [
  null, "UTC", "Asia/Seoul", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/London", "Etc/GMT+9",
  "No/Such",
];

function momentText(locale, zone, format, instant) {
  const utc = moment.utc(instant).locale(locale);
  return (zone ? utc.tz(zone) : utc).format(format || undefined);
}

function localeText(value) {
  const isNumericText = typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value));
  return value === null ? null : (isNumericText ? Number(value) : value).toLocaleString("en-US");
}

const rows = {
  numeral: [...numeralFormats].flatMap((format) =>
    values.map((value) => [value, format, numeral(value).format(format)]),
  ),
  moment: ["en", "ko"].flatMap((locale) =>
    zones
      .filter((zone) => locale === "en" || zone === "Asia/Seoul")
      .flatMap((zone) =>
        momentFormats.flatMap((format) =>
          instants.map((instant) => [locale, zone, format, instant, momentText(locale, zone, format, instant)]),
        ),
      ),
  ),
  locale: values.map((value) => [value, localeText(value)]),
};
const output = process.argv[2];
mkdirSync(output, { recursive: true });
for (const [name, lines] of Object.entries(rows)) {
  writeFileSync(join(output, `${name}.jsonl`), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
