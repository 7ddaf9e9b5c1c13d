"""The web chat on the stack's tables: what a turn costs, and the rows of sockets."""

import json
from typing import Any

import pytest

from shared import aws
from shared.channels.web.tokens import Claims
from shared.runtime import wiring, world
from shared.services.authoring import Authoring
from shared.storage.connections import LIFETIME_S, DynamoConnections
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.webchat.conftest import a_web_bot


@pytest.fixture
def claims(authoring: Authoring) -> Claims:
    return Claims.fresh(a_web_bot(), "kim", world.now_ms() // 1_000)


@pytest.fixture
def aws_calls(claims: Claims) -> list[str]:
    """Every call that the function makes to AWS from now on, by whatever client."""
    forget_wiring()
    calls: list[str] = []
    aws.session().register("before-call.*.*", lambda **call: calls.append(call["model"].name))
    send(claims, {"type": "start"})
    calls.clear()
    return calls


def send(claims: Claims, frame: dict[str, Any]) -> dict[str, Any]:
    return wiring.web_chat().handle(claims, json.dumps(frame), world.clock_ns() + 10_000_000_000)


def test_a_web_turn_is_at_most_three_calls(claims: Claims, aws_calls: list[str]) -> None:
    frame = {"type": "message", "clientId": "1", "data": {"text": "장미"}}
    assert send(claims, frame)["type"] == "messages"
    assert [name for name in aws_calls if name != "UpdateItem"] == ["Query", "PutItem"]
    assert len(aws_calls) <= 3, "the third counts who is fast"
    aws_calls.clear()
    assert send(claims, frame)["rev"] == 2
    assert aws_calls == ["Query"], "a resend is answered from the log"


@pytest.mark.parametrize(
    ("frame", "calls"),
    [
        ({"type": "start"}, ["Query", "Query"]),
        ({"type": "sync", "rev": 0}, ["Query"]),
        ({"type": "ping"}, ["Query"]),
        ({"type": "read", "rev": 1}, []),
        ({"type": "typing"}, ["Query"]),
        ({"type": "shout"}, []),
    ],
)
def test_what_other_frames_cost(claims: Claims, aws_calls: list[str], frame: dict[str, Any], calls: list[str]) -> None:
    send(claims, frame)
    assert aws_calls == calls


def test_rows_of_sockets_expire_and_expired_ones_are_not_read(stack: Stack) -> None:
    now = [1_000_000_000_000]
    connections = DynamoConnections(stack.environment["MALGIL_CORE_TABLE"], lambda: now[0])
    connections.add("bot", "log", "first=")
    now[0] += 60_000
    connections.add("bot", "log", "second=")
    assert connections.of("bot", "log") == ["second=", "first="]
    assert connections.of("bot", "other") == []
    now[0] += LIFETIME_S * 1_000 - 60_000
    assert connections.of("bot", "log") == ["second="]
    connections.end("second=")
    connections.end("second=")
    assert connections.of("bot", "log") == []
