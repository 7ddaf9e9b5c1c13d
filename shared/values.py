"""JSON values as JavaScript sees them: bot authors write for a JavaScript product, so text, numbers, truth and
comparison follow ECMAScript wherever templates and conditions meet data.

A JSON value is dict, list, str, int, float, bool or None; UNDEFINED stands for "there is no such thing".
"""

import math
from collections.abc import Callable
from typing import Any, Final

SAFE_INTEGER_TEXT: Final = 10**21
"""From this magnitude on JavaScript prints numbers in exponent form (ECMAScript Number::toString)."""

MAX_INDEX_DIGITS: Final = 10
"""An ECMAScript array index is below 2**32 - 1."""

WHITESPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What `\\s` and trim() take for white space in ECMAScript; Python's own set differs."""


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


def is_index(key: str) -> bool:
    """Whether a property name is an array index as ECMAScript writes them: "0", "12", not "01"."""
    return key.isdecimal() and key.isascii() and len(key) <= MAX_INDEX_DIGITS and (key == "0" or key[0] != "0")


def member(value: Any, key: str) -> Any:
    """`value[key]` as JavaScript reads JSON data: own keys, indices, `length`; never an attribute of the host.

    A text's index counts characters (JavaScript would give half of one beyond U+FFFF).
    """
    if isinstance(value, dict):
        return value.get(key, UNDEFINED)
    if isinstance(value, list | str):
        if is_index(key):
            index = int(key)
            return value[index] if index < len(value) else UNDEFINED
        if key == "length":
            return utf16_length(value) if isinstance(value, str) else len(value)
    return UNDEFINED


def own_keys(value: dict[str, Any]) -> list[str]:
    """Keys in the order in which JavaScript walks an object: indices ascending, then the others as they were added."""
    keys = list(value)
    indices = [key for key in keys if is_index(key)]
    if not indices:
        return keys
    return sorted(indices, key=int) + [key for key in keys if not is_index(key)]


def utf16_length(text: str) -> int:
    """Length in UTF-16 units, as JavaScript and Kakao count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def number_text(value: float) -> str:
    """A number as JavaScript prints it: 1 for 1.0, 1e+21, 1e-7.

    Only whole numbers keep more digits than a JavaScript number has, because they are mostly ids of other systems.
    """
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
    text = repr(value)
    if "e" not in text:
        return text.removesuffix(".0") if value else "0"
    mantissa, exponent = text.split("e")
    power = int(exponent)
    if 0 < power < 21:  # noqa: PLR2004 - the power of SAFE_INTEGER_TEXT
        whole, _, fraction = mantissa.partition(".")
        return whole + fraction + "0" * (power - len(fraction))
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
        text = number_text(value)
        return "null" if text.endswith(("NaN", "Infinity")) else text
    if isinstance(value, list):
        return "[" + ",".join([to_json(item) for item in value]) + "]"
    return "{" + ",".join([f"{_json_string(key)}:{to_json(value[key])}" for key in own_keys(value)]) + "}"


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
    return _text_to_number(to_text(value).strip(WHITESPACE))


def _text_to_number(text: str) -> float:
    if not text:
        return 0
    for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        if text[:2].lower() == prefix:
            try:
                return int(text[2:], base) if text.isalnum() else math.nan
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
