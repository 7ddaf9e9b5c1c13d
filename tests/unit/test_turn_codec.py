"""A turn's body packed with what is known of it."""

import json

import pytest

from shared.conversation.turn import RECENT_CLIENT_IDS, RECENT_OF_KAKAO, LogState, Turn
from shared.errors import Unavailable
from shared.ids import event_id, message_id
from shared.storage import turn_codec

COMMIT = "5845387a-742d-46d3-9fb1-6e68f8f09e58"
HINTS = turn_codec.hints("bot", COMMIT, 1_795_219_200_123)


def a_body(ids: list[str]) -> dict:
    return {"events": [{"id": event, "text": "안녕하세요"} for event in ids]}


def test_a_body_comes_back_as_it_was() -> None:
    body = a_body([event_id(COMMIT, index) for index in range(10)])
    assert turn_codec.decode(turn_codec.encode(body, HINTS), turn_codec.VERSION, HINTS) == body


def test_an_id_that_follows_from_the_commit_takes_a_few_bytes() -> None:
    nothing = len(turn_codec.encode(a_body([""]), HINTS))
    for known in (event_id(COMMIT, 0), event_id(COMMIT, 5), message_id(COMMIT, 3)):
        assert len(turn_codec.encode(a_body([known]), HINTS)) - nothing <= 5
    assert len(turn_codec.encode(a_body([event_id(COMMIT, 99)]), HINTS)) - nothing > 15


def test_the_dictionary_is_part_of_the_stored_format() -> None:
    """A turn of format 1 as it was stored: whoever changes the dictionary or the hints has to add a format."""
    stored = bytes.fromhex("abc628df88eabfc10b9237533b5eb74e7d3b75c69b961d6f664d01d5de00")
    assert turn_codec.decode(stored, 1, HINTS) == a_body([event_id(COMMIT, 1)])


def test_another_format_is_refused() -> None:
    with pytest.raises(Unavailable):
        turn_codec.decode(b"", turn_codec.VERSION + 1)


def test_the_events_of_the_first_turn_of_a_month_are_cut_out_without_being_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events = [{"id": event_id(COMMIT, index), "event": "bot.x", "sequence": index + 1} for index in range(2)]
    turn = Turn(
        bot_id="b", log="l", revision=2, commit=COMMIT, at_ms=0, state=LogState(active_month=202611), events=events,
        first_of_month=202611, gives=(1,),
    )  # fmt: skip
    packed = turn_codec.encode(turn.body())
    monkeypatch.setattr(turn_codec, "_checked", None)
    cut = turn_codec.decode_events(packed, turn_codec.VERSION, b"", COMMIT)
    assert [json.loads(event) for event in cut] == events


@pytest.mark.parametrize(("platform", "most"), [("web", RECENT_CLIENT_IDS), ("kakao", RECENT_OF_KAKAO)])
def test_a_state_remembers_the_newest_client_ids(platform: str, most: int) -> None:
    state = LogState()
    for revision in range(1, most + 3):
        state = LogState(recent=state.recent_with(f"client {revision}", revision, platform=platform))
    again = LogState.from_json(json.loads(json.dumps(state.to_json())))
    assert again == state
    assert again.revision_of(f"client {most + 2}") == most + 2
    assert again.revision_of("client 3") == 3
    assert again.revision_of("client 2") is None


def test_whoever_queues_twenty_messages_in_one_tab_may_send_them_all_from_another_one_again() -> None:
    assert RECENT_CLIENT_IDS > 20


def test_a_turn_without_a_client_id_leaves_them_as_they_are() -> None:
    recent = LogState().recent_with("client", 1, platform="web")
    assert LogState(recent=recent).recent_with(None, 2, platform="web") == recent
