"""Whatever a script tries, it ends at a limit, reaches nothing, and the next run does not notice."""

import os
from pathlib import Path

import pytest

from shared.engine.effects import Answered, EffectFailed
from shared.net.guarded_client import GuardedClient
from shared.scripting.child import DATA_BYTES
from shared.scripting.host import ScriptHost
from tests.integration.local.conftest import eventually
from tests.integration.scripting.conftest import script_call

LIMIT_MS = 300
LIMITS = {"TimeoutError", "MemoryLimitError", "ScriptCrashedError"}
"""Ends that the child does not survive."""

ENDLESS = {
    "loop": "module.exports = () => { for (;;); }",
    "loop while loading": "for (;;);",
    "promise jobs": "module.exports = async () => { for (;;) await 0 }",
    "chained jobs": "module.exports = () => { const f = () => Promise.resolve().then(f); return f() }",
    "microtasks": "module.exports = () => { const f = () => queueMicrotask(f); f(); return new Promise(() => {}) }",
    "regular expression": "module.exports = () => /^(a+)+$/.test('a'.repeat(40) + 'b')",
    "backtracking replace": "module.exports = () => 'x'.repeat(60000).replace(/(x+x+)+y/g, '')",
    "caught recursion": "module.exports = () => { function f() { try { f() } catch (e) { f() } } f() }",
    "sort": "module.exports = () => { const a = Array.from({length: 3e6}, (_, i) => i); for (;;) a.sort(() => 1) }",
    "bigint": "module.exports = () => { let b = 3n ** 1000000n; for (;;) b = b * 3n % (2n ** 4000000n) }",
    "toJSON": "module.exports = async () => ({toJSON() { for (;;); }})",
    "getter": "module.exports = async () => ({get a() { for (;;); }})",
    "proxy": "module.exports = async () => new Proxy({}, {ownKeys() { for (;;); }})",
    "message of an error": "module.exports = async () => { throw {get message() { for (;;); }} }",
    "then": "module.exports = () => ({then() { for (;;); }})",
    "timer flood": "module.exports = (c, callback) => { (function f() { setTimeout(f, 0); setTimeout(f, 0) })() }",
    "interval": "module.exports = (c, callback) => { setInterval(() => {}, 1) }",
    "long timer": "module.exports = (c, callback) => { setTimeout(callback, 1e9) }",
    "million timers": "module.exports = (c, callback) => { for (let i = 0; i < 1e6; i++) setTimeout(() => {}, 1e6) }",
    "stack getter": "module.exports = () => { Error.prepareStackTrace = () => { for (;;); }; x.y() }",
    "date": "Date.now = () => { for (;;); }; module.exports = (c, callback) => { for (;;) Date.now() }",
    "string conversion in console": "module.exports = async () => { console.log({toJSON() { for (;;); }}) }",
}
BOMBS = {
    "arrays": "module.exports = () => { const a = []; for (;;) a.push(new Array(1e5).fill(Math.random())) }",
    "objects": "module.exports = () => { const a = []; for (;;) a.push({a: {b: a.length}}) }",
    "map": "module.exports = () => { const m = new Map(); for (let i = 0; ; i++) m.set(i, {i}) }",
    "strings": "module.exports = () => { const a = []; for (;;) a.push('x'.repeat(1e7).replace(/x/, 'y')) }",
    "splitting": (
        "module.exports = () => { let s = 'x'; for (;;) { s += s; globalThis['k' + s.length] = s.split('') } }"
    ),
    "buffers": (
        "module.exports = () => { const a = []; for (;;) { try { a.push(new Uint8Array(32 << "
        "20).fill(1)) } catch {} } }"
    ),
    "one buffer": "module.exports = () => new Uint8Array(4294967295).fill(7).length",
    "growing buffer": "module.exports = () => new ArrayBuffer(1, {maxByteLength: 2 ** 33}).resize(2 ** 33)",
    "bigint": "module.exports = () => { let b = 2n; for (;;) b = b ** 3n }",
    "closures": (
        "module.exports = () => { const a = []; for (;;) { const x = new Array(1000).fill(0); a.push(() => x) } }"
    ),
    "typed arrays": "module.exports = () => { const a = []; for (;;) a.push(new Float64Array(1e6)) }",
    "promises": "module.exports = async () => { const a = []; for (;;) a.push(new Promise(() => {})) }",
    "symbols": "module.exports = () => { for (let i = 0; ; i++) globalThis[Symbol('x'.repeat(1e5) + i)] = i }",
    "timers": "module.exports = (c, callback) => { for (;;) setTimeout(() => {}, 1e6, new Array(1e4).fill(1)) }",
    "regular expression": (
        "module.exports = () => { const a = []; for (;;) a.push(new RegExp('(a|b)'.repeat(1e4) + a.length)) }"
    ),
}
ENDS_BY_ITSELF = {
    "deep recursion": ("module.exports = () => { const f = (n) => f(n + 1) + 1; return f(0) }", "RangeError"),
    "deep regular expression": (
        "module.exports = () => new RegExp('('.repeat(5e4) + ')'.repeat(5e4)).test('a')",
        "SyntaxError",
    ),
    "deep result": (
        "module.exports = async () => { let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; return o }",
        None,
    ),
    "deep source": (f"module.exports = () => {'(' * 20000}1{')' * 20000}", "RangeError"),
    "huge result": ("module.exports = async () => ({x: 'y'.repeat(5e6)})", "ResultTooLargeError"),
    "getter of a huge text": (
        "module.exports = async () => ({get a() { return 'x'.repeat(1e7) }})",
        "ResultTooLargeError",
    ),
    "waiting on shared memory": (
        "module.exports = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
        "ReferenceError",
    ),
    "WebAssembly": ("module.exports = () => new WebAssembly.Memory({initial: 60000})", "ReferenceError"),
    "late finalizers": ("module.exports = () => new FinalizationRegistry(() => { for (;;); })", "ReferenceError"),
    "endless error message": ("module.exports = () => { throw new Error('x'.repeat(1e7)) }", "Error"),
}


def ends_by_its_limit(host, script):
    outcome = host(script_call(script, timeout_ms=LIMIT_MS))
    assert isinstance(outcome, EffectFailed), outcome
    return outcome


def the_next_run_is_unharmed(host):
    outcome = host(
        script_call("module.exports = async () => ({keys: Object.keys(globalThis), sum: [1, 2].map(x => x)})")
    )
    assert outcome == Answered(result={"keys": [], "sum": [1, 2]})


def peak_bytes(pid):
    """The largest resident memory of a process so far; 0 when it has gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


@pytest.mark.parametrize("name", ENDLESS)
def test_what_does_not_end_is_ended(host, name):
    assert ends_by_its_limit(host, ENDLESS[name]).name in LIMITS
    the_next_run_is_unharmed(host)


@pytest.mark.parametrize("name", BOMBS)
def test_a_memory_bomb_ends_below_the_ceiling(host, name):
    outcome = ends_by_its_limit(host, BOMBS[name])
    assert outcome.name in LIMITS | {"RangeError"}, outcome
    assert peak_bytes(host.child_pid) < DATA_BYTES + 100 * 1024 * 1024
    the_next_run_is_unharmed(host)


@pytest.mark.parametrize("name", ENDS_BY_ITSELF)
def test_what_v8_refuses_is_an_ordinary_error(host, name):
    script, error = ENDS_BY_ITSELF[name]
    failed = host(script_call(script))
    assert isinstance(failed, EffectFailed), failed
    assert error is None or failed.name == error, failed
    assert len(failed.message) <= 2_010
    the_next_run_is_unharmed(host)


def test_a_bomb_of_the_size_of_the_heap_is_named_so(failure):
    assert failure(BOMBS["arrays"]).name == "MemoryLimitError"


def test_logs_are_cut(run):
    outcome = run(
        "module.exports = async () => { for (let i = 0; i < 1e4; i++) console.log('z'.repeat(1000)); return {} }"
    )
    assert sum(len(line) for line in outcome.notes) <= 10 * 1024 + 3
    assert (
        len(run("module.exports = async () => { for (let i = 0; i < 1e4; i++) console.log(i); return {} }").notes)
        == 100
    )


PROBE = """
module.exports = async function () {
  const reach = (code) => {
    try { return String(new Function('return ' + code)()).slice(0, 200) } catch (e) { return e.name }
  };
  return {
    env: Object.keys(process.env), pid: typeof process.pid,
    binding: typeof process.binding, main: typeof process.mainModule,
    constructor: reach('this.constructor.constructor("return typeof require")()'),
    require: reach('typeof require'), deno: reach('typeof Deno'),
    read: reach('typeof read'), load: reach('typeof load'),
    import: await import('fs').then(() => 'loaded', (e) => e.name),
    names: Object.getOwnPropertyNames(globalThis).filter((name) => /host|python|native|internal|syscall/i.test(name)),
  };
}
"""


def test_nothing_of_the_host_can_be_reached(result):
    assert result(PROBE) == {
        "env": [],
        "pid": "undefined",
        "binding": "undefined",
        "main": "undefined",
        "constructor": "undefined",
        "require": "undefined",
        "deno": "undefined",
        "read": "undefined",
        "load": "undefined",
        "import": "Error",
        "names": [],
    }


@pytest.mark.parametrize(
    "module", ["fs", "child_process", "net", "http", "os", "vm", "worker_threads", "process", "inspector"]
)
def test_modules_of_the_machine_do_not_exist(failure, module):
    failed = failure(f"const a = require('{module}'); module.exports = async () => a")
    assert failed.message == f"Cannot find module '{module}': it is not available in Malgil scripts"


def test_two_runs_share_no_globals_and_no_prototypes(run):
    run("""globalThis.left = 1; Object.prototype.left = 1; Array.prototype.map = () => 'left';
      require('lodash').left = 1; module.exports = async () => ({})""")
    outcome = run("""module.exports = async () => ({
      left: [typeof left, typeof ({}).left, [1].map(x => x)[0], typeof require('lodash').left] })""")
    assert outcome.result == {"left": ["undefined", "undefined", 1, "undefined"]}


POLLUTION = """
Object.prototype.toJSON = undefined; Object.prototype.done = 1; Array.prototype.toJSON = () => 'x';
String.prototype.toJSON = () => 'x'; JSON.stringify = () => '{"result": "forged"}'; JSON.parse = () => ({});
Array.prototype.push = () => {}; Map.prototype.get = () => undefined;
Promise.prototype.then = function (f) { return f('x') };
module.exports = (context, callback) => callback(null, {params: {a: 1}});
"""


def test_polluted_prototypes_change_the_own_run_at_most(run, host):
    assert isinstance(run(POLLUTION), Answered | EffectFailed)
    the_next_run_is_unharmed(host)


@pytest.mark.parametrize(
    "forged",
    [
        "__malgil.main(() => {})",
        "__malgil.answer(1, '{}')",
        "__malgil = {poll: () => 'no json'}",
        "Object.defineProperty(globalThis, '__malgil', {value: {poll: () => '{}'}})",
        'globalThis.__malgil.poll = () => \'{"calls":[],"notes":[],"wait":null,"done":{"result":7}}\'',
        "__malgil.poll()",
        "__malgil.begin('{}', '', '{}')",
        "__malgil.define('x', null); require('x')",
    ],
)
def test_forging_the_protocol_gains_nothing(run, host, forged):
    outcome = run(f"module.exports = async () => {{ try {{ {forged} }} catch {{}} return {{own: 1}} }}")
    assert isinstance(outcome, EffectFailed) or outcome.result in ({"own": 1}, {})
    the_next_run_is_unharmed(host)


def test_a_module_of_the_authors_own_cannot_call_without_an_http_module(failure):
    script = """const load = arguments[1];
      module.exports = () => {
        let found;
        __malgil.define('x', (e, r, m, call) => { found = call });
        load('x');
        return found({method: 'GET', url: 'https://a.example/', headers: {}});
      }"""
    failed = failure(script)
    assert failed.message == "This script may not make HTTP calls: it requires no HTTP module"


def test_code_after_the_module_runs_in_the_same_sandbox_only(run, host):
    outcome = run("module.exports = async () => ({a: 1}) }); globalThis.x = 1; (function () {")
    assert isinstance(outcome, Answered | EffectFailed)
    the_next_run_is_unharmed(host)


def test_the_child_has_an_empty_environment_and_tight_limits(host):
    the_next_run_is_unharmed(host)
    process = Path("/proc", str(host.child_pid))
    if not process.exists():
        pytest.skip("this system does not show a process's environment")
    assert (process / "environ").read_bytes() == b""
    limits = {line[:26].strip(): line[26:47].strip() for line in (process / "limits").read_text().splitlines()}
    assert limits["Max data size"] == str(DATA_BYTES)
    assert limits["Max file size"] == limits["Max core file size"] == "0"
    assert int(limits["Max open files"]) <= 16
    assert int(limits["Max cpu time"]) > 0
    opened = {str(file.readlink()).partition(":")[0] for file in (process / "fd").iterdir()}
    assert opened <= {"pipe", "/dev/null", "/dev/urandom"}


def test_a_child_is_kept_after_an_ordinary_end_and_replaced_after_a_limit(host):
    the_next_run_is_unharmed(host)
    first = host.child_pid
    host(script_call("module.exports = () => { throw new Error() }"))
    assert host.child_pid == first
    ends_by_its_limit(host, ENDLESS["loop"])
    assert host.child_pid != first
    assert not Path("/proc", str(first)).exists()


def test_a_child_that_was_killed_from_outside_is_replaced():
    host = ScriptHost(GuardedClient())
    try:
        the_next_run_is_unharmed(host)
        pid = host.child_pid
        assert pid is not None
        os.kill(pid, 9)
        eventually(lambda: Path("/proc", str(pid), "stat").read_text().split()[2] == "Z")  # told, and not dead yet
        the_next_run_is_unharmed(host)
    finally:
        host.close()
