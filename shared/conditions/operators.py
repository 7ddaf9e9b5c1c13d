"""What the operators of conditions mean: `OPERATORS[name](left, operand)`, operands already rendered.

`left` is any JSON value or UNDEFINED; objects with a text of their own (PrintsAs: `message`, `error`) count as that
text. No operator raises on any value.
"""

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from shared.values import UNDEFINED, PrintsAs, strict_equals, to_number, to_text

Operator = Callable[[Any, Any], bool]


def equals(left: Any, right: Any) -> bool:
    """Same type: by value, lists and objects deeply. Different types: as text. A missing value equals nothing."""
    if left is UNDEFINED:
        return False
    left = _own_text(left)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, list | dict) and isinstance(right, list | dict):
        return _same(left, right)
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    return to_text(left) == to_text(right)


def contains(left: Any, right: Any) -> bool:
    """Text contains text; a list contains an item that equals the operand. Anything else contains nothing."""
    left = _own_text(left)
    if isinstance(left, str):
        return to_text(right) in left
    return isinstance(left, list) and any(equals(item, right) for item in left)


def is_in(left: Any, right: Any) -> bool:
    """The value equals an item of the list. A text operand is a list joined with commas, as templates print one."""
    if isinstance(right, list):
        return any(equals(left, item) for item in right)
    if isinstance(right, str):
        return equals(left, right) or any(equals(left, item.strip()) for item in right.split(","))
    return equals(left, right)


def exists(left: Any, right: Any) -> bool:
    """Neither undefined nor null; the operand false asks for the opposite."""
    present = left is not UNDEFINED and left is not None
    return present if right is not False and right != "false" else not present


def numeric(value: Any) -> float | None:
    """The number that a number or numeric text is; None for everything else, the empty text and booleans included."""
    value = _own_text(value)
    if _is_number(value) or (isinstance(value, str) and value.strip()):
        number = to_number(value)
        return None if math.isnan(number) else number
    return None


def _own_text(value: Any) -> Any:
    return value.as_text() if isinstance(value, PrintsAs) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    return strict_equals(left, right)


def _not(test: Operator) -> Operator:
    return lambda left, right: not test(left, right)


def _ordered(test: Callable[[float, float], bool]) -> Operator:
    def compare(left: Any, right: Any) -> bool:
        left_number, right_number = numeric(left), numeric(right)
        return left_number is not None and right_number is not None and test(left_number, right_number)

    return compare


OPERATORS: Final[dict[str, Operator]] = {
    "equals": equals,
    "notEquals": _not(equals),
    "contains": contains,
    "notContains": _not(contains),
    "in": is_in,
    "notIn": _not(is_in),
    "exists": exists,
    "notExists": _not(exists),
    "gt": _ordered(operator.gt),
    "gte": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "lte": _ordered(operator.le),
}
"""Every operator but `regex`, which needs a compiled operand."""

ALIASES: Final[dict[str, str]] = {
    "eq": "equals",
    "equal": "equals",
    "is": "equals",
    "ne": "notEquals",
    "neq": "notEquals",
    "not": "notEquals",
    "notEqual": "notEquals",
    "isNot": "notEquals",
    "nin": "notIn",
    "greaterThan": "gt",
    "greaterThanOrEqual": "gte",
    "greaterThanOrEquals": "gte",
    "lessThan": "lt",
    "lessThanOrEqual": "lte",
    "lessThanOrEquals": "lte",
    "regexp": "regex",
}


def operator_name(written: str) -> str | None:
    """The operator that an author's spelling means, with or without `$`; None when there is none."""
    name = written.removeprefix("$")
    name = ALIASES.get(name, name)
    return name if name in OPERATORS or name == "regex" else None
