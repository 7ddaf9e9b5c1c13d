"""The time that pollers go by; tests have one of their own."""

import asyncio
import time
from typing import Final, Protocol

LONGEST_SLEEP_SECONDS: Final = 30.0
"""A machine that was suspended notices within so much that an hour has struck."""


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""

    async def sleep_until(self, when: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.time()

    async def sleep_until(self, when: float) -> None:
        while (left := when - self.now()) > 0:  # noqa: ASYNC110 - time itself tells nobody
            await asyncio.sleep(min(left, LONGEST_SLEEP_SECONDS))
