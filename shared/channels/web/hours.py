"""When agents are there: hours of the week on the clocks of a time zone, and what a page is told of them.

A range whose end is not after its beginning goes on until that time of the next day. Where clocks are put forward, a time
that does not come is as much later (RFC 5545 3.3.5); where they are put back, hours begin at the first of the two times
and end at the second.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from shared.errors import InvalidInput, MalgilError
from shared.json_input import refuse_others
from shared.usage.calendar import DEFAULT_ZONE, zone_of

JsonObject = dict[str, Any]
Range = tuple[int, int]
"""Minutes from the beginning of a day; the second is the greater one, also when it is of the next day."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KOREAN_DAYS: Final = "월화수목금토일"
MAX_RANGES: Final = 5
DAY_MINUTES: Final = 1_440
WEEK_DAYS: Final = 7
MILLISECONDS: Final = 1_000
MAX_ZONE_NAME: Final = 64

_RANGE: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d) ?[-~] ?(?:([01]\d|2[0-3]):([0-5]\d)|(24:00))", re.ASCII)
_DAY: Final = "|".join((*DAYS, *KOREAN_DAYS))
_RULE: Final = re.compile(rf"((?:{_DAY})(?:-(?:{_DAY}))?(?:,(?:{_DAY})(?:-(?:{_DAY}))?)*) +(\S.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursNow:
    """What a page shows. `text` are the hours of the day, "" when it has none; `opens_at_ms` is None while it is open.
    All of it is so until `until_ms`."""

    is_open: bool
    text: str
    opens_at_ms: int | None
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyHours:
    """Ranges of each day from Monday on, in order; one day at least has some."""

    time_zone: str
    week: tuple[tuple[Range, ...], ...]

    @classmethod
    def parse(cls, data: Any, place: str) -> "WeeklyHours":
        """From {"timeZone": "Asia/Seoul", "week": {"mon": ["10:00-18:00"], ...}}; a day that is not named has none.
        Raises InvalidInput with the place of what is wrong."""
        if not isinstance(data, dict):
            raise InvalidInput(f"{place}: an object of timeZone and week is expected")
        refuse_others(data, ("timeZone", "week"), place)
        zone_name, week = data.get("timeZone", DEFAULT_ZONE), data.get("week")
        _zone(zone_name, f"{place}.timeZone")
        if not isinstance(week, dict):
            raise InvalidInput(f"{place}.week: an object of days is expected")
        refuse_others(week, DAYS, f"{place}.week")
        return cls.of(zone_name, {day: _ranges(week.get(day), f"{place}.week.{day}") for day in DAYS}, place)

    @classmethod
    def of_rules(cls, rules: Iterable[str], time_zone: str) -> "WeeklyHours":
        """From rules as people type them: "mon-fri 10:00-18:00", "sat,sun 11:00-15:00, 16:00-18:00", also with Korean
        days. Raises InvalidInput."""
        _zone(time_zone, "timeZone")
        week: dict[str, list[Range]] = {day: [] for day in DAYS}
        for rule in rules:
            days, ranges = _rule(rule)
            for day in days:
                week[day] += ranges
        return cls.of(time_zone, {day: _in_order(ranges, f"hours: {day}") for day, ranges in week.items()}, "hours")

    @classmethod
    def of(cls, time_zone: str, week: Mapping[str, tuple[Range, ...]], place: str) -> "WeeklyHours":
        if not any(week.values()):
            raise InvalidInput(f"{place}: hours of one day at least are expected; none at all is null")
        return cls(time_zone=time_zone, week=tuple(week[day] for day in DAYS))

    def to_dict(self) -> JsonObject:
        week = {
            day: [_text_of(span, "-") for span in spans] for day, spans in zip(DAYS, self.week, strict=True) if spans
        }
        return {"timeZone": self.time_zone, "week": week}

    def at(self, at_ms: int) -> HoursNow:
        zone = zone_of(self.time_zone)
        now = datetime.fromtimestamp(at_ms / MILLISECONDS, zone)
        today = now.date()
        around = [today + timedelta(days=offset) for offset in range(-1, WEEK_DAYS + 1)]
        spans = [
            (_instant(day, start, zone), _instant(day, end, zone, is_end=True), day)
            for day in around
            for start, end in self.week[day.weekday()]
        ]
        running = [day for start, end, day in spans if start <= at_ms < end]
        changes = [instant for start, end, _ in spans for instant in (start, end)]
        midnight = _instant(today, DAY_MINUTES, zone)
        shown = running[0] if running else today
        return HoursNow(
            is_open=bool(running),
            text=", ".join(_text_of(span, " ~ ") for span in self.week[shown.weekday()]),
            opens_at_ms=None if running else min(start for start, _, _ in spans if start > at_ms),
            until_ms=min(instant for instant in (*changes, midnight) if instant > at_ms),
        )


def _instant(day: date, minutes: int, zone: tzinfo, *, is_end: bool = False) -> int:
    """Epoch milliseconds of a time on a day's clocks."""
    wall = datetime.combine(day + timedelta(days=minutes // DAY_MINUTES), time(), zone)
    wall = wall.replace(hour=minutes % DAY_MINUTES // 60, minute=minutes % 60)
    at = wall.timestamp()
    return int(MILLISECONDS * (max(at, wall.replace(fold=1).timestamp()) if is_end else at))


def _zone(name: Any, place: str) -> None:
    try:
        if not isinstance(name, str) or len(name) > MAX_ZONE_NAME:
            raise InvalidInput("no name")
        zone_of(name)
    except MalgilError as exc:
        raise InvalidInput(f"{place}: a time zone such as {DEFAULT_ZONE} or Europe/Berlin is expected") from exc


def _ranges(value: Any, place: str) -> tuple[Range, ...]:
    value = [] if value is None else value
    if not isinstance(value, list):
        raise InvalidInput(f"{place}: a list of hours is expected")
    return _in_order([_range(item, f"{place}[{index}]") for index, item in enumerate(value[: MAX_RANGES + 1])], place)


def _in_order(spans: list[Range], place: str) -> tuple[Range, ...]:
    if len(spans) > MAX_RANGES:
        raise InvalidInput(f"{place}: at most {MAX_RANGES} ranges of hours are expected")
    spans = sorted(spans)
    for before, after in zip(spans, spans[1:], strict=False):
        if after[0] < before[1]:
            raise InvalidInput(f"{place}: {_text_of(before, '-')} and {_text_of(after, '-')} overlap")
    return tuple(spans)


def _range(value: Any, place: str) -> Range:
    found = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidInput(f"{place}: hours such as 10:00-18:00 are expected")
    start = 60 * int(found[1]) + int(found[2])
    end = DAY_MINUTES if found[5] else 60 * int(found[3]) + int(found[4])
    if start == end:
        raise InvalidInput(f"{place}: an end other than the beginning is expected; a whole day is 00:00-24:00")
    return start, end if end > start else end + DAY_MINUTES


def _rule(rule: str) -> tuple[list[str], list[Range]]:
    found = _RULE.fullmatch(rule.strip().lower())
    if found is None:
        raise InvalidInput(f"hours: '{rule[:60]}': days and hours such as 'mon-fri 10:00-18:00' are expected")
    days: dict[str, None] = {}
    for part in found[1].split(","):
        first, _, last = part.partition("-")
        start, end = _day_number(first), _day_number(last or first)
        days |= {DAYS[(start + step) % WEEK_DAYS]: None for step in range((end - start) % WEEK_DAYS + 1)}
    return list(days), [_range(part.strip(), f"hours: '{rule[:60]}'") for part in found[2].split(",")]


def _day_number(name: str) -> int:
    return KOREAN_DAYS.index(name) if name in KOREAN_DAYS else DAYS.index(name)


def _text_of(span: Range, between: str) -> str:
    start, end = span
    end -= DAY_MINUTES if end > DAY_MINUTES else 0
    return f"{start // 60:02d}:{start % 60:02d}{between}{end // 60:02d}:{end % 60:02d}"
