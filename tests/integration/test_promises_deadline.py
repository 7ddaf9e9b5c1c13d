"""Never a late answer: whatever hangs, a skill call is answered before KakaoTalk gives up."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.runtime import wiring, world
from shared.services.authoring import Authoring
from shared.storage.aws import BoundedClient
from tests.factories import a_node, a_response
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.phones import Caller, a_caller
from tests.loopback_server import LoopbackServer

ERROR = "오류가 발생했습니다. 잠시 후 다시 시도해 주세요."
"""What is said while not even the bot is known."""
ECHO = {
    "title": "봇",
    "flows": [
        {
            "id": 1,
            "nodes": [
                a_node(1, "entry", {}, 2),
                a_response(2, "들었어요: {{message}}", 3),
                a_node(3, "keyboard", {}, 2),
            ],
        }
    ],
    "preference": {"entryFlowId": 1},
}
NANOSECONDS_A_MILLISECOND = 1_000_000


@pytest.fixture
def authoring(stack: Stack) -> Iterator[Authoring]:
    forget_wiring()
    yield wiring.authoring()
    forget_wiring()


@pytest.fixture
def echo(authoring: Authoring) -> Caller:
    return a_caller(authoring, ECHO)


@pytest.fixture
def hanging() -> Iterator[LoopbackServer]:
    """Accepts, reads the request and says nothing."""
    with LoopbackServer(lambda connection, _request: connection.hang()) as server:
        yield server


def in_a_new_process(patch: pytest.MonkeyPatch, service: str, server: LoopbackServer) -> None:
    """Nothing is in memory, and one of the services hangs."""
    patch.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://127.0.0.1:{server.port}")
    forget_wiring()


@pytest.mark.parametrize("service", ["DYNAMODB", "S3"])
def test_a_cold_call_to_a_hanging_service_is_answered_in_time(
    echo: Caller, hanging: LoopbackServer, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    in_a_new_process(monkeypatch, service, hanging)
    deadline = world.clock_ns() + 4_300 * NANOSECONDS_A_MILLISECOND
    assert echo.say("안녕") == [ERROR]
    assert world.clock_ns() < deadline
    assert len(hanging.requests) == 2


@pytest.mark.parametrize("service", ["DYNAMODB", "S3"])
def test_a_cold_call_whose_time_is_over_waits_for_nobody(
    echo: Caller, hanging: LoopbackServer, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    in_a_new_process(monkeypatch, service, hanging)
    assert echo.say("안녕", spent_ms=4_290) == [ERROR]
    assert hanging.connections == 0


def test_every_read_of_a_cold_call_shares_the_deadline_of_the_step(
    echo: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: dict[str, set[int | None]] = {}
    call = BoundedClient.call

    def spy(client: BoundedClient, operation: str, deadline_ns: int | None, **parameters: Any) -> Any:
        deadlines.setdefault(operation, set()).add(deadline_ns)
        return call(client, operation, deadline_ns, **parameters)

    monkeypatch.setattr(BoundedClient, "call", spy)
    forget_wiring()
    assert echo.say("안녕") == ["들었어요: 안녕"]
    assert set(deadlines) == {"query", "get_object", "put_item"}
    assert len(set.union(*deadlines.values())) == 1
    assert None not in deadlines["query"]
