"""What DynamoDB bills for a call, by its published rules: emulators answer with constants.

Developer guide, "DynamoDB item sizes and formats" and "Read and write operations". Values are in the wire's own form,
{"S": "text"}, {"N": "1"}, {"B": base64 text}, because that is what a call carries.
"""

import base64
import math
from collections.abc import Iterable
from typing import Any, Final

Item = dict[str, dict[str, Any]]

BYTES_A_WRITE_UNIT: Final = 1024
BYTES_A_READ_UNIT: Final = 4096
CONTAINER_BYTES: Final = 3
ELEMENT_BYTES: Final = 1
MAX_NUMBER_BYTES: Final = 21
TRANSACTION_FACTOR: Final = 2


def item_bytes(item: Item) -> int:
    """Size of an item: its attributes' names and values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: dict[str, Any]) -> int:
    """Size of a value of the wire."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return number_bytes(content)
        case "B":
            return len(base64.b64decode(content))
        case "BOOL" | "NULL":
            return 1
        case "SS" | "NS" | "BS":
            return sum(value_bytes({kind[0]: element}) for element in content)
        case "L":
            return CONTAINER_BYTES + sum(ELEMENT_BYTES + value_bytes(element) for element in content)
        case "M":
            return CONTAINER_BYTES + sum(
                ELEMENT_BYTES + len(key.encode()) + value_bytes(element) for key, element in content.items()
            )
        case _:
            raise ValueError(f"DynamoDB has no type {kind}")


def number_bytes(text: str) -> int:
    """A byte for two significant digits, one more, and one for a minus; zeros at both ends are no digits."""
    digits = text.lower().partition("e")[0].lstrip("+-").replace(".", "").strip("0")
    is_negative = text.startswith("-") and bool(digits)
    return min(MAX_NUMBER_BYTES, math.ceil(len(digits) / 2) + 1 + is_negative)


def write_units(size: int, *, in_transaction: bool = False) -> int:
    """Units of writing an item of `size` bytes (the larger one of before and after)."""
    units = max(1, math.ceil(size / BYTES_A_WRITE_UNIT))
    return units * TRANSACTION_FACTOR if in_transaction else units


def read_units(sizes: Iterable[int], *, is_consistent: bool) -> float:
    """Units of one query or get: its items are summed before they are rounded up, and nothing found costs as much as
    the smallest item."""
    units = max(1, math.ceil(sum(sizes) / BYTES_A_READ_UNIT))
    return units if is_consistent else units / 2
