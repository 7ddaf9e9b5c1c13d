"""Lint of the nodes that ask the world: errors only where nothing can run, warnings where it surely fails."""

from typing import Any

import pytest

from shared.bot.document import join_document, split_document
from shared.bot.lint import lint
from shared.bot.problem import Problem
from shared.bot.script_modules import ScriptModules, may_call_the_world, required_modules
from tests.factories import a_node, a_response

DATA = "flows[0].nodes[1].data"
SHEET = {"spreadsheetId": "abc", "token": "google_me", "post": {"columns": ["a"], "values": ["b"]}}


def found(node_type: str, data: Any) -> list[Problem]:
    nodes = [a_node(1, "entry", {}, 2), a_node(2, node_type, data, 3), a_response(3, "네")]
    return lint({"flows": [{"id": 1, "nodes": nodes}], "preference": {"entryFlowId": 1}})


def codes(node_type: str, data: Any) -> dict[str, str]:
    return {problem.path.removeprefix(f"{DATA}."): problem.code for problem in found(node_type, data)}


@pytest.mark.parametrize(
    ("node_type", "data"),
    [
        (
            "fetch",
            {"uri": "{{base}}/x", "method": "post", "body": {"a": ["{{message}}"]}, "slow": True, "timeout": "500"},
        ),
        ("fetch", {"uri": " HTTPS://example.com/{{message}}"}),
        ("sandbox", {"runtime": "nodejs", "script": "module.exports = () => `{{#if}}`", "timeout": 100}),
        ("email", {"to": ["a@example.com"], "replyTo": "{{mail}}", "subject": "x", "body": "<p>{{{a}}}</p>"}),
        ("gsheet", SHEET),
        ("gsheet", {"spreadsheetId": "abc", "credential": "g"}),
        ("nlp", {"provider": "dialogflow-es", "projectId": "p", "credential": "g", "threshold": "0.5"}),
        ("nlp", {"provider": "http", "uri": "https://example.com", "mapping": {"intent": "a.b"}}),
        ("nlp", {"provider": "{{which}}"}),
        ("chitchat", {"provider": "bedrock", "model": "m", "region": "ap-northeast-2", "messages": {"failure": "음"}}),
    ],
)
def test_what_can_run_has_no_problems(node_type: str, data: Any) -> None:
    assert codes(node_type, data) == {}


@pytest.mark.parametrize(
    ("node_type", "data", "expected"),
    [
        ("fetch", {"uri": "ftp://example.com"}, {"uri": "not_http"}),
        ("fetch", {"uri": "example.com/{{message}}"}, {"uri": "not_http"}),
        (
            "fetch",
            {"uri": "https://a.com", "method": "TRACE", "slow": "yes"},
            {"method": "not_a_choice", "slow": "wrong_type"},
        ),
        ("sandbox", {"script": "가" * 16_667}, {"script": "too_many_bytes"}),
        ("sandbox", {"script": 5}, {"script": "wrong_type"}),
        ("sandbox", {"script": "require('apn')"}, {"script": "module_missing"}),
        ("sandbox", {"script": "require(`${name}`)"}, {"script": "module_unknown"}),
        ("email", {"subject": "x"}, {"to": "missing"}),
        ("email", {"to": "a@b.co", "body": "{{#if}}"}, {"body": "template"}),
        ("gsheet", {**SHEET, "token": None}, {"token": "not_configured"}),
        ("gsheet", {**SHEET, "token": "ya29.abcdef"}, {"token": "secret_in_bot"}),
        ("gsheet", {**SHEET, "type": "GET"}, {"type": "not_a_choice"}),
        ("nlp", {}, {"provider": "not_configured"}),
        ("nlp", {"provider": "siri"}, {"provider": "not_a_choice"}),
        ("nlp", {"provider": "watson", "url": "u"}, {"assistantId": "not_configured", "credential": "not_configured"}),
        ("nlp", {"provider": "watson", "url": "u", "environmentId": "e", "credential": "c"}, {}),
        ("nlp", {"provider": "http", "uri": "u", "credential": '{"a": 1}'}, {"credential": "secret_in_bot"}),
        ("chitchat", {}, {"provider": "not_configured"}),
        ("chitchat", {"provider": "openai"}, {"model": "not_configured"}),
        ("chitchat", {"provider": "openai", "model": "m", "maxTokens": []}, {"maxTokens": "wrong_type"}),
    ],
)
def test_what_is_wrong_or_doubtful_is_named_at_its_place(node_type: str, data: Any, expected: dict[str, str]) -> None:
    assert codes(node_type, data) == expected


def test_a_module_that_is_not_there_is_named_with_its_node() -> None:
    (problem,) = found("sandbox", {"script": "const apn = require('apn')"})
    assert problem.severity == "warning"
    assert "node 2" in problem.sentence("en")
    assert "'apn'" in problem.sentence("ko")


@pytest.mark.parametrize("node_type", ["fetch", "sandbox", "email", "gsheet", "nlp", "chitchat"])
@pytest.mark.parametrize(
    "data", [{}, {"provider": []}, {"credential": 5}, {"uri": 5}, {"script": []}, {"messages": 5}, [], 5]
)
def test_data_of_any_shape_is_told_without_failing(node_type: str, data: Any) -> None:
    for problem in found(node_type, data):
        assert problem.sentence("en")
        assert problem.sentence("ko")


def test_unknown_keys_of_these_nodes_survive() -> None:
    nodes = [a_node(1, kind, {"mine": {"x": [1]}}) for kind in ("sandbox", "email", "gsheet", "nlp", "chitchat")]
    document = {"title": "x", "flows": [{"id": 1, "nodes": nodes}], "preference": {"entryFlowId": 1}}
    file = split_document(document)
    assert join_document(file.profile, file.content) == document


def test_a_script_says_what_it_requires() -> None:
    script = "const a = require('lodash'), b = require( \"uuid\" ); require(name); require(`moment`)"
    assert required_modules(script) == ScriptModules(names=frozenset({"lodash", "uuid", "moment"}), dynamic=True)
    assert required_modules("module.exports = () => 1") == ScriptModules(names=frozenset(), dynamic=False)


@pytest.mark.parametrize(
    ("script", "may"),
    [
        ("module.exports = () => 1", False),
        ("require('lodash')", False),
        ("require('axios')", True),
        ("fetch('x')", True),
    ],
)
def test_a_script_may_call_the_world_when_it_has_the_means(script: str, may: bool) -> None:
    assert may_call_the_world(script) is may
