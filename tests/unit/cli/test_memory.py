"""The log of a conversation without a cloud keeps the same promises as the tables."""

import pytest

from infra.cli.memory import MemoryTurns
from shared.conversation.turn import NO_STATE, Turn, TurnConflict


def turn(revision: int, commit: str = "c") -> Turn:
    return Turn(bot_id="b", log="l", revision=revision, commit=commit, at_ms=0, state=NO_STATE)


def test_the_newest_turn_is_the_last_one_appended() -> None:
    turns = MemoryTurns()
    turns.append(turn(1))
    turns.append(turn(2))
    assert turns.newest("b", "l") == turn(2)


def test_an_earlier_turn_is_found_by_its_revision() -> None:
    turns = MemoryTurns()
    turns.append(turn(1))
    turns.append(turn(2))
    assert turns.get("b", "l", 1) == turn(1)
    assert turns.get("b", "l", 3) is None


def test_logs_are_apart() -> None:
    turns = MemoryTurns()
    turns.append(turn(1))
    assert turns.newest("b", "other") is None


def test_a_revision_that_is_taken_is_refused_with_its_winner() -> None:
    turns = MemoryTurns()
    turns.append(turn(1, "winner"))
    with pytest.raises(TurnConflict) as caught:
        turns.append(turn(1, "loser"))
    assert caught.value.winner.commit == "winner"
