"""Runs authors' scripts: the parent of the child process. It alone has a clock, a network and the last word."""

import json
import os
from threading import Lock
from typing import Any, Final

from shared.engine.effects import TIMEOUT, Answered, EffectFailed
from shared.errors import InvalidInput
from shared.json_input import clean_text, parse_json
from shared.net.guarded_client import GuardedClient
from shared.scripting.call import MAX_RESULT_BYTES, MAX_RESULT_DEPTH, ScriptCall
from shared.scripting.child import Child, ChildEnded, Deadline
from shared.scripting.http_calls import HttpCalls
from shared.scripting.modules import CALLS, ModuleSources, unavailable

JsonObject = dict[str, Any]
Outcome = Answered | EffectFailed

RANDOM_BYTES: Final = 16 * 1024
MAX_NOTES: Final = 110
MAX_NOTE_BYTES: Final = 16 * 1024
"""100 lines and 10 KB of console, and a line for each HTTP call and error; the child's word is not taken for it."""
MAX_ERROR_NAME: Final = 100
MAX_ERROR_MESSAGE: Final = 2_000


class ScriptHost:
    """Runs one script after the other, each in a fresh context. The child stays for the next run unless the last one
    came to a limit."""

    def __init__(self, client: GuardedClient, modules: ModuleSources | None = None) -> None:
        self._client = client
        self._modules = modules or ModuleSources()
        self._child: Child | None = None
        self._running = Lock()
        self._number = 0

    def __call__(self, call: ScriptCall) -> Outcome:
        """Never raises for what a script does, and takes at most the call's time-out and a start of the child."""
        with self._running:
            try:
                child = self._ready_child()
            except ChildEnded:
                return EffectFailed(name="ScriptCrashedError", message="The script engine does not start")
            notes = Notes()
            outcome = self._run(child, call, notes)
            if isinstance(outcome, EffectFailed) and outcome.name in DEADLY:
                self._replace()
            return outcome

    @property
    def child_pid(self) -> int | None:
        """The process that the next run is given to."""
        return self._child.pid if self._child else None

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def _ready_child(self) -> Child:
        if self._child is None:
            self._child = Child()
        try:
            self._child.wait_until_ready()
        except ChildEnded:  # it died, or the last run left something behind that does not end
            self._replace()
            self._child.wait_until_ready()
        return self._child

    def _replace(self) -> None:
        """At once, so that the next run finds a child that has started."""
        self.close()
        self._child = Child()

    def _run(self, child: Child, call: ScriptCall, notes: "Notes") -> Outcome:
        seconds = call.timeout_ms / 1000
        self._number = number = self._number + 1
        modules = self._modules.for_script(call.script)
        with Deadline(child, seconds) as deadline:
            http = HttpCalls(
                self._client,
                idempotency_key=call.idempotency_key,
                allowed=CALLS in modules,
                seconds_left=deadline.seconds_left,
                answer=lambda answer: _tell(child, {**answer, "run": number}),
                note=notes.add,
            )
            try:
                child.start(
                    {
                        "run": number,
                        "script": call.script,
                        "context": json.dumps(call.context),
                        "modules": modules,
                        "unavailable": json.dumps(unavailable(modules, call.script)),
                        "random": os.urandom(RANDOM_BYTES).hex(),
                        "seconds": seconds,
                    }
                )
                while True:
                    match child.receive():
                        case {"calls": list(calls), "notes": list(lines), "done": done}:
                            for line in lines:
                                notes.add(str(line))
                            for http_call in calls:
                                http.start(http_call)
                            if done is not None:
                                return _outcome(done, notes.lines())
                        case _:
                            raise ChildEnded(timed_out=False)
            except ChildEnded as exc:
                return _ended(exc, call, notes.lines())


CRASHED: Final = "The script ended the process that it ran in, most likely by its use of memory"
DEADLY: Final = frozenset({TIMEOUT, "MemoryLimitError", "ScriptCrashedError"})
"""Failures after which the child is not used again. A script that throws an error of such a name costs a start."""


class Notes:
    """Lines for the trace, from several threads, bounded."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._bytes = 0
        self._lock = Lock()

    def add(self, line: str) -> None:
        line = clean_text(line)
        with self._lock:
            self._bytes += len(line.encode())
            if len(self._lines) < MAX_NOTES and self._bytes <= MAX_NOTE_BYTES:
                self._lines.append(line)

    def lines(self) -> list[str]:
        with self._lock:
            return list(self._lines)


def _tell(child: Child, answer: JsonObject) -> None:
    """Give a script the answer to its call, unless its run has ended meanwhile."""
    try:
        child.send(answer)
    except (ChildEnded, ValueError):
        return


def _outcome(done: Any, notes: list[str]) -> Outcome:
    """What the child says came of the script. Raises ChildEnded when it says nothing sensible."""
    match done:
        case {"result": str(text)}:
            return _result(text.encode("utf-8", "replace"), notes)
        case {"error": {"name": str(name), "message": str(message)}}:
            shown = clean_text(name)[:MAX_ERROR_NAME] or "Error"
            return EffectFailed(name=shown, message=clean_text(message)[:MAX_ERROR_MESSAGE], notes=notes)
        case _:
            raise ChildEnded(timed_out=False)


def _result(raw: bytes, notes: list[str]) -> Outcome:
    if len(raw) > MAX_RESULT_BYTES:
        message = f"The result is {len(raw)} bytes of JSON; at most {MAX_RESULT_BYTES} are allowed"
        return EffectFailed(name="ResultTooLargeError", message=message, notes=notes)
    try:
        result = parse_json(raw, max_bytes=MAX_RESULT_BYTES, max_depth=MAX_RESULT_DEPTH)
    except InvalidInput as exc:
        message = str(exc).replace("body", "result", 1)
        return EffectFailed(name="InvalidResultError", message=message, notes=notes)
    if isinstance(result, dict):
        return Answered(result=result, notes=notes)
    if result is not None:
        notes = [*notes, "the result is not an object such as {params: {...}}: it is ignored"]
    return Answered(result={}, notes=notes)


def _ended(exc: ChildEnded, call: ScriptCall, notes: list[str]) -> EffectFailed:
    if exc.timed_out:
        message = f"The script took longer than {call.timeout_ms:,} ms"
        return EffectFailed(name=TIMEOUT, message=message, notes=notes)
    return EffectFailed(name="ScriptCrashedError", message=CRASHED, notes=notes)
