"""What a turn tells (docs/events.md) and what fits into one."""

from typing import Any

import pytest

from shared.bot.model import Bot
from shared.conversation.turn import Turn
from shared.engine import Attempt, Effect, HttpResponse
from shared.engine.inbound import AgentJoined, AgentMessage, Inbound, Opened, StartAt, UserMessage
from shared.engine.session import JsonObject
from shared.services.inbound import HandleInbound
from shared.services.request import Handled, Request
from tests.factories import NOW_MS, a_bot, a_handle_inbound, a_node, a_response
from tests.fakes import MemoryTurns

ERROR = "요청을 처리하는 중에 오류가 발생했습니다. 잠시 후 다시 시도해 주세요."


def tell(handle: HandleInbound, bot: Bot, what: str | Inbound, **more: Any) -> Handled:
    inbound = UserMessage(data={"type": "text", "text": what}) if isinstance(what, str) else what
    return handle(Request(bot=bot, platform="web", user_key="user", inbound=inbound, **more))


def of(turn: Turn, event: str) -> JsonObject:
    """The data of the one event of this name."""
    (data,) = [found["data"] for found in turn.events if found["event"] == f"bot.{event}"]
    return dict(data)


def names(turn: Turn) -> list[str]:
    return [event["event"].removeprefix("bot.") for event in turn.events]


TALKING = a_bot(
    nodes=[
        a_node(1, "entry", {}, 2),
        a_response(2, "네", 3),
        a_node(3, "keyboard", {}, (4, {"message": "이름"}), (5, {"message": "부탁"}), 2),
        a_node(4, "parameter", {"set": [{"key": "name", "value": "지은"}]}, 2),
        a_node(5, "manual", {}),
    ],
    sessionBehavior={"sessionTimeoutMinutes": 1},
)


# ---- end users


def test_the_last_message_of_somebody_whom_nobody_answers_is_their_own() -> None:
    handle = a_handle_inbound()
    tell(handle, TALKING, Opened())
    tell(handle, TALKING, AgentJoined(agent={"id": "a"}))
    turn = tell(handle, TALKING, "여보세요", params={"kakao:appUserId": "7"}).turn
    assert names(turn) == ["message.received", "conversation.updated", "end_user.updated"]
    assert of(turn, "end_user.updated")["endUser"]["lastMessageId"] == of(turn, "message.received")["message"]["id"]


def test_a_renewed_conversation_tells_that_the_parameters_are_gone() -> None:
    clock = [NOW_MS]
    handle = a_handle_inbound(now_ms=lambda: clock[0])
    tell(handle, TALKING, Opened())
    tell(handle, TALKING, "이름")
    clock[0] += 10**6
    turn = tell(handle, TALKING, "다시 왔어요").turn
    assert names(turn)[:2] == ["conversation.deleted", "conversation.created"]
    assert of(turn, "end_user.updated")["endUser"]["params"] == {}


def test_a_renewed_conversation_with_the_same_parameters_changes_nothing_of_the_person() -> None:
    clock = [NOW_MS]
    handle = a_handle_inbound(now_ms=lambda: clock[0])
    known = {"kakao:appUserId": "7"}
    tell(handle, TALKING, Opened(), params=known)
    clock[0] += 10**6
    assert "end_user.updated" not in names(tell(handle, TALKING, "다시 왔어요", params=known).turn)


# ---- agents


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ({"id": "a"}, {"id": "a", "profile": {"displayName": None, "picture": None}}),
        (
            {"id": "a", "email": "a@example.com", "profile": {"displayName": "한별", "phone": "010"}},
            {"id": "a", "profile": {"displayName": "한별", "picture": None}},
        ),
    ],
)
def test_an_agent_is_told_of_with_id_and_profile_and_nothing_else(agent: JsonObject, told: JsonObject) -> None:
    handle = a_handle_inbound()
    tell(handle, TALKING, Opened())
    assert (
        of(tell(handle, TALKING, AgentJoined(agent=agent)).turn, "conversation.agent_call_connected")["agent"] == told
    )


def test_a_call_is_requested_connected_and_paired_by_its_manual_status() -> None:
    handle = a_handle_inbound()
    tell(handle, TALKING, Opened())
    asked = of(tell(handle, TALKING, "부탁").turn, "conversation.agent_call_requested")
    assert asked["conversation"]["context"]["manual"] == {"status": "REQUESTED"}
    assert "agent" not in asked
    spoken = tell(handle, TALKING, AgentMessage(data={"type": "text", "text": "네"}, agent={"id": "a"})).turn
    connected = of(spoken, "conversation.agent_call_connected")
    assert connected["conversation"]["context"]["manual"] == {"status": "CONNECTED"}


# ---- masks


def test_masked_text_in_custom_meta_leaves_as_stars() -> None:
    data = {"message": {"text": "네"}, "meta": {"custom": {"phone": '{{MASK("010-1234-5678")}}'}}}
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "response", data)])
    turn = tell(a_handle_inbound(), bot, Opened()).turn
    assert turn.messages[0]["meta"] == {"custom": {"phone": "010-1234-5678"}}
    assert of(turn, "message.sent")["message"]["meta"] == {"custom": {"phone": "***"}}


# ---- size


def a_wordy_bot(**system: str) -> Bot:
    """Sends a hundred times sixty thousand characters, which pack well."""
    start = [a_node(1, "entry", {}, 2), a_response(2, "?", 3), a_node(3, "keyboard", {}, 4)]
    return a_bot(nodes=[*start, *(a_response(n, "ㅋ" * 20_000, n + 1) for n in range(4, 99))], systemMessage=system)


def test_a_turn_that_could_not_be_read_again_is_never_written() -> None:
    turns = MemoryTurns()
    handle = a_handle_inbound(turns)
    tell(handle, a_wordy_bot(), Opened())
    answer = tell(handle, a_wordy_bot(), "더").turn
    assert [message["data"]["text"] for message in answer.messages] == [ERROR]
    assert tell(handle, a_wordy_bot(), StartAt(flow_id=1)).turn.revision == 3


@pytest.mark.parametrize(("authors", "said"), [("앗, 너무 길어요", "앗, 너무 길어요"), ("앗 {{message}}", ERROR)])
def test_an_answer_that_does_not_fit_is_the_authors_error_message(authors: str, said: str) -> None:
    handle = a_handle_inbound()
    bot = a_wordy_bot(error=authors)
    tell(handle, bot, Opened())
    assert [message["data"]["text"] for message in tell(handle, bot, "더").turn.messages] == [said]
    assert tell(handle, bot, "또").keyboard is not None


# ---- the trace


def test_the_time_that_a_request_takes_is_in_the_trace_of_its_node() -> None:
    clock = [0]

    def slow(_effect: Effect, _attempt: Attempt) -> HttpResponse:
        clock[0] += 700_000_000
        return HttpResponse(status=200, url="", content_type="", body=b"{}")

    nodes = [a_node(1, "entry", {}, 2), a_node(2, "fetch", {"uri": "https://example.com"}, 3), a_response(3, "네")]
    handle = a_handle_inbound(effects=slow, clock_ns=lambda: clock[0])
    trace = [entry.to_json() for entry in tell(handle, a_bot(nodes=nodes), Opened()).trace]
    assert [(entry["type"], entry["ms"]) for entry in trace] == [
        ("entry", 0),
        ("fetch", 0),
        ("fetch", 700),
        ("response", 0),
    ]
