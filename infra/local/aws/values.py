"""Attribute values: checked as DynamoDB checks them, and written as DynamoDB stores them.

Numbers lose leading and trailing zeroes ("007.50" comes back as "7.5"), so that what a test reads locally is what it
reads on AWS. Binary values stay base64 text, which is also how they are kept on disk.
"""

import base64
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, InvalidOperation
from typing import Any, Final

from moto.dynamodb.exceptions import MockValidationException, SerializationException

MAX_NUMBER_DIGITS: Final = 38
"""DynamoDB: up to 38 digits of precision."""
MAX_NUMBER: Final = Decimal("9.9999999999999999999999999999999999999E+125")
MIN_NUMBER: Final = Decimal("1E-130")
MAX_NESTING: Final = 32
"""DynamoDB: nested attributes up to 32 levels deep."""
MAX_ITEM_BYTES: Final = 400 * 1024
"""DynamoDB: an item, names and values, is at most 400 KB."""

_INVALID: Final = "One or more parameter values were invalid: "
_SCALARS: Final = ("S", "N", "B")
_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP)
_TYPES: Final = frozenset({"S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M"})


def number(text: Any) -> str:
    """A number in the service's canonical form. Raises its ValidationException for what is none, or too long."""
    if not isinstance(text, str):
        raise SerializationException("NUMBER_VALUE cannot be converted to String")
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or text != text.strip() or "_" in text:
        raise MockValidationException(f"The parameter cannot be converted to a numeric value: {text}")
    if not value:
        return "0"
    return _canonical(value)


def _canonical(value: Decimal) -> str:
    if abs(value) > MAX_NUMBER:
        raise MockValidationException(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        )
    if abs(value) < MIN_NUMBER:
        raise MockValidationException(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    value = value.normalize(_EXACT)
    if len(value.as_tuple().digits) > MAX_NUMBER_DIGITS:
        raise MockValidationException("Attempting to store more than 38 significant digits in a Number")
    return f"{value:f}"


def arithmetic(left: str, right: str, sign: int) -> str:
    """left ± right as an update expression computes it: exact, then refused beyond 38 digits."""
    try:
        total = _EXACT.add(Decimal(left), _EXACT.multiply(Decimal(sign), Decimal(right)))
    except DecimalException:
        raise MockValidationException("Number overflow. Attempting to store a number with magnitude larger") from None
    return number(f"{total:f}")


def normalised(value: Any, depth: int = 0) -> dict[str, Any]:
    """One attribute value, checked and in canonical form: {"N": "1.50"} -> {"N": "1.5"}."""
    if not isinstance(value, dict) or len(value) != 1:
        raise MockValidationException(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
            if value
            else "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    if depth > MAX_NESTING:
        raise MockValidationException("Nesting Levels have exceeded supported limits")
    ((kind, content),) = value.items()
    if kind not in _TYPES:
        raise SerializationException(f"Unexpected field '{kind}'")
    if kind in _SCALARS:
        return {kind: _scalar(kind, content)}
    if kind in {"SS", "NS", "BS"}:
        return {kind: _members(kind, content)}
    if kind == "L":
        return {kind: [normalised(element, depth + 1) for element in content]}
    if kind == "M":
        return {kind: {name: normalised(element, depth + 1) for name, element in content.items()}}
    if kind == "NULL" and content is not True:
        raise MockValidationException(f"{_INVALID}Null attribute value types must have the value of true")
    return value


def _scalar(kind: str, content: Any) -> str:
    if kind == "N":
        return number(content)
    if kind == "B" and isinstance(content, bytes):
        return base64.b64encode(content).decode()
    if not isinstance(content, str):
        raise SerializationException("Start of structure or map found where not expected")
    return content


def _members(kind: str, content: Any) -> list[str]:
    if not content:
        name = {"SS": "string", "NS": "number", "BS": "binary"}[kind]
        raise MockValidationException(f"{_INVALID}An {name} set  may not be empty")
    members = [_scalar(kind[0], member) for member in content]
    if len(set(members)) < len(members):
        raise MockValidationException(f"{_INVALID}Input collection {content} contains duplicates.")
    return members


def item_size(attributes: dict[str, Any]) -> int:
    """Bytes that DynamoDB counts for {name: attribute value}."""
    return sum(len(name.encode()) + value_size(value) for name, value in attributes.items())


def value_size(value: dict[str, Any]) -> int:
    """Bytes that DynamoDB counts for one attribute value ("DynamoDB item sizes and formats")."""
    ((kind, content),) = value.items()
    if kind in {"L", "M"}:
        members = content if kind == "L" else content.values()
        names = 0 if kind == "L" else sum(len(name.encode()) for name in content)
        return 3 + names + sum(1 + value_size(member) for member in members)
    if kind in {"SS", "NS", "BS"}:
        return sum(_scalar_size(kind[0], member) for member in content)
    return _scalar_size(kind, content)


def _scalar_size(kind: str, content: Any) -> int:
    if not isinstance(content, str):
        return 1
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(base64.b64decode(content))
    # About one byte for two significant digits, one for the magnitude and one for a sign.
    digits = len(content.lstrip("-0.").replace(".", "").rstrip("0"))
    return (digits + 1) // 2 + 1 + content.startswith("-")
