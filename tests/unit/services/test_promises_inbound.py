"""What holds for one inbound event whatever storage and bots do to it."""

import copy
from collections.abc import Callable

from shared.conversation.turn import Turn
from shared.engine import HttpResponse
from shared.errors import Unavailable
from shared.ids import log_key
from shared.services.request import Request
from tests.factories import a_bot, a_handle_inbound, a_node, a_response
from tests.fakes import MemoryTurns, ScriptedEffects
from tests.unit.services.test_inbound import ECHO, a_request, said

LOG = log_key("web", "user")


def other_ids(start: int) -> list[str]:
    return [f"00000000-0000-4000-{start}-{number:012d}" for number in range(99)]


class Lossy(MemoryTurns):
    """The first append's answer is lost; `then` happens before anybody looks for it."""

    def __init__(self, *, arrives: bool) -> None:
        super().__init__()
        self.arrives = arrives
        self.is_first = True
        self.then: Callable[[], object] = lambda: None

    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        if not self.is_first:
            return super().append(turn, previous, deadline_ns)
        self.is_first = False
        if self.arrives:
            super().append(turn, previous, deadline_ns)
        self.then()
        raise Unavailable("no answer")


def test_a_turn_whose_answer_was_lost_is_found_under_a_newer_one() -> None:
    turns = Lossy(arrives=True)
    rival = a_handle_inbound(turns, new_id=iter(other_ids(9000)).__next__)
    turns.then = lambda: rival(a_request("빠른 사람"))
    turn = a_handle_inbound(turns)(a_request("느린 사람")).turn
    assert (turn.revision, said(turn)) == (1, ["들었어요: 느린 사람"])
    assert len(turns.rows) == 2


def test_when_a_lost_put_never_arrived_and_somebody_else_was_faster_the_message_runs_again() -> None:
    turns = Lossy(arrives=False)
    rival = a_handle_inbound(turns, new_id=iter(other_ids(9000)).__next__)
    turns.then = lambda: rival(a_request("빠른 사람"))
    turn = a_handle_inbound(turns)(a_request("느린 사람")).turn
    assert (turn.revision, said(turn)) == (2, ["들었어요: 느린 사람"])


def test_a_turn_that_the_caller_has_just_read_is_not_read_again() -> None:
    turns = MemoryTurns()
    handle = a_handle_inbound(turns)
    newest = handle(a_request("하나")).turn
    turns.newest = None  # type: ignore[method-assign, assignment]
    assert handle(a_request("둘"), newest).turn.revision == 2


def test_an_outdated_turn_from_the_caller_costs_a_race_and_no_message() -> None:
    turns = MemoryTurns()
    handle = a_handle_inbound(turns)
    outdated = handle(a_request("하나")).turn
    handle(a_request("둘"))
    turn = handle(a_request("셋"), outdated).turn
    assert (turn.revision, said(turn)) == (3, ["들었어요: 셋"])


def test_walking_never_changes_the_bot_that_all_conversations_share() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "parameter", {"type": "set", "set": [{"key": "seen", "value": {"list": [1, {"x": 2}]}}]}, 3),
            a_response(3, "{{MASK(message)}} {{params.seen.list}}", 4),
            a_node(4, "fetch", {"uri": "https://api.example.com", "method": "POST", "body": {"a": ["{{message}}"]}}, 5),
            a_node(5, "response", {"message": {"type": "cards", "cards": [{"title": "{{fetch.data}}"}]}}, 6),
            a_node(
                6, "keyboard", {"keyboard": {"type": "buttons", "buttons": [{"type": "postback", "label": "다음"}]}}, 2
            ),
        ]
    )
    before = copy.deepcopy(bot.content)
    answer = HttpResponse(status=200, url="", content_type="text/plain", body=b"ok")
    handle = a_handle_inbound(effects=ScriptedEffects([answer] * 3))
    for text in ("안녕", "다음", "셋"):
        handle(a_request(text, bot=bot))
    assert bot.content == before


def test_two_people_of_one_bot_share_no_state() -> None:
    turns = MemoryTurns()
    handle = a_handle_inbound(turns)
    handle(a_request("하나"))
    other = Request(bot=ECHO, platform="web", user_key="other", inbound=a_request("나는 처음").inbound)
    assert handle(other).turn.revision == 1
