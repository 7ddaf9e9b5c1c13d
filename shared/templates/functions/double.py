"""Numbers as JavaScript keeps them: doubles. JSON in Python has whole numbers of any size."""

import math
from typing import Any

from shared.values import to_number


def to_double(value: Any) -> float:
    """Number(value) of ECMAScript as a double: beyond its range infinite, NaN when the value is no number."""
    number = to_number(value)
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
