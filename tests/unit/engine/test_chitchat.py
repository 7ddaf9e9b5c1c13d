"""Small talk: off until it is configured, sent as one message, and a fixed sentence when it fails."""

from typing import Any

import pytest

from shared.engine import Answered, EffectFailed
from shared.engine.effects import SmallTalk
from shared.engine.inbound import Opened
from shared.engine.nodes.chitchat import DEFAULT_FAILURE
from tests.unit.engine.carrying import ask, asked, carried, kept
from tests.unit.engine.test_step import say, texts

TALK = {"provider": "openai", "credential": "openai", "model": "small", "messages": {"failure": {"text": "음..."}}}


def small_talk(**data: Any) -> SmallTalk:
    effect = asked("chitchat", {**TALK, **data})
    assert isinstance(effect, SmallTalk)
    return effect


def test_a_model_that_names_its_limit_otherwise_can_be_asked() -> None:
    assert small_talk(limitField="max_completion_tokens").settings["limitField"] == "max_completion_tokens"


def test_what_was_said_is_asked_with_the_authors_instructions() -> None:
    effect = small_talk(instructions="너는 {{bot.title}} 봇", uri="https://example.com/v1", region=None, other=1)
    assert (effect.provider, effect.credential, effect.text) == ("openai", "openai", "안녕")
    assert effect.instructions == "너는 시험 봇"
    assert effect.settings == {"uri": "https://example.com/v1", "model": "small"}
    assert (effect.timeout_ms, effect.repeatable) == (10_000, True)


@pytest.mark.parametrize(
    ("given", "tokens"), [(None, 200), (50, 50), ("300", 300), (5_000, 1_000), (-1, 200), ("x", 200), ([], 200)]
)
def test_an_answer_has_a_bounded_length(given: Any, tokens: int) -> None:
    assert small_talk(maxTokens=given).max_tokens == tokens


def test_the_answer_is_sent_before_the_walk_goes_on() -> None:
    answer = Answered(result={"answer": " 반가워요 ", "usage": {"totalTokens": 5}})
    result = carried("chitchat", TALK, answer, "{{chitchat.answer}}")
    assert texts(result) == ["반가워요", "COMPLETED 반가워요"]
    assert kept(result, "chitchat") == {"status": "COMPLETED", "answer": "반가워요", "usage": {"totalTokens": 5}}


def test_a_long_answer_is_cut_to_a_message() -> None:
    said = texts(carried("chitchat", TALK, Answered(result={"answer": "가" * 2_000})))[0]
    assert (len(said), said[-4:]) == (1_000, "가...")


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (EffectFailed(name="TimeoutError", message="late"), "TimeoutError"),
        (Answered(result={"answer": "  "}), "EmptyAnswerError"),
        (Answered(result={}), "EmptyAnswerError"),
    ],
)
def test_when_it_fails_the_authors_sentence_is_sent(answer: Any, name: str) -> None:
    assert texts(carried("chitchat", TALK, answer)) == ["음...", f"FAILED {name}|"]


@pytest.mark.parametrize("data", [{}, {"provider": "openai"}, {"provider": "pingpong", "model": "x"}, {"model": "x"}])
def test_it_is_off_until_it_is_configured(data: Any) -> None:
    result = ask("chitchat", data)
    assert result.effect is None
    assert texts(result) == [DEFAULT_FAILURE, "FAILED NotConfiguredError|"]


@pytest.mark.parametrize("failure", [None, "", {}, 5, {"text": ""}, {"type": "hologram"}])
def test_a_failure_without_a_sentence_of_the_author_has_ours(failure: Any) -> None:
    assert texts(ask("chitchat", {"messages": {"failure": failure}}))[0] == DEFAULT_FAILURE


def test_the_sentence_may_be_plain_text_with_templates() -> None:
    assert texts(ask("chitchat", {"messages": {"failure": "{{message}}?"}}))[0] == "안녕?"


@pytest.mark.parametrize("inbound", [Opened(), say(" ")])
def test_where_nothing_was_said_nobody_is_asked(inbound: Any) -> None:
    assert texts(ask("chitchat", TALK, inbound)) == ["음...", "FAILED NoTextError|"]


def test_a_secret_where_a_name_belongs_is_refused() -> None:
    assert texts(ask("chitchat", {**TALK, "credential": "sk-abcdefghijklmnopqrst"}))[1] == "FAILED NotConfiguredError|"
