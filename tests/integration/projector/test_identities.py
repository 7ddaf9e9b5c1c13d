"""The index of people and conversations on DynamoDB: what it finds, lists, forgets and never brings back."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.conversation.identity import Identity, IdentityKind, Sighting
from shared.errors import InvalidInput
from shared.ids import end_user_id, log_key
from shared.runtime.settings import CORE_TABLE
from shared.storage import identities as adapter
from shared.storage.identities import DynamoIdentities
from tests.factories import NOW_MS
from tests.integration.conftest import Stack
from tests.integration.storage.faults import FaultyClient
from tests.webhook_world import Clock

HOUR_MS = 3_600_000
HOUR = NOW_MS // HOUR_MS * HOUR_MS


@pytest.fixture
def client() -> FaultyClient:
    return FaultyClient()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def identities(stack: Stack, client: FaultyClient, clock: Clock) -> DynamoIdentities:
    return DynamoIdentities(stack.environment[CORE_TABLE], clock.now_ms, client)


@pytest.fixture
def bot_id() -> str:
    return f"bot-{uuid.uuid4().hex[:8]}"


def a_person(bot_id: str, user_key: str = "kim", platform: str = "kakao", **overrides: Any) -> Identity:
    public_id = end_user_id(bot_id, platform, user_key)
    fields: dict[str, Any] = {
        "kind": "end_user",
        "public_id": public_id,
        "bot_id": bot_id,
        "log": log_key(platform, user_key),
        "platform": platform,
        "user_key": user_key,
        "end_user_id": public_id,
        "revision": 1,
        "created_at_ms": NOW_MS,
        "seen_at_ms": HOUR,
    }
    return Identity(**{**fields, **overrides})


def a_conversation(person: Identity, at_ms: int = NOW_MS) -> Identity:
    public_id = str(uuid.uuid4())
    return replace(person, kind="conversation", public_id=public_id, created_at_ms=at_ms, seen_at_ms=at_ms)


def seen(identity: Identity, at_ms: int = NOW_MS) -> Sighting:
    return Sighting(identity=identity, at_ms=at_ms)


def pages(
    identities: DynamoIdentities, bot_id: str, kind: IdentityKind = "end_user", **asked: Any
) -> Iterator[tuple[Identity, ...]]:
    cursor = None
    while True:
        page = identities.page(bot_id, kind, cursor=cursor, **asked)
        yield page.items
        if page.cursor is None:
            return
        assert page.cursor != cursor
        cursor = page.cursor


def test_a_public_id_leads_to_its_log(identities: DynamoIdentities, bot_id: str) -> None:
    person = a_person(bot_id)
    conversation = a_conversation(person)
    identities.note([seen(person), seen(conversation)])
    assert identities.get(person.public_id) == person
    assert identities.get(conversation.public_id) == conversation
    assert identities.get(str(uuid.uuid4())) is None


def test_an_end_user_is_written_once_an_hour(identities: DynamoIdentities, client: FaultyClient, bot_id: str) -> None:
    person = a_person(bot_id)
    for minute in range(5):
        identities.note([seen(person, HOUR + minute)])
    assert client.calls.count("put_item") == 1
    later = replace(person, seen_at_ms=HOUR + HOUR_MS)
    identities.note([seen(later, HOUR + HOUR_MS)])
    assert client.calls.count("put_item") == 2
    assert identities.get(person.public_id) == later


def test_an_older_turn_moves_nobody_back(identities: DynamoIdentities, bot_id: str) -> None:
    person = a_person(bot_id)
    identities.note([seen(person)])
    identities.note([seen(replace(person, seen_at_ms=HOUR - HOUR_MS), HOUR - 1)])
    found = identities.get(person.public_id)
    assert found is not None
    assert found.seen_at_ms == HOUR


def test_when_somebody_came_first_is_not_forgotten(identities: DynamoIdentities, bot_id: str) -> None:
    person = a_person(bot_id, created_at_ms=5)
    identities.note([seen(person)])
    identities.note([seen(a_person(bot_id, created_at_ms=NOW_MS, seen_at_ms=HOUR + HOUR_MS), NOW_MS + HOUR_MS)])
    found = identities.get(person.public_id)
    assert found is not None
    assert (found.created_at_ms, found.seen_at_ms) == (5, HOUR + HOUR_MS)


def test_what_is_deleted_is_neither_found_nor_listed(identities: DynamoIdentities, bot_id: str) -> None:
    person = a_person(bot_id)
    identities.note([seen(person)])
    for _ in range(2):
        identities.delete(person)
    assert identities.get(person.public_id) is None
    assert list(pages(identities, bot_id, limit=10)) == [()]


def test_a_turn_from_before_the_deletion_brings_nobody_back(
    identities: DynamoIdentities, clock: Clock, bot_id: str
) -> None:
    person = a_person(bot_id)
    conversation, unknown = a_conversation(person), a_conversation(person)
    identities.note([seen(person), seen(conversation)])
    clock.ms = NOW_MS + HOUR_MS
    identities.delete(person)
    identities.delete(conversation)
    later = replace(person, seen_at_ms=HOUR + HOUR_MS)
    identities.note([seen(later, clock.ms), seen(conversation), seen(unknown)])
    for gone in (person, conversation, unknown):
        assert identities.get(gone.public_id) is None


def test_somebody_who_was_erased_before_the_index_knew_them_stays_out(
    identities: DynamoIdentities, clock: Clock, bot_id: str
) -> None:
    person = a_person(bot_id)
    clock.ms = NOW_MS + 1
    identities.delete(person)
    identities.note([seen(person), seen(a_conversation(person))])
    assert identities.get(person.public_id) is None
    assert list(pages(identities, bot_id, "conversation", limit=10)) == [()]


def test_somebody_who_comes_back_after_being_erased_is_there_again(
    identities: DynamoIdentities, clock: Clock, bot_id: str
) -> None:
    person = a_person(bot_id)
    identities.note([seen(person)])
    identities.delete(person)
    back = replace(person, created_at_ms=NOW_MS + 1)
    identities.note([seen(back, NOW_MS + 1)])
    assert identities.get(person.public_id) == back
    assert list(pages(identities, bot_id, limit=10)) == [(back,)]


def test_an_erasure_during_the_write_wins(
    identities: DynamoIdentities, client: FaultyClient, clock: Clock, stack: Stack, bot_id: str
) -> None:
    person = a_person(bot_id)
    clock.ms = NOW_MS + 1
    other = DynamoIdentities(stack.environment[CORE_TABLE], clock.now_ms)
    client.between = lambda: other.delete(person)
    identities.note([seen(person)])
    assert identities.get(person.public_id) is None


@pytest.mark.parametrize("seed", range(4))
def test_pages_hold_everybody_once_the_newest_first(identities: DynamoIdentities, bot_id: str, seed: int) -> None:
    random_ = random.Random(seed)
    everybody = [
        a_person(
            bot_id,
            f"user-{number}",
            random_.choice(["kakao", "kakao", "web"]),
            seen_at_ms=HOUR - random_.randrange(9) * HOUR_MS,
        )
        for number in range(70)
    ]
    identities.note([seen(person) for person in everybody])
    newest_first = sorted(everybody, key=lambda person: (person.seen_at_ms, person.public_id), reverse=True)
    from_ms, until_ms = HOUR - 6 * HOUR_MS, HOUR - HOUR_MS
    for limit in (1, 7, 70, 200):
        found = list(pages(identities, bot_id, limit=limit))
        assert [person for page in found for person in page] == newest_first
        assert all(len(page) == limit for page in found[:-1])
        found = list(pages(identities, bot_id, limit=limit, platform="web", from_ms=from_ms, until_ms=until_ms))
        assert [person for page in found for person in page] == [
            person for person in newest_first if person.platform == "web" and from_ms <= person.seen_at_ms < until_ms
        ]


def test_a_time_in_which_nobody_was_seen_is_an_empty_page(identities: DynamoIdentities, bot_id: str) -> None:
    identities.note([seen(a_person(bot_id))])
    cursor = identities.page(bot_id, "end_user", limit=1).cursor
    assert cursor is None
    for from_ms, until_ms in ((HOUR, HOUR), (HOUR + 1, HOUR), (HOUR + 1, None), (-5, 0), (None, HOUR)):
        assert list(pages(identities, bot_id, limit=5, from_ms=from_ms, until_ms=until_ms)) == [()]


def test_a_rare_platform_costs_no_page_more_than_its_reads(
    identities: DynamoIdentities, client: FaultyClient, bot_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "MAX_QUERIES", 10)
    crowd = [a_person(bot_id, f"user-{number}") for number in range(150)]
    rare = a_person(bot_id, "rare", "web", seen_at_ms=HOUR - 50 * HOUR_MS)
    identities.note([seen(person) for person in [*crowd, rare]])
    client.calls.clear()
    found = list(pages(identities, bot_id, limit=1, platform="web"))
    assert [person for page in found for person in page] == [rare]
    assert len(found) > 1
    assert len(client.calls) <= 10 * len(found)


def test_lists_of_bots_and_kinds_are_apart(identities: DynamoIdentities, bot_id: str) -> None:
    person = a_person(bot_id)
    conversation = a_conversation(person)
    identities.note([seen(person), seen(conversation)])
    assert list(pages(identities, bot_id, "conversation", limit=5)) == [(conversation,)]
    assert list(pages(identities, f"{bot_id}-2", limit=5)) == [()]


@pytest.mark.parametrize("cursor", ["", "!", "가", "AAAA", "MDAw", "a" * 5000, "MDAwMDAwMDAwMDAwMDAxIw"])
def test_a_cursor_that_is_none_is_refused_with_its_place(
    identities: DynamoIdentities, bot_id: str, cursor: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        identities.page(bot_id, "end_user", limit=5, cursor=cursor)
    assert caught.value.details == {"path": "cursor"}
