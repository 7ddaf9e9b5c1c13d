"""Which version of a bot is published, and its channels' settings: read at most every few seconds."""

from collections.abc import Callable
from typing import Final

from shared.bot.record import BotRecord
from shared.services.ports import Bots

SECONDS_KEPT: Final = 5
"""A publish is seen everywhere within this time."""
NANOSECONDS_A_SECOND: Final = 1_000_000_000
MAX_KEPT: Final = 10_000
"""Ids that nobody owns are remembered too (a stranger's guesses must not cost a read each), so there is a bound."""


class PublishedBots:
    """A bot's record by its id; None for an id that is no bot's."""

    def __init__(self, bots: Bots, clock_ns: Callable[[], int]) -> None:
        self._bots = bots
        self._clock_ns = clock_ns
        self._kept: dict[str, tuple[int, BotRecord | None]] = {}

    def get(self, bot_id: str, deadline_ns: int | None = None) -> BotRecord | None:
        now = self._clock_ns()
        kept = self._kept.get(bot_id)
        if kept is not None and now - kept[0] < SECONDS_KEPT * NANOSECONDS_A_SECOND:
            return kept[1]
        record = self._bots.get(bot_id, deadline_ns)
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[bot_id] = (now, record)
        return record

    def brand_line(self, bot_id: str, month: int) -> str | None:
        """The line under a bot's answers of this month (yyyymm), by what is in memory of it; None: none."""
        record = self.known(bot_id)
        return None if record is None else record.limits.brand_line_in(month)

    def known(self, bot_id: str) -> BotRecord | None:
        """What is in memory, however old; for when nothing can be read."""
        kept = self._kept.get(bot_id)
        return None if kept is None else kept[1]
