"""An API key: who may call the HTTP APIs, and what for."""

from dataclasses import dataclass, field
from typing import Final

from shared.errors import AccessDenied

SCOPES: Final = (
    "bots:read",
    "bots:write",
    "conversations:read",
    "conversations:write",
    "endusers:read",
    "endusers:erase",
    "webhooks:read",
    "webhooks:write",
    "usage:read",
    "keys:write",
)
"""What a key may do. Who has keys:write makes keys of any scope: it is the owner's."""

MAX_NAME: Final = 40
MAX_KEYS: Final = 100
"""Of an installation, so that their list is one page. Two makers at once may exceed it by one, which harms nobody."""
ID_LENGTH: Final = 32
"""Hexadecimal digits."""


class MissingScope(AccessDenied):
    """The key is good, but not for this."""

    code = "missing_scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key without its text. `key_id` is the beginning of the text's SHA-256, so that one read finds it."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    created_at_ms: int

    def require(self, scope: str) -> None:
        """Raises MissingScope."""
        if scope not in self.scopes:
            raise MissingScope(f"the key lacks the scope {scope}", scope=scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key with the whole SHA-256 of its text, in hexadecimal."""

    key: ApiKey
    digest: str = field(repr=False)
