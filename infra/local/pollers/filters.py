"""FilterCriteria of an event source mapping: which messages are for the function.

Source: "Control which events Lambda sends to your function". Equality, prefix, suffix, equals-ignore-case, exists,
numeric and anything-but are known; a pattern with anything else is refused, never half applied.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import InvalidInput

_NUMERIC: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_ABSENT: Final = object()


@dataclass(frozen=True)
class Filters:
    """A record passes when one of the patterns matches it, or there are none."""

    patterns: tuple[dict[str, Any], ...] = ()

    @classmethod
    def parse(cls, criteria: Any) -> "Filters":
        """Of a mapping's FilterCriteria. Raises InvalidInput for what is not understood."""
        if not isinstance(criteria, dict) or set(criteria) - {"Filters"}:
            raise InvalidInput("FilterCriteria must be {Filters: [{Pattern: ...}]}")
        patterns = []
        for entry in criteria.get("Filters") or ():
            try:
                pattern = json.loads(entry["Pattern"])
            except (KeyError, TypeError, ValueError):
                raise InvalidInput(f"{entry} of FilterCriteria is no Pattern of JSON") from None
            _check_pattern(pattern)
            patterns.append(pattern)
        return cls(tuple(patterns))

    def match(self, record: Mapping[str, Any]) -> bool:
        """Whether an SQS record is let through. Patterns look into a body that is JSON."""
        return not self.patterns or self.match_stream({**record, "body": _parsed(record["body"])})

    def match_stream(self, record: Mapping[str, Any]) -> bool:
        """Whether a record of a stream is let through."""
        return not self.patterns or any(_matches(pattern, record) for pattern in self.patterns)


def _parsed(body: str) -> Any:
    try:
        value = json.loads(body)
    except ValueError:
        return body
    # What is no object is text to a filter, digits among it.
    return value if isinstance(value, dict) else body


def _check_pattern(pattern: Any) -> None:
    if not isinstance(pattern, dict) or not pattern:
        raise InvalidInput(f"{json.dumps(pattern)} of FilterCriteria is no object with a name to look at")
    for wanted in pattern.values():
        if isinstance(wanted, list) and wanted:
            for rule in wanted:
                _check_rule(rule)
        else:
            _check_pattern(wanted)


def _check_rule(rule: Any) -> None:
    if not isinstance(rule, dict):
        if isinstance(rule, list):
            raise InvalidInput(f"{json.dumps(rule)} of FilterCriteria is neither a value nor a rule")
        return
    ((name, argument),) = rule.items() if len(rule) == 1 else ((None, None),)
    right = {
        "anything-but": lambda: bool(_listed(argument)) and all(_is_plain(value) for value in _listed(argument)),
        "equals-ignore-case": lambda: isinstance(argument, str),
        "exists": lambda: isinstance(argument, bool),
        "numeric": lambda: _is_numeric_rule(argument),
        "prefix": lambda: isinstance(argument, str),
        "suffix": lambda: isinstance(argument, str),
    }.get(str(name))
    if right is None or not right():
        raise InvalidInput(f"{json.dumps(rule)} of FilterCriteria is not understood by the local cloud")


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_numeric_rule(argument: Any) -> bool:
    if not isinstance(argument, list) or len(argument) not in {2, 4}:
        return False
    bounds_are_numbers = all(_is_plain(bound) and not isinstance(bound, str) for bound in argument[1::2])
    return bounds_are_numbers and all(sign in _NUMERIC for sign in argument[::2])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(pattern: Mapping[str, Any], value: Any) -> bool:
    if isinstance(value, list):
        return any(_matches(pattern, member) for member in value)
    if not isinstance(value, dict):
        return False
    for name, wanted in pattern.items():
        found = value.get(name, _ABSENT)
        if isinstance(wanted, dict):
            # Rules further down may want something to be absent.
            if not _matches(wanted, {} if found is _ABSENT else found):
                return False
        elif not any(_passes(rule, found) for rule in wanted):
            return False
    return True


def _passes(rule: Any, found: Any) -> bool:
    if isinstance(rule, dict):
        ((name, argument),) = rule.items()
        if name == "exists":
            return bool(argument) == (found is not _ABSENT and not isinstance(found, dict))
    if found is _ABSENT or isinstance(found, dict):
        return False
    return any(_value_passes(rule, value) for value in _listed(found))


def _value_passes(rule: Any, value: Any) -> bool:
    if not isinstance(rule, dict):
        return _equal(rule, value)
    ((name, argument),) = rule.items()
    if name == "anything-but":
        return not any(_equal(unwanted, value) for unwanted in _listed(argument))
    if name == "numeric":
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return all(_NUMERIC[sign](value, bound) for sign, bound in zip(argument[::2], argument[1::2], strict=True))
    if not isinstance(value, str):
        return False
    if name == "prefix":
        return value.startswith(str(argument))
    if name == "suffix":
        return value.endswith(str(argument))
    return value.lower() == str(argument).lower()


def _equal(wanted: Any, value: Any) -> bool:
    """JSON's equality: true is not 1."""
    return isinstance(wanted, bool) == isinstance(value, bool) and bool(wanted == value)
