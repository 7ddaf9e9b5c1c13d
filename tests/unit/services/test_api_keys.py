"""API keys: shown once, stored as a digest, good for their scopes, ended at once."""

import hashlib
import re

import pytest

from shared.api_key import MAX_KEYS
from shared.errors import AccessDenied, Conflict, InvalidInput, NotFound
from shared.services.api_keys import SCOPES, ApiKeys, MissingScope
from tests.api_world import MemoryApiKeys, api_keys


def stored_text(keys: ApiKeys) -> str:
    assert isinstance(keys.rows, MemoryApiKeys)
    return str([(row.key, row.digest) for row in keys.rows.rows.values()])


def test_a_key_is_found_by_its_text() -> None:
    keys = api_keys()
    key, text = keys.make(name="대시보드", scopes=("webhooks:read", "bots:read"))
    assert re.fullmatch(r"mgk_[A-Za-z0-9_-]{32,}", text)
    assert keys.of(f"Bearer {text}") == key
    assert key.scopes == ("bots:read", "webhooks:read"), "in the order of SCOPES"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_written_in_any_case(scheme: str) -> None:
    keys = api_keys()
    key, text = keys.make(name="k", scopes=("bots:read",))
    assert keys.of(f"{scheme} {text}") == key


def test_the_text_is_not_stored() -> None:
    keys = api_keys()
    key, text = keys.make(name="k", scopes=SCOPES)
    assert text not in stored_text(keys)
    assert hashlib.sha256(text.encode()).hexdigest() in stored_text(keys)
    assert hashlib.sha256(text.encode()).hexdigest().startswith(key.key_id)


@pytest.mark.parametrize(
    "given",
    [
        *(None, "", "Bearer", "Bearer ", "Basic mgk_00000000000000000000000000000000", "mgk_0"),
        *("Bearer mgk_wrongwrongwrongwrongwrongwrong0", "Bearer mgk_" + "x" * 100_000, "Bearer mgk_" + "가" * 32),
        "Bearer mgk_00000000000000000000000000000000\n",
    ],
)
def test_whatever_is_no_key_is_denied_in_the_same_words(given: str | None) -> None:
    keys = api_keys()
    keys.make(name="k", scopes=SCOPES)
    with pytest.raises(AccessDenied, match=r"^an API key is expected"):
        keys.of(given)


def test_a_digest_that_only_begins_the_same_is_no_key() -> None:
    keys = api_keys()
    key, text = keys.make(name="k", scopes=SCOPES)
    assert isinstance(keys.rows, MemoryApiKeys)
    stored = keys.rows.rows[key.key_id]
    forged = stored.digest[:-1] + ("0" if stored.digest[-1] != "0" else "1")
    keys.rows.rows[key.key_id] = type(stored)(key=key, digest=forged)
    with pytest.raises(AccessDenied):
        keys.of(f"Bearer {text}")


def test_a_revoked_key_ends_at_once_and_is_gone() -> None:
    keys = api_keys()
    key, text = keys.make(name="k", scopes=SCOPES)
    keys.revoke(key.key_id)
    with pytest.raises(AccessDenied):
        keys.of(f"Bearer {text}")
    assert keys.list() == []
    for unknown in (key.key_id, "", "x" * 1000):
        with pytest.raises(NotFound):
            keys.revoke(unknown)


def test_keys_are_listed_newest_first() -> None:
    keys = api_keys()
    made = [keys.make(name=name, scopes=("bots:read",))[0] for name in "abc"]
    assert keys.list() == made[::-1]


def test_a_missing_scope_is_named() -> None:
    key, _ = api_keys().make(name="k", scopes=("bots:read",))
    key.require("bots:read")
    with pytest.raises(MissingScope, match="webhooks:write"):
        key.require("webhooks:write")


@pytest.mark.parametrize("name", ["", "  ", "가" * 41, "\x00"])
def test_a_name_has_1_to_40_characters(name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        api_keys().make(name=name, scopes=SCOPES)


@pytest.mark.parametrize(("scopes", "place"), [((), "scopes"), (("bots:read", "all"), r"scopes\[1\]")])
def test_scopes_are_known_ones(scopes: tuple[str, ...], place: str) -> None:
    with pytest.raises(InvalidInput, match=place):
        api_keys().make(name="k", scopes=scopes)


def test_there_are_at_most_a_hundred() -> None:
    keys = api_keys()
    for _ in range(MAX_KEYS):
        keys.make(name="k", scopes=("bots:read",))
    with pytest.raises(Conflict, match="revoke"):
        keys.make(name="k", scopes=("bots:read",))
