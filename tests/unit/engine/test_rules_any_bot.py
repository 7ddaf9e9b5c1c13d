"""Whatever a draft holds and whoever speaks: lint tells, a step answers, and the state can be stored and read back."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bot.lint import lint
from shared.bot.model import Bot
from shared.engine import Answered, Effect, EffectAnswer, EffectFailed, HttpResponse, Session, resume, step
from shared.engine.effects import EFFECTS, ScriptRun, effect_from_json, effect_to_json
from shared.engine.inbound import AgentJoined, AgentMessage, CallCompleted, Inbound, Opened, StartAt, UserMessage
from shared.engine.session import JsonObject
from shared.engine.walk import MAX_NODES
from tests.factories import a_node, a_response, surroundings

Path = tuple[str | int, ...]

CONTENT: JsonObject = {
    "flows": [
        {
            "id": 1,
            "data": {"entry": 1},
            "nodes": [
                a_node(1, "entry", {}, 2),
                a_response(2, "{{message}} {{fetch.data.x}}", 3),
                a_node(
                    3,
                    "keyboard",
                    {
                        "type": "number",
                        "strict": True,
                        "min": 1,
                        "max": "9",
                        "buttons": [{"label": "{{params.list[i]}}", "payload": "{}", "params": {"x": "{{message}}"}}],
                        "messages": {"failure": {"text": "다시"}},
                    },
                    (4, {"message.text": {"regex": "^[0-9]"}}),
                    5,
                ),
                a_node(
                    4, "parameter", {"set": [{"key": "list", "value": [1, 2], "where": {"a": {"exists": False}}}]}, 6
                ),
                a_node(
                    5, "fetch", {"uri": "https://example.com", "method": "POST", "contentType": "json", "body": "x"}, 7
                ),
                a_node(6, "manual", {"messages": {"default": {"text": "?", "actions": {"cancel": "취소"}}}}, 7),
                a_node(
                    7,
                    "response",
                    {
                        "message": {
                            "type": "cards",
                            "cards": [{"title": "{{params.list[i]}}", "buttons": [{"label": "a"}]}],
                        },
                        "meta": {"custom": "x"},
                    },
                    8,
                ),
                a_node(8, "back", {"operation": "pop", "count": 1}, 9),
                a_node(9, "backstack", {"operation": "push"}, 10),
                a_node(10, "sandbox", {"runtime": "nodejs", "script": "module.exports = () => 1", "slow": True}, 11),
                a_node(11, "email", {"to": ["a@example.com"], "subject": "{{message}}", "body": "{{message}}"}, 12),
                a_node(
                    12,
                    "gsheet",
                    {
                        "post": {"columns": ["a"], "values": ["{{sandbox.result}}"]},
                        "spreadsheetId": "https://docs.google.com/spreadsheets/d/abc/edit",
                        "token": "google_a",
                    },
                    (13, {"gsheet.status": "COMPLETED"}),
                    14,
                ),
                a_node(
                    13,
                    "nlp",
                    {
                        "provider": "http",
                        "credential": "nlp",
                        "uri": "https://example.com",
                        "headers": {"a": "{{userKey}}"},
                        "body": {"q": ["{{message}}"]},
                        "mapping": {"intent": "a.b"},
                        "threshold": 0.5,
                    },
                    (14, {"nlp.intent": {"exists": True}}),
                    15,
                ),
                a_node(
                    14,
                    "chitchat",
                    {
                        "provider": "openai",
                        "model": "small",
                        "maxTokens": 100,
                        "instructions": "{{bot.title}}",
                        "messages": {"failure": {"text": "{{chitchat.error}}"}},
                    },
                    15,
                ),
                a_node(15, "flow", {"flowId": "1", "nodeId": 2}),
            ],
        }
    ],
    "preference": {
        "entryFlowId": 1,
        "fallbackFlowId": 1,
        "systemMessage": {"error": "{{error}}"},
        "sessionBehavior": {"restoreNavigation": True, "sessionTimeoutMinutes": 1},
    },
}
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 1e300, 10**305, "", " ", "a", "null", "1e999", "1", [], {}, [1], [{}], {"a": []}),
    *("{{message}}", "{{#if}}", "{{params.list[i]}}", "{{params.list[0..3]}}", "cards", "media", "location", "entry"),
)
SAID: tuple[JsonObject, ...] = (
    *({"type": "text", "text": text} for text in ("5", "많이", "취소", "{{x}}", "")),
    {"type": "text", "text": "a", "payload": {"flowId": 1}},
    {"type": "media", "media": {"contentType": "image", "uri": "https://example.com/a.jpg"}},
    {"type": "location", "location": {"latitude": 1, "longitude": 2}},
)
INBOUNDS: tuple[Inbound, ...] = (
    *(UserMessage(data=data) for data in SAID),
    *(Opened(), StartAt(flow_id=1), StartAt(flow_id=1, node_id=7), StartAt(flow_id=9)),
    *(AgentJoined(), AgentMessage(data={"type": "text", "text": "네"}), CallCompleted()),
)
HOSTILE: tuple[Any, ...] = (
    *ODD,
    *("\ud800", "\x00", "x" * 70_000, float("nan"), float("inf"), 10**400, {"\ud800": 1}, {1: 2}, {"text": "안녕"}),
    *({"type": "cards", "cards": [{}]}, {"a b": 1, "ok": "\udfff", "null": None}, json.loads("[" * 90 + "]" * 90)),
)
KEYS = (
    *("result", "message", "params", "custom", "intent", "entities", "answer", "score", "usage", "messageId"),
    *("status", "error", "dropped", "\ud800"),
)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a document."""
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


def a_broken_bot(chance: random.Random) -> JsonObject:
    content = copy.deepcopy(CONTENT)
    for _ in range(chance.randint(1, 4)):
        *before, last = chance.choice(list(places(content)) or [("flows",)])
        around: Any = content
        for key in before:
            around = around[key]
        around[last] = copy.deepcopy(chance.choice(ODD))
    return content


def an_answer(chance: random.Random) -> EffectAnswer:
    """Of any kind, as whoever carried it out might have been deceived."""
    kind = chance.random()
    if kind < 0.2:
        body = chance.choice([b'{"x": [1, 2]}', b"", b"\xff", b"[" * 100, b'"\\ud800"', b'{"a": 1e999}'])
        content_type = chance.choice(["", "text/html; charset=", "text/plain; charset=utf-16", "\ud800"])
        status = chance.choice([200, 204, 304, 500])
        return HttpResponse(status=status, url="\ud800", content_type=content_type, body=body)
    notes = [chance.choice(["", "log", "\ud800", "x" * 5_000])] * chance.choice([0, 1, 100])
    if kind < 0.4:
        return EffectFailed(name=chance.choice(["TimeoutError", "", "\ud800"]), message="\ud800late", notes=notes)
    result = {key: copy.deepcopy(chance.choice(HOSTILE)) for key in chance.sample(KEYS, chance.randint(0, 6))}
    if chance.random() < 0.5:
        result["result"] = {key: copy.deepcopy(chance.choice(HOSTILE)) for key in KEYS[:4]}
    return Answered(result=result, notes=notes)


def as_kept(effect: Effect) -> Effect:
    """An effect as a queue gives it back."""
    data = json.loads(json.dumps(effect_to_json(effect), ensure_ascii=False, allow_nan=False).encode())
    return effect_from_json(data, effect.script if isinstance(effect, ScriptRun) else "")


def assert_storable(value: Any) -> None:
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def as_stored(session: Session) -> Session:
    return Session.from_json(json.loads(json.dumps(session.to_json(), ensure_ascii=False, allow_nan=False).encode()))


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_no_draft_and_no_event_breaks_a_step(seed: int) -> None:
    chance = random.Random(seed)
    content = a_broken_bot(chance)
    for problem in lint(content):
        assert str(problem)
    bot = Bot(content)
    session: Session | None = None
    for inbound in chance.choices(INBOUNDS, k=6):
        around = surroundings(platform=chance.choice(["web", "kakao"]))
        result = step(bot, session, inbound, around)
        executed = len(result.trace)
        while result.effect is not None:
            assert as_kept(result.effect) == result.effect
            assert 1 <= result.effect.timeout_ms <= 30_000
            assert type(result.effect) is EFFECTS[result.trace[-1].type]
            assert result.session is not None
            result = resume(bot, as_stored(result.session), an_answer(chance), around)
            executed += len(result.trace) - 1
        assert executed <= MAX_NODES + 5
        assert_storable([result.messages, [entry.to_json() for entry in result.trace]])
        session = None if result.session is None else as_stored(result.session)


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_whatever_the_world_answers_a_sound_bot_goes_on(seed: int) -> None:
    chance = random.Random(seed)
    bot = Bot(CONTENT)
    session: Session | None = None
    start = StartAt(flow_id=1, node_id=chance.choice([5, 10, 11, 12, 13, 14]), message=chance.choice(SAID))
    result = step(bot, session, start, surroundings())
    said = list(result.messages)
    while result.effect is not None:
        assert as_kept(result.effect) == result.effect
        assert result.session is not None
        result = resume(bot, as_stored(result.session), an_answer(chance), surroundings())
        said += result.messages
    assert said
    assert result.session is not None
    assert (result.session.waiting, result.session.position) == ("keyboard", (1, 3))
    assert result.session.progress is None
