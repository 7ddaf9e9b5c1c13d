"""The AWS SDK as this product uses it: one botocore session a process, and calls that keep a deadline.

botocore is the largest part of a cold start, so nothing here imports boto3, and PynamoDB shares the same session.
"""

import random
import time
from functools import cache
from threading import Lock
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - botocore's names
from pynamodb.connection.base import Connection

from shared.errors import Unavailable

CONNECT_TIMEOUT_SECONDS: Final = 0.5
READ_TIMEOUTS_SECONDS: Final = (1.0, 0.3, 0.15)
"""A client's time-outs are fixed when it is made, so each try takes the longest that the deadline still allows."""
CONNECT_PART: Final = 1 / 3
"""What a new connection may take on top, as a part of the read time-out: both must fit into what is left."""
TRIES: Final = 2
BACKOFF_SECONDS: Final = (0.02, 0.05)
NO_DEADLINE_SECONDS: Final = 60.0

THROTTLED: Final = frozenset(
    {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException", "Throttling"}
)
SERVER_FAULT: Final = 500
NANOSECONDS_A_SECOND: Final = 1_000_000_000

_making: Final = Lock()
"""A session is not safe to make two clients at once, and a function may work on several jobs at a time."""


@cache
def session() -> botocore.session.Session:
    """The process's botocore session; region and endpoints come from the environment as usual."""
    return botocore.session.get_session()


@cache
def client(
    service: str,
    read_timeout_seconds: float = 5.0,
    tries: int = 2,
    region: str | None = None,
    endpoint: str | None = None,
) -> Any:
    """A client with short time-outs; `tries` counts the first one. `region` and `endpoint` None: the environment's."""
    config = Config(
        connect_timeout=min(CONNECT_TIMEOUT_SECONDS, read_timeout_seconds * CONNECT_PART),
        read_timeout=read_timeout_seconds,
        retries={"total_max_attempts": tries, "mode": "standard"},
        tcp_keepalive=True,
        parameter_validation=False,
    )
    with _making:
        return session().create_client(service, region_name=region, endpoint_url=endpoint, config=config)


def share_session(connection: Connection) -> None:
    """Make PynamoDB use our session: it would load botocore's data a second time. The attribute is private to it."""
    connection._local.session = session()  # noqa: SLF001


class BoundedClient:
    """Calls within a deadline: at most two tries, each cut to the time that is left. `endpoint` is for services that
    have no address of their own."""

    def __init__(self, service: str = "dynamodb", endpoint: str | None = None) -> None:
        self._service = service
        self._endpoint = endpoint

    def call(self, operation: str, deadline_ns: int | None, **parameters: Any) -> Any:
        """Call `operation`. Raises Unavailable when it failed or its outcome is unknown; other refusals pass as
        ClientError."""
        failure: Exception | None = None
        for attempt in range(TRIES):
            if attempt:
                time.sleep(random.uniform(*BACKOFF_SECONDS))  # noqa: S311 - jitter
            left = _seconds_left(deadline_ns)
            timeout = next((seconds for seconds in READ_TIMEOUTS_SECONDS if seconds * (1 + CONNECT_PART) <= left), None)
            if timeout is None:
                break
            try:
                return self.send(operation, timeout, parameters)
            except ClientError as exc:
                if not _may_pass(exc):
                    raise
                failure = exc
            except (ConnectionError, HTTPClientError) as exc:
                failure = exc
        raise Unavailable(f"{self._service} did not answer in time", operation=operation) from failure

    def send(self, operation: str, timeout_seconds: float, parameters: dict[str, Any]) -> Any:
        """One try."""
        return getattr(client(self._service, timeout_seconds, 1, None, self._endpoint), operation)(**parameters)


def _seconds_left(deadline_ns: int | None) -> float:
    if deadline_ns is None:
        return NO_DEADLINE_SECONDS
    return (deadline_ns - time.monotonic_ns()) / NANOSECONDS_A_SECOND


def _may_pass(exc: ClientError) -> bool:
    """Throttling and the service's own faults pass with a second try."""
    code = exc.response.get("Error", {}).get("Code", "")
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code in THROTTLED or status >= SERVER_FAULT
