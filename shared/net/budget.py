"""What one request may still use up. Time-outs per socket call do not bound a request: a server that drips a byte a
second never runs into one."""

from time import monotonic
from typing import Final

from shared.net.messages import OutboundError

CONNECT_SECONDS: Final = 2.0
"""For one address, so that a dead one leaves time for the next."""


class Budget:
    """Seconds and received bytes left for one request with all its redirects."""

    def __init__(self, *, seconds: float, wire_bytes: int) -> None:
        self._ends_at = monotonic() + seconds
        self._wire_bytes = wire_bytes
        self.request_started = False

    def seconds_left(self) -> float:
        """Always positive; OutboundError `timeout` when the deadline has passed."""
        seconds = self._ends_at - monotonic()
        if seconds <= 0:
            raise OutboundError("timeout")
        return seconds

    def connect_seconds(self) -> float:
        return min(self.seconds_left(), CONNECT_SECONDS)

    def bytes_left(self) -> int:
        """Always positive; OutboundError `too_large` when the answer used them up."""
        if self._wire_bytes <= 0:
            raise OutboundError("too_large")
        return self._wire_bytes

    def received(self, count: int) -> None:
        self._wire_bytes -= count
