"""A DynamoDB client that fails in the ways the real one does, at the moments that hurt."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from shared.aws import BoundedClient

Fault = str
"""throttled, server_fault: refused. lost_request: never arrived. lost_answer: applied, but nobody heard so."""


class Crash(BaseException):
    """The process dies here."""


class FaultyClient(BoundedClient):
    """Faults happen to the next calls of an operation, in order; `between` runs once just before a put."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, list[Fault]] = {}
        self.calls: list[str] = []
        self.between: Callable[[], None] | None = None

    def send(self, operation: str, timeout_seconds: float, parameters: dict[str, Any]) -> Any:
        self.calls.append(operation)
        if operation == "put_item" and self.between is not None:
            between, self.between = self.between, None
            between()
        planned = self.faults.get(operation)
        fault = planned.pop(0) if planned else None
        if fault == "throttled":
            raise refused("ProvisionedThroughputExceededException", 400)
        if fault == "server_fault":
            raise refused("InternalServerError", 500)
        if fault == "lost_request":
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        if fault == "crash_before":
            raise Crash
        answer = super().send(operation, timeout_seconds, parameters)
        if fault == "lost_answer":
            raise ConnectionClosedError(endpoint_url="https://dynamodb")
        if fault == "crash_after":
            raise Crash
        return answer


def refused(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutItem")
