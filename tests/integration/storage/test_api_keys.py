"""API keys in DynamoDB: put once, found by id, listed by time, gone when they are deleted."""

import uuid

import pytest

from shared.api_key import ApiKey, StoredKey
from shared.errors import Conflict
from shared.runtime.settings import CORE_TABLE
from shared.storage.api_keys import DynamoApiKeys
from tests.integration.conftest import Stack


def a_stored_key(at_ms: int = 1) -> StoredKey:
    digest = uuid.uuid4().hex * 2
    key = ApiKey(key_id=digest[:32], name="대시보드", scopes=("bots:read", "keys:write"), created_at_ms=at_ms)
    return StoredKey(key=key, digest=digest)


@pytest.fixture
def rows(stack: Stack) -> DynamoApiKeys:
    return DynamoApiKeys(stack.environment[CORE_TABLE])


def test_a_key_comes_back_as_it_was_stored_until_it_is_deleted(rows: DynamoApiKeys) -> None:
    stored = a_stored_key()
    rows.put(stored)
    assert rows.get(stored.key.key_id) == stored
    rows.delete(stored.key.key_id)
    rows.delete(stored.key.key_id)
    assert rows.get(stored.key.key_id) is None
    assert stored not in rows.all()


def test_a_key_is_put_once(rows: DynamoApiKeys) -> None:
    stored = a_stored_key()
    rows.put(stored)
    with pytest.raises(Conflict):
        rows.put(stored)


def test_all_keys_are_one_list_the_newest_first(rows: DynamoApiKeys) -> None:
    before = set(rows.all())
    made = [a_stored_key(at_ms) for at_ms in (10, 30, 20)]
    for stored in made:
        rows.put(stored)
    assert [stored for stored in rows.all() if stored not in before] == [made[1], made[2], made[0]]
