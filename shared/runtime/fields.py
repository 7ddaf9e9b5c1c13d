"""What a caller of an API sends, field by field: parsed to a type, or refused with its place."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from shared.errors import InvalidInput

JsonObject = dict[str, Any]
T = TypeVar("T")

MAX_TIME_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999."""
MILLISECOND_DIGITS: Final = 15

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z", re.ASCII)
_WHOLE: Final = re.compile(rf"\d{{1,{MILLISECOND_DIGITS}}}", re.ASCII)


class Fields:
    """An object of the fields `known`, of which each may be absent or null. Raises InvalidInput for others.

    `place` is where the object stands. In a query every value is a text, so that digits are a number there.
    """

    def __init__(self, values: Any, known: tuple[str, ...], place: str) -> None:
        if not isinstance(values, dict):
            raise InvalidInput(f"{place}: an object is expected")
        for name in values:
            if name not in known:
                raise InvalidInput(f"{place}.{name[:40]}: unknown; known are {', '.join(known) or 'none'}")
        self._values: JsonObject = values
        self._place = place

    def text(self, name: str) -> str:
        return self._given(name, self.text_or_none(name), "a text")

    def text_or_none(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise self._expected(name, "a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._expected(name, "a list of texts")
        return tuple(value)

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str | None:
        value = self.text_or_none(name)
        if value is not None and value not in choices:
            raise self._expected(name, f"one of {', '.join(choices)}")
        return default if value is None else value

    def flag_or_none(self, name: str) -> bool | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._expected(name, "true or false")
        return value

    def object_or_none(self, name: str) -> JsonObject | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            raise self._expected(name, "an object")
        return value

    def whole(self, name: str, *, default: int, lowest: int, highest: int) -> int:
        value = self._values.get(name)
        if value is None:
            return default
        number = int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value
        if not isinstance(number, int) or isinstance(number, bool) or not lowest <= number <= highest:
            raise self._expected(name, f"a whole number from {lowest} to {highest}")
        return number

    def time(self, name: str) -> int:
        return self._given(name, self.time_or_none(name), "a time")

    def time_or_none(self, name: str) -> int | None:
        """Epoch milliseconds, from ISO 8601 in UTC or from epoch milliseconds."""
        value = self._values.get(name)
        if value is None:
            return None
        at_ms = _epoch_ms(value)
        if at_ms is None:
            raise self._expected(name, "a time such as 2026-11-22T05:00:00.000Z, or epoch milliseconds,")
        return at_ms

    def given(self) -> JsonObject:
        """All of them as they came, null too, for whom parses them."""
        return dict(self._values)

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def _given(self, name: str, value: T | None, kind: str) -> T:
        if value is None:
            raise self._expected(name, kind)
        return value

    def _expected(self, name: str, kind: str) -> InvalidInput:
        return InvalidInput(f"{self._place}.{name}: {kind} is expected")


def _epoch_ms(value: Any) -> int | None:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= MAX_TIME_MS else None
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:  # the 30th of February
        return None
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    at_ms = since // timedelta(milliseconds=1)
    return at_ms if at_ms >= 0 else None
