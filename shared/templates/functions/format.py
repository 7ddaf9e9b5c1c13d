"""FORMAT(value, format?): a number as people read it."""

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from shared.templates.environment import RenderEnvironment
from shared.templates.functions.double import to_double
from shared.templates.functions.numeral import format_numeral
from shared.values import UNDEFINED, to_text

# 309 digits before and 3 behind the point: the longest that a double prints.
_EXACT: Final = Context(prec=320, rounding=ROUND_HALF_UP)
_THOUSANDTH: Final = Decimal("0.001")


def format_number(_environment: RenderEnvironment, value: Any, pattern: Any = UNDEFINED) -> str:
    """The value in a Numeral.js format, or without one as JavaScript's `toLocaleString('en-US')` writes it.

    Numeric text counts as the number that it is, other text is returned unchanged. Without a format, what is no number
    is printed as everywhere in templates; with one, null, lists and the like count as 0, as in Numeral.js. Raises
    TemplateError when the format is unreasonable.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    number = to_double(value)
    if isinstance(value, str):
        is_number = bool(value.strip()) and not math.isnan(number)
        if not is_number:
            return value
    if pattern is None or pattern is UNDEFINED:
        return _locale_text(number) if is_number else to_text(value)
    return format_numeral(0.0 if math.isnan(number) else number, to_text(pattern))


def _locale_text(number: float) -> str:
    """At most three decimals, thousands grouped, -0 with its sign (ECMA-402, Intl.NumberFormat defaults)."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    # Intl rounds the shortest decimal that denotes the double, half away from zero; repr is that decimal.
    rounded = Decimal(repr(number)).quantize(_THOUSANDTH, context=_EXACT)
    return f"{rounded:,f}".rstrip("0").removesuffix(".")
