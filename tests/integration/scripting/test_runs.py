"""A script's handler, its result, its errors, its console and its timers, as CLOSER's authors know them."""

import pytest

from shared.engine.effects import Answered
from shared.scripting.call import MAX_RESULT_BYTES

CONTEXT = {
    "bot": {"title": "가게"},
    "conversationId": "c1",
    "endUserId": "e1",
    "params": {"price": "1000", "taxRate": "2"},
    "platform": "kakao",
    "userKey": "kim",
    "message": {"type": "text", "text": "안녕"},
}
MULTIPLY = """
module.exports = function handler(context, callback) {
  // 파라미터의 타입이 String일 수 있으므로 Number 타입으로 형변환합니다.
  const price = Number(context.params.price);
  const taxRate = Number(context.params.taxRate);
  const result = {
    custom: {
      price: price * taxRate
    },
    params: {
      price: price * taxRate
    }
  };
  callback(null, result);
};
"""
"""The first example of CLOSER's page on scripts."""


@pytest.mark.parametrize(
    "script",
    [
        "module.exports = function (context, callback) { callback(null, {params: {a: 1}}) }",
        "module.exports = (context, callback) => setTimeout(() => callback(null, {params: {a: 1}}), 1)",
        "module.exports = function handler(context) { return new Promise(resolve => resolve({params: {a: 1}})) }",
        "module.exports = async function handler(context) { return {params: {a: 1}} }",
        (
            "module.exports = async () => { await new Promise(resolve => setTimeout(resolve, 1)); return "
            "{params: {a: 1}} }"
        ),
        "module.exports = async (context, callback) => { setTimeout(() => callback(null, {params: {a: 1}}), 1) }",
        "module.exports = context => ({params: {a: 1}})",
        (
            "exports = module.exports = function (context, callback) { process.nextTick(callback, null, "
            "{params: {a: 1}}) }"
        ),
        "module.exports = (context, callback) => { callback(null, {params: {a: 1}}); callback(new Error('late')) }",
        "module.exports = (context, callback) => setImmediate(callback, undefined, {params: {a: 1}})",
        "module.exports = async () => ({params: {a: 1}}) // a comment at the end",
    ],
)
def test_every_form_of_handler_gives_its_result(result, script):
    assert result(script) == {"params": {"a": 1}}


def test_the_example_of_the_guide_runs(result):
    assert result(MULTIPLY, CONTEXT) == {"custom": {"price": 2000}, "params": {"price": 2000}}


def test_the_handler_gets_the_context_as_json(result):
    assert result("module.exports = async (context) => ({context})", CONTEXT) == {"context": CONTEXT}


def test_every_key_of_the_result_is_kept_as_json(result):
    script = """module.exports = async () => ({
      custom: {deep: [1, {a: null}]}, message: {text: '안녕 👋'},
      data: new Date(0), none: undefined, nan: NaN, big: 1e21
    })"""
    assert result(script) == {
        "custom": {"deep": [1, {"a": None}]},
        "message": {"text": "안녕 👋"},
        "data": "1970-01-01T00:00:00.000Z",
        "nan": None,
        "big": 1e21,
    }


@pytest.mark.parametrize("value", ["", "null", "undefined"])
def test_a_script_without_a_result_has_an_empty_one(run, value):
    assert run(f"module.exports = (context, callback) => callback(null, {value})") == Answered(result={})
    assert run(f"module.exports = async (context, callback) => {{ return {value} }}") == Answered(result={})


def test_a_result_that_is_no_object_is_ignored_and_noted(run):
    outcome = run("module.exports = (context, callback) => callback(null, 'ok')")
    assert outcome.result == {}
    assert outcome.notes == ["the result is not an object such as {params: {...}}: it is ignored"]


@pytest.mark.parametrize(
    ("script", "name", "message"),
    [
        ("module.exports = (context, callback) => callback(new TypeError('bad'))", "TypeError", "bad"),
        ("module.exports = (context, callback) => callback('just words')", "Error", "just words"),
        ("module.exports = (context, callback) => callback({name: 'Own', message: 'words'})", "Own", "words"),
        ("module.exports = (context, callback) => callback({code: 7})", "Error", '{"code":7}'),
        ("module.exports = () => { throw new RangeError('thrown') }", "RangeError", "thrown"),
        ("module.exports = () => { throw 'words' }", "Error", "words"),
        ("module.exports = async () => { throw new Error('rejected') }", "Error", "rejected"),
        ("module.exports = () => Promise.reject()", "Error", "The promise was rejected"),
        (
            "module.exports = (c, callback) => setTimeout(() => { throw new Error('in a timer') })",
            "Error",
            "in a timer",
        ),
        ("module.exports = () => error1", "ReferenceError", "error1 is not defined"),
        ("throw new Error('while loading')", "Error", "while loading"),
        ("module.exports = {handler: 1}", "TypeError", "module.exports is not a function"),
        ("const a = 1;\nconst b = ;\n", "SyntaxError", "Unexpected token ';' (line 2)"),
        ("module.exports = () => {", "SyntaxError", "Unexpected token ')' (line 2)"),
        (
            "module.exports = () => { throw {get message() { throw 1 }} }",
            "Error",
            "The error of the script cannot be read",
        ),
        ("module.exports = async () => { const a = {}; a.a = a; return a }", "TypeError", None),
        ("module.exports = async () => ({n: 1n})", "TypeError", "Do not know how to serialize a BigInt"),
    ],
)
def test_errors_have_a_name_and_a_message(failure, script, name, message):
    failed = failure(script)
    assert failed.name == name
    assert message in (None, failed.message)


def test_the_line_of_an_error_is_noted(failure):
    failed = failure("module.exports = async () => {\n  const a = 1;\n  return a.b.c;\n};")
    assert failed.notes == ["TypeError at line 3 of the script"]


@pytest.mark.parametrize(
    "script",
    [
        "module.exports = () => new Promise(() => {})",
        "module.exports = (context, callback) => {}",
        "module.exports = async () => { await new Promise(() => {}) }",
        "module.exports = (context, callback) => setTimeout(() => {}, 1)",
        "module.exports = (context, callback) => { (async () => { throw new Error('lost') })() }",
    ],
)
def test_a_script_that_waits_for_nothing_ends_at_once(failure, script):
    assert failure(script).name == "NeverEndedError"


def test_console_lines_come_back_as_notes(run):
    script = """module.exports = async () => {
      console.log('합계', 3, {a: [1]}, null, undefined); console.info('i'); console.warn('w'); console.error('e');
      console.table([]); return {} }"""
    assert run(script).notes == [
        'console.log: 합계 3 {"a":[1]} null undefined',
        "console.info: i",
        "console.warn: w",
        "console.error: e",
    ]


def test_the_console_shows_an_error_with_its_place(run):
    (line,) = run("module.exports = async () => { console.error(new Error('bad')); return {} }").notes
    assert line.startswith("console.error: Error: bad\n    at ")
    assert "script.js:1:" in line


def test_what_was_logged_before_a_failure_is_kept(failure):
    script = "module.exports = async () => { console.log('one'); await new Promise(r => setTimeout(r, 1)); x.y() }"
    assert failure(script).notes == ["console.log: one", "ReferenceError at line 1 of the script"]


def test_timers_run_in_the_order_of_their_time(result):
    script = """module.exports = (context, callback) => {
      const order = [];
      const add = (name) => order.push(name);
      setTimeout(add, 40, 'late');
      setTimeout(add, 1, 'early');
      const cleared = setTimeout(add, 5, 'never');
      clearTimeout(cleared);
      const every = setInterval(() => { add('again'); if (order.length > 3) { clearInterval(every); } }, 2);
      setImmediate(add, 'now');
      setTimeout(() => callback(null, {order}), 60);
    }"""
    order = result(script)["order"]
    assert "now" in order
    assert order.index("early") < order.index("late")
    assert "again" in order
    assert "never" not in order


def test_promise_jobs_run_before_timers(result):
    script = """module.exports = (context, callback) => {
      const order = [];
      setTimeout(() => { order.push('timer'); callback(null, {order}) }, 0);
      Promise.resolve().then(() => order.push('job')); queueMicrotask(() => order.push('micro'));
    }"""
    assert result(script) == {"order": ["job", "micro", "timer"]}


def test_the_clock_runs_in_utc_and_intl_knows_korea(result):
    script = """module.exports = async () => ({
      zone: new Date(0).getTimezoneOffset(),
      korean: new Date(0).toLocaleString('ko-KR', {timeZone: 'Asia/Seoul'}), won: (1234567).toLocaleString('ko-KR')
    })"""
    assert result(script) == {"zone": 0, "korean": "1970. 1. 1. 오전 9:00:00", "won": "1,234,567"}


def test_a_result_of_exactly_the_limit_passes_and_one_byte_more_does_not(run):
    script = "module.exports = async (context) => ({a: '가'.repeat(context.count) + 'a'.repeat(context.rest)})"
    room = MAX_RESULT_BYTES - len('{"a":""}')
    assert len(run(script, {"count": room // 3, "rest": room % 3}).result["a"]) == room // 3 + room % 3
    failed = run(script, {"count": room // 3, "rest": room % 3 + 1})
    assert failed.name == "ResultTooLargeError"
    assert "50001 bytes" in failed.message


@pytest.mark.parametrize(("depth", "passes"), [(62, True), (63, False)])
def test_a_result_is_nested_at_most_64_deep(run, depth, passes):
    script = (
        "module.exports = async (context) => { let a = 1; for (let i = 0; i < context.n; i++) a = [a]; "
        "return {a: {a}} }"
    )
    outcome = run(script, {"n": depth})
    assert isinstance(outcome, Answered) is passes
    if not passes:
        assert outcome.name == "InvalidResultError"


def test_lone_surrogates_and_nul_do_not_leave_the_sandbox(result):
    assert result("module.exports = async () => ({a: 'x\\ud800y\\0z'})") == {"a": "x\ufffdyz"}
