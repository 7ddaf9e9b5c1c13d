"""An agent is never talked over, whatever flow the agent started."""

from shared.engine.inbound import AgentJoined, Opened, StartAt
from tests.factories import a_bot, a_node, a_response
from tests.unit.engine.test_step import say, talk, texts

SURVEY = [
    a_node(1, "entry", {}, 2),
    a_response(2, "설문이에요", 3),
    a_node(3, "keyboard", {}, 4),
    a_response(4, "고마워요"),
]
CALLING = [a_node(1, "entry", {}, 2), a_node(2, "manual", {})]


def a_bot_with(*started):
    nodes = [a_node(1, "entry", {}, 2), a_response(2, "안녕하세요", 3), a_node(3, "keyboard", {}, 2)]
    flows = [{"id": 1, "nodes": nodes}, {"id": 2, "nodes": list(started)}]
    return a_bot({"flows": flows, "preference": {"entryFlowId": 1}})


def test_when_the_flow_that_the_agent_started_has_ended_the_agent_has_the_conversation_again():
    bot = a_bot_with(*SURVEY)
    assert texts(talk(bot, Opened(), AgentJoined(), StartAt(flow_id=2), say("5점"))) == ["고마워요"]
    assert texts(talk(bot, Opened(), AgentJoined(), StartAt(flow_id=2), say("5점"), say("그런데요"))) == []


def test_a_flow_that_the_agent_started_cannot_call_an_agent_again():
    result = talk(a_bot_with(*CALLING), Opened(), AgentJoined(), StartAt(flow_id=2))
    assert result.session is not None
    assert result.session.call["status"] == "in_progress"
    assert result.facts == []
    assert texts(talk(a_bot_with(*CALLING), Opened(), AgentJoined(), StartAt(flow_id=2), say("네"))) == []
