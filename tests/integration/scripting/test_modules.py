"""Every module that scripts may require does its work: known answers of each."""

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest

from shared.bot.script_modules import AVAILABLE, PURE_MODULES
from shared.scripting.modules import BUILT_BUNDLES, ModuleSources
from tests.integration.scripting.conftest import script_call

PRODUCTS = "id,name\n1,사과\n2,배\n"
RSS = "<rss version='2.0'><channel><title>소식</title><item>하나</item><item>둘</item></channel></rss>"
PAGE = "<ul id='fruits'><li class='apple'>사과</li><li class='pear'>배</li></ul>"
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
    ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
)
"""The example of jwt.io; its secret is your-256-bit-secret."""

WORKS = {
    "lodash": ("_.chunk([1, 2, 3], 2)", "const _ = require('lodash');", [[1, 2], [3]]),
    "a part of lodash": ("get({a: [{b: 7}]}, 'a[0].b')", "const get = require('lodash/get');", 7),
    "underscore": (
        "_.groupBy([1.3, 2.1, 2.4], Math.floor)",
        "const _ = require('underscore');",
        {"1": [1.3], "2": [2.1, 2.4]},
    ),
    "bluebird": (
        "await Promise.map([1, 2, 3], (n) => Promise.delay(1).then(() => n * 2), {concurrency: 2})",
        "const Promise = require('bluebird');",
        [2, 4, 6],
    ),
    "moment": (
        "[moment.utc('2020-02-29T12:00:00Z').add(1, 'year').format('YYYY-MM-DD HH:mm'), moment.utc(0).format('dddd')]",
        "const moment = require('moment');",
        ["2021-02-28 12:00", "Thursday"],
    ),
    "moment in Korean": (
        "moment.utc('2020-05-05T15:00:00Z').locale('ko').format('LLLL')",
        "const moment = require('moment');",
        "2020년 5월 5일 화요일 오후 3:00",
    ),
    "a locale of moment": (
        "moment.utc(0).format('dddd')",
        "const moment = require('moment'); require('moment/locale/ko');",
        "목요일",
    ),
    "moment-timezone": (
        (
            "[moment.tz('2020-07-01 12:00', 'America/New_York').utc().format(), "
            "moment(0).tz('Asia/Seoul').format('HH:mm Z')]"
        ),
        "const moment = require('moment-timezone');",
        ["2020-07-01T16:00:00Z", "09:00 +09:00"],
    ),
    "uuid": (
        "[v5('www.example.com', v5.DNS), v3('www.example.com', v3.DNS), validate(v4()), version(v4()), v1().length]",
        "const {v1, v3, v4, v5, validate, version} = require('uuid');",
        ["2ed6657d-e927-568b-95e1-2665a8aea6a2", "5df41881-3aed-3515-88a7-2f4a814cf09e", True, 4, 36],
    ),
    "uuid the old way": ("/^[0-9a-f-]{36}$/.test(uuid())", "const uuid = require('uuid/v4');", True),
    "csv-parse": (
        "await new Promise((resolve) => parse(context.csv, {columns: true}, (error, rows) => resolve(rows)))",
        "const parse = require('csv-parse');",
        [{"id": "1", "name": "사과"}, {"id": "2", "name": "배"}],
    ),
    "csv-parse/lib/sync": ("parse(context.csv)[2]", "const parse = require('csv-parse/lib/sync');", ["2", "배"]),
    "xml2js": (
        "(await xml2js.parseStringPromise(context.rss)).rss.channel[0].item",
        "const xml2js = require('xml2js');",
        ["하나", "둘"],
    ),
    "xml2js builder": (
        "new xml2js.Builder({headless: true, renderOpts: {pretty: false}}).buildObject({a: {b: [1, 2]}})",
        "const xml2js = require('xml2js');",
        "<a><b>1</b><b>2</b></a>",
    ),
    "cheerio": (
        "[$('#fruits .pear').text(), $('li').map((i, e) => $(e).attr('class')).get()]",
        "const $ = require('cheerio').load(context_page);",
        ["배", ["apple", "pear"]],
    ),
    "jsonwebtoken": (
        (
            "[jwt.verify(context.jwt, 'your-256-bit-secret').name, jwt.decode(jwt.sign({a: 1}, 'secret', "
            "{expiresIn: '1h'})).a]"
        ),
        "const jwt = require('jsonwebtoken');",
        ["John Doe", 1],
    ),
    "iconv-lite": (
        "[iconv.encode('한글', 'euc-kr').toString('hex'), iconv.decode(Buffer.from('c7d1b1db', 'hex'), 'cp949')]",
        "const iconv = require('iconv-lite');",
        ["c7d1b1db", "한글"],
    ),
    "url": (
        (
            "[url.parse('https://a.example:8443/b?c=d#e').hostname, url.resolve('https://a.example/b/c', '../d'), "
            "new URL('?q=가', 'https://a.example/x').href, new url.URLSearchParams({a: '1 2'}).toString()]"
        ),
        "const url = require('url');",
        ["a.example", "https://a.example/d", "https://a.example/x?q=%EA%B0%80", "a=1+2"],
    ),
    "querystring": (
        "[qs.stringify({a: ['1', '2'], b: '가'}), qs.parse('a=1&b=%EA%B0%80')]",
        "const qs = require('querystring');",
        ["a=1&a=2&b=%EA%B0%80", {"a": "1", "b": "가"}],
    ),
    "util": (
        "[util.format('%s has %d', '말길', 3), util.inspect({a: [1]}), await util.promisify((a, b) => b(null, a))(7)]",
        "const util = require('util');",
        ["말길 has 3", "{ a: [ 1 ] }", 7],
    ),
    "buffer": (
        (
            "[Buffer.from('말길').toString('base64'), Buffer.from('66f6f', 'hex').length, "
            "Buffer.concat([Buffer.alloc(1, 65)]) + '']"
        ),
        "const {Buffer} = require('buffer');",
        ["66eQ6ri4", 2, "A"],
    ),
    "Buffer without require": ("Buffer.from('66eQ6ri4', 'base64').toString('utf8')", "", "말길"),
    "texts as bytes": (
        "[new TextDecoder().decode(new TextEncoder().encode('말길')), atob(btoa('abc'))]",
        "",
        ["말길", "abc"],
    ),
    "events": (
        "seen",
        (
            "const E = require('events'); const seen = []; const e = new E(); e.on('x', (v) => "
            "seen.push(v)); e.emit('x', 1);"
        ),
        [1],
    ),
    "assert": (
        "(() => { try { assert.strictEqual(1, 2) } catch (e) { return e.name } })()",
        "const assert = require('assert');",
        "AssertionError",
    ),
    "path": ("path.join('/a/b', '../c.txt')", "const path = require('node:path');", "/a/c.txt"),
    "string_decoder": (
        "new StringDecoder('utf8').write(Buffer.from([0xea, 0xb0, 0x80, 0xea]))",
        "const {StringDecoder} = require('string_decoder');",
        "가",
    ),
    "stream": (
        "await new Promise((resolve) => new PassThrough().on('data', (d) => resolve(String(d))).end('x'))",
        "const {PassThrough} = require('stream');",
        "x",
    ),
}


@pytest.mark.parametrize("name", WORKS)
def test_a_module_does_its_work(result, name):
    expression, setup, expected = WORKS[name]
    setup = setup.replace("context_page", json.dumps(PAGE))
    script = f"{setup}\nmodule.exports = async (context) => ({{value: {expression}}});"
    assert result(script, {"csv": PRODUCTS, "rss": RSS, "jwt": JWT})["value"] == expected


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("text", ["", "말길", "a" * 1000])
def test_digests_and_macs_are_those_of_python(result, algorithm, text):
    script = """const crypto = require('crypto');
    module.exports = async ({algorithm, text}) => ({
      hash: crypto.createHash(algorithm).update(text, 'utf8').digest('hex'),
      mac: crypto.createHmac(algorithm, 'key').update(text).digest('base64'),
    })"""
    assert result(script, {"algorithm": algorithm, "text": text}) == {
        "hash": hashlib.new(algorithm, text.encode()).hexdigest(),
        "mac": base64.b64encode(hmac.digest(b"key", text.encode(), algorithm)).decode(),
    }


@pytest.mark.parametrize(
    ("algorithm", "key", "iv", "cipher"),
    [
        # NIST SP 800-38A F.2.1, F.2.5 and F.5.1, first block.
        (
            "aes-128-cbc",
            "2b7e151628aed2a6abf7158809cf4f3c",
            "000102030405060708090a0b0c0d0e0f",
            "7649abac8119b246cee98e9b12e9197d",
        ),
        (
            "aes-256-cbc",
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "000102030405060708090a0b0c0d0e0f",
            "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
        ),
        (
            "aes-128-ctr",
            "2b7e151628aed2a6abf7158809cf4f3c",
            "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
            "874d6191b620e3261bef6864990db6ce",
        ),
    ],
)
def test_aes_gives_the_published_vectors_and_back(result, algorithm, key, iv, cipher):
    plain = "6bc1bee22e409f96e93d7e117393172a"
    script = """const crypto = require('crypto');
    module.exports = async ({algorithm, key, iv, plain}) => {
      const given = [algorithm, Buffer.from(key, 'hex'), Buffer.from(iv, 'hex')];
      const one = crypto.createCipheriv(...given);
      const sealed = one.update(plain, 'hex', 'hex') + one.final('hex');
      const two = crypto.createDecipheriv(...given);
      return {sealed, opened: two.update(sealed, 'hex', 'hex') + two.final('hex')};
    }"""
    answer = result(script, {"algorithm": algorithm, "key": key, "iv": iv, "plain": plain})
    assert answer["sealed"].startswith(cipher)
    assert answer["opened"] == plain


def test_chance_is_different_every_time_and_in_every_run(result):
    script = """const crypto = require('crypto'); const {v4} = require('uuid');
    module.exports = async () => ({values: [
      crypto.randomBytes(16).toString('hex'), crypto.randomBytes(16).toString('hex'), v4(), v4(), crypto.randomUUID(),
      Array.from(globalThis.crypto.getRandomValues(new Uint8Array(8))).join(), String(Math.random())] })"""
    values = result(script)["values"] + result(script)["values"]
    assert len(set(values)) == len(values)
    assert re.fullmatch("[0-9a-f]{32}", values[0])
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", values[4])


def test_more_chance_than_a_run_has_is_refused_and_never_made_up(failure):
    script = "module.exports = async () => { for (;;) require('crypto').randomBytes(4096) }"
    assert failure(script).message == "A script gets at most 16384 random bytes a run"


def test_a_token_with_another_secret_or_algorithm_is_refused(failure):
    script = "module.exports = async ({jwt}) => require('jsonwebtoken').verify(jwt, 'other')"
    assert failure(script, {"jwt": JWT}).name == "JsonWebTokenError"
    unsigned = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ."
    assert failure(script, {"jwt": unsigned}).name == "JsonWebTokenError"


def test_a_name_that_is_made_at_run_time_is_found_too(result):
    script = "module.exports = async () => ({value: require(['lo', 'dash'].join('')).last([1, 2])})"
    assert result(script) == {"value": 2}


@pytest.mark.parametrize("name", sorted(AVAILABLE))
def test_every_available_module_loads(result, name):
    handler = f"module.exports = async () => ({{kind: typeof first, same: first === require('{name}')}})"
    answer = result(f"const first = require('{name}'); {handler}")
    assert answer["kind"] in ("function", "object")
    assert answer["same"] is True


@pytest.mark.parametrize(
    "name", ["aws-sdk", "apn", "gm", "googleapis", "imagemagick", "nodemailer", "express", "./own"]
)
def test_what_is_not_available_says_so_by_name(failure, name):
    failed = failure(f"module.exports = async () => require('{name}')")
    assert failed.message == f"Cannot find module '{name}': it is not available in Malgil scripts"


def test_a_missing_bundle_says_what_builds_it(host, tmp_path, monkeypatch):
    monkeypatch.setattr(host, "_modules", ModuleSources(tmp_path))
    failed = host(script_call("module.exports = async () => require('lodash')"))
    assert failed.message == "Cannot find module 'lodash': its bundle is not built (make script-bundles)"


def test_only_what_a_script_names_is_shipped_with_it():
    sources = ModuleSources()
    assert sources.for_script("module.exports = async () => ({})") == {}
    assert set(sources.for_script("require('lodash/get')")) == {"lodash", "buffer"}
    assert set(sources.for_script("require('axios')")) == {"axios", "malgil-http", "buffer"}


def test_there_is_a_bundle_of_every_pure_module_and_no_other():
    listed = json.loads((BUILT_BUNDLES / "modules.json").read_text(encoding="utf-8"))
    assert set(listed["modules"]) == PURE_MODULES


DOCS = Path(__file__).parents[3] / "docs" / "scripts.md"


def test_the_page_names_every_available_module_and_the_version_of_its_package():
    rows = re.findall(r"^\| ((?:`[^`]+` ?)+) \|([^|]*)\|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    versions = {name: version for names, version in rows for name in re.findall("`([^`]+)`", names)}
    assert versions.keys() >= AVAILABLE
    locked = json.loads((DOCS.parents[1] / "infra" / "scripting" / "package.json").read_text(encoding="utf-8"))
    for package, version in locked["dependencies"].items():
        if package in AVAILABLE and versions[package].strip():
            assert versions[package].strip() == version


def test_the_page_lists_every_bundled_package_with_its_licence():
    packages = json.loads((BUILT_BUNDLES / "modules.json").read_text(encoding="utf-8"))["packages"]
    section = DOCS.read_text(encoding="utf-8").partition("## 들어 있는 패키지")[2]
    rows = re.findall(r"^\| ([^|`]+) \| ([^|]*) \|$", section, re.MULTILINE)
    listed = {name: licence for licence, names in rows for name in re.findall("`([^`]+)`", names)}
    assert listed == packages


def test_the_examples_of_the_page_give_their_results(result):
    page = DOCS.read_text(encoding="utf-8")
    examples = re.findall(r"```js\n((?:(?!```).)*)```(?:(?!```).)*```json\n((?:(?!```).)*)```", page, re.DOTALL)
    assert len(examples) == 2
    for script, expected in examples:
        assert result(script, {"params": {"price": "1000", "taxRate": "2"}}) == json.loads(expected)
