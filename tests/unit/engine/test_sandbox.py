"""Scripts of a sandbox node: what they see, and what becomes of whatever they give back."""

import json
from typing import Any

import pytest

from shared.engine import Answered, EffectFailed
from shared.engine.effects import ScriptRun
from shared.engine.inbound import Opened
from shared.engine.walk import PARAMS_LIMIT
from tests.unit.engine.carrying import ask, asked, carried, kept
from tests.unit.engine.test_step import ERROR, say, texts

SCRIPT = "module.exports = async () => ({params: {a: `{{b}}${1}`}}) // {{#if}}"


def ran(result: Any, says: str = "", notes: list[str] | None = None) -> Any:
    return carried("sandbox", {"script": SCRIPT}, Answered(result=result, notes=notes or []), says)


def test_a_script_is_run_as_it_was_written_and_sees_the_conversation() -> None:
    run = asked("sandbox", {"runtime": "nodejs", "script": SCRIPT}, say("안녕", payload={"n": 1}), params={"p": [1]})
    assert isinstance(run, ScriptRun)
    assert run.script == SCRIPT
    assert run.context == {
        "bot": {"id": "bot", "title": "시험", "description": None},
        "botId": "bot",
        "conversationId": "00000000-0000-4000-8000-000000000001",
        "endUserId": "00000000-0000-5000-8000-000000000001",
        "params": {"p": [1]},
        "platform": "web",
        "userKey": "user-1",
        "message": {"type": "text", "text": "안녕", "payload": {"n": 1}},
    }
    assert type(run.context["message"]) is dict


def test_a_script_sees_no_end_user_in_a_test_and_no_message_at_an_opening() -> None:
    run = asked("sandbox", {"script": SCRIPT}, Opened(), end_user_id=None, platform="test")
    assert isinstance(run, ScriptRun)
    assert {"endUserId", "message"} & run.context.keys() == set()


def test_payloads_as_deep_as_they_may_be_reach_the_script() -> None:
    payload = json.loads("[" * 64 + "]" * 64)
    run = asked("sandbox", {"script": SCRIPT}, say("x", payload=payload))
    assert isinstance(run, ScriptRun)
    assert run.context["message"]["payload"] == payload


@pytest.mark.parametrize(("timeout", "allowed"), [(None, 5_000), (300, 300), (20_000, 5_000), ("x", 5_000)])
def test_a_script_runs_for_five_seconds_at_most(timeout: Any, allowed: int) -> None:
    assert asked("sandbox", {"script": SCRIPT, "timeout": timeout}).timeout_ms == allowed


@pytest.mark.parametrize(
    ("script", "repeatable"),
    [
        (SCRIPT, True),
        ("const _ = require('lodash'); module.exports = () => 1", True),
        ("const request = require('request')", False),
        ("module.exports = () => fetch('https://example.com')", False),
        ("require(name)", False),
    ],
)
def test_only_a_script_that_stays_at_home_may_be_run_twice(script: str, repeatable: bool) -> None:
    assert asked("sandbox", {"script": script}).repeatable is repeatable


@pytest.mark.parametrize("data", [{}, {"script": ""}, {"script": None}, {"script": 5}, {"script": "가" * 16_667}])
def test_without_a_script_that_can_run_the_bot_says_its_error(data: Any) -> None:
    assert texts(ask("sandbox", data)) == [ERROR]


def test_params_join_the_parameters_and_null_removes() -> None:
    says = "{{params.a}} {{params.b.c}} {{sandbox.result.custom.d}} {{sandbox.result.extra}}"
    result = ran({"params": {"a": 1, "b": {"c": 2}, "gone": None}, "custom": {"d": 3}, "extra": 4}, says)
    assert texts(result) == ["COMPLETED 1 2 3 4"]
    assert result.session.params == {"a": 1, "b": {"c": 2}}


def test_keys_that_are_no_parameter_names_are_noted_and_not_set() -> None:
    result = ran({"params": {"a b": 1, "한글": 2, "ok": 3}})
    assert result.session.params == {"ok": 3}
    assert len([note for note in result.trace[0].notes if "not a parameter name" in note]) == 2


def test_params_beyond_the_conversations_limit_fail_the_node_and_change_nothing() -> None:
    before = {"old": "x" * (PARAMS_LIMIT - 1_000)}
    answer = Answered(result={"params": {"new": "x" * 1_000}, "message": "네"})
    result = carried("sandbox", {"script": SCRIPT}, answer, params=before)
    assert texts(result) == ["FAILED ParametersTooLarge|"]
    assert result.session is not None
    assert result.session.params == before


@pytest.mark.parametrize("message", ["가격: 3", {"text": "가격: 3"}, {"type": "text", "text": "가격: 3"}])
def test_a_message_is_sent_when_the_node_ends(message: Any) -> None:
    assert texts(ran({"message": message})) == ["가격: 3", "COMPLETED "]


def test_a_whole_message_goes_through_what_responses_go_through() -> None:
    message = {"type": "cards", "cards": [{"title": "가", "buttons": [{"label": ""}, {"label": "나"}]}]}
    result = ran({"message": message})
    assert result.messages[0]["data"]["cards"] == [{"title": "가", "buttons": [{"type": "postback", "label": "나"}]}]


@pytest.mark.parametrize("message", ["", {}, [], 5, {"type": "hologram"}, {"text": ""}, True])
def test_a_message_that_is_none_is_noted_and_not_sent(message: Any) -> None:
    result = ran({"message": message})
    assert texts(result) == ["COMPLETED "]
    assert any("nothing was sent" in note for note in result.trace[0].notes)


@pytest.mark.parametrize("value", ["글", 5, 1.5, True, None, [], [1, {"a": 2}], {}])
def test_whatever_a_script_gives_is_its_result(value: Any) -> None:
    assert kept(ran(value), "sandbox") == {"status": "COMPLETED", "result": value}


def test_a_script_that_failed_leaves_its_error_for_the_edges() -> None:
    failed = EffectFailed(name="ReferenceError", message="error1 is not defined", notes=["log: hi"])
    result = carried("sandbox", {"script": SCRIPT}, failed, "{{sandbox.error}} {{error.name}}")
    assert texts(result) == ["FAILED ReferenceError|error1 is not defined ReferenceError"]
    assert kept(result, "sandbox") == {
        "status": "FAILED",
        "error": {"name": "ReferenceError", "message": "error1 is not defined"},
    }
    assert result.trace[0].notes == ["log: hi"]


def test_what_a_script_wrote_to_its_console_is_in_the_trace_within_bounds() -> None:
    notes = ran({}, notes=["x" * 5_000] * 500).trace[0].notes
    assert (len(notes), len(notes[0])) == (50, 1_000)


@pytest.mark.parametrize("result", ["x" * 50_000, "가" * 17_000, [[]] * 20_000])
def test_a_result_over_fifty_thousand_bytes_is_a_failure(result: Any) -> None:
    assert texts(ran(result)) == ["FAILED TooLargeError|"]


def test_results_are_plain_json_whatever_the_runner_gave() -> None:
    value: Any = []
    for _ in range(100):
        value = [value]
    assert texts(ran(value)) == ["FAILED TooLargeError|"]
    assert kept(ran({"a": float("nan"), "b": "\ud800\x00", "c": 10**400}), "sandbox")["result"] == {
        "a": None,
        "b": "\ufffd",
        "c": None,
    }
