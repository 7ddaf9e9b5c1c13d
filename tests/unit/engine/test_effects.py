"""What every node asks of the world: shown without secrets, and the same walk however often it is suspended."""

from typing import Any

import pytest

from shared.engine import Answered, EffectFailed, HttpCall, resume, step
from shared.engine.effects import EFFECTS, Effect, IntentQuery, Mail, ScriptRun, SheetRow, SmallTalk
from shared.engine.inbound import Opened
from shared.engine.walk import MAX_NODES
from tests.factories import a_bot, a_node, a_response, surroundings
from tests.unit.engine.test_rules_walk import stored
from tests.unit.engine.test_step import ERROR, FALLBACK, say, texts, two_flows

SECRET = "s3cr3tValue"
SHOWN_SECRETS: list[Effect] = [
    HttpCall(
        method="POST",
        url=f"https://me:{SECRET}@example.com/?access_token={SECRET}",
        headers={"Authorization": SECRET},
        body=f'{{"password": "{SECRET}"}}'.encode(),
        timeout_ms=1,
        repeatable=False,
    ),
    ScriptRun(script=SECRET, context={"params": {"token": SECRET}}, timeout_ms=1, repeatable=True),
    Mail(to=[], reply_to=[], subject="x", html=f"https://example.com/?token={SECRET}", timeout_ms=1),
    SheetRow(
        spreadsheet_id="x", sheet_name="x", columns=["password"], values=[SECRET], credential=SECRET, timeout_ms=1
    ),
    IntentQuery(
        provider="http",
        settings={"uri": f"https://example.com/?key={SECRET}", "headers": {"X-Api-Key": SECRET}},
        text="x",
        session_id="x",
        language="ko",
        credential=SECRET,
        timeout_ms=1,
    ),
    SmallTalk(
        provider="openai",
        settings={"uri": f"https://example.com/?sig={SECRET}"},
        instructions=f"Bearer {SECRET}",
        text="x",
        max_tokens=5,
        credential=SECRET,
        timeout_ms=1,
    ),
]


@pytest.mark.parametrize("effect", SHOWN_SECRETS, ids=lambda effect: type(effect).__name__)
def test_no_request_shows_a_secret(effect: Effect) -> None:
    shown = str(effect.describe())
    assert SECRET not in shown
    assert "***" in shown


def test_every_kind_of_request_is_looked_at() -> None:
    assert {type(effect) for effect in SHOWN_SECRETS} == set(EFFECTS.values())


@pytest.mark.parametrize(
    "answer",
    [
        Answered(result={"result": {"accessToken": SECRET, "url": f"https://example.com/?token={SECRET}"}}),
        EffectFailed(name="HttpError", message=f"https://example.com/?token={SECRET} is gone"),
    ],
)
def test_no_answer_shows_a_secret(answer: Any) -> None:
    assert SECRET not in str(answer.describe())
    assert "***" in str(answer.describe())


def test_a_number_of_tokens_is_no_secret() -> None:
    assert SHOWN_SECRETS[-1].describe()["maxTokens"] == 5


def test_a_silent_walk_sends_neither_a_scripts_message_nor_small_talk() -> None:
    bot = two_flows(
        FALLBACK,
        [
            a_node(1, "entry", {}, 2),
            a_node(2, "sandbox", {"script": "module.exports = () => ({})"}, 3),
            a_node(3, "chitchat", {"provider": "openai", "model": "m"}, 4),
            a_node(4, "keyboard", {}, 5),
            a_response(5, "{{params.n}} {{message}}"),
        ],
        sessionBehavior={"welcomeOnMessageWithoutSession": False},
    )
    asked = step(bot, None, say("안녕"), surroundings())
    asked = resume(bot, stored(asked), Answered(result={"message": "하나", "params": {"n": 1}}), surroundings())
    assert (asked.messages, type(asked.effect)) == ([], SmallTalk)
    assert texts(resume(bot, stored(asked), Answered(result={"answer": "둘"}), surroundings())) == ["1 안녕"]


def test_a_circle_through_the_world_ends_with_the_error_message() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "sandbox", {"script": "module.exports = () => 1"}, 2)])
    result, asked = step(bot, None, Opened(), surroundings()), 0
    while result.effect is not None:
        asked += 1
        result = resume(bot, stored(result), Answered(result={"result": 1}), surroundings())
    assert asked == MAX_NODES - 1
    assert texts(result) == [ERROR]
    assert any("circle" in note for note in result.trace[-1].notes)


def test_the_last_failure_of_the_turn_outlives_further_requests() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "email", {"to": "a@example.com"}, 3),
            a_node(3, "nlp", {"provider": "http", "uri": "x"}, 4),
            a_response(4, "{{error}} {{email.status}} {{nlp.intent}}"),
        ]
    )
    failed = resume(
        bot,
        stored(step(bot, None, say("안녕"), surroundings())),
        EffectFailed(name="ProviderError", message="닫힘"),
        surroundings(),
    )
    done = resume(bot, stored(failed), Answered(result={"intent": "hi"}), surroundings())
    assert texts(done) == ["닫힘 FAILED hi"]
