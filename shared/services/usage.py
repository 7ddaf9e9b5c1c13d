"""The use cases of usage: how much a bot was used, what it may use, and what its owner sets (docs/usage.md)."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Final, Literal

from shared.conversation.projection import HourCounts
from shared.errors import InvalidInput, NotFound
from shared.services.ports import Bots
from shared.services.usage_ports import UsageCounters, UsageLimitRows
from shared.usage.brand import checked_brand_line
from shared.usage.calendar import UsageCalendar, month_before
from shared.usage.limits import UsageLimits

STEP_MS: Final = 1_800_000
"""Half an hour: by so little the clocks of some zones are moved."""
DAY: Final = len("2026-11-21")
MONTHS_SHOWN: Final = 12
MAX_DAYS: Final = 62
"""Ours, of one look: two months."""
MAX_QUOTA: Final = 1_000_000_000_000
MEASURES: Final = tuple(
    field.name for field in fields(HourCounts) if field.name not in ("hour", "received_by_platform")
)

Unit = Literal["hour", "day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A bot's use in `month` (yyyymm) and before: `months` are (month, active end users), the newest first, from the
    first month in which anybody was active. `brand_line` is what is shown now, None: none is."""

    bot_id: str
    time_zone: str
    month: int
    active: int
    limits: UsageLimits
    months: tuple[tuple[int, int], ...]

    @property
    def brand_line(self) -> str | None:
        return self.limits.brand_line_in(self.month)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What happened in an hour (`yyyy-mm-ddThh`) or on a day (`yyyy-mm-dd`), by the names of HourCounts."""

    start: str
    counts: Counter[str]
    received_by_platform: Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowUsage:
    """Ports and the time."""

    bots: Bots
    limits: UsageLimitRows
    counters: UsageCounters
    calendar: UsageCalendar
    now_ms: Callable[[], int]

    def usage(self, bot_id: str) -> Usage:
        """Raises NotFound."""
        self._check(bot_id)
        month = self.calendar.month_of(self.now_ms())
        months = [(each, self.counters.monthly_active(bot_id, each)) for each in _months_until(month)]
        active = months[0][1]
        while len(months) > 1 and months[-1][1] == 0:
            months.pop()
        return Usage(
            bot_id=bot_id,
            time_zone=self.calendar.zone_name,
            month=month,
            active=active,
            limits=self.limits.get(bot_id),
            months=tuple(months),
        )

    def statistics(self, bot_id: str, days: int, unit: Unit) -> list[Bucket]:
        """The last `days` days, today with them, in order; hours and days in which nothing happened are there too.
        Raises InvalidInput, NotFound."""
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInput(f"days: 1 to {MAX_DAYS} are expected", path="days")
        self._check(bot_id)
        hours = self._hours_of(days)
        buckets: dict[str, Bucket] = {}
        for hour in hours:
            start = hour if unit == "hour" else hour[:DAY]
            if start not in buckets:
                buckets[start] = Bucket(start=start, counts=Counter(), received_by_platform=Counter())
        for counted in self.counters.hours(bot_id, hours[0], hours[-1]):
            bucket = buckets.get(counted.hour if unit == "hour" else counted.hour[:DAY])
            if bucket is None:  # of a clock that was put back or forward
                continue
            bucket.counts.update({name: getattr(counted, name) for name in MEASURES})
            bucket.received_by_platform.update(counted.received_by_platform)
        return list(buckets.values())

    def set_limits(
        self, bot_id: str, *, quota: int | Literal["as it is"] | None = "as it is", brand_line: str | None = None
    ) -> None:
        """Set the quota (None: none) and the brand line, or leave them. Seen everywhere within 5 s: where the month is
        over its new quota already, the line stands at once. Raises InvalidInput, NotFound."""
        if isinstance(quota, int) and not 0 <= quota <= MAX_QUOTA:
            raise InvalidInput(f"quota: 0 to {MAX_QUOTA} end users are expected", path="quota")
        line = None if brand_line is None else checked_brand_line(brand_line)
        self._check(bot_id)
        self.limits.set(bot_id, quota=quota, brand_line=line)
        month = self.calendar.month_of(self.now_ms())
        self.limits.mark_over(bot_id, month, active=self.counters.monthly_active(bot_id, month))

    def _check(self, bot_id: str) -> None:
        record = self.bots.get(bot_id)
        if record is None or record.deleted_at_ms is not None:
            raise NotFound(f"no bot '{bot_id}'", bot=bot_id)

    def _hours_of(self, days: int) -> list[str]:
        """The hours of these days until now, oldest first; days of 23 and of 25 hours are whole."""
        hours: list[str] = []
        at_ms, seen = self.now_ms(), set[str]()
        while True:
            hour = self.calendar.hour_of(at_ms)
            seen.add(hour[:DAY])
            if len(seen) > days:
                return hours[::-1]
            if hour not in hours[-1:]:
                hours.append(hour)
            at_ms -= STEP_MS


def _months_until(month: int) -> Iterator[int]:
    for _ in range(MONTHS_SHOWN):
        yield month
        month = month_before(month)
