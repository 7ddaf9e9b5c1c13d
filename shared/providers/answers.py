"""A provider's JSON, read by type: what is not as documented is refused with its place, and never a surprise later."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from shared.engine.effects import JsonObject
from shared.providers.fault import PROVIDER, ProviderFault

_KINDS: Final[dict[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "missing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A value of an answer; `place` says whose and where, for messages. Reading another type than there is raises
    ProviderFault."""

    value: Any
    place: str

    def __getitem__(self, key: str) -> "Answer":
        """A member, which may be missing; so are all members of what is missing."""
        value = None if self.value is None else self.object().get(key)
        return Answer(value=value, place=f"{self.place}.{key}")

    @property
    def is_missing(self) -> bool:
        return self.value is None

    def object(self) -> JsonObject:
        if not isinstance(self.value, dict):
            raise self._refused("an object")
        return self.value

    def items(self) -> Iterator["Answer"]:
        """The members of a list; a missing one has none, as protobuf's JSON leaves out what is empty."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self._refused("a list")
        for position, item in enumerate(self.value):
            yield Answer(value=item, place=f"{self.place}[{position}]")

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self._refused("text")
        return self.value

    def optional_text(self) -> str | None:
        return None if self.value is None else self.text()

    def optional_number(self) -> float | None:
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not math.isfinite(self.value):
            raise self._refused("a number")
        return self.value

    def flag(self) -> bool:
        """False when missing."""
        if self.value is None:
            return False
        if not isinstance(self.value, bool):
            raise self._refused("true or false")
        return self.value

    def _refused(self, wanted: str) -> ProviderFault:
        found = _KINDS.get(type(self.value), "something else")
        return ProviderFault(PROVIDER, f"{self.place} is {found}, not {wanted}")
