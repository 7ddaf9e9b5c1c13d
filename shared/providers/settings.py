"""What an author set for a provider, read with its place. Values stand in addresses, so each has its form."""

import hashlib
import re
from typing import Any, Final

from shared.engine.effects import JsonObject
from shared.providers.fault import INVALID_REQUEST, NOT_CONFIGURED, ProviderFault

IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}")
LOCATION: Final = re.compile(r"[a-z]{2,20}(?:-[a-z0-9]{1,20}){0,3}")
"""A Google or AWS region; it becomes a part of a host name."""
VERSION_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
SESSION: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
SESSION_LENGTH: Final = 36


class ProviderSettings:
    """`node` is the type of the node, for messages."""

    def __init__(self, values: JsonObject, node: str) -> None:
        self._values = values
        self._node = node

    def any(self, key: str) -> Any:
        return self._values.get(key)

    def optional(self, key: str, form: re.Pattern[str] | None = None) -> str:
        """Text without outer blanks; empty when it is not set."""
        value = self._values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ProviderFault(INVALID_REQUEST, f"{self._node}: {key} is not text")
        text = value.strip()
        if text and form is not None and not form.fullmatch(text):
            raise ProviderFault(INVALID_REQUEST, f"{self._node}: {key} '{text[:60]}' has not the form that it needs")
        return text

    def text(self, key: str, form: re.Pattern[str] | None = None) -> str:
        """As `optional`, but ProviderFault NotConfiguredError when it is not set."""
        text = self.optional(key, form)
        if not text:
            raise ProviderFault(NOT_CONFIGURED, f"{self._node}: {key} is not set")
        return text


def session_of(session_id: str) -> str:
    """A session's name as every provider takes it; one of another form becomes its hash."""
    if SESSION.fullmatch(session_id):
        return session_id
    return hashlib.sha256(session_id.encode()).hexdigest()[:SESSION_LENGTH]


def over_https(url: str, place: str) -> str:
    """`url` when a secret may go there."""
    if not url.lower().startswith("https://"):
        raise ProviderFault(INVALID_REQUEST, f"{place}: a credential is only sent to https addresses")
    return url
