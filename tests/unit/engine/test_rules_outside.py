"""What is done to a conversation from outside: said as the bot, parameters set, agents called for."""

import pytest

from shared.engine import step
from shared.engine.inbound import (
    AgentJoined,
    AgentMessage,
    BotMessage,
    CallCancelled,
    CallCompleted,
    CallRequested,
    Opened,
    ParametersChanged,
    StartAt,
    UserMessage,
    inbound_from_json,
    inbound_to_json,
)
from shared.engine.session import Session
from shared.engine.walk import PARAMS_LIMIT
from tests.factories import NOW_MS, a_bot, a_node, a_response, surroundings
from tests.unit.engine.test_step import say, talk, texts

GREETING = [
    a_node(1, "entry", {}, 2),
    a_response(2, "안녕하세요 {{params.name}}", 3),
    a_node(3, "keyboard", {"type": "buttons", "buttons": [{"type": "postback", "label": "다음"}]}, 4),
    a_response(4, "다음이에요", 3),
]
CALLING = [
    a_node(1, "entry", {}, 2),
    a_node(2, "manual", {}, 3),
    a_response(3, "취소했어요", 4),
    a_node(4, "keyboard", {}, 3),
]
NEWS = BotMessage(data={"type": "text", "text": "{{params.name}} 새 소식"}, meta={"custom": "a"})


def bot(**behavior):
    flows = [
        {"id": 1, "nodes": GREETING},
        {"id": 2, "nodes": CALLING},
        {"id": 3, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "폴백")]},
    ]
    preference = {"entryFlowId": 1, "fallbackFlowId": 3, "sessionBehavior": behavior}
    return a_bot({"title": "봇", "flows": flows, "preference": preference})


def names(result):
    return [fact.name for fact in result.facts]


# ---- said as the bot


def test_what_is_said_as_the_bot_is_data_and_no_template():
    (message,) = talk(bot(), Opened(), NEWS).messages
    assert message == {
        "data": {"type": "text", "text": "{{params.name}} 새 소식"},
        "meta": {"custom": "a"},
        "position": None,
    }


def test_what_is_said_as_the_bot_leaves_the_end_user_where_they_are():
    before, after = talk(bot(), Opened()), talk(bot(), Opened(), NEWS)
    assert before.session is not None
    assert after.session is not None
    assert after.session.to_json() == before.session.to_json()
    assert after.keyboard == before.keyboard
    assert texts(talk(bot(), Opened(), NEWS, say("다음"))) == ["다음이에요"]


def test_what_is_said_as_the_bot_does_not_end_a_conversation_with_an_agent():
    result = talk(bot(), Opened(), AgentJoined(agent={"id": "a"}), NEWS)
    assert len(result.messages) == 1
    assert result.session is not None
    assert result.session.call["status"] == "in_progress"


@pytest.mark.parametrize("outside", [NEWS, ParametersChanged(params={"name": "지은"})])
def test_somebody_who_was_written_to_first_is_welcomed_when_they_come(outside):
    begun = talk(bot(), outside)
    assert names(begun) == ["conversation.created"]
    assert texts(talk(bot(), outside, Opened()))[0].startswith("안녕하세요")
    assert texts(talk(bot(), outside, say("네")))[0].startswith("안녕하세요")
    assert texts(talk(bot(), outside, say("네"), say("다음"))) == ["다음이에요"]


def test_somebody_who_was_written_to_first_answers_the_first_keyboard_where_the_welcome_is_off():
    silent = bot(welcomeOnMessageWithoutSession=False)
    assert texts(talk(silent, NEWS, say("다음"))) == ["다음이에요"]


def test_somebody_who_was_written_to_first_is_not_welcomed_where_openings_say_nothing():
    assert texts(talk(bot(welcomeOnSessionStart=False), NEWS, Opened())) == []


def test_a_message_to_somebody_whose_conversation_expired_begins_another():
    expiring = bot(sessionTimeoutMinutes=1)
    session = talk(expiring, Opened()).session
    assert session is not None
    later = step(expiring, session, NEWS, surroundings(now_ms=NOW_MS + 60_001, new_conversation_id="new"))
    assert names(later) == ["conversation.deleted", "conversation.created"]
    assert later.session is not None
    assert later.session.conversation_id == "new"


# ---- parameters


def test_parameters_are_set_removed_and_kept():
    result = talk(
        bot(), ParametersChanged(params={"a": 1, "b": 2}), ParametersChanged(params={"a": None, "c": {"d": [3]}})
    )
    assert result.session is not None
    assert result.session.params == {"b": 2, "c": {"d": [3]}}
    assert result.messages == []


def test_parameters_that_would_take_too_much_change_nothing():
    result = talk(bot(), ParametersChanged(params={"a": 1}), ParametersChanged(params={"b": "가" * PARAMS_LIMIT}))
    assert result.session is not None
    assert result.session.params == {"a": 1}
    assert result.messages == []
    assert result.trace[0].error is not None
    assert result.trace[0].error["name"] == "ParametersTooLarge"


# ---- calls


def test_a_call_from_outside_keeps_the_bot_quiet_until_an_agent_is_done():
    asked = talk(bot(), Opened(), CallRequested())
    assert names(asked) == ["conversation.agent_call_requested"]
    assert asked.messages == []
    assert texts(talk(bot(), Opened(), CallRequested(), say("취소"))) == []
    assert texts(talk(bot(), Opened(), CallRequested(), AgentJoined(), say("네"))) == []
    done = talk(bot(), Opened(), CallRequested(), AgentJoined(), CallCompleted(), say("네"))
    assert texts(done)[0].startswith("안녕하세요")


def test_a_call_is_asked_for_once():
    assert names(talk(bot(), Opened(), CallRequested(), CallRequested())) == []
    assert names(talk(bot(), Opened(), AgentJoined(), CallRequested())) == []


def test_a_call_from_outside_that_is_cancelled_leaves_the_end_user_where_they_were():
    cancelled = talk(bot(), Opened(), CallRequested(), CallCancelled())
    assert names(cancelled) == ["conversation.agent_call_cancelled"]
    assert cancelled.messages == []
    assert texts(talk(bot(), Opened(), CallRequested(), CallCancelled(), say("다음"))) == ["다음이에요"]


def test_a_call_of_the_bot_that_is_cancelled_from_outside_goes_on_as_if_the_end_user_had_cancelled():
    cancelled = talk(bot(), StartAt(flow_id=2), CallCancelled())
    assert texts(cancelled) == ["취소했어요"]
    assert texts(cancelled) == texts(talk(bot(), StartAt(flow_id=2), say("취소")))


@pytest.mark.parametrize("before", [[Opened()], [Opened(), AgentJoined()]])
def test_there_is_nothing_to_cancel_where_nobody_waits(before):
    result = talk(bot(), *before, CallCancelled())
    assert (names(result), result.messages) == ([], [])


def test_a_call_may_be_asked_for_before_the_end_user_ever_came():
    result = talk(bot(), CallRequested(), AgentMessage(data={"type": "text", "text": "네"}), say("여보세요"))
    assert result.messages == []
    assert result.session is not None
    assert result.session.call["status"] == "in_progress"


def test_who_took_the_call_is_known_until_it_is_over():
    agent = {"id": "kim", "profile": {"displayName": "김상담"}}
    here = talk(bot(), Opened(), CallRequested(), AgentJoined(agent=agent))
    assert here.session is not None
    assert here.session.call["agent"] == agent
    (over,) = talk(bot(), Opened(), AgentJoined(agent=agent), CallCompleted()).facts
    assert over.agent == agent


# ---- waiting


@pytest.mark.parametrize(
    "inbound", [NEWS, ParametersChanged(params={"a": None}), CallRequested(), CallCancelled(), CallCompleted()]
)
def test_an_event_that_waits_for_a_walk_is_the_same_afterwards(inbound):
    assert inbound_from_json(inbound_to_json(inbound)) == inbound


def test_only_conversations_that_the_bot_never_walked_in_wait_for_their_first_message():
    for inbound in (Opened(), say("네"), StartAt(flow_id=2), StartAt(flow_id=99), UserMessage(data={"type": "media"})):
        session = talk(bot(), inbound).session
        assert isinstance(session, Session)
        assert session.waiting != "first"
