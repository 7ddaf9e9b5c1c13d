"""The format tokens of Moment.js (momentjs.com, Display / Format) in English and Korean."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from shared.templates.errors import TemplateError

_DEFAULT_FORMAT: Final = "YYYY-MM-DDTHH:mm:ssZ"
_DEFAULT_FORMAT_UTC: Final = "YYYY-MM-DDTHH:mm:ss[Z]"

MAX_FORMAT_LENGTH: Final = 1_000
"""Longer formats are refused: the longest token (LLLL) writes tens of characters, so the output is bounded with it."""

COMPILED_FORMATS: Final = 256
"""Formats kept compiled. A bot has a few; formats that come from end users' data must not grow the memory."""


def format_date(moment: datetime, pattern: str, language: str) -> str:
    """A zone-aware time in a Moment.js format; an empty one is ISO 8601. Raises TemplateError when it is too long."""
    if len(pattern) > MAX_FORMAT_LENGTH:
        message = "DATE's format is too long"
        raise TemplateError(message, length=len(pattern), limit=MAX_FORMAT_LENGTH)
    if not pattern:
        pattern = _DEFAULT_FORMAT if moment.utcoffset() else _DEFAULT_FORMAT_UTC
    locale = _KOREAN if language == "ko" else _ENGLISH
    return "".join(
        [part if isinstance(part, str) else part(moment, locale) for part in _compiled(pattern, locale.language)]
    )


@dataclass(frozen=True)
class _Locale:
    """Names and orders of one language. `ordinal` is given the number and the token that asks (D, M, w...)."""

    language: str
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    weekdays: tuple[str, ...]
    short_weekdays: tuple[str, ...]
    shortest_weekdays: tuple[str, ...]
    long_formats: dict[str, str]
    meridiem: Callable[[int, bool], str]
    ordinal: Callable[[int, str], str]


_TEEN: Final = 1
_ENGLISH_ORDINALS: Final = {1: "st", 2: "nd", 3: "rd"}


def _english_ordinal(number: int, _token: str) -> str:
    is_teen = number // 10 % 10 == _TEEN
    return f"{number}{'th' if is_teen else _ENGLISH_ORDINALS.get(number % 10, 'th')}"


def _english_meridiem(hour: int, is_upper: bool) -> str:
    meridiem = "AM" if hour < 12 else "PM"  # noqa: PLR2004
    return meridiem if is_upper else meridiem.lower()


_ENGLISH_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ENGLISH_WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_ENGLISH: Final = _Locale(
    language="en",
    months=_ENGLISH_MONTHS,
    short_months=tuple(name[:3] for name in _ENGLISH_MONTHS),
    weekdays=_ENGLISH_WEEKDAYS,
    short_weekdays=tuple(name[:3] for name in _ENGLISH_WEEKDAYS),
    shortest_weekdays=tuple(name[:2] for name in _ENGLISH_WEEKDAYS),
    long_formats={
        "LTS": "h:mm:ss A",
        "LT": "h:mm A",
        "L": "MM/DD/YYYY",
        "LL": "MMMM D, YYYY",
        "LLL": "MMMM D, YYYY h:mm A",
        "LLLL": "dddd, MMMM D, YYYY h:mm A",
        "l": "M/D/YYYY",
        "ll": "MMM D, YYYY",
        "lll": "MMM D, YYYY h:mm A",
        "llll": "ddd, MMM D, YYYY h:mm A",
    },
    meridiem=_english_meridiem,
    ordinal=_english_ordinal,
)

_KOREAN_ORDINALS: Final = {"d": "일", "D": "일", "DDD": "일", "M": "월", "w": "주", "W": "주"}
_KOREAN_MONTHS: Final = tuple(f"{month}월" for month in range(1, 13))
_KOREAN_WEEKDAYS: Final = ("일요일", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일")
_KOREAN_LONG_FORMATS: Final = {
    "L": "YYYY.MM.DD.",
    "LL": "YYYY년 MMMM D일",
    "LLL": "YYYY년 MMMM D일 A h:mm",
    "LLLL": "YYYY년 MMMM D일 dddd A h:mm",
}
_KOREAN: Final = _Locale(
    language="ko",
    months=_KOREAN_MONTHS,
    short_months=_KOREAN_MONTHS,
    weekdays=_KOREAN_WEEKDAYS,
    short_weekdays=tuple(name[0] for name in _KOREAN_WEEKDAYS),
    shortest_weekdays=tuple(name[0] for name in _KOREAN_WEEKDAYS),
    long_formats={
        "LTS": "A h:mm:ss",
        "LT": "A h:mm",
        **_KOREAN_LONG_FORMATS,
        **{token.lower(): pattern for token, pattern in _KOREAN_LONG_FORMATS.items()},
    },
    meridiem=lambda hour, _is_upper: "오전" if hour < 12 else "오후",  # noqa: PLR2004
    ordinal=lambda number, token: f"{number}{_KOREAN_ORDINALS.get(token, '')}",
)

_Part = Callable[[datetime, _Locale], str]
_Number = Callable[[datetime], int]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _weekday(moment: datetime) -> int:
    return moment.isoweekday() % 7


def _day_of_year(moment: datetime) -> int:
    return moment.toordinal() - date(moment.year, 1, 1).toordinal() + 1


def _saturday(moment: datetime) -> datetime:
    """The end of the moment's local week, in whose year the week is counted: weeks of both languages run from Sunday
    to Saturday, and the week of the first of January is the first (Moment.js: dow 0, doy 6)."""
    return moment + timedelta(days=6 - _weekday(moment))


def _week(moment: datetime) -> int:
    return (_day_of_year(_saturday(moment)) - 1) // 7 + 1


def _iso_week(moment: datetime) -> int:
    return moment.isocalendar().week


def _iso_week_year(moment: datetime) -> int:
    return moment.isocalendar().year


def _week_year(moment: datetime) -> int:
    return _saturday(moment).year


def _quarter(moment: datetime) -> int:
    return (moment.month + 2) // 3


def _hour_12(moment: datetime) -> int:
    return moment.hour % 12 or 12


def _epoch_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _offset(moment: datetime, separator: str) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}{separator}{minutes % 60:02}"


def _zone_name(moment: datetime, _locale: _Locale) -> str:
    # Moment.js names UTC in full when no time zone was asked for; zones that were asked for have abbreviations only.
    return "Coordinated Universal Time" if moment.tzinfo is UTC else moment.tzname() or ""


def _number(number: _Number, width: int = 0) -> _Part:
    return lambda moment, _locale: f"{number(moment):0{width}}"


def _ordinal(number: _Number, token: str) -> _Part:
    return lambda moment, locale: locale.ordinal(number(moment), token)


def _fraction(digits: int) -> _Part:
    return lambda moment, _locale: f"{moment.microsecond // 1000:03}000000"[:digits]


_PADDED: Final[dict[str, _Number]] = {
    "M": lambda moment: moment.month,
    "D": lambda moment: moment.day,
    "H": lambda moment: moment.hour,
    "h": _hour_12,
    "k": lambda moment: moment.hour or 24,
    "m": lambda moment: moment.minute,
    "s": lambda moment: moment.second,
    "w": _week,
    "W": _iso_week,
}
_ORDINALS: Final[dict[str, _Number]] = {
    "M": _PADDED["M"],
    "D": _PADDED["D"],
    "DDD": _day_of_year,
    "d": _weekday,
    "w": _week,
    "W": _iso_week,
    "Q": _quarter,
    "y": lambda moment: moment.year,
}
_TOKENS: Final[dict[str, _Part]] = {
    **{token: _number(number) for token, number in _PADDED.items()},
    **{token * 2: _number(number, 2) for token, number in _PADDED.items()},
    **{f"{token}o": _ordinal(number, token) for token, number in _ORDINALS.items()},
    **{"S" * digits: _fraction(digits) for digits in range(1, 10)},
    **{"Y" * width: _number(lambda moment: moment.year, width) for width in (4, 5)},
    **{"y" * width: _number(lambda moment: moment.year, width) for width in range(1, 5)},
    **{"g" * width: _number(_week_year, width) for width in (4, 5)},
    **{"G" * width: _number(_iso_week_year, width) for width in (4, 5)},
    **{"N" * length: lambda _moment, _locale: "AD" for length in (1, 2, 3, 5)},
    "NNNN": lambda _moment, _locale: "Anno Domini",
    "Y": _number(lambda moment: moment.year, 4),
    "YY": _number(lambda moment: moment.year % 100, 2),
    "YYYYYY": lambda moment, _locale: f"+{moment.year:06}",
    "gg": _number(lambda moment: _week_year(moment) % 100, 2),
    "GG": _number(lambda moment: _iso_week_year(moment) % 100, 2),
    "Q": _number(_quarter),
    "DDD": _number(_day_of_year),
    "DDDD": _number(_day_of_year, 3),
    "d": _number(_weekday),
    "e": _number(_weekday),
    "E": _number(lambda moment: moment.isoweekday()),
    "MMM": lambda moment, locale: locale.short_months[moment.month - 1],
    "MMMM": lambda moment, locale: locale.months[moment.month - 1],
    "dd": lambda moment, locale: locale.shortest_weekdays[_weekday(moment)],
    "ddd": lambda moment, locale: locale.short_weekdays[_weekday(moment)],
    "dddd": lambda moment, locale: locale.weekdays[_weekday(moment)],
    "a": lambda moment, locale: locale.meridiem(moment.hour, False),
    "A": lambda moment, locale: locale.meridiem(moment.hour, True),
    "hmm": lambda moment, _locale: f"{_hour_12(moment)}{moment.minute:02}",
    "hmmss": lambda moment, _locale: f"{_hour_12(moment)}{moment.minute:02}{moment.second:02}",
    "Hmm": lambda moment, _locale: f"{moment.hour}{moment.minute:02}",
    "Hmmss": lambda moment, _locale: f"{moment.hour}{moment.minute:02}{moment.second:02}",
    "Z": lambda moment, _locale: _offset(moment, ":"),
    "ZZ": lambda moment, _locale: _offset(moment, ""),
    "z": lambda moment, _locale: moment.tzname() or "",
    "zz": _zone_name,
    "X": _number(lambda moment: _epoch_ms(moment) // 1000),
    "x": _number(_epoch_ms),
}

_BRACKETED: Final = r"\[[^\[]*\]"
_LONG_FORMAT: Final = re.compile(rf"{_BRACKETED}|\\?(?P<token>LTS|LT|L{{1,4}}|l{{1,4}})")
# Longest token first. Line breaks are in no alternative and so are left out, as Moment.js leaves them out.
_PART: Final = re.compile(
    rf"(?P<bracketed>{_BRACKETED})"
    rf"|(?P<token>{'|'.join(sorted(_TOKENS, key=len, reverse=True))})"
    rf"|\\?(?P<literal>{'|'.join(sorted(_TOKENS, key=len, reverse=True))}|[^\n\r\u2028\u2029])"
)


@lru_cache(maxsize=COMPILED_FORMATS)
def _compiled(pattern: str, language: str) -> list[str | _Part]:
    locale = _KOREAN if language == "ko" else _ENGLISH

    def expand(match: re.Match[str]) -> str:
        return locale.long_formats.get(match[0], match[0])

    parts: list[str | _Part] = []
    for match in _PART.finditer(_LONG_FORMAT.sub(expand, pattern)):
        if match["token"]:
            parts.append(_TOKENS[match["token"]])
        else:
            text = match["bracketed"][1:-1] if match["bracketed"] else match["literal"].replace("\\", "")
            if parts and isinstance(parts[-1], str):
                text = parts.pop() + text  # type: ignore[operator]
            parts.append(text)
    return parts
