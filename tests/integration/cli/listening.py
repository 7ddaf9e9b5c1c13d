"""`malgil webhook listen` as a process, with what it has printed so far."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from threading import Condition, Thread
from types import TracebackType
from typing import IO, Self

from tests.integration.cli.conftest import MALGIL, REPOSITORY

SECONDS = 60.0
"""A busy machine is patient; nothing is asserted about time."""


class Listening:
    """Runs until the `with` block ends, as if Ctrl-C was pressed. `url` is where it listens."""

    def __init__(self, *arguments: object) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MALGIL_", "LC_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-c", MALGIL, *(str(argument) for argument in arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1", "LANG": "ko_KR.UTF-8"},
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._changed = Condition()
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            Thread(target=self._read, args=(self._process.stdout, self.lines), daemon=True),
            Thread(target=self._read, args=(self._process.stderr, self.errors), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, output: IO[str], lines: list[str]) -> None:
        with output:
            for line in output:
                with self._changed:
                    lines.append(line.rstrip("\n"))
                    self._changed.notify_all()

    def until(self, condition: Callable[[list[str]], bool], seconds: float = SECONDS) -> list[str]:
        """What it printed, once that fulfils `condition`."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.lines), seconds), (self.lines, self.errors)
            return list(self.lines)

    @property
    def url(self) -> str:
        with self._changed:
            told = lambda: next((line for line in (*self.lines, *self.errors) if "http://127.0.0.1" in line), "")  # noqa: E731
            assert self._changed.wait_for(told, SECONDS), (self.lines, self.errors)
            return "http://127.0.0.1" + told().partition("http://127.0.0.1")[2].split()[0]

    def stop(self) -> int:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        status = self._process.wait(SECONDS)
        for reader in self._readers:
            reader.join(SECONDS)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
