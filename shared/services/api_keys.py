"""API keys: who may call the HTTP APIs, and what for. The text of a key is shown once and never stored."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from shared.api_key import ID_LENGTH, MAX_KEYS, MAX_NAME, SCOPES, ApiKey, MissingScope, StoredKey
from shared.errors import AccessDenied, Conflict, InvalidInput, NotFound
from shared.json_input import clean_text

__all__ = ["SCOPES", "ApiKey", "ApiKeyRows", "ApiKeys", "MissingScope"]

PREFIX: Final = "mgk_"

_KEY_ID: Final = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_AUTHORIZATION: Final = re.compile(rf"bearer +({PREFIX}[a-z0-9_-]{{20,86}})", re.IGNORECASE | re.ASCII)
"""The scheme is written in any case (RFC 9110 11.1); what is longer is no key and is not looked at."""


class ApiKeyRows(Protocol):
    """Where keys lie. `put` raises Conflict for an id that is taken; `delete` of what is gone is no error. Reads of one
    are consistent, the list may be a second behind."""

    def put(self, stored: StoredKey) -> None: ...
    def get(self, key_id: str) -> StoredKey | None: ...
    def all(self) -> list[StoredKey]: ...
    def delete(self, key_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeys:
    """The use cases. `new_secret` gives random base64url of at least 192 bits."""

    rows: ApiKeyRows
    now_ms: Callable[[], int]
    new_secret: Callable[[], str]

    def make(self, *, name: str, scopes: tuple[str, ...]) -> tuple[ApiKey, str]:
        """A new key and its text, which nobody can ask for again. Raises InvalidInput; Conflict when there are too many
        keys."""
        name = clean_text(name).strip()
        if not 1 <= len(name) <= MAX_NAME:
            raise InvalidInput(f"name: 1 to {MAX_NAME} characters are expected")
        if not scopes:
            raise InvalidInput(f"scopes: at least one of {', '.join(SCOPES)} is expected")
        for place, scope in enumerate(scopes):
            if scope not in SCOPES:
                raise InvalidInput(f"scopes[{place}]: one of {', '.join(SCOPES)} is expected")
        if len(self.rows.all()) >= MAX_KEYS:
            raise Conflict(f"there are {MAX_KEYS} keys already: revoke one that is not needed")
        text = PREFIX + self.new_secret()
        digest = _digest(text)
        wanted = tuple([scope for scope in SCOPES if scope in scopes])
        key = ApiKey(key_id=digest[:ID_LENGTH], name=name, scopes=wanted, created_at_ms=self.now_ms())
        self.rows.put(StoredKey(key=key, digest=digest))
        return key, text

    def list(self) -> list[ApiKey]:
        """All keys, the newest first."""
        found = [stored.key for stored in self.rows.all()]
        return sorted(found, key=lambda key: (key.created_at_ms, key.key_id), reverse=True)

    def revoke(self, key_id: str) -> None:
        """End a key at once: every request reads its row. Raises NotFound for what is no key (any more)."""
        if not _KEY_ID.fullmatch(key_id) or self.rows.get(key_id) is None:
            raise NotFound("no such key", key=key_id[:ID_LENGTH])
        self.rows.delete(key_id)

    def of(self, authorization: str | None) -> ApiKey:
        """The key of a request by its header Authorization. Raises AccessDenied, the same for every reason."""
        given = _AUTHORIZATION.fullmatch(authorization or "")
        if given is not None:
            digest = _digest(given[1])
            stored = self.rows.get(digest[:ID_LENGTH])
            if stored is not None and hmac.compare_digest(stored.digest, digest):
                return stored.key
        raise AccessDenied("an API key is expected in the header Authorization, as Bearer mgk_...")


def _digest(text: str) -> str:
    """No slow hash: the text is random, nobody can guess it whatever a guess costs."""
    return hashlib.sha256(text.encode()).hexdigest()
