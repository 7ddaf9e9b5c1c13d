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
from shared.engine import EffectFailed, HttpResponse, Session, resume, step
from shared.engine.inbound import AgentJoined, AgentMessage, CallCompleted, Inbound, Opened, StartAt, UserMessage
from shared.engine.session import JsonObject
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
                a_node(10, "flow", {"flowId": "1", "nodeId": 3}),
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
ANSWERS: tuple[HttpResponse | EffectFailed, ...] = (
    HttpResponse(status=200, url="", content_type="", body=b'{"x": [1, 2]}'),
    HttpResponse(status=500, url="", content_type="text/html; charset=", body=b"\xff"),
    EffectFailed(name="Timeout", message="late"),
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


def as_stored(session: Session) -> Session:
    return Session.from_json(json.loads(json.dumps(session.to_json(), allow_nan=False)))


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
        while result.effect is not None:
            assert result.session is not None
            result = resume(bot, as_stored(result.session), chance.choice(ANSWERS), around)
        json.dumps([result.messages, [entry.to_json() for entry in result.trace]], allow_nan=False)
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
