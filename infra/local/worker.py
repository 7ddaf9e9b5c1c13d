"""One Lambda execution environment: `python -P worker.py`, spoken to in JSON lines over its pipes.

The first line in is {"handler", "code", "repository", "memory_bytes", "local_targets"}; the first line out is
{"ready": true} or {"init_error": {...}}. Then each line in is one invocation, {"id", "arn", "deadline_ms", "trace",
"event"}, answered by {"id", "result"} or {"id", "error"}.

It is started as a plain file and imports nothing of this repository, so that the handler sees what it would see in
Lambda: its own folder, the packages, and `shared`. What a handler prints goes to standard error: standard output
carries the protocol alone. The process ends when its standard input does, even in the middle of an invocation, so no
worker outlives the local cloud.
"""

import importlib
import json
import logging
import os
import queue
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, BinaryIO

MAX_RESPONSE_BYTES = 6 * 1024 * 1024
"""Lambda: a synchronous response is at most 6 MB."""

Handler = Callable[[Any, "LambdaContext"], Any]


class LambdaContext:
    """What Lambda's Python runtime hands to a handler beside the event."""

    def __init__(self, request_id: str, arn: str, deadline_ms: int) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = None
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))


def main() -> None:
    replies = _take_standard_output()
    lines = _follow_standard_input()
    setup = json.loads(lines.get())
    try:
        handler = _load(setup)
    # Whatever an import raises is the answer to the invocations that wait for it.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        _reply(replies, {"init_error": _described(error)})
        return
    _reply(replies, {"ready": True})
    while True:
        _reply(replies, _invoke(handler, json.loads(lines.get())))


def _take_standard_output() -> BinaryIO:
    """Keeps the protocol's pipe to itself, and sends prints to standard error."""
    protocol = os.dup(1)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return os.fdopen(protocol, "wb")


def _follow_standard_input() -> "queue.SimpleQueue[bytes]":
    """Reads on a thread of its own, to notice the end of the parent while a handler runs."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _load(setup: dict[str, Any]) -> Handler:
    # As Lambda's runtime does: what is logged without any setup is seen.
    logging.basicConfig(stream=sys.stderr, format="[%(levelname)s] %(message)s")
    if setup["memory_bytes"]:
        resource.setrlimit(resource.RLIMIT_DATA, (setup["memory_bytes"], setup["memory_bytes"]))
    sys.path[:0] = [setup["code"], setup["repository"]]
    if setup["local_targets"]:
        _allow_local_targets(setup["local_targets"])
    module_name, _, function_name = setup["handler"].rpartition(".")
    module = importlib.import_module(module_name.replace("/", "."))
    handler: Handler = getattr(module, function_name)
    return handler


def _allow_local_targets(targets: list[list[Any]]) -> None:
    """Lets the guarded HTTP client of this process reach the example servers on loopback.

    Called from outside the handler's code: nothing that is deployed has a way to ask for it.
    """
    wiring = importlib.import_module("shared.runtime.wiring")
    wiring.reach_local_targets(frozenset((host, port) for host, port in targets))


def _invoke(handler: Handler, invocation: dict[str, Any]) -> dict[str, Any]:
    request_id = invocation["id"]
    os.environ["_X_AMZN_TRACE_ID"] = invocation["trace"]
    context = LambdaContext(request_id, invocation["arn"], invocation["deadline_ms"])
    try:
        result = handler(invocation["event"], context)
        text = json.dumps(result)
    # A handler may raise anything, SystemExit included: it becomes the function's error.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return {"id": request_id, "error": _described(error)}
    finally:
        sys.stdout.flush()
    if len(text) > MAX_RESPONSE_BYTES:
        message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
        return {"id": request_id, "error": {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}}
    return {"id": request_id, "result": result}


def _described(error: BaseException) -> dict[str, Any]:
    """An error as Lambda reports it, and its traceback to the log."""
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
    stack = [line.rstrip("\n") for line in traceback.format_tb(error.__traceback__)]
    return {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": "", "stackTrace": stack}


def _reply(replies: BinaryIO, message: dict[str, Any]) -> None:
    replies.write(json.dumps(message).encode() + b"\n")
    replies.flush()


if __name__ == "__main__":
    main()
