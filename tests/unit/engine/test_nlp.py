"""Intents of an nlp node: what is asked of which provider, and one result whatever it answers."""

from typing import Any

import pytest

from shared.bot.node_types import NLP_SETTINGS
from shared.engine import Answered, EffectFailed
from shared.engine.effects import IntentQuery
from shared.engine.inbound import Opened, UserMessage
from tests.unit.engine.carrying import ask, asked, carried, kept
from tests.unit.engine.test_step import say, texts

ES = {"provider": "dialogflow-es", "credential": "google", "projectId": "shop"}
NOTHING: dict[str, Any] = {"status": "COMPLETED", "intent": None, "entities": [], "answer": None, "score": None}


def query(inbound: Any = None, **data: Any) -> IntentQuery:
    effect = asked("nlp", {**ES, **data}, inbound)
    assert isinstance(effect, IntentQuery)
    return effect


def understood(result: Any, **data: Any) -> dict[str, Any]:
    return kept(carried("nlp", {**ES, **data}, Answered(result=result)), "nlp")


def test_the_message_is_asked_about_in_korean_in_a_session_of_the_conversation() -> None:
    asked_for = query()
    assert (asked_for.provider, asked_for.credential, asked_for.settings) == (
        "dialogflow-es",
        "google",
        {"projectId": "shop"},
    )
    assert (asked_for.text, asked_for.language) == ("안녕", "ko")
    assert asked_for.session_id == "00000000-0000-4000-8000-000000000001"
    assert (asked_for.timeout_ms, asked_for.repeatable) == (10_000, True)


def test_text_language_and_session_may_be_the_authors() -> None:
    asked_for = query(text="{{platform}}?", language="en", sessionId="s", timeout=500, slow=True)
    assert (asked_for.text, asked_for.language, asked_for.session_id) == ("web?", "en", "s")
    assert (asked_for.timeout_ms, asked_for.slow) == (500, True)


@pytest.mark.parametrize("provider", NLP_SETTINGS)
def test_a_provider_gets_its_own_settings_and_no_others(provider: str) -> None:
    every = {key: "x" for keys in NLP_SETTINGS.values() for key in keys}
    data = {
        **every,
        "provider": provider,
        "headers": [{"key": "a", "value": 1}],
        "body": {"q": "{{message}}"},
        "url": 5,
    }
    settings = query(**data).settings
    assert set(settings) == set(NLP_SETTINGS[provider])
    if provider == "http":
        assert (settings["headers"], settings["body"]) == ({"a": "1"}, {"q": "안녕"})
    if provider == "watson":
        assert settings["url"] == "5"


@pytest.mark.parametrize(
    ("old", "provider", "version"),
    [
        ({"nlpType": "dialogflow", "version": "v1", "versionDate": "20170712", "token": "acc"}, "dialogflow-es", None),
        ({"nlpType": "watson_conversation", "versionDate": 20170712, "token": "acc"}, "watson", "2017-07-12"),
    ],
)
def test_closers_form_is_taken(old: Any, provider: str, version: str | None) -> None:
    effect = asked("nlp", old)
    assert isinstance(effect, IntentQuery)
    assert (effect.provider, effect.credential, effect.settings.get("version")) == (provider, "acc", version)


@pytest.mark.parametrize("data", [{}, {"provider": ""}, {"provider": "siri"}, {"provider": []}, {"nlpType": "x"}])
def test_without_a_provider_the_node_fails_and_the_walk_goes_on(data: Any) -> None:
    assert texts(ask("nlp", data)) == ["FAILED NotConfiguredError|"]


def test_a_secret_where_a_name_belongs_is_refused_and_not_repeated() -> None:
    result = ask("nlp", {**ES, "credential": "sk-abcdefghijklmnopqrstuvwxyz"})
    assert texts(result) == ["FAILED NotConfiguredError|"]
    assert "abcdef" not in str(kept(result, "nlp"))


@pytest.mark.parametrize("inbound", [Opened(), say("  "), UserMessage(data={"type": "media", "media": {"uri": "x"}})])
def test_where_nothing_was_said_nothing_is_recognised_and_nobody_is_asked(inbound: Any) -> None:
    result = ask("nlp", ES, inbound)
    assert result.effect is None
    assert kept(result, "nlp") == NOTHING


def test_a_long_text_is_cut_to_what_the_provider_takes() -> None:
    assert len(query(say("가" * 5_000)).text) == 256


def test_one_result_for_edges_and_templates() -> None:
    entity = {"entity": "color", "value": "red", "score": 0.5}
    answer = {"intent": "buy", "entities": [entity], "answer": "네!", "score": 0.9, "raw": 1}
    assert understood(answer) == {
        "status": "COMPLETED",
        "intent": "buy",
        "entities": [entity],
        "answer": "네!",
        "score": 0.9,
    }


@pytest.mark.parametrize(
    "answer",
    [{}, {"intent": ""}, {"intent": None, "entities": None}, {"entities": "x", "score": "x"}, {"score": float("nan")}],
)
def test_nothing_recognised_is_success_without_an_intent(answer: Any) -> None:
    assert understood(answer) == NOTHING


@pytest.mark.parametrize(
    ("threshold", "score", "intent"), [(0.5, 0.5, "buy"), ("0.5", 0.4, None), (None, 0, "buy"), (0.5, None, "buy")]
)
def test_below_the_threshold_nothing_is_recognised(threshold: Any, score: Any, intent: str | None) -> None:
    found = understood({"intent": "buy", "answer": "네", "score": score}, threshold=threshold)
    assert (found["intent"], found["answer"]) == (intent, "네" if intent else None)


def test_entities_of_any_shape_have_one() -> None:
    given = [{"entity": 5, "value": [1]}, "x", None, {}]
    assert understood({"entities": given})["entities"] == [
        {"entity": "5", "value": [1], "score": None},
        {"entity": "", "value": None, "score": None},
    ]


def test_a_provider_that_fails_leaves_its_error() -> None:
    result = carried("nlp", ES, EffectFailed(name="CredentialError", message="no"), "{{nlp.error}}")
    assert texts(result) == ["FAILED CredentialError|no"]
