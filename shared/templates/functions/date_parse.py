"""Points in time as bot authors and their APIs write them: what Moment.js reads, and epoch seconds."""

import re
from calendar import isleap
from datetime import date
from typing import Any, Final

MS_PER_DAY: Final = 86_400_000
HOURS_A_DAY: Final = 24
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()

FIRST_MS: Final = (date(1, 1, 8).toordinal() - _EPOCH_DAY) * MS_PER_DAY
LAST_MS: Final = (date(9999, 12, 24).toordinal() - _EPOCH_DAY) * MS_PER_DAY
"""The years 1 to 9999, less a week at both ends: no time zone and no week then leads out of the calendar."""

SECONDS_MAGNITUDES: Final = (10**9, 10**10)
"""A number of ten digits is epoch seconds (2001-09-09 to 2286-11-20); as milliseconds it would lie in early 1970."""

MAX_TEXT_LENGTH: Final = 128

_TIME: Final = r"""
    (?: [T\ ] (?P<hour>\d\d) (?: {colon}(?P<minute>\d\d) (?: {colon}(?P<second>\d\d) (?: [.,](?P<fraction>\d+) )? )? )?
        (?: \s*Z | (?P<offset>[+-]\d\d (?: :?\d\d )?) )?
    )?
"""
_ISO_EXTENDED: Final = re.compile(
    r"""(?P<year>\d{4} | [+-]\d{6})
        - (?: (?P<month>\d\d) (?: -(?P<day>\d\d) )? | W(?P<week>\d\d) (?: -(?P<weekday>\d) )? | (?P<day_of_year>\d{3}) )
    """
    + _TIME.format(colon=":"),
    re.VERBOSE | re.ASCII,
)
_ISO_BASIC: Final = re.compile(
    r"""(?P<year>\d{4})
        (?: (?P<month>\d\d) (?P<day>\d\d)? | W(?P<week>\d\d) (?P<weekday>\d)? | (?P<day_of_year>\d{3}) )?
    """
    + _TIME.format(colon=""),
    re.VERBOSE | re.ASCII,
)
# Not ISO, but what people type and what JavaScript's own Date, to which Moment.js falls back, reads too: 2018.12.7 5:47
_LOOSE: Final = re.compile(
    r"""(?P<year>\d{4}) (?P<separator>[-./])\s* (?P<month>\d\d?) (?P=separator)\s* (?P<day>\d\d?) \.?
        (?: [T\s]\s* (?P<hour>\d\d?) :(?P<minute>\d\d) (?: :(?P<second>\d\d) (?: \.(?P<fraction>\d+) )? )?
            (?: \s*Z | \s*(?P<offset>[+-]\d\d:?\d\d) )?
        )?
    """,
    re.VERBOSE | re.ASCII,
)
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


def epoch_ms(value: Any) -> int | None:
    """Epoch milliseconds of a JSON value, None when it is no date between the years 1 and 9999.

    Numbers are epoch milliseconds, or seconds when they have ten digits. Text is ISO 8601 (2018-12-07, 20181207,
    2018-W49-5, 2018-341, with or without time and offset; no offset means UTC), RFC 2822, or a number; digits that
    ISO 8601 knows as a date (4, 6, 7 or 8 of them) are that date.
    """
    if isinstance(value, str):
        moment = _text_ms(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        moment = _number_ms(value)
    else:
        return None
    return moment if moment is not None and FIRST_MS <= moment <= LAST_MS else None


def _number_ms(number: float) -> int | None:
    least, below = SECONDS_MAGNITUDES
    if least <= abs(number) < below:
        return int(number * 1000)
    # Comparisons before conversion: int() takes neither NaN nor infinity.
    return int(number) if FIRST_MS <= number <= LAST_MS else None


def _text_ms(text: str) -> int | None:
    if len(text) > MAX_TEXT_LENGTH:
        return None
    match = _ISO_EXTENDED.fullmatch(text) or _ISO_BASIC.fullmatch(text)
    if match:
        return _iso_ms(match.groupdict())
    if _NUMBER.fullmatch(text):
        return _number_ms(float(text))
    match = _LOOSE.fullmatch(text)
    if match:
        return _moment_ms(_day(int(match["year"]), int(match["month"]), int(match["day"])), match.groupdict())
    return _rfc2822_ms(text)


_Fields = dict[str, str | None]


def _iso_ms(fields: _Fields) -> int | None:
    year, month, day = int(fields["year"] or 0), fields["month"], fields["day"]
    week, weekday, day_of_year = fields["week"], fields["weekday"], fields["day_of_year"]
    if fields["hour"] and not (day or weekday or day_of_year):
        return None
    if week:
        return _moment_ms(_week_day(year, int(week), int(weekday or 1)), fields)
    if day_of_year:
        return _moment_ms(_year_day(year, int(day_of_year)), fields)
    return _moment_ms(_day(year, int(month or 1), int(day or 1)), fields)


def _day(year: int, month: int, day: int) -> int | None:
    """The proleptic Gregorian ordinal of a day, None when the calendar does not have it."""
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None


def _week_day(year: int, week: int, weekday: int) -> int | None:
    try:
        return date.fromisocalendar(year, week, weekday).toordinal()
    except ValueError:
        return None


def _year_day(year: int, day_of_year: int) -> int | None:
    first = _day(year, 1, 1)
    if first is None or not 1 <= day_of_year <= 365 + isleap(year):
        return None
    return first + day_of_year - 1


def _moment_ms(ordinal: int | None, fields: _Fields) -> int | None:
    """Epoch milliseconds of a day and the `hour`, `minute`, `second`, `fraction` and `offset` written behind it."""
    if ordinal is None:
        return None
    hours, minutes, seconds = int(fields["hour"] or 0), int(fields["minute"] or 0), int(fields["second"] or 0)
    fraction = fields.get("fraction")
    milliseconds = int(float(f"0.{fraction}") * 1000) if fraction else 0
    is_day_end = hours == HOURS_A_DAY and minutes == seconds == milliseconds == 0
    if (hours >= HOURS_A_DAY and not is_day_end) or minutes >= 60 or seconds >= 60:  # noqa: PLR2004 - the clock
        return None
    clock_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
    return (ordinal - _EPOCH_DAY) * MS_PER_DAY + clock_ms - _offset_ms(fields["offset"])


def _offset_ms(offset: str | None) -> int:
    """Milliseconds of +09, +0900 or +09:00; UTC's own names are 0."""
    if not offset or offset[0] not in "+-":
        return 0
    digits = offset[1:].replace(":", "")
    ms = (int(digits[:2]) * 60 + int(digits[2:] or 0)) * 60_000
    return -ms if offset[0] == "-" else ms


_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RFC2822: Final = re.compile(
    rf"""(?: (?P<weekday>{"|".join(_WEEKDAYS)}),?\s )?
        (?P<day>\d\d?) \s (?P<month>{"|".join(_MONTHS)}) \s (?P<year>\d{{2,4}})
        \s (?P<hour>\d\d):(?P<minute>\d\d)(?: :(?P<second>\d\d) )?
        \s (?P<offset>UT|GMT|[ECMP][SD]T|[Zz]|[+-]\d{{4}})""",
    re.VERBOSE | re.ASCII,
)
_RFC2822_COMMENT: Final = re.compile(r"\([^()]*\)")
_OBSOLETE_OFFSETS: Final = {
    "EDT": "-0400",
    "EST": "-0500",
    "CDT": "-0500",
    "CST": "-0600",
    "MDT": "-0600",
    "MST": "-0700",
    "PDT": "-0700",
    "PST": "-0800",
}


def _rfc2822_ms(text: str) -> int | None:
    match = _RFC2822.fullmatch(" ".join(_RFC2822_COMMENT.sub(" ", text).split()))
    if match is None:
        return None
    ordinal = _day(_full_year(int(match["year"])), _MONTHS.index(match["month"]) + 1, int(match["day"]))
    # Ordinal 1, the first of January of the year 1, is a Monday.
    if ordinal is not None and match["weekday"] and _WEEKDAYS[(ordinal - 1) % 7] != match["weekday"]:
        return None
    return _moment_ms(ordinal, match.groupdict() | {"offset": _OBSOLETE_OFFSETS.get(match["offset"], match["offset"])})


def _full_year(year: int) -> int:
    """RFC 2822, 4.3: two digits up to 49 are of this century, other years below 1000 count from 1900."""
    if year <= 49:  # noqa: PLR2004
        return year + 2000
    return year + 1900 if year <= 999 else year  # noqa: PLR2004
