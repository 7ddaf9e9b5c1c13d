"""The turn log on real storage semantics: conditions, lost answers, large states, bounded tries."""

import random
from typing import Any

import pytest

from shared.conversation.turn import NO_STATE, LogState, Turn, TurnConflict, TurnTooLarge
from shared.engine.session import Session
from shared.errors import Unavailable
from shared.storage.turns import DynamoTurns
from tests.factories import NOW_MS
from tests.integration.storage.faults import FaultyClient


def a_turn(log: str, revision: int = 1, **overrides: Any) -> Turn:
    defaults: dict[str, Any] = {
        "bot_id": "bot",
        "log": log,
        "revision": revision,
        "commit": f"00000000-0000-4000-8000-{revision:012d}",
        "at_ms": NOW_MS,
        "state": LogState(session=Session(conversation_id="c", created_at_ms=NOW_MS, params={"name": "지은"})),
        "platform": "kakao",
        "user_key": "user",
    }
    return Turn(**{**defaults, **overrides})


def test_the_newest_turn_reads_back_whole(turns: DynamoTurns) -> None:
    turns.append(a_turn("whole", 1))
    turns.append(a_turn("whole", 2, messages=[{"id": "m", "data": {"type": "text", "text": "안녕 🙂"}, "meta": None}]))

    newest = turns.newest("bot", "whole")

    assert newest is not None
    assert newest.revision == 2
    assert newest.messages[0]["data"]["text"] == "안녕 🙂"
    assert newest.state.session is not None
    assert newest.state.session.params == {"name": "지은"}


def test_a_new_log_has_no_newest_turn(turns: DynamoTurns) -> None:
    assert turns.newest("bot", "nobody") is None


def test_a_read_and_a_write_are_one_call_each(turns: DynamoTurns, client: FaultyClient) -> None:
    turns.newest("bot", "calls")
    turns.append(a_turn("calls"))

    assert client.calls == ["query", "put_item"]


def test_the_slower_of_two_writers_gets_the_winners_turn(turns: DynamoTurns) -> None:
    turns.append(a_turn("race", commit="00000000-0000-4000-8000-00000000aaaa"))

    with pytest.raises(TurnConflict) as caught:
        turns.append(a_turn("race", commit="00000000-0000-4000-8000-00000000bbbb"))

    assert caught.value.winner.commit == "00000000-0000-4000-8000-00000000aaaa"
    assert caught.value.winner.state.session is not None


def test_a_put_whose_answer_was_lost_is_found_to_be_ours_at_the_second_try(
    turns: DynamoTurns, client: FaultyClient
) -> None:
    client.faults["put_item"] = ["lost_answer"]

    turns.append(a_turn("lost"))

    assert client.calls == ["put_item", "put_item"]
    assert turns.newest("bot", "lost") is not None


@pytest.mark.parametrize("fault", ["throttled", "server_fault", "lost_request"])
def test_one_passing_fault_is_ridden_out(turns: DynamoTurns, client: FaultyClient, fault: str) -> None:
    client.faults["put_item"] = [fault]

    turns.append(a_turn(f"passing-{fault}"))

    assert turns.newest("bot", f"passing-{fault}") is not None


@pytest.mark.parametrize("fault", ["throttled", "server_fault", "lost_request"])
def test_lasting_faults_end_after_two_tries(turns: DynamoTurns, client: FaultyClient, fault: str) -> None:
    client.faults["query"] = [fault] * 5

    with pytest.raises(Unavailable):
        turns.newest("bot", "lasting")

    assert client.calls == ["query", "query"]


def test_nothing_is_called_when_the_deadline_is_over(turns: DynamoTurns, client: FaultyClient) -> None:
    with pytest.raises(Unavailable):
        turns.newest("bot", "late", deadline_ns=0)

    assert client.calls == []


def a_large_state(text: str) -> LogState:
    noise = "".join(chr(0xAC00 + (index * 7919) % 11172) for index in range(4000))
    return LogState(session=Session(conversation_id="c", created_at_ms=NOW_MS, params={"big": noise, "text": text}))


def test_a_large_state_goes_to_its_own_row_and_comes_back(turns: DynamoTurns, client: FaultyClient) -> None:
    turns.append(a_turn("large", state=a_large_state("하나")))

    newest = turns.newest("bot", "large")

    assert newest is not None
    assert newest.state_row is not None
    assert newest.state.session is not None
    assert newest.state.session.params["text"] == "하나"
    assert client.calls == ["put_item", "put_item", "query", "get_item"]


def test_an_unchanged_large_state_is_not_written_again(turns: DynamoTurns, client: FaultyClient) -> None:
    turns.append(a_turn("unchanged", state=a_large_state("둘")))
    first = turns.newest("bot", "unchanged")
    client.calls.clear()

    turns.append(a_turn("unchanged", 2, state=a_large_state("둘")), first)

    assert client.calls == ["put_item"]
    second = turns.newest("bot", "unchanged")
    assert second is not None
    assert second.state.session is not None
    assert second.state.session.params["text"] == "둘"


def test_a_turn_that_no_row_can_hold_is_refused_before_it_is_sent(turns: DynamoTurns, client: FaultyClient) -> None:
    noise = "".join(random.Random(1).choices([chr(0xAC00 + index) for index in range(11172)], k=300_000))
    huge = [{"id": "m", "data": {"type": "text", "text": noise}, "meta": None}]

    with pytest.raises(TurnTooLarge):
        turns.append(a_turn("huge", messages=huge, state=NO_STATE))

    assert client.calls == []


# ---- what was said


def numbers(turns: DynamoTurns, log: str, **asked: Any) -> list[int]:
    return [turn.revision for turn in turns.said("bot", log, **asked)]


def test_what_was_said_is_read_in_either_order_and_without_the_states(turns: DynamoTurns, client: FaultyClient) -> None:
    noise = "".join(random.Random(1).choices("가나다라마바사아자차카타파하", k=20_000))
    state = LogState(session=Session(conversation_id="c", created_at_ms=NOW_MS, params={"noise": noise}))
    for revision in range(1, 6):
        messages = [{"id": f"m{revision}", "data": {"type": "text", "text": "안녕"}, "meta": None}]
        turns.append(a_turn("said", revision, state=state, messages=messages))
    client.calls.clear()

    newest = turns.said("bot", "said", first=2, last=4, limit=2)

    assert client.calls == ["query"]
    assert [(turn.revision, turn.messages[0]["id"]) for turn in newest] == [(4, "m4"), (3, "m3")]
    assert numbers(turns, "said", first=2, last=4, limit=2, newest_first=False) == [2, 3]
    assert numbers(turns, "said", first=1, last=9_999_999_999, limit=100) == [5, 4, 3, 2, 1]
    assert numbers(turns, "said", first=6, last=9, limit=100) == []
    assert numbers(turns, "nobody", first=1, last=9, limit=100) == []
