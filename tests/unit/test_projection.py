"""What a turn says to lists and counters."""

from typing import Any

import pytest

from shared.conversation.projection import COUNTED, HourCounts, SeenTurn, sightings, tally
from shared.ids import end_user_id
from tests.factories import NOW_MS

HOUR_MS = 3_600_000


def a_seen_turn(*names: str, **overrides: Any) -> SeenTurn:
    events = [
        {"event": name, "data": {"message": {"meta": None}, "conversation": {"id": f"conversation-{number}"}}}
        for number, name in enumerate(names)
    ]
    fields: dict[str, Any] = {
        "bot_id": "shop",
        "log": "log",
        "revision": 7,
        "commit": "c",
        "at_ms": NOW_MS,
        "platform": "kakao",
        "user_key": "kim",
        "first_contact_ms": 5,
        "events": events,
    }
    return SeenTurn(**{**fields, **overrides})


@pytest.mark.parametrize(("event", "counter"), COUNTED.items())
def test_every_counted_event_has_a_counter_that_readers_show(event: str, counter: str) -> None:
    counts = dict(tally(a_seen_turn(event, event), "h").counts)
    assert counts.pop("received_kakao", 2) == 2
    assert counts == {counter: 2}
    assert getattr(HourCounts(hour="h"), counter) == 0


def test_what_is_not_counted_adds_nothing() -> None:
    assert tally(a_seen_turn("bot.conversation.updated", "bot.end_user.updated"), "h").counts == {}


def test_an_end_user_is_seen_by_the_hour_since_their_first_contact() -> None:
    (sighting,) = sightings(a_seen_turn("bot.message.received"))
    person = sighting.identity
    assert person.public_id == person.end_user_id == end_user_id("shop", "kakao", "kim")
    assert (person.revision, person.created_at_ms) == (1, 5)
    assert person.seen_at_ms == NOW_MS - NOW_MS % HOUR_MS
    assert sighting.at_ms == NOW_MS


def test_every_conversation_that_a_turn_began_is_seen_at_its_time() -> None:
    begun = "bot.conversation.created"
    person, *conversations = [
        sighting.identity for sighting in sightings(a_seen_turn(begun, "bot.message.sent", begun))
    ]
    assert person.kind == "end_user"
    assert [(found.kind, found.public_id) for found in conversations] == [
        ("conversation", "conversation-0"),
        ("conversation", "conversation-2"),
    ]
    assert {(found.revision, found.created_at_ms, found.seen_at_ms) for found in conversations} == {(7, NOW_MS, NOW_MS)}
    assert {found.end_user_id for found in conversations} == {person.public_id}


def test_what_others_did_shows_nobody() -> None:
    assert sightings(a_seen_turn("bot.message.sent", "bot.conversation.agent_call_connected")) == []
