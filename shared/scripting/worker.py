"""The child process that authors' scripts run in: `worker.py LIBRARY ICU_DATA PRELUDE HEAP_BYTES DATA_BYTES`.

It is started as a plain file with an empty environment (`python -I -S`) and imports nothing of this repository. It
speaks in lines of JSON over its pipes: {"ready": true} out when the next run may come; then a run in, messages {calls,
notes, done} out and answers to calls in until `done` is not null. It has no deadline of its own: its parent kills it.

V8 is reached through the C interface of mini-racer's library, which the wheel exports. The Python half of mini-racer is
made of asyncio and costs as much to import as V8 itself (docs/adr/0014-scripts-in-v8.md).
"""

import ctypes
import json
import os
import re
import resource
import select
import sys
import time
from threading import Semaphore
from typing import Any, Final

FLAGS: Final = b"--single-threaded --jitless"
"""Without a compiler there is no writable code to attack, and no WebAssembly."""
MAX_FILES: Final = 16
"""Its pipes, V8's own look at /dev/urandom, and what the interpreter still loads."""
CPU_MARGIN_SECONDS: Final = 3
"""After the run's own time; only a child whose parent was killed gets that far."""
POLL: Final = "__malgil.poll()"

TEXT: Final = 5
FIRST_ERROR: Final = 200
OUT_OF_MEMORY: Final = 202
"""Kinds of values in mini-racer's interface."""
REPORT: Final = re.compile(r"(?s)[^\n]*?:(\d+): (\w*Error): ([^\n]*)")
"""`script.js:3: SyntaxError: Unexpected token`, as V8 reports what nobody caught."""


class _Value(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"  # what _pack_ has always meant; Python 3.14 wants it said
    _fields_ = (("bytes", ctypes.POINTER(ctypes.c_char)), ("length", ctypes.c_size_t), ("kind", ctypes.c_uint8))


_Handle = ctypes.POINTER(_Value)
_Callback = ctypes.CFUNCTYPE(None, ctypes.c_uint64, _Handle)


class OutOfMemory(Exception):
    """The script used up its heap; nothing more can be run in its context."""


class Failed(Exception):
    """What was evaluated is no JavaScript, or threw: the message is V8's report."""


class Engine:
    """V8, and contexts in it. Evaluations run on V8's thread; its answer comes back through the one callback."""

    def __init__(self, library: str, icu_data: str) -> None:
        self._library = ctypes.CDLL(library)
        self._library.mr_init_v8.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        self._library.mr_init_context.argtypes = [_Callback]
        self._library.mr_init_context.restype = ctypes.c_uint64
        self._library.mr_free_context.argtypes = [ctypes.c_uint64]
        self._library.mr_set_hard_memory_limit.argtypes = [ctypes.c_uint64, ctypes.c_size_t]
        self._library.mr_alloc_string_val.argtypes = [ctypes.c_uint64, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint8]
        self._library.mr_alloc_string_val.restype = _Handle
        self._library.mr_eval.argtypes = [ctypes.c_uint64, _Handle, ctypes.c_uint64]
        self._library.mr_eval.restype = ctypes.c_uint64
        self._library.mr_free_value.argtypes = [ctypes.c_uint64, _Handle]
        self._library.mr_init_v8(FLAGS, icu_data.encode())
        self._answers: list[Any] = []
        self._answered = Semaphore(0)
        self._callback = _Callback(self._take)

    def _take(self, _task: int, answer: Any) -> None:
        self._answers.append(answer)
        self._answered.release()

    def new_context(self, heap_bytes: int) -> int:
        context = self._library.mr_init_context(self._callback)
        self._library.mr_set_hard_memory_limit(context, heap_bytes)
        return int(context)

    def free_context(self, context: int) -> None:
        self._library.mr_free_context(context)

    def evaluate(self, context: int, code: str) -> str:
        """The text that `code` evaluates to, "" for anything else. Promise jobs have run when it returns."""
        raw = code.encode("utf-8", "replace")
        source = self._library.mr_alloc_string_val(context, raw, len(raw), TEXT)
        self._library.mr_eval(context, source, 0)
        self._answered.acquire()
        answer = self._answers.pop()
        kind, length = answer.contents.kind, answer.contents.length
        has_text = kind == TEXT or kind >= FIRST_ERROR
        text = ctypes.string_at(answer.contents.bytes, length).decode("utf-8", "replace") if has_text else ""
        self._library.mr_free_value(context, answer)
        self._library.mr_free_value(context, source)
        if kind == OUT_OF_MEMORY:
            raise OutOfMemory
        if kind >= FIRST_ERROR:
            raise Failed(text)
        return text


class Lines:
    """Lines of JSON on the two pipes of this process."""

    def __init__(self) -> None:
        self._received = b""

    def send(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        data = memoryview(text.encode("utf-8", "replace") + b"\n")
        while data:
            data = data[os.write(1, data) :]

    def receive(self, wait_seconds: float | None = None) -> Any:
        """The next message; None when there was none in `wait_seconds`. The parent's end is ours."""
        while b"\n" not in self._received:
            if wait_seconds is not None and not select.select([0], [], [], wait_seconds)[0]:
                return None
            piece = os.read(0, 1 << 20)
            if not piece:
                sys.exit()
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)


class Run:
    """One script in a context of its own."""

    def __init__(self, engine: Engine, context: int, lines: Lines) -> None:
        self._engine = engine
        self._context = context
        self._lines = lines
        self._number = -1

    def carry_out(self, run: dict[str, Any]) -> None:
        """Sends messages until one with `done`."""
        self._number = run["run"]
        try:
            self._start(run)
            while True:
                message = json.loads(self._evaluate(POLL))
                wait = message.pop("wait")
                if message["calls"] or message["notes"] or message["done"]:
                    self._lines.send(message)
                if message["done"]:
                    return
                self._go_on(None if wait is None else wait / 1000)
        except Failed as exc:
            report = REPORT.match(str(exc))
            name, message = (report[2], f"{report[3]} (line {report[1]})") if report else ("Error", str(exc)[:200])
            self._end(name, message)
        except OutOfMemory:
            self._end("MemoryLimitError", "The script needs more memory than it may have")
        except (ValueError, KeyError, TypeError, AttributeError):
            self._end("ScriptCrashedError", "The script broke the environment that it runs in")

    def _start(self, run: dict[str, Any]) -> None:
        arguments = (json.dumps(text) for text in (run["context"], run["random"], run["unavailable"]))
        self._evaluate(f"__malgil.begin({','.join(arguments)})")
        for name, source in run["modules"].items():
            factory = f"function (exports, require, module, call) {{{source}\n}}"
            self._evaluate(f"__malgil.define({json.dumps(name)}, {factory})")
        # On its own line, so that V8 counts the author's lines from 1.
        self._evaluate(
            f"__malgil.main(function (exports, require, module) {{{run['script']}\n}})\n//# sourceURL=script.js"
        )

    def _go_on(self, wait_seconds: float | None) -> None:
        """Let the next thing happen: an answer to a call, or a timer."""
        answer = self._lines.receive(wait_seconds)
        if answer is None:
            self._evaluate("__malgil.tick()")
        elif answer["run"] == self._number:  # not one that an earlier run did not wait for
            self._evaluate(f"__malgil.answer({int(answer['id'])}, {json.dumps(json.dumps(answer))})")

    def _evaluate(self, code: str) -> str:
        return self._engine.evaluate(self._context, code)

    def _end(self, name: str, message: str) -> None:
        self._lines.send({"calls": [], "notes": [], "done": {"error": {"name": name, "message": message}}})


def limit_resources(data_bytes: int) -> None:
    """What this process may still take. Buffers and native memory are not in V8's heap, but within `data_bytes`."""
    resource.setrlimit(resource.RLIMIT_DATA, (data_bytes, data_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_processor_time(seconds: float) -> None:
    """For this run: a child that lost its parent in an endless loop ends too."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + CPU_MARGIN_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main(library: str, icu_data: str, prelude: str, heap_bytes: int, data_bytes: int) -> None:
    os.putenv("TZ", "UTC")  # for V8, whatever the machine's own zone is
    time.tzset()
    with open(prelude, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is half of this program's start
        source = file.read()
    engine = Engine(library, icu_data)
    limit_resources(data_bytes)
    lines = Lines()
    while True:
        context = engine.new_context(heap_bytes)
        engine.evaluate(context, source)
        lines.send({"ready": True})
        run = lines.receive()
        while "script" not in run:  # an answer that the last run did not wait for
            run = lines.receive()
        limit_processor_time(run["seconds"])
        Run(engine, context, lines).carry_out(run)
        engine.free_context(context)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
