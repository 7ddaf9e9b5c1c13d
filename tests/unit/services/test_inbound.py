"""One inbound event, one turn: resends, races, effects carried out once, and the events of each turn."""

from typing import Any

import pytest

from shared.conversation.turn import RECENT_CLIENT_IDS, Turn, TurnTooLarge
from shared.engine import HttpResponse
from shared.engine.inbound import AgentMessage, Opened, StartAt, UserMessage
from shared.errors import Conflict, Unavailable
from shared.ids import end_user_id, event_id, log_key
from shared.services.advance import RACES
from shared.services.request import Request
from tests.factories import a_bot, a_handle_inbound, a_node, a_response
from tests.fakes import MemoryTurns, ScriptedEffects

ECHO = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, "들었어요: {{message}}", 3), a_node(3, "keyboard", {}, 2)])
LOG = log_key("web", "user")


def a_request(text: str = "안녕", bot: Any = ECHO, **more: Any) -> Request:
    data = {"type": "text", "text": text}
    return Request(**{"bot": bot, "platform": "web", "user_key": "user", "inbound": UserMessage(data=data), **more})


def said(turn: Turn) -> list[str]:
    return [message["data"]["text"] for message in turn.messages]


def test_each_message_is_one_turn() -> None:
    turns = MemoryTurns()
    handle = a_handle_inbound(turns)
    handle(a_request("하나"))
    second = handle(a_request("둘")).turn
    assert second.revision == 2
    assert said(second) == ["들었어요: 둘"]
    assert [turn.inbound["data"]["text"] for turn in turns.log("bot", LOG) if turn.inbound] == ["하나", "둘"]


def test_what_a_tap_on_a_goto_button_said_is_in_the_turn() -> None:
    tap = {"type": "text", "text": "처음으로"}
    turn = a_handle_inbound()(a_request(inbound=StartAt(flow_id=1, message=tap))).turn
    assert turn.inbound is not None
    assert turn.inbound["data"] == tap


def test_a_resend_gets_the_stored_answer_and_writes_nothing() -> None:
    turns = MemoryTurns()
    handle = a_handle_inbound(turns)
    first = handle(a_request("하나", client_id="id-1"))
    handle(a_request("둘", client_id="id-2"))
    again = handle(a_request("하나", client_id="id-1"))
    assert again.is_resend
    assert again.turn.messages == first.turn.messages
    assert len(turns.rows) == 2


def test_a_resend_after_more_newer_messages_than_a_log_remembers_counts_as_new() -> None:
    turns = MemoryTurns()
    handle = a_handle_inbound(turns)
    for number in range(RECENT_CLIENT_IDS + 1):
        handle(a_request(str(number), client_id=f"id-{number}"))
    assert handle(a_request("1", client_id="id-1")).is_resend
    assert not handle(a_request("0", client_id="id-0")).is_resend


def test_the_same_words_without_a_client_id_are_meant_twice() -> None:
    turns = MemoryTurns()
    handle = a_handle_inbound(turns)
    handle(a_request("다음"))
    handle(a_request("다음"))
    assert len(turns.rows) == 2


def faster(turns: MemoryTurns, *texts: str) -> None:
    """Other messages slip in between the next reads and writes."""
    waiting = list(texts)
    rival = a_handle_inbound(turns, new_id=iter([f"00000000-0000-4000-9000-{n:012d}" for n in range(99)]).__next__)

    def slip_in(turn: Turn) -> None:
        if waiting:
            text = waiting.pop(0)
            hook, turns.before_append = turns.before_append, lambda turn: None
            rival(a_request(text))
            turns.before_append = hook

    turns.before_append = slip_in


def test_a_lost_race_runs_again_on_the_winners_state() -> None:
    turns = MemoryTurns()
    a_handle_inbound(turns)(a_request("처음"))
    faster(turns, "빠른 사람")
    turn = a_handle_inbound(turns, new_id=iter([f"00000000-0000-4000-a000-{n:012d}" for n in range(99)]).__next__)(
        a_request("느린 사람")
    ).turn
    assert turn.revision == 3
    assert said(turn) == ["들었어요: 느린 사람"]


def test_who_loses_every_race_is_told_so() -> None:
    turns = MemoryTurns()
    faster(turns, *"가나다라마바사")
    with pytest.raises(Conflict):
        a_handle_inbound(turns)(a_request("느린 사람"))
    assert len(turns.rows) == RACES


def a_fetch_bot() -> Any:
    return a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "fetch", {"uri": "https://api.example.com", "method": "POST", "body": "{{message}}"}, 3),
            a_response(3, "{{fetch.data}}", 4),
            a_node(4, "keyboard", {}, 2),
        ]
    )


def an_answer(text: str) -> HttpResponse:
    return HttpResponse(status=200, url="", content_type="text/plain", body=text.encode())


def test_a_lost_race_does_not_call_the_companys_system_again() -> None:
    turns = MemoryTurns()
    bot = a_fetch_bot()
    effects = ScriptedEffects([an_answer("한 번만")])
    faster(turns, "빠른 사람")
    turn = a_handle_inbound(turns, effects)(a_request(bot=bot)).turn
    assert said(turn) == ["한 번만"]
    assert len(effects.asked) == 1


def test_a_flow_that_calls_twice_calls_twice() -> None:
    node = {"uri": "https://api.example.com", "method": "POST"}
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "fetch", node, 3),
            a_response(3, "{{fetch.data}}", 4),
            a_node(4, "fetch", node, 5),
            a_response(5, "{{fetch.data}}"),
        ]
    )
    effects = ScriptedEffects([an_answer("하나"), an_answer("둘")])
    assert said(a_handle_inbound(effects=effects)(a_request(bot=bot)).turn) == ["하나", "둘"]


class LosingTurns(MemoryTurns):
    """Puts that happen, but whose outcome nobody learns."""

    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        super().append(turn, previous, deadline_ns)
        raise Unavailable("no answer")


def test_a_write_whose_outcome_is_unknown_is_looked_up() -> None:
    turns = LosingTurns()
    assert said(a_handle_inbound(turns)(a_request()).turn) == ["들었어요: 안녕"]
    assert len(turns.rows) == 1


class DeadTurns(MemoryTurns):
    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        raise Unavailable("no answer")


def test_a_write_that_did_not_happen_is_the_callers_to_know() -> None:
    with pytest.raises(Unavailable):
        a_handle_inbound(DeadTurns())(a_request())


# ---- events


def events(turn: Turn) -> list[str]:
    return [event["event"] for event in turn.events]


def test_first_contact_tells_of_the_person_the_conversation_and_the_messages() -> None:
    turn = a_handle_inbound()(a_request()).turn
    assert events(turn) == [
        "bot.end_user.created",
        "bot.conversation.created",
        "bot.message.received",
        "bot.message.sent",
        "bot.conversation.updated",
    ]


def test_an_event_is_complete_and_its_id_follows_from_the_turn() -> None:
    turn = a_handle_inbound()(a_request()).turn
    person = end_user_id("bot", "web", "user")
    received = turn.events[2]
    message = received["data"]["message"]
    assert received == {
        "id": event_id(turn.commit, 2),
        "event": "bot.message.received",
        "sourceType": "bot",
        "sourceId": "bot",
        "timestamp": turn.at_ms,
        "sequence": 3,
        "data": {
            "message": {
                "id": message["id"],
                "endUserId": person,
                "conversationId": turn.state.session.conversation_id if turn.state.session else None,
                "isUser": True,
                "meta": None,
                "data": {"type": "text", "text": "안녕"},
                "timestamp": turn.at_ms,
                "requestId": message["id"],
            }
        },
    }
    created = turn.events[1]["data"]["conversation"]
    assert created["navigation"] == {}
    assert created["context"]["navigation"] == {}
    updated = turn.events[4]["data"]["conversation"]
    assert updated["navigation"]["current"] == {"flowId": 1, "nodeId": 3, "visitCount": 1}
    assert turn.events[0]["data"]["endUser"]["deletedAt"] is None


def test_bot_messages_carry_no_request_id_and_agents_do() -> None:
    handle = a_handle_inbound()
    first = handle(a_request()).turn
    assert "requestId" not in first.events[3]["data"]["message"]
    agent = {"id": "U1", "profile": {"displayName": "한별", "picture": None}}
    spoken = handle(a_request(inbound=AgentMessage(data={"type": "text", "text": "네"}, agent=agent))).turn
    sent = next(event for event in spoken.events if event["event"] == "bot.message.sent")["data"]["message"]
    assert sent["requestId"] == sent["id"]
    assert sent["meta"] == {
        "sender": {"userKey": "U1", "platform": "closer-chat"},
        "persona": {"id": "U1", "displayName": "한별", "picture": None},
    }
    assert sent["persona"] == sent["meta"]["persona"]
    assert "persona" not in first.events[3]["data"]["message"]
    assert "bot.conversation.agent_call_connected" in events(spoken)


def test_the_sequence_has_no_gaps_across_turns() -> None:
    turns = MemoryTurns()
    handle = a_handle_inbound(turns)
    for text in ("하나", "둘", "셋"):
        handle(a_request(text))
    numbers = [event["sequence"] for turn in turns.log("bot", LOG) for event in turn.events]
    assert numbers == list(range(1, len(numbers) + 1))


def test_changed_parameters_update_the_person() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "keyboard", {}, 3),
            a_node(3, "parameter", {"set": [{"key": "name", "value": "{{message}}"}]}, 4),
            a_response(4, "네"),
        ]
    )
    handle = a_handle_inbound()
    handle(a_request(bot=bot, inbound=Opened()))
    turn = handle(a_request("지은", bot=bot)).turn
    assert events(turn)[-1] == "bot.end_user.updated"
    assert turn.events[-1]["data"]["endUser"]["params"] == {"name": "지은"}


def test_masked_text_is_clear_for_the_end_user_and_stars_for_everybody_else() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, '{{MASK(message)}} / {{MASK(message, "10m")}}')])
    turn = a_handle_inbound()(a_request("010-1234-5678", bot=bot)).turn
    assert said(turn) == ["010-1234-5678 / 010-1234-5678"]
    sent = next(event for event in turn.events if event["event"] == "bot.message.sent")
    assert sent["data"]["message"]["data"]["text"] == "*** / 010-1234-5678"
    assert [mask["until"] for mask in turn.messages[0]["masks"]] == [None, turn.at_ms + 600_000]


def test_what_the_channel_knows_of_the_person_joins_the_parameters() -> None:
    turn = a_handle_inbound()(a_request(params={"kakao:appUserId": "77"})).turn
    assert turn.state.session is not None
    assert turn.state.session.params == {"kakao:appUserId": "77"}


def test_an_answer_too_large_for_the_log_becomes_the_error_message() -> None:
    class SmallTurns(MemoryTurns):
        def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
            if any(len(message["data"]["text"]) > 1_000 for message in turn.messages):
                raise TurnTooLarge("too large")
            super().append(turn, previous, deadline_ns)

    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, "x" * 2_000)])
    turn = a_handle_inbound(SmallTurns())(a_request(bot=bot)).turn
    assert said(turn) == ["요청을 처리하는 중에 오류가 발생했습니다. 잠시 후 다시 시도해 주세요."]
