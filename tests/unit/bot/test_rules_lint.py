"""Lint never fails itself, whatever a draft holds; a bot's title is outside its version."""

from typing import Any

import pytest

from shared.bot.lint import lint
from shared.bot.model import Bot


@pytest.mark.parametrize("edges", [5, True, 1.5, "x", {"a": 1}, [5, None]])
def test_edges_that_are_no_list_are_named_and_nothing_else_breaks(edges: Any) -> None:
    nodes = [{"id": 1, "type": "entry", "data": {}, "next": edges}]
    problems = lint({"flows": [{"id": 1, "nodes": nodes}]})
    assert any(problem.path.startswith("flows[0].nodes[0].next") for problem in problems)


def test_a_new_title_shows_without_a_new_version() -> None:
    bot = Bot({"flows": []}, profile={"title": "예전"})
    assert bot.title == "예전"
    bot.profile = {"title": "지금"}
    assert bot.title == "지금"


def test_templates_in_conditions_are_checked_with_all_others() -> None:
    where = {"message.text": {"in": ["a", "{{#if}}"]}}
    nodes = [
        {"id": 1, "type": "entry", "next": [{"nodeId": 2, "where": where}]},
        {"id": 2, "type": "response", "data": {"message": {"text": "네"}}},
    ]
    (problem,) = lint({"flows": [{"id": 1, "nodes": nodes}]})
    assert problem.severity == "error"
    assert problem.path == 'flows[0].nodes[0].next[0].where["message.text"].in[1]'
