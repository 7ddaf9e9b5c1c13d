"""Posts deliveries to customers' endpoints through the guarded client."""

from collections.abc import Callable
from typing import Final

from shared.net.guarded_client import GuardedClient
from shared.net.messages import OutboundError, OutboundRequest
from shared.webhooks.delivery import Attempt, kept_answer

TIMEOUT_SECONDS: Final = 15.0
MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_WIRE_BYTES: Final = 96 * 1024
"""The answer with its headers and framing."""
NANOSECONDS: Final = 1_000_000
SUCCESSES: Final = range(200, 300)
REDIRECTS: Final = range(300, 400)


class DeliveryClient:
    """The port PostDelivery. `now_ms` is epoch time, `clock_ns` monotonic; `timeout_seconds` is for a whole try."""

    def __init__(
        self,
        client: GuardedClient,
        *,
        now_ms: Callable[[], int],
        clock_ns: Callable[[], int],
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._client = client
        self._now_ms = now_ms
        self._clock_ns = clock_ns
        self._timeout_seconds = timeout_seconds

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> tuple[Attempt, str | None]:
        """One POST. No redirect is followed; any 2xx is a success from its headers on, whatever its body does then."""
        at_ms, started = self._now_ms(), self._clock_ns()
        request = OutboundRequest(method="POST", url=url, headers=headers, body=body)
        try:
            response = self._client.send(
                request,
                timeout_seconds=self._timeout_seconds,
                max_redirects=0,
                max_wire_bytes=MAX_WIRE_BYTES,
                max_body_bytes=MAX_ANSWER_BYTES,
                allow_truncated=True,
            )
        except OutboundError as exc:
            return Attempt(at_ms=at_ms, ms=self._since(started), error=exc.kind), None
        attempt = Attempt(
            at_ms=at_ms,
            ms=self._since(started),
            status=response.status,
            error=_error_of(response.status),
            answer=kept_answer(response.body),
        )
        return attempt, response.header("retry-after")

    def _since(self, started_ns: int) -> int:
        return (self._clock_ns() - started_ns) // NANOSECONDS


def _error_of(status: int) -> str | None:
    if status in SUCCESSES:
        return None
    return "redirect" if status in REDIRECTS else "status"
