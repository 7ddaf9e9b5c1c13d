"""Lambda functions as pools of worker processes: time-outs, memory limits, errors and reload as Lambda has them."""

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.local.deploy import Function
from infra.local.embedded import REPOSITORY
from infra.local.logs import Logs

MAX_WORKERS: Final = 4
"""Environments of one function at a time; an invocation beyond waits, where Lambda would start another."""
PATIENCE_SECONDS: Final = 5.0
"""An invocation waits so long for an environment before it is throttled: functions that wait for one another, each in
an environment that the other needs, come to an end."""
INIT_SECONDS: Final = 30.0
"""Lambda allows 10 s of init; this machine may be busier."""
MAX_EVENT_BYTES: Final = 6 * 1024 * 1024
"""Lambda: a synchronous event is at most 6 MB."""
MAX_QUEUED_EVENT_BYTES: Final = 1024 * 1024
"""Lambda: an event of invocation type Event is at most 1 MB."""
MEMORY_FACTOR: Final = 2
MEMORY_MARGIN_BYTES: Final = 256 * 1024 * 1024
"""The data segment may grow to twice MemorySize and a margin: Lambda counts resident memory, the kernel limits
writable memory, of which an interpreter reserves more than it touches. It stops a leak, and breaks no import."""

_WORKER: Final = Path(__file__).with_name("worker.py")
_MAX_LINE_BYTES: Final = 64 * 1024 * 1024
_INHERITED: Final = ("PATH", "HOME", "LANG")


class WorkerError(Exception):
    """An environment ended while something waited for it. `error` is what Lambda would report."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["errorMessage"])
        self.error = error


class _NoneFreeError(Exception):
    """No environment became free in time."""


@dataclass(frozen=True)
class Result:
    """What came of an invocation: `payload` is the function's result, or the description of its error."""

    payload: Any
    failed: bool = False
    timed_out: bool = False
    throttled: bool = False


_THROTTLED: Final = Result(
    {"errorType": "TooManyRequestsException", "errorMessage": "Rate Exceeded."}, failed=True, throttled=True
)


def function_environment(function: Function, endpoints: Mapping[str, str]) -> dict[str, str]:
    """A function's environment variables: the template's, Lambda's own, and where AWS is; nothing of the user's."""
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
        **function.environment,
        **endpoints,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_megabytes),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "LAMBDA_TASK_ROOT": str(function.code),
        "_HANDLER": function.handler,
    }


class _Worker:
    """One process. Used by one invocation at a time."""

    def __init__(self, process: asyncio.subprocess.Process, generation: int) -> None:
        self._process = process
        self.generation = generation
        self._background: list[asyncio.Task[None]] = []

    @classmethod
    async def start(cls, pool: "FunctionPool") -> "_Worker":
        function = pool.function
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(_WORKER),
            cwd=function.code,
            env=pool.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_MAX_LINE_BYTES,
            start_new_session=True,
        )
        worker = cls(process, pool.generation)
        assert process.stderr is not None  # noqa: S101 - a pipe was asked for
        worker._background.append(asyncio.create_task(pool.logs.follow(function.logical_id, process.stderr)))
        setup = {
            "handler": function.handler,
            "code": str(function.code),
            "repository": str(REPOSITORY),
            "memory_bytes": MEMORY_FACTOR * function.memory_megabytes * 1024 * 1024 + MEMORY_MARGIN_BYTES,
            "local_targets": [list(target) for target in pool.local_targets],
        }
        try:
            answer = await asyncio.wait_for(worker._ask(json.dumps(setup).encode()), INIT_SECONDS)
        except TimeoutError:
            await worker.end()
            message = f"Init phase timed out after {INIT_SECONDS:.0f} seconds"
            raise WorkerError({"errorMessage": message, "errorType": "Sandbox.Timedout"}) from None
        except BaseException:
            await worker.end()
            raise
        if "init_error" in answer:
            await worker.end()
            raise WorkerError(answer["init_error"])
        return worker

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def _ask(self, line: bytes) -> dict[str, Any]:
        assert self._process.stdin is not None  # noqa: S101 - pipes were asked for
        assert self._process.stdout is not None  # noqa: S101
        try:
            self._process.stdin.write(line + b"\n")
            await self._process.stdin.drain()
            answer = await self._process.stdout.readline()
        except ConnectionError:
            answer = b""
        if not answer.endswith(b"\n"):
            status = await self._process.wait()
            reason = f"exit status {status}" if status >= 0 else f"signal {-status}"
            raise WorkerError(
                {"errorMessage": f"Runtime exited with error: {reason}", "errorType": "Runtime.ExitError"}
            )
        reply: dict[str, Any] = json.loads(answer)
        return reply

    async def invoke(self, invocation: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The worker's answer. Raises TimeoutError when it takes longer; the worker is of no use after that."""
        return await asyncio.wait_for(self._ask(json.dumps(invocation).encode()), seconds)

    async def end(self) -> None:
        if self.running:
            self._process.kill()
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        await asyncio.gather(*self._background)


@dataclass
class FunctionPool:
    """The environments of one function. All methods run on one event loop.

    `local_targets` are loopback (host, port) pairs that its guarded HTTP client may reach.
    """

    function: Function
    environment: Mapping[str, str]
    logs: Logs
    local_targets: tuple[tuple[str, int], ...] = ()
    generation: int = 0
    _idle: list[_Worker] = field(default_factory=list)
    _busy: int = 0
    _invocations: int = 0
    """Running or waiting for an environment."""
    _free: asyncio.Condition = field(default_factory=asyncio.Condition)
    _closed: bool = False
    _tasks: set["asyncio.Task[Any]"] = field(default_factory=set)

    @property
    def max_workers(self) -> int:
        reserved = self.function.max_concurrency
        return MAX_WORKERS if reserved is None else max(1, min(MAX_WORKERS, reserved))

    def warm(self) -> None:
        """Starts one environment ahead of the first invocation."""
        self.in_background(self._warm())

    def in_background(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _warm(self) -> None:
        try:
            worker = await self._acquire(None)
        except WorkerError:
            # It is in the log already, and the first invocation is told.
            return
        await self._release(worker)

    async def invoke(self, event: Any, trace: str = "", *, patience: float | None) -> Result:
        """Runs the handler once, in an environment of its own while it lasts.

        It is throttled at the function's reserved concurrency, and when no environment is free within `patience`
        seconds. With None it waits for as long as it takes, as events in a queue do.
        """
        reserved = self.function.max_concurrency
        if reserved is not None and self._invocations >= reserved and (patience is not None or reserved == 0):
            return _THROTTLED
        self._invocations += 1
        try:
            return await self._invoke(event, trace, patience)
        finally:
            self._invocations -= 1

    async def _invoke(self, event: Any, trace: str, patience: float | None) -> Result:
        try:
            worker = await self._acquire(patience)
        except WorkerError as failure:
            return Result(failure.error, failed=True)
        except _NoneFreeError:
            return _THROTTLED
        request_id = str(uuid.uuid4())
        seconds = self.function.timeout_seconds
        invocation = {
            "id": request_id,
            "arn": self.function.arn,
            "deadline_ms": int((time.time() + seconds) * 1000),
            "trace": trace,
            "event": event,
        }
        try:
            answer = await worker.invoke(invocation, seconds)
        except TimeoutError:
            await self._discard(worker)
            message = f"{request_id} Task timed out after {seconds:.2f} seconds"
            self.logs.write(self.function.logical_id, message)
            return Result({"errorType": "Sandbox.Timedout", "errorMessage": message}, failed=True, timed_out=True)
        except WorkerError as failure:
            await self._discard(worker)
            self.logs.write(self.function.logical_id, failure.error["errorMessage"])
            return Result(failure.error, failed=True)
        except BaseException:
            await self._discard(worker)
            raise
        await self._release(worker)
        if "error" in answer:
            return Result({**answer["error"], "requestId": request_id}, failed=True)
        return Result(answer["result"])

    async def recycle(self) -> None:
        """New code: idle environments end now, busy ones after their invocation, and one is started."""
        self.generation += 1
        idle, self._idle = self._idle, []
        await asyncio.gather(*(worker.end() for worker in idle))
        self.warm()

    async def close(self) -> None:
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        idle, self._idle = self._idle, []
        await asyncio.gather(*(worker.end() for worker in idle))

    async def _acquire(self, patience: float | None) -> _Worker:
        async with self._free:
            try:
                async with asyncio.timeout(patience):
                    await self._free.wait_for(lambda: self._idle or self._busy < self.max_workers)
            except TimeoutError:
                raise _NoneFreeError from None
            self._busy += 1
            worker = self._idle.pop() if self._idle else None
        if worker is not None and worker.running:
            return worker
        try:
            if worker is not None:
                await worker.end()
            return await _Worker.start(self)
        except BaseException:
            await self._done()
            raise

    async def _release(self, worker: _Worker) -> None:
        if worker.generation == self.generation and worker.running and not self._closed:
            self._idle.append(worker)
            await self._done()
        else:
            await self._discard(worker)

    async def _discard(self, worker: _Worker) -> None:
        await worker.end()
        await self._done()

    async def _done(self) -> None:
        async with self._free:
            self._busy -= 1
            # All: one that is told as it gives up would tell no other.
            self._free.notify_all()
