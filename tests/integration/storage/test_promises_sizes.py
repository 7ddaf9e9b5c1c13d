"""What does not fit is refused while it can still be answered otherwise; what is written can be read back."""

import random
from typing import Any

import pytest

from shared.conversation.turn import LogState, TurnTooLarge
from shared.engine.session import Session
from shared.storage import turn_codec
from shared.storage.turns import DynamoTurns
from tests.factories import NOW_MS
from tests.integration.storage.faults import FaultyClient
from tests.integration.storage.test_turns import a_turn

HANGUL = [chr(0xAC00 + index) for index in range(11172)]


def messages(text: str) -> list[dict[str, Any]]:
    return [{"id": "m", "data": {"type": "text", "text": text}, "meta": None}]


def test_a_body_that_could_not_be_read_back_is_not_written(turns: DynamoTurns, client: FaultyClient) -> None:
    with pytest.raises(TurnTooLarge):
        turns.append(a_turn("blank", messages=messages(" " * turn_codec.MAX_BODY_BYTES)))
    assert client.calls == []


def test_the_longest_body_that_is_written_is_read_back(turns: DynamoTurns) -> None:
    text = " " * (turn_codec.MAX_BODY_BYTES - 1_000)  # room for the rest of the turn
    turns.append(a_turn("longest", messages=messages(text)))
    newest = turns.newest("bot", "longest")
    assert newest is not None
    assert newest.messages[0]["data"]["text"] == text


def test_a_state_that_no_row_can_hold_is_refused_before_it_is_sent(turns: DynamoTurns, client: FaultyClient) -> None:
    noise = "".join(random.Random(1).choices(HANGUL, k=300_000))
    state = LogState(session=Session(conversation_id="c", created_at_ms=NOW_MS, params={"noise": noise}))
    with pytest.raises(TurnTooLarge):
        turns.append(a_turn("noise", state=state))
    assert client.calls == []
