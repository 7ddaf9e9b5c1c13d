"""The use cases of usage: how much a bot was used, what it may use, and what its owner sets (docs/usage.md)."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from shared.errors import InvalidInput, NotFound
from shared.services.ports import Bots
from shared.services.usage_ports import UsageCounters, UsageLimitRows
from shared.usage.brand import checked_brand_line
from shared.usage.calendar import UsageCalendar, month_before, month_text
from shared.usage.limits import UsageLimits

JsonObject = dict[str, Any]

STEP_MS: Final = 1_800_000
"""Half an hour: by so little the clocks of some zones are moved."""
DAY: Final = len("2026-11-21")
DAY_MS: Final = 86_400_000
MONTHS_SHOWN: Final = 12
MAX_DAYS: Final = 62
"""Ours, of one look: two months."""
MAX_QUOTA: Final = 1_000_000_000_000
MEASURES: Final = {
    "received": "received",
    "sent": "sent",
    "sent_by_agents": "sentByAgents",
    "new_end_users": "newEndUsers",
    "conversations": "conversations",
    "calls_requested": "callsRequested",
    "calls_connected": "callsConnected",
    "calls_cancelled": "callsCancelled",
    "calls_disconnected": "callsDisconnected",
}
"""What is counted, by the names of HourCounts, and as it is called in JSON."""

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

    def to_json(self) -> JsonObject:
        return {
            "botId": self.bot_id,
            "timeZone": self.time_zone,
            "month": month_text(self.month),
            "monthlyActiveUsers": self.active,
            "quota": self.limits.quota,
            "brandLine": self.limits.brand_line,
            "isBrandLineShown": self.brand_line is not None,
            "months": [{"month": month_text(month), "monthlyActiveUsers": active} for month, active in self.months],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What happened in an hour (`yyyy-mm-ddThh`) or on a day (`yyyy-mm-dd`), by the names of HourCounts."""

    start: str
    counts: Counter[str]
    received_by_platform: Counter[str]

    def to_json(self) -> JsonObject:
        return {
            "start": self.start,
            **{shown: self.counts[name] for name, shown in MEASURES.items()},
            "receivedByPlatform": dict(sorted(self.received_by_platform.items())),
        }


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

    def last_days(self, bot_id: str, days: int, unit: Unit) -> list[Bucket]:
        """Like `statistics`, of the last `days` days, today with them. Raises InvalidInput, NotFound."""
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInput(f"days: 1 to {MAX_DAYS} are expected", path="days")
        return self._buckets(bot_id, self._hours_of_days(days), unit)

    def statistics(self, bot_id: str, from_ms: int, until_ms: int, unit: Unit) -> list[Bucket]:
        """The hours that this time touches, each whole, or these summed by days; in order, and those in which nothing
        happened are there too. Raises InvalidInput, NotFound."""
        if not 0 < until_ms - from_ms <= MAX_DAYS * DAY_MS:
            raise InvalidInput(f"until: a time after `from`, at most {MAX_DAYS} days, is expected", path="until")
        hours: dict[str, None] = {}
        for at_ms in (*range(from_ms, until_ms, STEP_MS), until_ms - 1):
            hours[self.calendar.hour_of(at_ms)] = None
        return self._buckets(bot_id, list(hours), unit)

    def _buckets(self, bot_id: str, hours: list[str], unit: Unit) -> list[Bucket]:
        self._check(bot_id)
        buckets: dict[str, Bucket] = {}
        for hour in hours:
            start = hour if unit == "hour" else hour[:DAY]
            if start not in buckets:
                buckets[start] = Bucket(start=start, counts=Counter(), received_by_platform=Counter())
        for counted in self.counters.hours(bot_id, hours[0], hours[-1]):
            bucket = buckets.get(counted.hour if unit == "hour" else counted.hour[:DAY])
            if bucket is None:  # it was counted by the calendar of another zone
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

    def _hours_of_days(self, days: int) -> list[str]:
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
