"""Never a late answer: whatever hangs, a skill call is answered before KakaoTalk gives up."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from shared.aws import BoundedClient
from shared.conversation.turn import Turn
from shared.runtime import wiring, world
from shared.services.authoring import Authoring
from tests.factories import a_node, a_response
from tests.fakes import MemoryTurns
from tests.integration.conftest import forget_wiring
from tests.integration.phones import Caller, a_caller
from tests.loopback_server import LoopbackConnection, LoopbackServer, RecordedRequest

ERROR = "오류가 발생했습니다. 잠시 후 다시 시도해 주세요."
"""What is said while not even the bot is known."""
WAITING = "답변을 준비하고 있습니다. 잠시만 기다려 주세요."
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


# ---- a company's system that hangs


class Hanging:
    """A script that says nothing, and tells when the client has given up."""

    def __init__(self) -> None:
        self.was_left = Event()

    def __call__(self, connection: LoopbackConnection, _request: RecordedRequest) -> None:
        connection.hang()
        self.was_left.set()


PATIENCE_SECONDS = 30
"""For a test that fails; one that passes waits for what it names."""


def a_company_bot(authoring: Authoring, server: LoopbackServer, *, calls: int) -> Caller:
    """Calls the company's system and says what came of each call; the failure branch is an edge of its own."""
    nodes: list[dict[str, Any]] = [a_node(1, "entry", {}, 10)]
    for number in range(1, calls + 1):
        call, good, bad, following = number * 10, number * 10 + 1, number * 10 + 2, number * 10 + 10
        worked, failed = {"fetch.status": {"equals": "COMPLETED"}}, {"fetch.status": {"equals": "FAILED"}}
        nodes += [
            a_node(
                call,
                "fetch",
                {"uri": f"http://127.0.0.1:{server.port}/{number}", "method": "POST", "timeout": 60_000},
                (good, worked),
                (bad, failed),
            ),
            a_response(good, "주문했어요", following),
            a_response(bad, "{{fetch.error.name}}", following),
        ]
    nodes.append(a_node(calls * 10 + 10, "keyboard", {}, 10))
    document = {"title": "봇", "flows": [{"id": 1, "nodes": nodes}], "preference": {"entryFlowId": 1}}
    caller = a_caller(authoring, document)
    wiring.reach_local_targets(frozenset({("127.0.0.1", server.port)}))
    return caller


class PunctualTurns(MemoryTurns):
    """A log that costs no time, so that only the company's system does; `left_ms` tells when turns were written."""

    def __init__(self) -> None:
        super().__init__()
        self.left_ms: list[float] = []

    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        assert deadline_ns is not None
        self.left_ms.append((deadline_ns - world.clock_ns()) / NANOSECONDS_A_MILLISECOND)
        super().append(turn, previous, deadline_ns)


@pytest.fixture
def turns(authoring: Authoring, monkeypatch: pytest.MonkeyPatch) -> Iterator[PunctualTurns]:
    memory = PunctualTurns()
    monkeypatch.setattr(wiring, "turns", lambda: memory)
    yield memory
    monkeypatch.undo()
    wiring.reach_local_targets(frozenset())


def warmed_up(caller: Caller) -> Caller:
    """What is left of the time is the walk's alone."""
    record = wiring.published_bots().get(caller.bot_id)
    assert record is not None
    assert record.published is not None
    wiring.runnable_bots().load(record, record.published)
    wiring.handle_skill_call()
    return caller


def test_a_hanging_company_system_is_given_up_in_time_for_the_answer_and_its_turn(
    authoring: Authoring, turns: PunctualTurns
) -> None:
    script = Hanging()
    with LoopbackServer(script) as server:
        caller = warmed_up(a_company_bot(authoring, server, calls=1))
        assert caller.say("주문", spent_ms=3_000) == ["TimeoutError"]
        assert script.was_left.wait(PATIENCE_SECONDS)
        assert [request.path for request in server.requests] == ["/1"]
    assert len(turns.left_ms) == 2, "saved before the call, and ended after it"
    assert min(turns.left_ms) > 0


def test_when_one_call_has_used_up_the_time_the_next_is_left_to_the_worker(
    authoring: Authoring, turns: PunctualTurns
) -> None:
    with LoopbackServer(Hanging()) as server:
        caller = warmed_up(a_company_bot(authoring, server, calls=3))
        assert caller.say("주문", spent_ms=3_000) == [WAITING]
        assert [request.path for request in server.requests] == ["/1"]
    assert min(turns.left_ms) > 0


def test_a_company_system_is_not_called_when_hardly_any_time_is_left(
    authoring: Authoring, turns: PunctualTurns
) -> None:
    with LoopbackServer(Hanging()) as server:
        caller = warmed_up(a_company_bot(authoring, server, calls=1))
        assert caller.say("주문", spent_ms=3_700) == [WAITING]
        assert server.connections == 0
    assert len(turns.left_ms) == 1
