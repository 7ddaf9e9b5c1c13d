"""The Lambda runtime of the base image that is made when none can be pulled: it hands events to the handler.

Only the standard library, because the image holds nothing else. A handler that raises ends the process with a
traceback: the emulator in front of it reports that as an error, and sam shows it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import http.client
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

API: Final = "/2018-06-01/runtime/invocation"


@dataclass(frozen=True)
class Context:
    """The second argument of a handler, with the attributes that AWS documents."""

    aws_request_id: str
    invoked_function_arn: str
    deadline: float
    function_name: str
    function_version: str
    memory_limit_in_mb: int
    log_group_name: str
    log_stream_name: str
    client_context: None = None
    identity: None = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.time()) * 1000))


def context_of(headers: Message, environment: Mapping[str, str]) -> Context:
    """The context of the invocation that arrived with these headers."""
    return Context(
        aws_request_id=headers["Lambda-Runtime-Aws-Request-Id"],
        invoked_function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
        deadline=int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000,
        function_name=environment["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=environment["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
        log_group_name=environment.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
        log_stream_name=environment.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
    )


def serve_one(connection: http.client.HTTPConnection, handler: Callable[[Any, Context], object]) -> None:
    """Wait for the next event, handle it, and give the answer back."""
    connection.request("GET", f"{API}/next")
    invocation = connection.getresponse()
    event = json.loads(invocation.read())
    context = context_of(invocation.headers, os.environ)
    answer = json.dumps(handler(event, context), ensure_ascii=False).encode()
    connection.request("POST", f"{API}/{context.aws_request_id}/response", answer)
    connection.getresponse().read()


def main() -> None:
    """Serve events until the container stops."""
    sys.path[:0] = ["/var/task", "/opt/python"]
    module, _, function = os.environ["_HANDLER"].rpartition(".")
    handler = getattr(importlib.import_module(module), function)
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        serve_one(connection, handler)


if __name__ == "__main__":
    main()
