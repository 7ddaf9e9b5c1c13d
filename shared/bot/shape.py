"""Shapes of JSON values: what node data must look like, checked with all problems at once.

A text that holds a template may become anything, so it passes every check but "must be text".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from shared.bot.problem import Problem

JSON_TYPE_NAMES: Final = {dict: "object", list: "list", str: "text", bool: "true/false", type(None): "null"}


def json_type_name(value: Any) -> str:
    return JSON_TYPE_NAMES.get(type(value), "number")


def is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


class Shape(Protocol):
    def problems(self, value: Any, path: str) -> Iterator[Problem]: ...


@dataclass(frozen=True, slots=True)
class Text:
    """Text. `limit` is a hard limit, `shown` one beyond which channels cut; `check` names a problem code or None."""

    limit: int | None = None
    shown: int | None = None
    check: Callable[[str], str | None] | None = None

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return  # numbers stand where text is meant in many exports and print as text
        if not isinstance(value, str):
            yield Problem(path, "wrong_type", {"expected": "text", "found": json_type_name(value)})
        elif not is_template(value):
            if self.limit is not None and len(value) > self.limit:
                yield Problem(path, "over_limit", {"length": len(value), "limit": self.limit})
            elif self.shown is not None and len(value) > self.shown:
                yield Problem(path, "too_long", {"length": len(value), "limit": self.shown})
            if self.check is not None and (code := self.check(value)):
                yield Problem(path, code, {"value": value})


@dataclass(frozen=True, slots=True)
class Code:
    """A program's text, which is no template whatever its braces. `limit` counts bytes of UTF-8."""

    limit: int

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(path, "wrong_type", {"expected": "text", "found": json_type_name(value)})
        elif (size := len(value.encode("utf-8", "replace"))) > self.limit:
            yield Problem(path, "too_many_bytes", {"size": size, "limit": self.limit})


@dataclass(frozen=True, slots=True)
class Number:
    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if is_template(value) or (isinstance(value, int | float) and not isinstance(value, bool)):
            return
        if isinstance(value, str):
            try:
                float(value)
            except ValueError:
                pass
            else:
                return
        yield Problem(path, "wrong_type", {"expected": "a number", "found": json_type_name(value)})


@dataclass(frozen=True, slots=True)
class Flag:
    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield Problem(path, "wrong_type", {"expected": "true or false", "found": json_type_name(value)})


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[str, ...]
    any_case: bool = False

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        meant = value.upper() if self.any_case and isinstance(value, str) else value
        if not is_template(value) and meant not in self.values:
            yield Problem(path, "not_a_choice", {"value": value, "choices": ", ".join(self.values)})


@dataclass(frozen=True, slots=True)
class Anything:
    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        return iter(())


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Shape
    used: int | None = None

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(path, "wrong_type", {"expected": "a list", "found": json_type_name(value)})
            return
        if self.used is not None and len(value) > self.used:
            yield Problem(path, "too_many", {"length": len(value), "limit": self.used})
        for index, item in enumerate(value):
            yield from self.item.problems(item, f"{path}[{index}]")


@dataclass(frozen=True, slots=True)
class Object:
    """An object with known keys; unknown keys are somebody else's and stay. `null` counts as absent."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(path, "wrong_type", {"expected": "an object", "found": json_type_name(value)})
            return
        for key in self.required:
            if value.get(key) is None:
                yield Problem(f"{path}.{key}", "missing")
        for key, shape in self.fields.items():
            if value.get(key) is not None:
                yield from shape.problems(value[key], f"{path}.{key}")


@dataclass(frozen=True, slots=True)
class Either:
    """An object whose shape hangs on one of its keys (`type`, `operation`)."""

    key: str
    shapes: Mapping[str, Shape]
    default: str | None = None

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(path, "wrong_type", {"expected": "an object", "found": json_type_name(value)})
            return
        kind = value.get(self.key, self.default)
        if kind is None:
            yield Problem(f"{path}.{self.key}", "missing")
        elif is_template(kind):
            return
        elif isinstance(kind, str) and kind in self.shapes:
            yield from self.shapes[kind].problems(value, path)
        else:
            yield Problem(f"{path}.{self.key}", "not_a_choice", {"value": kind, "choices": ", ".join(self.shapes)})
