"""Older forms of node data run as today's, and the file stays as it was."""

import json

from shared.bot.document import join_document, split_document
from shared.bot.lint import lint
from shared.bot.upgrade import upgrade_data
from shared.engine.inbound import Opened
from tests.factories import a_bot, a_node
from tests.unit.engine.test_step import talk, texts

OLD_MANUAL = {"message": {"default": {"text": "부를게요", "actions": {"cancel": "그만"}}}}
OLD_PLACE = {"message": {"type": "location", "location": {"label": "본점", "latitude": 37.5, "longitude": 127}}}


def a_document(node_type, data):
    flow = {"id": 1, "nodes": [a_node(1, "entry", {}, 2), a_node(2, node_type, data)]}
    return {"title": "옛 봇", "flows": [flow], "preference": {"entryFlowId": 1}}


def test_the_message_of_an_old_agent_call_is_sent():
    assert texts(talk(a_bot(a_document("manual", OLD_MANUAL)), Opened())) == ["부를게요"]


def test_the_label_of_an_old_location_is_its_title():
    result = talk(a_bot(a_document("response", OLD_PLACE)), Opened())
    assert result.messages[0]["data"]["location"]["title"] == "본점"


def test_old_forms_have_no_problems_and_are_exported_as_they_came():
    for document in (a_document("manual", OLD_MANUAL), a_document("response", OLD_PLACE)):
        before = json.dumps(document)
        file = split_document(document)
        assert lint(file.content) == []
        assert join_document(file.profile, file.content) == json.loads(before)
        assert json.dumps(document) == before


def test_closers_intent_node_is_read_with_today_s_names_and_exported_as_it_came():
    old = {"nlpType": "watson_conversation", "version": "v1", "versionDate": "20170712", "token": "acc", "url": "u"}
    assert upgrade_data("nlp", old) == {"provider": "watson", "credential": "acc", "version": "2017-07-12", "url": "u"}
    assert upgrade_data("nlp", {"nlpType": ["x"]})["provider"] == ["x"]
    assert upgrade_data("nlp", {"provider": "http", "nlpType": "x"}) == {"provider": "http", "nlpType": "x"}
    document = a_document("nlp", old)
    file = split_document(document)
    assert join_document(file.profile, file.content) == a_document("nlp", old)
