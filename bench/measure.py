"""Measuring side by side: worker processes that each run one subject, asked in turns, and rows of results.

What is measured is the CPU time of a worker's main thread, not time on the wall: other programs of the machine then
disturb less, and a peer's garbage collector and compiler threads are not held against it. Ratios are taken pair by
pair within one run, because the machine's speed wanders more between runs than between two neighbouring samples.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Final, Literal

ROOT: Final = Path(__file__).parents[1]
PEERS: Final = Path(__file__).parent / "peers"

PAIRS: Final = 7
"""At least 5 (an odd number, so that the median is one of them)."""
SAMPLE_SECONDS: Final = 0.25
WARM_UP_SECONDS: Final = 1.0
"""Long enough for a just-in-time compiler to be done."""
FIRST_WORD_SECONDS: Final = 60
BYTES_A_MEGABYTE: Final = 1024 * 1024

Better = Literal["lower", "higher"]
Say = Callable[[str], None]


class CannotRun(Exception):
    """A subject is not there, or broke: its row says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One result. `peer` says why there is no `peer_value` when a peer could not run; `ratio` is ours / peer."""

    name: str
    value: float
    unit: str
    better: Better
    goal: float | None
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    at: str = ""
    machine: str = ""

    @property
    def misses_goal(self) -> bool:
        if self.goal is None:
            return False
        return self.value > self.goal if self.better == "lower" else self.value < self.goal

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What a row is about. `of` turns what was measured (seconds of CPU, say) into the unit."""

    name: str
    unit: str
    better: Better
    goal: float | None
    of: Callable[[float], float] = lambda measured: measured


Samples = list[float] | CannotRun
"""What a subject measured, round by round, or why it could not."""


def rows(quantity: Quantity, ours: list[float], peers: Mapping[str, Samples]) -> list[Row]:
    """A row for each peer, or one without."""
    own = [quantity.of(sample) for sample in ours]
    given: dict[str, Any] = {
        "name": quantity.name,
        "value": rounded(median(own)),
        "unit": quantity.unit,
        "better": quantity.better,
        "goal": quantity.goal,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
    }
    made: list[Row] = []
    for peer, samples in peers.items():
        if isinstance(samples, CannotRun):
            made.append(Row(**given, peer=f"{peer} (could not run: {samples})"))
            continue
        theirs = [quantity.of(sample) for sample in samples]
        ratio = median(mine / other for mine, other in zip(own, theirs, strict=True))
        made.append(Row(**given, peer=peer, peer_value=rounded(median(theirs)), ratio=rounded(ratio)))
    return made or [Row(**given)]


def rounded(value: float) -> float:
    """Four digits are more than any of this is exact to."""
    return float(f"{value:.4g}") if abs(value) < 10_000 else float(round(value))


def machine() -> str:
    """Where the numbers were measured; they mean little elsewhere."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def resident_megabytes(pid: int) -> float:
    """The largest resident memory of a process so far; where the system does not tell it, that of now."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / BYTES_A_MEGABYTE
    told = subprocess.run(["/bin/ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(told.stdout) * 1024 / BYTES_A_MEGABYTE


def python_worker(subject: str) -> list[str]:
    """The command of a worker for a function `module:name` that returns operations by name."""
    return [sys.executable, "-m", "bench.worker", subject]


def node_worker(script: str, *arguments: str) -> list[str]:
    """The command of a worker in bench/peers; `make` puts its node in front of the path."""
    beside = Path(sys.executable).with_name("node")
    return [str(beside) if beside.exists() else "node", str(PEERS / script), *arguments]


class Worker:
    """A process that runs the operations of one subject.

    Lines of JSON: {operation, count} in, {seconds, result} or {error} out. The first one is {ready: its process id},
    because what is started may be a launcher.
    """

    def __init__(self, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        try:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        except OSError as exc:
            raise CannotRun(str(exc)) from exc
        if self._process.stdin is None or self._process.stdout is None:
            raise CannotRun("it has no pipes")
        self._in, self._out = self._process.stdin, self._process.stdout
        try:
            self._pid = int(self._read()["ready"])
        except CannotRun:
            self.close()
            raise

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, operation: str, count: int = 1) -> dict[str, Any]:
        """Run an operation `count` times. Raises CannotRun when the worker is gone or refuses."""
        try:
            self._in.write(json.dumps({"operation": operation, "count": count}) + "\n")
            self._in.flush()
        except BrokenPipeError as exc:
            raise CannotRun("it ended") from exc
        return self._read()

    def resident_megabytes(self) -> float:
        return resident_megabytes(self._pid)

    def close(self) -> None:
        """End the worker: it stops when its input does."""
        self._in.close()
        self._out.close()
        self._process.wait(FIRST_WORD_SECONDS)

    def _read(self) -> dict[str, Any]:
        line = self._out.readline()
        if not line:
            raise CannotRun("it ended without a word")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise CannotRun(answer["error"])
        return answer


class Subject:
    """One operation of a worker, warmed up, with the count that fills a sample."""

    def __init__(self, worker: Worker, operation: str) -> None:
        self._worker = worker
        self._operation = operation
        spent, count = 0.0, 1
        seconds = self._seconds(count)
        while seconds < SAMPLE_SECONDS / 4 or spent < WARM_UP_SECONDS:
            spent += seconds
            if seconds < SAMPLE_SECONDS / 4:
                count *= 2
            seconds = self._seconds(count)
        self._count = max(1, round(count * SAMPLE_SECONDS / seconds))

    def sample(self) -> float:
        """Seconds of CPU that one operation takes, the mean of a sample."""
        return self._seconds(self._count) / self._count

    def _seconds(self, count: int) -> float:
        return float(self._worker.run(self._operation, count)["seconds"])


def compare(
    operation: str, ours: Worker, peers: Mapping[str, Worker | CannotRun]
) -> tuple[list[float], dict[str, Samples]]:
    """Samples of an operation, taken in turns: ours, then each peer's, round by round."""
    subject = Subject(ours, operation)
    subjects: dict[str, Subject | CannotRun] = {}
    for name, worker in peers.items():
        subjects[name] = worker if isinstance(worker, CannotRun) else _subject(worker, operation)
    own: list[float] = []
    theirs: dict[str, Samples] = {name: peer if isinstance(peer, CannotRun) else [] for name, peer in subjects.items()}
    for _ in range(PAIRS):
        own.append(subject.sample())
        for name, peer in subjects.items():
            samples = theirs[name]
            if isinstance(peer, CannotRun) or isinstance(samples, CannotRun):
                continue
            samples.append(peer.sample())
    return own, theirs


def _subject(worker: Worker, operation: str) -> Subject | CannotRun:
    try:
        return Subject(worker, operation)
    except CannotRun as exc:
        return exc


def start_peers(commands: Mapping[str, list[str]]) -> dict[str, Worker | CannotRun]:
    """Workers by the peer's name; those that cannot start say why."""
    started: dict[str, Worker | CannotRun] = {}
    for name, command in commands.items():
        try:
            started[name] = Worker(command)
        except CannotRun as exc:
            started[name] = exc
    return started


def close_all(workers: Mapping[str, Worker | CannotRun]) -> None:
    for worker in workers.values():
        if isinstance(worker, Worker):
            worker.close()
