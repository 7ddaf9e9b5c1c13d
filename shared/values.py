"""JSON values as JavaScript sees them: bot authors write for a JavaScript product, so text, numbers, truth and
comparison follow ECMAScript wherever templates and conditions meet data.

A JSON value is dict, list, str, int, float, bool or None; UNDEFINED stands for "there is no such thing".
"""

import math
from collections.abc import Callable
from typing import Any, Final

SAFE_INTEGER_TEXT: Final = 10**21
"""From this magnitude on JavaScript prints numbers in exponent form (ECMAScript Number::toString)."""


class Undefined:
    """JavaScript's `undefined`; the only instance is UNDEFINED."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()


class PrintsAs(dict[str, Any]):
    """An object with a text of its own: `{{message}}` prints message.text, `{{error}}` error.message.

    Conditions compare it as that text too. A plain dict prints as its JSON.
    """

    __slots__ = ("text_key",)

    def __init__(self, data: dict[str, Any], text_key: str) -> None:
        super().__init__(data)
        self.text_key = text_key

    def as_text(self) -> str:
        value = self.get(self.text_key)
        return "" if value is None else to_text(value)


def member(value: Any, key: str) -> Any:
    """`value[key]` as JavaScript reads JSON data: own keys, list indices, `length`; never an attribute of the host."""
    if isinstance(value, dict):
        return value.get(key, UNDEFINED)
    if isinstance(value, list):
        if key.isdecimal() and key.isascii():
            index = int(key)
            return value[index] if index < len(value) else UNDEFINED
        return len(value) if key == "length" else UNDEFINED
    if isinstance(value, str) and key == "length":
        return utf16_length(value)
    return UNDEFINED


def utf16_length(text: str) -> int:
    """Length in UTF-16 units, as JavaScript and Kakao count."""
    return len(text) + sum(character > "\uffff" for character in text)


def number_text(value: float) -> str:
    """A number as JavaScript prints it: 1 for 1.0, 1e+21, 1e-7."""
    if isinstance(value, int):
        if -SAFE_INTEGER_TEXT < value < SAFE_INTEGER_TEXT:
            return str(value)
        try:
            value = float(value)
        except OverflowError:
            return "Infinity" if value > 0 else "-Infinity"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value.is_integer() and abs(value) < SAFE_INTEGER_TEXT:
        return str(int(value))
    text = repr(value)
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    power = int(exponent)
    if -7 < power < 0:  # noqa: PLR2004 - JavaScript writes 0.000001 in full and 1e-7 not
        digits = mantissa.lstrip("-").replace(".", "")
        return f"{'-' if value < 0 else ''}0.{'0' * (-power - 1)}{digits}"
    return f"{mantissa.removesuffix('.0')}e{'+' if power > 0 else '-'}{abs(power)}"


def to_text(value: Any) -> str:
    """A value as text: missing and null print nothing, lists join with commas, objects print as their JSON."""
    if isinstance(value, str):
        return value
    if value is None or value is UNDEFINED:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list):
        return ",".join([to_text(item) for item in value])
    if isinstance(value, PrintsAs):
        return value.as_text()
    return to_json(value)


def to_json(value: Any) -> str:
    """A value as JSON.stringify writes it (numbers as JavaScript prints them)."""
    if isinstance(value, str):
        return _json_string(value)
    if value is None or value is UNDEFINED:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value) if math.isfinite(value) else "null"
    if isinstance(value, list):
        return "[" + ",".join([to_json(item) for item in value]) + "]"
    return "{" + ",".join([f"{_json_string(str(key))}:{to_json(item)}" for key, item in value.items()]) + "}"


_JSON_ESCAPES: Final = {
    **{chr(code): f"\\u{code:04x}" for code in range(0x20)},
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_JSON_TABLE: Final = str.maketrans(_JSON_ESCAPES)


def _json_string(text: str) -> str:
    return f'"{text.translate(_JSON_TABLE)}"'


def is_truthy(value: Any) -> bool:
    """Truth as Handlebars' blocks see it: 0, NaN, "", null, undefined, false and empty lists are false."""
    if isinstance(value, float) and math.isnan(value):
        return False
    if isinstance(value, dict):
        return True
    return bool(value)


def to_number(value: Any) -> float:
    """Number(value) of ECMAScript; NaN when it is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if value is None:
        return 0
    if value is UNDEFINED:
        return math.nan
    return _text_to_number(to_text(value).strip())


def _text_to_number(text: str) -> float:
    if not text:
        return 0
    for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        if text[:2].lower() == prefix:
            try:
                return int(text[2:], base) if "_" not in text else math.nan
            except ValueError:
                return math.nan
    unsigned = text.lstrip("+-")
    if unsigned == "Infinity" and len(text) - len(unsigned) <= 1:
        return -math.inf if text[0] == "-" else math.inf
    if not unsigned or unsigned[0] not in ".0123456789" or "_" in text or not text.isascii():
        return math.nan
    try:
        return float(text)
    except ValueError:
        return math.nan


def strict_equals(left: Any, right: Any) -> bool:
    """`===`: no conversion; lists and objects are equal only to themselves."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return left is right


def compare(left: Any, right: Any, test: Callable[[Any, Any], bool]) -> bool:
    """`<`, `<=`, `>`, `>=` of ECMAScript: text by UTF-16 units when both are text, otherwise as numbers."""
    if isinstance(left, list | dict):
        left = to_text(left)
    if isinstance(right, list | dict):
        right = to_text(right)
    if isinstance(left, str) and isinstance(right, str):
        return test(left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass"))
    return test(to_number(left), to_number(right))
