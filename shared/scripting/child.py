"""The child process as its parent sees it: it starts quickly, is asked little, and is killed without regret."""

import json
import subprocess
import sys
import time
import weakref
from pathlib import Path
from threading import Lock, Timer
from typing import Any, Final

from shared.scripting.modules import engine_files

HEAP_BYTES: Final = 128 * 1024 * 1024
"""V8's heap: objects, texts, code."""
DATA_BYTES: Final = 384 * 1024 * 1024
"""All writable memory of the child, buffers included; of it about 40 MB are there before a script."""
MAX_LINE_BYTES: Final = 8 * 1024 * 1024
"""Five requests of 400 Ki characters at once, three bytes each, are not longer; a result is far below."""
READY_SECONDS: Final = 3.0
"""A start takes well under a second; longer means a machine in trouble."""

_WORKER: Final = Path(__file__).with_name("worker.py")
_PRELUDE: Final = Path(__file__).parent / "javascript" / "prelude.js"


class ChildEnded(Exception):
    """The child is gone: `timed_out` when we killed it at a deadline, otherwise by itself."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__()
        self.timed_out = timed_out


class Child:
    """One process; used by one run at a time. It ends when `end` is called, or when nobody holds it any more."""

    def __init__(self) -> None:
        library, icu_data = engine_files()
        files = [str(path) for path in (_WORKER, library, icu_data, _PRELUDE)]
        command = [sys.executable, "-I", "-S", *files, str(HEAP_BYTES), str(DATA_BYTES)]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - pipes were asked for
        assert self._process.stdout is not None  # noqa: S101
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._received = b""
        self._sending = Lock()
        self._timed_out = False
        self._ready = False
        self.end = weakref.finalize(self, _end, self._process, self._sending)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        """It has a fresh context. Raises ChildEnded; a child that the last run left in a loop does not get here."""
        if self._ready:
            return
        with Deadline(self, READY_SECONDS):
            self.receive()
        self._ready = True

    def start(self, run: dict[str, Any]) -> None:
        """Hand it a run; it must be ready."""
        self._ready = False
        self.send(run)

    def send(self, message: dict[str, Any]) -> None:
        """Raises ChildEnded. Several threads may send."""
        data = memoryview(json.dumps(message).encode() + b"\n")
        try:
            with self._sending:
                while data:
                    data = data[self._stdin.write(data) or 0 :]
        except OSError as exc:
            raise ChildEnded(timed_out=self._timed_out) from exc

    def receive(self) -> dict[str, Any]:
        """Its next message. Raises ChildEnded; also when what it says is too long or not a message."""
        while b"\n" not in self._received:
            piece = self._stdout.read(65536)
            if not piece or len(self._received) > MAX_LINE_BYTES:
                raise ChildEnded(timed_out=self._timed_out)
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise ChildEnded(timed_out=False) from exc
        if not isinstance(message, dict):
            raise ChildEnded(timed_out=False)
        return message

    def kill_at_deadline(self) -> None:
        self._timed_out = True
        self._process.kill()


def _end(process: "subprocess.Popen[bytes]", sending: Lock) -> None:
    process.kill()
    process.wait()
    with sending:  # a thread may still be writing an answer to it
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


class Deadline:
    """Kills a child when the block takes longer than `seconds`: every read and write in it then ends at once."""

    def __init__(self, child: Child, seconds: float) -> None:
        self._timer = Timer(seconds, child.kill_at_deadline)
        self._timer.daemon = True
        self._ends_at = time.monotonic() + seconds

    def seconds_left(self) -> float:
        return self._ends_at - time.monotonic()

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
