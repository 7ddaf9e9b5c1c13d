"""Whatever a caller sends is read, or refused with its place; nothing of it reaches a log, and nothing is our fault."""

import json

import pytest

from functions.open_api import app
from shared.services import walks
from tests.api_world import a_call
from tests.open_api_world import ALL_SCOPES, OpenApiWorld

DIGITS = "9" * 5_000
NEWS = {"message": {"text": "소식"}}


@pytest.fixture
def path(world: OpenApiWorld) -> str:
    world.says("안녕")
    return f"/openapi/conversation/{world.conversation_id()}"


def text(value: str) -> str:
    return json.dumps({"message": {"text": value}})


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "\ufeff",
        "[" * 100_000,
        '{"message": {"text": NaN}}',
        '{"message": {"type": "location", "location": {"latitude": NaN, "longitude": 0}}}',
        '{"message": {"type": "location", "location": {"latitude": 1e999, "longitude": 0}}}',
        f'{{"message": {{"type": "location", "location": {{"latitude": {DIGITS}, "longitude": 0}}}}}}',
        '{"message": null}',
        '{"message": []}',
        '{"message": {"text": 1}}',
        '{"message": {"text": ""}}',
        '{"message": {"text": " \\n"}}',
        '{"message": {"text": "\\u0000"}}',
        text("가" * 1_001),
        '{"message": {"type": "text"}}',
        '{"message": {"type": ["text"], "text": "a"}}',
        '{"message": {"type": "video", "video": "a"}}',
        '{"message": {"text": "a", "media": {}}}',
        '{"message": {"text": "a"}, "to": "kim"}',
        '{"message": {"text": "a", "buttons": [{"label": "a", "type": "operator"}]}}',
        '{"message": {"text": "a", "buttons": [{"label": "a", "uri": "javascript:alert(1)"}]}}',
        '{"message": {"text": "a", "buttons": [{"label": "a", "uri": "https://"}]}}',
        '{"message": {"text": "a", "buttons": [{"label": "a", "uri": "https://a.example/ b"}]}}',
        '{"message": {"text": "a", "buttons": [1]}}',
        json.dumps({"message": {"text": "a", "buttons": [{"label": "a"}] * 10}}),
        json.dumps({"message": {"text": "a", "buttons": [{"label": "가" * 256}]}}),
        json.dumps({"message": {"text": "a", "buttons": [{"label": "a", "payload": "가" * 1_001}]}}),
        json.dumps({"message": {"text": "a", "buttons": [{"label": "a", "type": "goto", "flowId": True}]}}),
        '{"message": {"type": "media", "media": {"uri": "ftp://a.example/a"}}}',
        '{"message": {"type": "media", "media": {"uri": "https://a.example/", "contentType": "heic"}}}',
        '{"message": {"type": "cards", "cards": []}}',
        '{"message": {"type": "cards", "cards": [{"uri": "https://a.example"}]}}',
        json.dumps({"message": {"type": "cards", "cards": [{"title": "a"}] * 11}}),
        '{"message": {"type": "location", "location": {"latitude": 91, "longitude": 0}}}',
        '{"message": {"type": "location", "location": {"latitude": "37", "longitude": 0}}}',
        '{"message": {"text": "a"}, "agent": "kim"}',
        '{"message": {"text": "a"}, "agent": {}}',
        '{"message": {"text": "a"}, "agent": {"id": 1}}',
        json.dumps({**NEWS, "agent": {"id": "a" * 91}}),
        json.dumps({**NEWS, "agent": {"id": "a", "profile": {"picture": "javascript:1"}}}),
        json.dumps({**NEWS, "agent": {"id": "a", "profile": {"email": "a"}}}),
        json.dumps({**NEWS, "agent": {"id": "a"}, "sender": {"userKey": "a"}}),
        json.dumps({**NEWS, "sender": {"userKey": "a", "platform": "kakao"}}),
        json.dumps({**NEWS, "sender": {"platform": "closer-chat"}}),
        json.dumps({**NEWS, "agent": {"id": "a"}, "meta": {"custom": 1}}),
        json.dumps({**NEWS, "meta": {"persona": {"id": "a"}}}),
        json.dumps({**NEWS, "meta": {"custom": "가" * 1_001}}),
        json.dumps({**NEWS, "meta": 1}),
        json.dumps({"message": {"text": "a"}, "meta": {"custom": "x" * 200_000}}),
    ],
)
def test_a_message_that_is_none_is_refused(world, path, body):
    status, code, message = world.refused("POST", f"{path}/message", body)
    assert (status, code) == (400, "invalid_input")
    assert "body" in message
    assert len(world.log()) == 1


def test_what_no_store_can_hold_is_repaired(world, path):
    said = world.ok("POST", f"{path}/message", '{"message": {"text": "a\\ud83d\\u0000b"}}')
    assert said["data"]["text"] == "a\ufffdb"


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"params": null}',
        '{"params": []}',
        '{"params": {"가": 1}}',
        '{"params": {"a b": 1}}',
        '{"params": {"": 1}}',
        '{"params": {"a": NaN}}',
        f'{{"params": {{"a": {DIGITS}}}}}',
        '{"params": {"a": 1}, "navigation": {}}',
        json.dumps({"params": {"a": "x" * 70_000}}),
        json.dumps({"params": {"a": "가" * 30_000}}),
        '{"params": {"a": ' + "[" * 70 + "]" * 70 + "}}",
    ],
)
def test_parameters_that_are_none_are_refused(world, path, body):
    assert world.refused("PUT", path, body)[:2] == (400, "invalid_input")
    assert len(world.log()) == 1


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"status": "HANDOVER"}',
        '{"status": 1}',
        '{"status": ["request"]}',
        '{"status": "request", "agent": {"id": "a"}}',
        '{"status": "connect", "agent": {"id": ""}}',
        '{"status": "connect", "who": "a"}',
    ],
)
def test_a_change_of_a_call_that_is_none_is_refused(world, path, body):
    assert world.refused("PUT", f"{path}/manual", body)[:2] == (400, "invalid_input")
    assert len(world.log()) == 1


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"flowId": null}',
        '{"flowId": true}',
        '{"flowId": 1.5}',
        '{"flowId": -1}',
        '{"flowId": "eins"}',
        f'{{"flowId": {DIGITS}}}',
        f'{{"flowId": {DIGITS[:300]}}}',
        '{"flowId": 1, "nodeId": []}',
        '{"nodeId": 1}',
    ],
)
def test_a_place_that_is_none_is_refused(world, path, body):
    assert world.refused("PUT", f"{path}/navigation", body)[:2] == (400, "invalid_input")
    assert len(world.log()) == 1


@pytest.mark.parametrize(
    "who",
    [
        {},
        {"endUserId": 1},
        {"endUserId": "16ce3423-32c1-532e-8fef-eb4307ed15dd", "botId": "shop"},
        {"botId": "shop", "platform": "web"},
        {"botId": "shop", "userKey": "kim"},
        {"botId": "shop", "platform": "fax", "userKey": "kim"},
        {"botId": "shop", "platform": "web", "userKey": ""},
        {"botId": "shop", "platform": "web", "userKey": "\x00"},
        {"botId": "shop", "platform": "web", "userKey": "k" * 91},
        {"botId": "../shop", "platform": "web", "userKey": "kim"},
    ],
)
def test_an_addressee_that_is_none_is_refused(world, who):
    before = len(world.turns.rows)
    assert world.refused("POST", "/openapi/message", {**NEWS, **who})[:2] == (400, "invalid_input")
    assert len(world.turns.rows) == before


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_idempotency_key_has_a_length(world, path, key):
    assert world.refused("POST", f"{path}/message", NEWS, idempotency_key=key)[:2] == (400, "invalid_input")


def test_a_writing_call_takes_no_query(world, path):
    assert world.refused("PUT", path, {"params": {}}, query={"dryRun": "true"})[:2] == (400, "invalid_input")


# ---- keys

CALLS = [
    ("GET", "/openapi/bot", "bots:read"),
    ("GET", "/openapi/bot/shop", "bots:read"),
    ("GET", "/openapi/bot/shop/flow", "bots:read"),
    ("GET", "/openapi/bot/shop/conversation", "conversations:read"),
    ("GET", "/openapi/conversations", "conversations:read"),
    ("GET", "/openapi/conversation/x", "conversations:read"),
    ("PUT", "/openapi/conversation/x", "conversations:write"),
    ("GET", "/openapi/conversation/x/manual", "conversations:read"),
    ("PUT", "/openapi/conversation/x/manual", "conversations:write"),
    ("PUT", "/openapi/conversation/x/navigation", "conversations:write"),
    ("GET", "/openapi/conversation/x/message", "conversations:read"),
    ("POST", "/openapi/conversation/x/message", "conversations:write"),
    ("GET", "/openapi/messages", "conversations:read"),
    ("POST", "/openapi/message", "conversations:write"),
    ("GET", "/openapi/enduser/x", "endusers:read"),
    ("GET", "/openapi/endusers", "endusers:read"),
]


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_a_call_needs_a_key_with_its_scope(world, method, path, scope):
    for key in (None, "mgk_" + "9" * 32, "nonsense"):
        assert world.refused(method, path, {}, key=key)[:2] == (401, "access_denied")
    without = world.keys.make(name="k", scopes=tuple(each for each in ALL_SCOPES if each != scope))[1]
    status, code, message = world.refused(method, path, {}, key=without)
    assert (status, code) == (403, "missing_scope")
    assert scope in message


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("DELETE", "/openapi/bot", 405), ("GET", "/openapi/team/1/member/realtime", 404), ("GET", "/openapi", 404)],
)
def test_what_is_no_call_is_told_so(world, method, path, status):
    assert world.refused(method, path)[0] == status


def test_a_fault_of_ours_says_nothing_to_the_end_user_and_writes_nothing(world, path, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(walks, "step", fail)
    answer = app.handler(a_call("POST", f"{path}/message", key=world.key, body=NEWS), None)
    assert answer["statusCode"] == 500
    assert len(world.log()) == 1
