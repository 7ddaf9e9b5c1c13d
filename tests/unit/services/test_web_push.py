"""Telling sockets of turns: who is told what, and that nothing can hold up events."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.channels.web.frames import MAX_FRAME, frame_bytes
from shared.channels.web.streamed import StreamedWebTurn
from shared.conversation.turn import Turn
from shared.engine.inbound import AgentJoined, AgentMessage
from shared.errors import InvalidInput
from shared.services.web_push import MAX_SOCKETS, PushTurns
from shared.usage.calendar import SEOUL
from tests.web_world import WebWorld, texts


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> WebWorld:
    world = WebWorld(monkeypatch)
    world.send({"type": "start"})
    return world


def push(world: WebWorld, turns: Sequence[Turn | None], *, is_apart: bool = False, now_ns: int = 0) -> None:
    """The relay has published these turns; None is one of another channel."""

    def read(record: dict[str, Any]) -> StreamedWebTurn | None:
        turn = record["turn"]
        if turn is None:
            return None
        kept = None if is_apart else turn
        return StreamedWebTurn(bot_id=turn.bot_id, log=turn.log, revision=turn.revision, turn=kept)

    PushTurns(
        read=read,
        turns=world.turns,
        published=world.published,
        to_sockets=world.push,
        calendar=SEOUL,
        now_ms=world.now_ms,
        clock_ns=lambda: now_ns,
    )([{"turn": turn} for turn in turns])


@pytest.mark.parametrize("is_apart", [False, True])
def test_every_socket_of_a_log_is_told_its_turns_in_order(world: WebWorld, is_apart: bool) -> None:
    sockets = [world.sockets.connect(world.token(), name) for name in ("a", "b")]
    stranger = world.sockets.connect(world.token("lee"), "c")
    world.say("하나")
    world.say("둘")
    push(world, world.log()[1:], is_apart=is_apart)
    for socket in sockets:
        frames = world.sockets.sent[socket]
        assert [(frame["type"], frame["rev"], frame["since"]) for frame in frames] == [
            ("messages", 2, 1),
            ("messages", 3, 2),
        ]
        assert texts(frames[1]) == ["> 둘", "들었어요: 둘"]
        assert "clientId" not in frames[1]
    assert world.sockets.sent[stranger] == []


def test_other_channels_are_not_looked_up(world: WebWorld) -> None:
    push(world, [None, None])
    assert world.sockets.looked_up == []


def test_a_log_without_sockets_is_looked_up_once_and_nothing_else_is_read(world: WebWorld) -> None:
    world.say("하나")
    turns = world.log()
    world.turns.get = None  # type: ignore[method-assign, assignment]
    push(world, turns, is_apart=True)
    assert len(world.sockets.looked_up) == 1
    assert world.reports == []


def test_a_changed_call_for_an_agent_is_told_after_its_turn(world: WebWorld) -> None:
    socket = world.sockets.connect(world.token(), "a")
    joined = world.from_outside(AgentJoined(agent={"id": "lee"})).turn
    said = world.from_outside(AgentMessage(data={"type": "text", "text": "네"}, agent={"id": "lee"})).turn
    push(world, [joined, said])
    frames = world.sockets.sent[socket]
    assert [frame["type"] for frame in frames] == ["messages", "agent", "messages"]
    assert (frames[1]["state"], frames[1]["agent"]["id"]) == ("in_progress", "lee")


def test_a_dead_socket_loses_its_row_and_a_stuck_one_only_this_batch(world: WebWorld) -> None:
    for name in ("dead", "stuck", "alive"):
        world.sockets.connect(world.token(), name)
    world.sockets.gone, world.sockets.stuck = {"dead"}, {"stuck"}
    world.say("하나")
    push(world, world.log()[1:])
    assert world.sockets.open["shop", world.token().log] == ["stuck", "alive"]
    assert len(world.sockets.sent["alive"]) == 1
    assert len(world.reports) == 1


def test_what_fails_is_reported_and_never_raised(world: WebWorld) -> None:
    world.sockets.fails = True
    push(world, [world.newest()])
    assert len(world.reports) == 1


def test_a_record_that_cannot_be_read_is_passed_over(world: WebWorld) -> None:
    def read(record: dict[str, Any]) -> StreamedWebTurn | None:
        raise InvalidInput("no turn")

    PushTurns(
        read=read,
        turns=world.turns,
        published=world.published,
        to_sockets=world.push,
        calendar=SEOUL,
        now_ms=world.now_ms,
        clock_ns=lambda: 0,
    )([{}])
    assert world.sockets.looked_up == []


def test_only_so_many_sockets_of_a_log_are_told(world: WebWorld) -> None:
    for number in range(MAX_SOCKETS + 5):
        world.sockets.connect(world.token(), str(number))
    push(world, [world.newest()])
    assert sum(bool(frames) for frames in world.sockets.sent.values()) == MAX_SOCKETS


def test_a_pushed_frame_fits(world: WebWorld) -> None:
    socket = world.sockets.connect(world.token(), "a")
    world.ms += 2_000
    world.send({"type": "navigate", "flowId": 4})
    push(world, [world.newest()])
    (frame,) = world.sockets.sent[socket]
    assert len(frame_bytes(frame)) <= MAX_FRAME
    assert any(message.get("tooLarge") for message in frame["messages"])
