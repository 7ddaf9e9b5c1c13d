"""What is asked about a bot's use, and where its limits are kept. Everything raises Unavailable."""

from typing import Literal, Protocol

from shared.conversation.projection import HourCounts
from shared.usage.limits import UsageLimits


class UsageCounters(Protocol):
    """Reads what the projector counted; a few seconds old."""

    def hours(self, bot_id: str, first_hour: str, last_hour: str) -> list[HourCounts]: ...
    def monthly_active(self, bot_id: str, month: int) -> int: ...


class UsageLimitRows(Protocol):
    """See storage.usage_limits."""

    def get(self, bot_id: str) -> UsageLimits: ...
    def set(
        self, bot_id: str, *, quota: int | Literal["as it is"] | None = "as it is", brand_line: str | None = None
    ) -> None: ...
    def mark_over(self, bot_id: str, month: int, *, active: int) -> bool: ...
