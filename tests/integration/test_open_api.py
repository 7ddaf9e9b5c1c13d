"""The open API on the stack's tables: the index is the projector's, the answers are the log's."""

import json
import uuid
from typing import Any

import pytest

from functions.effect_worker import app as effect_worker
from functions.open_api import app
from shared.conversation.projection import sightings
from shared.ids import end_user_id, log_key
from shared.runtime import wiring
from shared.services.authoring import Authoring
from tests.api_world import a_call
from tests.factories import a_node, a_response
from tests.integration.phones import Caller, a_caller
from tests.integration.test_promises_skill import a_document
from tests.open_api_world import ALL_SCOPES, check_answer, seen

ORDERING = a_document(
    a_response(2, "안녕하세요", 3),
    a_node(3, "keyboard", {}, 4),
    a_response(4, "들었어요: {{message}}", 3),
    a_response(5, "잠시만요", 6),
    a_node(6, "fetch", {"uri": "https://127.0.0.1/refused", "method": "POST"}, 7),
    a_response(7, "주문: {{fetch.status}}", 8),
    a_node(8, "keyboard", {}, 4),
)


class Owner:
    """Whoever has an API key of the stack."""

    def __init__(self) -> None:
        self.key = wiring.api_keys().make(name="test", scopes=ALL_SCOPES)[1]

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        answer = app.handler(a_call(method, path, key=self.key, body=body, query=query), None)
        content = json.loads(answer["body"])
        check_answer(method, path, answer)
        return answer["statusCode"], content

    def get(self, path: str, **query: Any) -> Any:
        status, content = self.call("GET", path, **query)
        assert status == 200, content
        return content


@pytest.fixture
def phone(authoring: Authoring) -> Caller:
    return a_caller(authoring, ORDERING)


@pytest.fixture
def owner(phone: Caller) -> Owner:
    return Owner()


def project(phone: Caller, platform: str = "kakao", user_key: str | None = None) -> None:
    """What the projector writes of a log."""
    log, turns = log_key(platform, user_key or phone.user_key), []
    newest = wiring.turns().newest(phone.bot_id, log)
    for revision in range(1, (newest.revision if newest else 0) + 1):
        turn = wiring.turns().get(phone.bot_id, log, revision)
        assert turn is not None
        turns.append(turn)
    wiring.identities().note([sighting for turn in turns for sighting in sightings(seen(turn))])


def conversation_of(phone: Caller) -> str:
    newest = wiring.turns().newest(phone.bot_id, log_key("kakao", phone.user_key))
    assert newest is not None
    assert newest.state.session is not None
    return newest.state.session.conversation_id


def work(phone: Caller) -> None:
    body = json.dumps({"botId": phone.bot_id, "platform": "kakao", "userKey": phone.user_key})
    assert effect_worker.handler({"Records": [{"messageId": "1", "body": body}]}, None) == {"batchItemFailures": []}


def test_everything_that_can_be_read_is_read(owner: Owner, phone: Caller) -> None:
    phone.say("안녕")
    phone.say("장미")
    project(phone)
    conversation_id, person_id = conversation_of(phone), end_user_id(phone.bot_id, "kakao", phone.user_key)
    assert phone.bot_id in [bot["id"] for bot in owner.get("/openapi/bot", limit=100)["items"]]
    assert owner.get(f"/openapi/bot/{phone.bot_id}")["integration"] == {"kakao": {"enabled": True}}
    assert [flow["id"] for flow in owner.get(f"/openapi/bot/{phone.bot_id}/flow")["items"]] == [1]
    conversation = owner.get(f"/openapi/conversation/{conversation_id}")
    assert conversation["endUserId"] == person_id
    for query in ({"botId": phone.bot_id}, {"endUserId": person_id}):
        assert owner.get("/openapi/conversations", **query) == {"items": [conversation], "cursor": None}
    assert owner.get(f"/openapi/bot/{phone.bot_id}/conversation", platform="web")["items"] == []
    assert owner.get(f"/openapi/conversation/{conversation_id}/manual")["status"] is None
    person = owner.get(f"/openapi/enduser/{person_id}")
    assert person["lastConversation"] == conversation
    assert owner.get("/openapi/endusers", botId=phone.bot_id)["items"] == [person]
    found = owner.get("/openapi/endusers", botId=phone.bot_id, platform="kakao", userKey=phone.user_key)
    assert found["items"] == [person]
    first = owner.get(f"/openapi/conversation/{conversation_id}/message", limit=3, order="asc")
    rest = owner.get(f"/openapi/conversation/{conversation_id}/message", order="asc", cursor=first["cursor"])
    texts = [message["data"]["text"] for message in first["items"] + rest["items"]]
    assert texts == ["안녕", "안녕하세요", "장미", "들었어요: 장미"]
    assert person["lastMessageId"] == rest["items"][-1]["id"]


def test_what_is_said_and_started_from_outside_reaches_the_phone_once_in_order(owner: Owner, phone: Caller) -> None:
    phone.say("안녕")
    project(phone)
    path = f"/openapi/conversation/{conversation_of(phone)}"
    assert owner.call("POST", f"{path}/message", {"message": {"text": "소식"}})[0] == 201
    assert owner.call("PUT", f"{path}/navigation", {"flowId": 1, "nodeId": 5}) == (202, {"pending": True})
    work(phone)
    assert phone.say("네") == ["소식\n\n잠시만요", "주문: FAILED", "들었어요: 네"]
    assert phone.say("또") == ["들었어요: 또"]


def test_a_conversation_with_an_agent_goes_its_way_on_the_phone(owner: Owner, phone: Caller) -> None:
    phone.say("안녕")
    project(phone)
    path = f"/openapi/conversation/{conversation_of(phone)}"
    assert owner.call("PUT", f"{path}/manual", {"status": "request"})[1]["status"] == "REQUESTED"
    said = {"message": {"text": "상담원입니다"}, "agent": {"id": "park"}}
    assert owner.call("POST", f"{path}/message", said)[0] == 201
    assert phone.say("여보세요") == ["상담원입니다"]
    assert owner.get(f"{path}/manual")["agent"]["id"] == "park"
    assert owner.call("PUT", f"{path}/manual", {"status": "complete"})[1]["status"] == "DISCONNECTED"
    assert phone.say("네") == ["안녕하세요"]


def test_parameters_from_outside_are_the_bots(owner: Owner, phone: Caller) -> None:
    phone.say("안녕")
    project(phone)
    path = f"/openapi/conversation/{conversation_of(phone)}"
    assert owner.call("PUT", path, {"params": {"grade": "vip"}})[1]["params"] == {"grade": "vip"}
    newest = wiring.turns().newest(phone.bot_id, log_key("kakao", phone.user_key))
    assert newest is not None
    assert [event["event"] for event in newest.events] == ["bot.conversation.updated", "bot.end_user.updated"]


def test_somebody_new_can_be_written_to_and_is_listed(owner: Owner, phone: Caller) -> None:
    user_key = uuid.uuid4().hex
    to = {"botId": phone.bot_id, "platform": "web", "userKey": user_key}
    status, message = owner.call("POST", "/openapi/message", {**to, "message": {"text": "반가워요"}})
    assert status == 201
    project(phone, "web", user_key)
    listed = owner.get("/openapi/messages", conversationId=message["conversationId"])
    assert listed == {"items": [message], "cursor": None}


def test_a_phone_where_the_bot_keeps_quiet_gets_an_answer_that_kakaotalk_takes(owner: Owner, phone: Caller) -> None:
    phone.say("안녕")
    project(phone)
    path = f"/openapi/conversation/{conversation_of(phone)}/manual"
    owner.call("PUT", path, {"status": "connect", "agent": {"id": "park"}})
    reply = phone.call("여보세요")
    assert reply["statusCode"] == 200
    assert json.loads(reply["body"])["template"]["outputs"]
