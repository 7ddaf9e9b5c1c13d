"""The number formats of Numeral.js 2.0 (numeraljs.com, Format) with its English locale.

Bot files carry formats that were written against that library, so its quirks are kept too: text around the digits is
not printed, numbers that JavaScript writes with an exponent become NaN, negative bytes have no unit.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Final

from shared.templates.errors import TemplateError
from shared.values import number_text, utf16_length

MAX_FORMAT_LENGTH: Final = 1_000
"""Longer formats are refused; a format writes at most as many zeros as it has."""

MAX_DECIMALS: Final = 100
"""ECMAScript Number.prototype.toFixed, where Numeral.js fails."""

COMPILED_FORMATS: Final = 256
"""Formats kept compiled. A bot has a few; formats that come from end users' data must not grow the memory."""

_Formatter = Callable[[float], str]


def format_numeral(number: float, pattern: str) -> str:
    """The number in that format; an empty one is "0,0". Raises TemplateError for formats that are too long."""
    if len(pattern) > MAX_FORMAT_LENGTH:
        message = "FORMAT's format is too long"
        raise TemplateError(message, length=len(pattern), limit=MAX_FORMAT_LENGTH)
    if math.isinf(number):
        return "NaN"
    return _compiled(pattern or "0,0")(number)


@lru_cache(maxsize=COMPILED_FORMATS)
def _compiled(pattern: str) -> _Formatter:
    for sign, compile_kind in _KINDS:
        if sign.search(pattern):
            return compile_kind(pattern)
    return _plain(pattern)


# Plain numbers, which every other kind of format contains.

_UNIT_SIZES: Final = {"t": 1e12, "b": 1e9, "m": 1e6, "k": 1e3}
_NEXT_UNIT: Final = {"k": "m", "m": "b", "b": "t"}
_UNIT_STEP: Final = 1000
_GROUPS: Final = re.compile(r"([0-9])(?=(?:[0-9]{3})+(?![0-9]))")


@dataclass(frozen=True, slots=True)
class _Abbreviation:
    """`a`: thousands as k, m, b, t; one of them always (`ak`), or the one that fits."""

    forced: str | None
    space: str

    def unit(self, number: float) -> str:
        if self.forced:
            return self.forced
        return next((unit for unit, size in _UNIT_SIZES.items() if abs(number) >= size), "")


@dataclass(frozen=True, slots=True)
class _PlainFormat:
    """What a format says about digits. `plus_at` and `minus_at` are where the sign stands, -1 for nowhere: at 0 it
    leads, elsewhere it follows; a minus asks for a sign on negative numbers only."""

    parentheses: bool
    plus_at: int
    minus_at: int
    abbreviation: _Abbreviation | None
    decimals: int
    optional_decimals: int
    drops_zero_decimals: bool
    grouped: bool
    leading_zeros: int
    has_whole_part: bool

    def __call__(self, number: float) -> str:
        is_below_zero = number < 0
        unit = self.abbreviation.unit(number) if self.abbreviation else ""
        if unit:
            number /= _UNIT_SIZES[unit]
        whole, _, fraction = _rounded(number, self.decimals, self.optional_decimals).partition(".")
        if self.drops_zero_decimals and not fraction.strip("0"):
            fraction = ""
        suffix = unit
        if self.abbreviation:
            suffix = self.abbreviation.space + unit
            whole, suffix = self._carried(whole, suffix)
        is_negative = "-" in whole
        whole = whole[1:] if is_negative else whole
        whole = whole.rjust(self.leading_zeros, "0")
        if self.grouped:
            whole = _with_commas(whole)
        text = f"{whole if self.has_whole_part else ''}{'.' if fraction else ''}{fraction}{suffix}"
        return self._signed(text, is_negative, is_below_zero)

    def _carried(self, whole: str, suffix: str) -> tuple[str, str]:
        """999999 rounds to 1000k, which is 1m. After a space Numeral.js forgets to change the unit."""
        abbreviation = self.abbreviation
        if abbreviation is None or abbreviation.forced or suffix in ("", "t") or not float(whole) >= _UNIT_STEP:
            return whole, suffix
        return number_text(float(whole) / _UNIT_STEP), _NEXT_UNIT.get(suffix, suffix)

    def _signed(self, text: str, is_negative: bool, is_below_zero: bool) -> str:
        if self.parentheses:
            return f"({text})" if is_negative else text
        position = self.plus_at
        if position < 0 and is_below_zero:
            position = self.minus_at
        if position < 0:
            return f"-{text}" if is_negative else text
        sign = "-" if is_negative else "+"
        return f"{sign}{text}" if position == 0 else f"{text}{sign}"


def _with_commas(whole: str) -> str:
    if whole.isdecimal() and whole[0] != "0":
        return f"{int(whole):,}"
    return _GROUPS.sub(r"\1,", whole)


def _plain(pattern: str) -> _PlainFormat:
    parentheses = "(" in pattern
    plus_at = -1 if parentheses else pattern.find("+")
    minus_at = -1 if parentheses else pattern.find("-")
    if parentheses:
        pattern = re.sub(r"[()|]", "", pattern)
    elif plus_at >= 0 or minus_at >= 0:
        pattern = re.sub(r"[+|-]", "", pattern)
    abbreviation, pattern = _abbreviation(pattern)
    drops_zero_decimals = "[.]" in pattern
    pattern = pattern.replace("[.]", ".", 1)
    whole, *rest = pattern.split(".")
    precision = rest[0] if rest else ""
    required, bracket, optional = precision.partition("[")
    optional = optional.replace("]", "", 1).partition("[")[0] if bracket else ""
    decimals = utf16_length(required) + utf16_length(optional)
    if decimals > MAX_DECIMALS:
        message = "FORMAT's format asks for too many decimals"
        raise TemplateError(message, decimals=decimals, limit=MAX_DECIMALS)
    return _PlainFormat(
        parentheses=parentheses,
        plus_at=plus_at,
        minus_at=minus_at,
        abbreviation=abbreviation,
        decimals=decimals,
        optional_decimals=utf16_length(optional),
        drops_zero_decimals=drops_zero_decimals,
        grouped="," in pattern,
        leading_zeros=whole.split(",")[0].count("0"),
        has_whole_part=not pattern.startswith("."),
    )


def _abbreviation(pattern: str) -> tuple[_Abbreviation | None, str]:
    """The abbreviation that a format asks for, and the format without it."""
    match = re.search(r"a([kmbt]?)", pattern)
    if match is None:
        return None, pattern
    space = " " if " a" in pattern else ""
    return _Abbreviation(forced=match[1] or None, space=space), re.sub(space + r"a[kmbt]?", "", pattern, count=1)


# 21 digits before the point, where JavaScript's exponents begin, and MAX_DECIMALS behind it.
_EXACT: Final = Context(prec=128, rounding=ROUND_HALF_UP)
_TIES_FROM: Final = 2.0**50
"""Below this a number that was rounded to its decimals is nowhere near halfway between two of them, where JavaScript's
toFixed (half up) and Python's (half even) part."""


def _rounded(number: float, decimals: int, optional: int) -> str:
    """The number with so many decimals, the last `optional` of them only as far as they are not zero.

    Rounds the decimal that JavaScript prints, half up, so that 1.005 is 1.01 although its double lies below.
    """
    text = number_text(number)
    if "e" in text:
        return "NaN"
    printed_decimals = len(text.partition(".")[2])
    kept = min(max(printed_decimals, decimals - optional), decimals)
    scaled = float(f"{text}e{kept}")
    value = _js_round(scaled) / 10.0**kept
    fixed = f"{value or 0.0:.{kept}f}" if abs(scaled) < _TIES_FROM else _half_up(value, kept)
    removable = optional - (decimals - kept)
    return _without_zeros(fixed, removable) if removable > 0 else fixed


def _half_up(value: float, decimals: int) -> str:
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-decimals), context=_EXACT):f}"


def _without_zeros(fixed: str, at_most: int) -> str:
    """Without up to that many zeros at the end, and without the point when nothing follows it any more."""
    removed = min(len(fixed) - len(fixed.rstrip("0")), at_most)
    return fixed[: len(fixed) - removed].removesuffix(".") if removed else fixed


def _js_round(number: float) -> float:
    """Math.round of ECMAScript: halves go up, also below zero."""
    floor = math.floor(number)
    return float(floor + 1 if number - floor >= 0.5 else floor)  # noqa: PLR2004


# The kinds of format, in the order in which Numeral.js tries them.


def _basis_points(pattern: str) -> _Formatter:
    return _scaled(pattern, 10_000, "BPS")


def _percentage(pattern: str) -> _Formatter:
    return _scaled(pattern, 100, "%")


def _scaled(pattern: str, factor: int, unit: str) -> _Formatter:
    """A number times a factor; its unit stands within parentheses that close the text."""
    suffix = f" {unit}" if f" {unit}" in pattern else unit
    plain = _plain(re.sub(rf"\s?{unit}", "", pattern, count=1))

    def formatted(number: float) -> str:
        text = plain(number * factor)
        return f"{text[:-1]}{suffix}{text[-1]}" if ")" in text else text + suffix

    return formatted


_DECIMAL_BYTES: Final = ("B", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_BINARY_BYTES: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")


def _bytes(pattern: str) -> _Formatter:
    base, units = (1024, _BINARY_BYTES) if "ib" in pattern else (1000, _DECIMAL_BYTES)
    space = " " if " b" in pattern or " ib" in pattern else ""
    plain = _plain(re.sub(r"\s?i?b", "", pattern, count=1))

    def formatted(number: float) -> str:
        if number == 0:
            return f"{plain(0.0)}{space}{units[0]}"
        for power, unit in enumerate(units):
            size = float(base**power)
            if size <= number < size * base:
                return f"{plain(number / size)}{space}{unit}"
        return plain(number) + space

    return formatted


_CURRENCY_MARKS: Final = "+-|$ \t\n\r\f\v"


def _currency(pattern: str) -> _Formatter:
    """The dollar sign, before or behind the number, with the spaces and signs that the format puts around it."""
    before = pattern[: len(pattern) - len(pattern.lstrip(_CURRENCY_MARKS + "("))]
    after = pattern[len(pattern.rstrip(_CURRENCY_MARKS + ")")) :]
    plain = _plain(re.sub(r"\s?\$\s?", "", pattern, count=1))
    before_positive = re.sub(r"[-(]", "", before, count=1)
    after_positive = re.sub(r"[-)]", "", after, count=1)
    before_negative = before if "-" in before or "(" in before else f"-{before}"

    def formatted(number: float) -> str:
        is_positive = number >= 0
        text = plain(number)
        for position, mark in enumerate(before_positive if is_positive else before_negative):
            if mark in "$ ":
                text = text[:position] + mark + text[position:]
        marks = after_positive if is_positive else after
        for from_end, mark in enumerate(reversed(marks)):
            if mark in "$ ":
                at = max(len(text) - from_end, 0)
                text = text[:at] + mark + text[at:]
        return text

    return formatted


def _exponential(pattern: str) -> _Formatter:
    plain = _plain(re.sub(r"e[+|-]0", "", pattern, count=1))

    def formatted(number: float) -> str:
        sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
        power = len(digits) - 1 + int(exponent) if number else 0
        mantissa = "".join(map(str, digits))
        coefficient = float(f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}")
        return f"{plain(coefficient)}e{'-' if power < 0 else '+'}{abs(power)}"

    return formatted


_TEEN: Final = 1
_ORDINAL_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}


def _ordinal(pattern: str) -> _Formatter:
    space = " " if " o" in pattern else ""
    plain = _plain(re.sub(r"\s?o", "", pattern, count=1))

    def formatted(number: float) -> str:
        is_teen = int(math.fmod(number, 100) / 10) == _TEEN
        ending = "th" if is_teen else _ORDINAL_ENDINGS.get(math.fmod(number, 10), "th")  # type: ignore[call-overload]
        return f"{plain(number)}{space}{ending}"

    return formatted


def _time(_pattern: str) -> _Formatter:
    return _clock


def _clock(number: float) -> str:
    hours = float(math.floor(number / 60 / 60))
    minutes = float(math.floor((number - hours * 60 * 60) / 60))
    seconds = _js_round(number - hours * 60 * 60 - minutes * 60)
    return f"{number_text(hours)}:{_two_digits(minutes)}:{_two_digits(seconds)}"


def _two_digits(number: float) -> str:
    return f"{'0' if number < 10 else ''}{number_text(number)}"  # noqa: PLR2004


_KINDS: Final[tuple[tuple[re.Pattern[str], Callable[[str], _Formatter]], ...]] = (
    (re.compile(r"BPS"), _basis_points),
    (re.compile(r"[0\s]i?b"), _bytes),
    (re.compile(r"\$"), _currency),
    (re.compile(r"e\+|e-"), _exponential),
    (re.compile(r"o"), _ordinal),
    (re.compile(r"%"), _percentage),
    (re.compile(r":"), _time),
)
