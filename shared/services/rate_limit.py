"""How often somebody may do something. A slow caller costs nothing: a process counts by itself, and asks the common
counter only about those who are fast."""

from collections.abc import Callable
from typing import Final

from shared.errors import RateLimited
from shared.services.web_ports import RateCounters

MAX_KEPT: Final = 10_000
MILLISECONDS: Final = 1_000
KEPT_WINDOWS: Final = 2


class RateLimit:
    """At most `limit` in each window of `window_ms`; the first `free` of a window are not told to the common counter,
    and no more than `limit` of them either: who is over it is refused from memory."""

    def __init__(
        self,
        counters: RateCounters,
        *,
        limit: int,
        window_ms: int,
        free: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._counters = counters
        self._limit = limit
        self._window_ms = window_ms
        self._free = free
        self._now_ms = now_ms
        self._window = 0
        self._counts: dict[str, int] = {}

    def check(self, name: str, deadline_ns: int | None = None) -> None:
        """Count one more of `name`. Raises RateLimited."""
        now = self._now_ms()
        window = now // self._window_ms
        if window != self._window or len(self._counts) >= MAX_KEPT:
            self._window, self._counts = window, {}
        count = self._counts.get(name, 0) + 1
        if count > self._free and count <= self._limit:
            new = count if count == self._free + 1 else 1  # the free ones are told of too, once it is known to be fast
            expires = ((window + KEPT_WINDOWS) * self._window_ms) // MILLISECONDS
            total = self._counters.add(name, window, new, expires_at_s=expires, deadline_ns=deadline_ns)
            if total > self._limit:
                count = self._limit + 1
        self._counts[name] = count
        if count > self._limit:
            after = (window + 1) * self._window_ms - now
            raise RateLimited("too much at once: try again later", retry_after_ms=after)
