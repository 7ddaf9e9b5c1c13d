"""What a script asks for is read from its text: never too little for a plainly written script."""

import pytest

from shared.bot.script_modules import (
    AVAILABLE,
    ScriptModules,
    may_call_the_world,
    module_of,
    required_modules,
    used_modules,
)


@pytest.mark.parametrize(
    "call",
    [
        "require('lodash')",
        'require("lodash")',
        "require(`lodash`)",
        "require( 'lodash' )",
        "require\n('lodash')",
        "module.require('lodash',)",
        "const {map} = require('lodash'), x = 1",
    ],
)
def test_a_written_out_name_is_found_however_it_is_quoted(call):
    found = required_modules(call)
    assert found == ScriptModules(names=frozenset({"lodash"}), dynamic=False)


@pytest.mark.parametrize(
    "call",
    [
        "require(name)",
        "require('lo' + 'dash')",
        "const r = require; r('lodash')",
        "require(`${name}`)",
        "[require][0]('x')",
    ],
)
def test_a_name_that_is_not_written_out_is_dynamic(call):
    assert required_modules(call).dynamic
    assert used_modules(call) == AVAILABLE


def test_several_modules_are_all_found():
    script = "const a = require('axios');\n// require('moment')\nconst b = require('fs')"
    assert required_modules(script).names == {"axios", "moment", "fs"}
    assert used_modules(script) == {"axios", "moment"}


def test_a_script_without_modules_uses_none():
    script = "module.exports = async (context) => ({params: {required: 1}})"
    assert required_modules(script).names == set()
    assert used_modules(script) == set()


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("lodash/get", "lodash"),
        ("uuid/v4", "uuid"),
        ("moment/locale/ko", "moment"),
        ("node:crypto", "crypto"),
        ("util/", "util"),
        ("csv-parse/sync", "csv-parse/lib/sync"),
        ("csv-parse/lib/sync", "csv-parse/lib/sync"),
        ("aws-sdk", "aws-sdk"),
    ],
)
def test_a_part_belongs_to_its_module(name, module):
    assert module_of(name) == module


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("Buffer.from('a')", "buffer"),
        ("new URL('/', base)", "url"),
        ("fetch(uri)", "node-fetch"),
        ("btoa('a')", "buffer"),
    ],
)
def test_a_global_brings_its_module(script, module):
    assert used_modules(script) == {module}


@pytest.mark.parametrize(
    "script",
    [
        "const request = require('request')",
        "require('request-promise')",
        "require('request-promise-native')",
        "require('axios').get(x)",
        "require('superagent')",
        "require('node-fetch')",
        "require('fetch').fetchUrl(x)",
        "await fetch('https://a.example')",
        "globalThis.fetch(x)",
        "new XMLHttpRequest()",
        "require(name)",
        "const load = require",
        "import('axios')",
        "// fetch would do",
    ],
)
def test_whatever_could_send_a_request_may_call_the_world(script):
    assert may_call_the_world(script)


@pytest.mark.parametrize(
    "script",
    [
        "module.exports = (context, callback) => callback(null, {params: {price: 1}})",
        "const _ = require('lodash'); const moment = require('moment-timezone')",
        "const crypto = require('crypto'); module.exports = async () => ({a: crypto.randomBytes(4).toString('hex')})",
        "const prefetched = context.params.fetched",
    ],
)
def test_a_script_that_only_computes_does_not(script):
    assert not may_call_the_world(script)
