"""Schedule expressions: rate(...), cron(...), and at(...) of EventBridge Scheduler.

Source: "Cron and rate expressions" of EventBridge, "Schedule types" of EventBridge Scheduler. In a time zone with
daylight saving time, a time that does not exist is left out and one that exists twice counts once.
"""

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final, Protocol

from shared.errors import InvalidInput

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
DAYS_AHEAD: Final = 366 * 41
"""29 February on a given weekday comes back within 40 years."""

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
_WHOLE: Final = re.compile(r"(rate|cron|at)\((.*)\)")
_RATE: Final = re.compile(r"(\d+) (minute|hour|day)(s?)")
_FIELDS: Final = 6

Days = Callable[[date], bool]


class Expression(Protocol):
    def next_after(self, moment: float, zone: tzinfo, begin: float) -> float | None:
        """The first time after a moment, both in seconds since the epoch. A rate is counted from `begin`."""


@dataclass(frozen=True)
class Rate:
    seconds: int

    def next_after(self, moment: float, zone: tzinfo, begin: float) -> float:
        return begin + self.seconds * (max(0, (moment - begin) // self.seconds) + 1)


@dataclass(frozen=True)
class Once:
    at: datetime

    def next_after(self, moment: float, zone: tzinfo, begin: float) -> float | None:
        found = self.at.replace(tzinfo=zone).timestamp()
        return found if found > moment else None


@dataclass(frozen=True)
class Cron:
    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    has_day: Days

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cron) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def next_after(self, moment: float, zone: tzinfo, begin: float) -> float | None:
        for local in self._times_from(datetime.fromtimestamp(moment, zone).date()):
            found = local.replace(tzinfo=zone).timestamp()
            exists = datetime.fromtimestamp(found, zone).replace(tzinfo=None) == local
            if exists and found > moment:
                return found
        return None

    def _times_from(self, first: date) -> Iterator[datetime]:
        for number in range(DAYS_AHEAD):
            day = first + timedelta(days=number)
            if day.year > LAST_YEAR:
                return
            if day.month in self.months and day.year in self.years and self.has_day(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        yield datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a zone's own time


def parse_expression(text: object, *, is_rule: bool) -> Expression:
    """Raises InvalidInput for what the service refuses, in one line."""
    found = _WHOLE.fullmatch(str(text).strip())
    kind = found[1] if found else ""
    try:
        if found and kind == "rate":
            return _rate(found[2], is_rule=is_rule)
        if found and kind == "cron":
            return _cron(found[2])
        if found and kind == "at" and not is_rule:
            return Once(datetime.strptime(found[2], "%Y-%m-%dT%H:%M:%S"))  # noqa: DTZ007 - of the schedule's zone
    except ValueError as error:
        raise InvalidInput(f"ScheduleExpression {text}: {error}") from None
    kinds = "rate(...) or cron(...)" if is_rule else "rate(...), cron(...) or at(yyyy-mm-ddThh:mm:ss)"
    raise InvalidInput(f"ScheduleExpression {text} is not {kinds}")


def _rate(text: str, *, is_rule: bool) -> Rate:
    found = _RATE.fullmatch(text)
    if not found or not int(found[1]):
        raise ValueError("not a number from 1 and minutes, hours or days")
    number, unit, plural = int(found[1]), found[2], found[3]
    if is_rule and (number == 1) == bool(plural):
        raise ValueError(f"{number} {unit}{plural} is refused by EventBridge: one has no plural, more have one")
    return Rate(number * _SECONDS[unit])


def _cron(text: str) -> Cron:
    fields = text.upper().split()
    if len(fields) != _FIELDS:
        raise ValueError("cron has six fields: minutes, hours, day of month, month, day of week, year")
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise ValueError("one of day of month and day of week must be ?")
    return Cron(
        text=" ".join(fields),
        minutes=_numbers(minutes, range(60)),
        hours=_numbers(hours, range(24)),
        months=_numbers(month, range(1, 13), _MONTHS),
        years=_numbers(year, range(FIRST_YEAR, LAST_YEAR + 1)),
        has_day=_weekdays(weekday) if day == "?" else _days(day),
    )


def _numbers(field: str, allowed: range, names: Sequence[str] = ()) -> tuple[int, ...]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if span == "*":
            first, last = allowed[0], allowed[-1]
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin, allowed, names)
            last = _number(end, allowed, names) if dash else allowed[-1] if slash else first
        every = _number(step, range(1, len(allowed) + 1)) if slash else 1
        if last < first:
            # FRI-MON goes over the end.
            last += len(allowed)
        found |= {(number - allowed[0]) % len(allowed) + allowed[0] for number in range(first, last + 1, every)}
    return tuple(sorted(found))


def _number(text: str, allowed: range, names: Sequence[str] = ()) -> int:
    if text in names:
        return allowed[names.index(text)]
    if not text.isdecimal() or int(text) not in allowed:
        raise ValueError(f"{text or 'nothing'} is not from {allowed[0]} to {allowed[-1]}")
    return int(text)


def _days(field: str) -> Days:
    if field == "L":
        return lambda day: day.day == _length(day)
    if field == "LW":
        return lambda day: day.day == _nearest_weekday(day, _length(day))
    if field.endswith("W"):
        wanted = _number(field[:-1], range(1, 32))
        return lambda day: wanted <= _length(day) and day.day == _nearest_weekday(day, wanted)
    days = frozenset(_numbers(field, range(1, 32)))
    return lambda day: day.day in days


def _weekdays(field: str) -> Days:
    """1 is Sunday."""
    week = range(1, 8)
    if "#" in field:
        name, _, place = field.partition("#")
        weekday, number = _number(name, week, _DAYS), _number(place, range(1, 6))
        return lambda day: _weekday(day) == weekday and (day.day - 1) // 7 + 1 == number
    if field == "L":
        return lambda day: _weekday(day) == week[-1]
    if field.endswith("L"):
        last = _number(field[:-1], week, _DAYS)
        return lambda day: _weekday(day) == last and day.day + 7 > _length(day)
    days = frozenset(_numbers(field, week, _DAYS))
    return lambda day: _weekday(day) in days


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _nearest_weekday(day: date, wanted: int) -> int:
    """The working day nearest to a day of the month, in the same month."""
    at = day.replace(day=wanted).isoweekday()
    if at == 6:  # noqa: PLR2004 - Saturday
        return wanted - 1 if wanted > 1 else wanted + 2
    if at == 7:  # noqa: PLR2004 - Sunday
        return wanted + 1 if wanted < _length(day) else wanted - 2
    return wanted
