"""Lint names every problem at once, each with its JSON path, in English and Korean."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.bot.document import read_bot_file
from shared.bot.lint import lint
from shared.bot.problem import SENTENCES, Problem
from tests.factories import DATA, a_node, a_response

EXAMPLES = Path(__file__).parents[3] / "examples/bots"


def lint_nodes(*nodes: Any, **preference: Any) -> dict[str, str]:
    """Path -> code of the problems of a bot with one flow."""
    content = {
        "flows": [{"id": 1, "nodes": [a_node(1, "entry", {}, 2), *nodes]}],
        "preference": {"entryFlowId": 1, **preference},
    }
    return {problem.path: problem.code for problem in lint(content)}


def test_a_sound_bot_has_no_problems() -> None:
    assert lint_nodes(a_response(2, "안녕")) == {}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.json")), ids=lambda path: path.stem)
def test_the_example_bots_have_no_problems(path: Path) -> None:
    file = read_bot_file(path.read_bytes())
    assert lint(file.content, file.profile) == []


CLOSER = {
    "bot_back_node_test.json": ["flows[0].nodes[7]: no edge leads to node 10"],
    "flow_fallback_pingpong_api.json": [],
    "flow_http_script.json": [],
    "flow_postback_navigation.json": ["flows[0].nodes[2].data.flowId: no flow 2"],
    "flow_postback_pokemon.json": [],
}


@pytest.mark.parametrize("name", CLOSER)
def test_closers_exports_are_read_and_their_problems_named(name: str) -> None:
    file = read_bot_file((DATA / "closer" / name).read_bytes())
    assert [str(problem) for problem in lint(file.content, file.profile)] == CLOSER[name]


def test_every_problem_of_a_bad_bot_is_named_at_once() -> None:
    found = lint_nodes(
        a_node(
            2,
            "response",
            {
                "message": {
                    "type": "cards",
                    "cards": "x",
                    "buttons": [{"type": "link", "label": "L", "uri": "javascript:alert(1)"}],
                }
            },
            99,
            (3, {"a": {"regex": "("}}),
        ),
        a_node(3, "teleport", {}),
        a_node(4, "flow", {"flowId": 9}),
        a_node(4, "flow", {}),
        {"id": None, "type": 5, "next": "x"},
        "node",
        a_response(6, "{{#if}}"),
        a_node(7, "parameter", {"set": [{"key": "a b", "value": 1, "where": 3}]}),
        a_node(8, "sandbox", {"script": "x" * 50_001}),
        a_response(9, "ok", (2, {"a": {"bogus": 1}})),
        fallbackFlowId=5,
    )
    nodes = "flows[0].nodes"
    assert found == {
        f"{nodes}[1].data.message.cards": "wrong_type",
        f"{nodes}[1].data.message.buttons[0].uri": "bad_link",
        f"{nodes}[1].next[0].nodeId": "no_such_node",
        f"{nodes}[1].next[1].where.a.regex": "condition",
        f"{nodes}[2].type": "unknown_node_type",
        f"{nodes}[3].data.flowId": "no_such_flow",
        f"{nodes}[3]": "unreachable",
        f"{nodes}[4].id": "duplicate_node",
        f"{nodes}[4].data.flowId": "missing",
        f"{nodes}[5].id": "missing",
        f"{nodes}[5].type": "unknown_node_type",
        f"{nodes}[6]": "wrong_type",
        f"{nodes}[7].data.message.text": "template",
        f"{nodes}[7]": "unreachable",
        f"{nodes}[8].data.set[0].key": "bad_key",
        f"{nodes}[8].data.set[0].where": "condition",
        f"{nodes}[8]": "unreachable",
        f"{nodes}[9].data.script": "too_many_bytes",
        f"{nodes}[9]": "unreachable",
        f"{nodes}[10].next[0].where.a.bogus": "condition_warning",
        f"{nodes}[10]": "unreachable",
        "preference.fallbackFlowId": "no_such_flow",
    }


def test_mask_in_a_parameter_is_a_warning_since_events_show_parameters() -> None:
    items = [{"key": "phone", "value": "{{MASK(message)}}"}, {"key": "ok", "value": "MASK("}]
    assert lint_nodes(a_node(2, "parameter", {"set": items})) == {
        "flows[0].nodes[1].data.set[0].value": "masked_parameter"
    }


def test_a_keyboard_has_no_link_buttons() -> None:
    buttons = [{"type": "link", "label": "홈페이지", "uri": "https://example.com"}]
    found = lint_nodes(a_node(2, "keyboard", {"type": "buttons", "buttons": buttons}, 3), a_response(3, "네"))
    assert found == {"flows[0].nodes[1].data.buttons[0].type": "not_a_choice"}


def test_a_template_problem_says_where_in_the_text() -> None:
    problems = lint({"flows": [{"id": 1, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "줄\n{{#each list}}")]}]})
    assert [problem.path for problem in problems] == ["flows[0].nodes[1].data.message.text"]
    assert "line 2" in str(problems[0])


def test_a_keyboard_without_a_way_on_is_a_warning() -> None:
    assert lint_nodes(a_node(2, "keyboard", {})) == {"flows[0].nodes[1]": "no_way_on"}


def test_an_edge_hidden_by_its_equal_is_a_warning() -> None:
    assert lint_nodes(a_response(2, "x", 3, 3), a_response(3, "y")) == {"flows[0].nodes[1].next[1]": "equal_edges"}


def test_a_circle_that_never_waits_is_a_warning_that_names_it() -> None:
    problems = lint(
        {"flows": [{"id": 1, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "x", 3), a_response(3, "y", 2)]}]}
    )
    assert [(problem.code, problem.details["nodes"]) for problem in problems] == [("endless_loop", "2, 3")]


def test_a_fallback_flow_that_can_never_answer_is_a_warning() -> None:
    silent = {"id": 2, "nodes": [a_node(1, "entry", {}, 2), a_node(2, "keyboard", {}, 3), a_response(3, "x")]}
    content = {
        "flows": [{"id": 1, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "x")]}, silent],
        "preference": {"entryFlowId": 1, "fallbackFlowId": 2},
    }
    assert [problem.code for problem in lint(content)] == ["silent_fallback"]


def test_a_fallback_flow_that_leads_into_an_answer_is_fine() -> None:
    leading = {"id": 2, "nodes": [a_node(1, "entry", {}, 2), a_node(2, "flow", {"flowId": 1})]}
    content = {
        "flows": [{"id": 1, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "x")]}, leading],
        "preference": {"entryFlowId": 1, "fallbackFlowId": 2},
    }
    assert lint(content) == []


def test_labels_that_kakaotalk_would_cut_are_warnings_while_kakao_is_connected() -> None:
    content = {
        "flows": [
            {
                "id": 1,
                "nodes": [
                    a_node(1, "entry", {}, 2),
                    a_node(
                        2, "response", {"message": {"text": "?", "buttons": [{"label": "열다섯 글자가 넘는 긴 라벨"}]}}
                    ),
                ],
            }
        ]
    }
    assert [problem.code for problem in lint(content)] == ["kakao_label"]
    assert lint(content, platforms=frozenset({"web"})) == []


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"flows": None},
        {"flows": []},
        {"flows": [1, {"id": "x"}, {"id": 1}]},
        {"flows": [{"id": 1, "nodes": []}], "preference": []},
    ],
)
def test_documents_of_any_wrong_shape_are_told_apart_without_failing(content: Any) -> None:
    problems = lint(content)
    assert any(problem.severity == "error" for problem in problems)


def test_every_sentence_reads_in_both_languages() -> None:
    words = "expected found value choices length limit flow node type what instead other nodes more size module"
    details = dict.fromkeys(words.split(), "x")
    for code, (severity, english, korean) in SENTENCES.items():
        problem = Problem("flows", code, details)
        assert severity in ("error", "warning")
        assert problem.sentence("en") != problem.sentence("ko")
        assert english
        assert korean


def test_lint_finds_the_same_after_a_round_trip() -> None:
    file = read_bot_file((DATA / "closer" / "flow_postback_navigation.json").read_bytes())
    again = json.loads(json.dumps(file.content))
    assert lint(again) == lint(file.content)
