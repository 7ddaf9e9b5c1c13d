"""RAND(from, to) and RAND(a, b, ...): chance, from the environment's generator."""

from typing import Any, Final

from shared.templates.environment import RenderEnvironment

MAX_SAFE_INTEGER: Final = 2**53 - 1
"""ECMAScript Number.MAX_SAFE_INTEGER: up to here every whole number can be drawn."""


def rand(environment: RenderEnvironment, *choices: Any) -> Any:
    """A whole number between two integers (both included, in either order), otherwise one of the arguments."""
    if len(choices) == 2 and all(map(_is_integer, choices)):  # noqa: PLR2004 - from and to
        lowest, highest = sorted(map(int, choices))
        return lowest + _index_below(highest - lowest + 1, environment)
    return choices[_index_below(len(choices), environment)]


def _is_integer(value: Any) -> bool:
    """Number.isSafeInteger: 10 and 10.0 are integers, true and "10" are not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER and value == int(value)


def _index_below(count: int, environment: RenderEnvironment) -> int:
    # A product just below `count` may round up to it when the range is wide.
    return min(int(environment.random() * count), count - 1)
