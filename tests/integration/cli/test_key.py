"""`malgil key` beside a running local cloud: a key is shown once, and ends when it is revoked."""

import re
from typing import Any

import pytest

from shared.api_key import SCOPES, ApiKey
from shared.errors import AccessDenied
from shared.runtime import wiring
from tests.integration.cli.conftest import Malgil
from tests.integration.cli.test_bot import told


def key_of(text: str) -> str:
    found = re.search(r"mgk_\S+", text)
    assert found is not None, text
    return found[0]


def bearer(text: str) -> ApiKey:
    """Whose request it is, as the APIs know it."""
    return wiring.api_keys().of(f"Bearer {text}")


def listed(malgil: Malgil) -> list[list[str]]:
    return [re.split(r"  +", line) for line in told(malgil("key", "list")).splitlines()[1:]]


def test_a_key_is_made_listed_and_revoked(malgil: Malgil, inside: None) -> None:
    shown = told(malgil("key", "make", "대시보드", "--scope", "bots:read", "--scope", "usage:read"))
    text = key_of(shown)
    assert bearer(text).scopes == ("bots:read", "usage:read")
    (row,) = [row for row in listed(malgil) if row[1] == "대시보드"]
    assert row[3] == "bots:read usage:read"
    assert text not in told(malgil("key", "list"))

    assert malgil("key", "revoke", row[0][:8], typed="n\n").returncode == 1
    assert bearer(text).key_id == row[0]
    assert f"{row[0]}: " in told(malgil("key", "revoke", row[0][:8], "--yes"))
    with pytest.raises(AccessDenied):
        bearer(text)


def test_all_scopes_are_given_with_one_word(malgil: Malgil, inside: None) -> None:
    text = key_of(told(malgil("key", "make", "owner", "--all")))
    assert bearer(text).scopes == SCOPES
    told(malgil("key", "revoke", "owner", "--yes"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give --scope, or --all"),
        (("--all", "--scope", "bots:read"), "exclude each other"),
        (("--scope", "bots:raed"), r"scopes\[0\]: one of bots:read"),
    ],
)
def test_what_cannot_be_made_is_one_line(malgil: Malgil, arguments: tuple[Any, ...], words: str) -> None:
    done = malgil("key", "make", "x", *arguments)
    assert done.returncode == 1
    assert re.search(words, done.stderr)
    assert done.stderr.count("\n") == 1


def test_a_name_of_two_keys_is_no_name(malgil: Malgil) -> None:
    for _ in range(2):
        told(malgil("key", "make", "twin", "--scope", "bots:read"))
    done = malgil("key", "revoke", "twin", "--yes")
    assert (done.returncode, "more than one key" in done.stderr) == (1, True)
    for row in [row for row in listed(malgil) if row[1] == "twin"]:
        told(malgil("key", "revoke", row[0], "--yes"))
    assert malgil("key", "revoke", "twin", "--yes").stderr == "malgil: no key 'twin'\n"
