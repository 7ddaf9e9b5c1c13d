"""The helpers that are part of the language itself: comparisons, logic and `lookup`."""

import operator
from collections.abc import Callable
from typing import Any, Final

from shared.templates.environment import CallHelper, RenderEnvironment
from shared.values import UNDEFINED, PrintsAs, compare, is_truthy, member, strict_equals, to_text


def comparable(value: Any) -> Any:
    """An object with a text of its own (`message`, `error`) compares as that text."""
    return value.as_text() if isinstance(value, PrintsAs) else value


def _comparison(name: str, test: Callable[[Any, Any], bool]) -> CallHelper:
    def call(arguments: list[Any], _environment: RenderEnvironment) -> bool:
        left, right = arguments
        return test(comparable(left), comparable(right))

    return CallHelper(name, 2, 2, call)


def _order(name: str, test: Callable[[Any, Any], bool]) -> CallHelper:
    return _comparison(name, lambda left, right: compare(left, right, test))


def _all(arguments: list[Any], _environment: RenderEnvironment) -> Any:
    """As `&&` of JavaScript: the first false argument, otherwise the last."""
    return next((argument for argument in arguments if not is_truthy(argument)), arguments[-1])


def _any(arguments: list[Any], _environment: RenderEnvironment) -> Any:
    """As `||` of JavaScript: the first true argument, otherwise the last."""
    return next((argument for argument in arguments if is_truthy(argument)), arguments[-1])


def _lookup(arguments: list[Any], _environment: RenderEnvironment) -> Any:
    value, key = arguments
    if not value and not isinstance(value, list | dict):
        return value
    return member(value, "null" if key is None else repr(key) if key is UNDEFINED else to_text(key))


OPERATORS: Final[dict[str, CallHelper]] = {
    helper.name: helper
    for helper in (
        _comparison("$eq", strict_equals),
        _comparison("$ne", lambda left, right: not strict_equals(left, right)),
        _order("$lt", operator.lt),
        _order("$lte", operator.le),
        _order("$gt", operator.gt),
        _order("$gte", operator.ge),
        CallHelper("$and", 2, None, _all),
        CallHelper("$or", 2, None, _any),
        CallHelper("lookup", 2, 2, _lookup),
    )
}

ORDERS: Final = frozenset({"$lt", "$lte", "$gt", "$gte"})
"""Those that read their arguments as a whole: a list compares as its text."""
