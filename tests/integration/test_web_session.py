"""The web channel over HTTP on the embedded AWS: sessions, messages, and pictures that a browser really puts."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from functions.web_session import app
from infra.local.embedded import client
from shared.channels.web.tokens import SigningKey, SigningKeys
from shared.conversation.erasure import Erasure
from shared.errors import Conflict
from shared.ids import log_key
from shared.runtime import wiring, world
from shared.runtime.settings import CORE_TABLE, UPLOAD_BUCKET
from shared.storage.rates import DynamoRates
from shared.storage.signing_keys import DynamoSigningKeys
from shared.storage.uploads import NEW
from tests.api_world import a_call, json_of
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.test_promises_skill import ECHO
from tests.unit.web.test_uploads import GIF, HTML, JPEG, PDF, PNG, SVG

SHOP = "https://shop.example"


class Page:
    """A page of a bot that is on, opened by `kim`."""

    def __init__(self) -> None:
        self.bot_id = f"web-{uuid.uuid4().hex[:8]}"
        authoring = wiring.authoring()
        authoring.import_file(self.bot_id, json.dumps(ECHO).encode())
        authoring.publish(self.bot_id)
        authoring.connect_web(self.bot_id, enabled=True)
        self.session = self.open("kim")

    def open(self, user_key: str) -> Any:
        answer = self.call("POST", "/sessions", None, body={"botId": self.bot_id, "userKey": user_key})
        assert answer["statusCode"] == 201, answer
        return json_of(answer)

    def call(self, method: str, path: str, token: str | None = "", **more: Any) -> Any:
        key = self.session["token"] if token == "" else token
        event = a_call(method, f"/webchat/v1{path}", key=key, headers={"origin": SHOP}, **more)
        event["requestContext"]["http"]["sourceIp"] = f"10.{uuid.uuid4().int % 250}.0.1"
        return app.handler(event, None)

    def place(self, content: bytes, content_type: str = "image/png") -> Any:
        body = {"name": "photo.png", "contentType": content_type, "size": len(content)}
        answer = self.call("POST", "/uploads", body=body)
        assert answer["statusCode"] == 201, answer
        return json_of(answer)

    def put(self, content: bytes, content_type: str = "image/png") -> str:
        place = self.place(content, content_type)
        assert httpx.put(place["uploadUrl"], content=content, headers=place["headers"]).status_code == 200
        return place["media"]["uri"]

    def send(self, uri: str) -> Any:
        data = {"type": "media", "media": {"contentType": "image", "uri": uri}}
        return self.call("POST", "/messages", body={"type": "message", "clientId": uuid.uuid4().hex, "data": data})

    @property
    def log(self) -> str:
        return log_key("web", "kim")


@pytest.fixture
def page(stack: Stack) -> Iterator[Page]:
    forget_wiring()
    app._sessions_limit.cache_clear()
    app._uploads_limit.cache_clear()
    app._erasures_limit.cache_clear()
    yield Page()
    forget_wiring()


@pytest.fixture
def s3(stack: Stack) -> Any:
    return client("s3", stack.endpoint)


def keys_in(s3: Any, stack: Stack, page: Page) -> list[str]:
    found = s3.list_objects_v2(Bucket=stack.environment[UPLOAD_BUCKET], Prefix=f"u/{page.bot_id}/{page.log}/")
    return [entry["Key"] for entry in found.get("Contents", [])]


def tags_of(s3: Any, stack: Stack, key: str) -> list[str]:
    found = s3.get_object_tagging(Bucket=stack.environment[UPLOAD_BUCKET], Key=key)["TagSet"]
    return [f"{tag['Key']}={tag['Value']}" for tag in found]


# ---- messages over HTTP


def test_a_conversation_over_http_alone(page: Page) -> None:
    started = json_of(page.call("POST", "/messages", body={"type": "start"}))
    assert (started["type"], started["context"]["platform"]) == ("context", "web")
    said = page.call(
        "POST", "/messages", body={"type": "message", "clientId": "1", "data": {"type": "text", "text": "안녕"}}
    )
    frame = json_of(said)
    assert (said["statusCode"], frame["type"], frame["clientId"]) == (200, "messages", "1")
    assert frame["messages"][0]["isUser"] is True
    missed = json_of(page.call("GET", "/messages", query={"after": str(started["rev"])}))
    assert [message["rev"] for message in missed["messages"]][-1] == frame["rev"]
    history = json_of(page.call("GET", "/messages", query={"limit": "10"}))
    assert [item["id"] for item in history["items"]][-1] == frame["messages"][-1]["id"]
    resumed = json_of(
        page.call("POST", "/sessions", None, body={"botId": page.bot_id, "resume": page.session["token"]})
    )
    assert (resumed["rev"], resumed["conversationId"]) == (frame["rev"], started["context"]["conversationId"])


def test_what_is_wrong_with_a_frame_is_a_frame(page: Page) -> None:
    wrong = page.call("POST", "/messages", body={"type": "message", "clientId": "1"})
    assert (wrong["statusCode"], json_of(wrong)["type"], json_of(wrong)["code"]) == (400, "error", "invalid_input")
    nobody = page.call("POST", "/messages", None, body={"type": "start"})
    assert (nobody["statusCode"], json_of(nobody)["code"]) == (401, "access_denied")
    assert page.call("GET", "/messages", query={"after": "1", "limit": "3"})["statusCode"] == 400
    assert page.call("GET", "/messages", query={"before": "0"})["statusCode"] == 400


# ---- uploads


@pytest.mark.parametrize(("content", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif")])
def test_a_picture_is_put_sent_kept_and_seen(stack: Stack, page: Page, s3: Any, content: bytes, kind: str) -> None:
    page.call("POST", "/messages", body={"type": "start"})
    uri = page.put(content, kind)
    (key,) = keys_in(s3, stack, page)
    assert tags_of(s3, stack, key) == [NEW]
    sent = page.send(uri)
    assert (sent["statusCode"], json_of(sent)["messages"][0]["data"]["media"]["uri"]) == (200, uri)
    assert tags_of(s3, stack, key) == ["state=kept"]
    seen = page.call("GET", "/uploads/" + uri.rpartition("/")[2], None)
    assert seen["statusCode"] == 302
    shown = httpx.get(seen["headers"]["location"])
    assert (shown.content, shown.headers["content-type"]) == (content, kind)


@pytest.mark.parametrize("content", [PDF, SVG, HTML], ids=["pdf", "svg with a script", "html"])
def test_a_file_that_is_only_called_png_reaches_no_conversation(
    stack: Stack, page: Page, s3: Any, content: bytes
) -> None:
    page.call("POST", "/messages", body={"type": "start"})
    refused = page.send(page.put(content))
    assert (refused["statusCode"], json_of(refused)["code"]) == (400, "invalid_input")
    assert [tags_of(s3, stack, key) for key in keys_in(s3, stack, page)] == [[NEW]]
    assert json_of(page.call("GET", "/messages"))["items"] == json_of(page.call("GET", "/messages"))["items"]
    newest = wiring.turns().newest(page.bot_id, page.log)
    assert newest is not None
    assert newest.revision == 1


def test_twelve_megabytes_get_no_place_and_no_message(stack: Stack, page: Page, s3: Any) -> None:
    large = PNG + bytes(12 * 1024 * 1024)
    body = {"name": "a.png", "contentType": "image/png", "size": len(large)}
    refused = page.call("POST", "/uploads", body=body)
    assert json_of(refused)["error"]["message"].startswith("body.size: ")
    place = page.place(PNG)
    httpx.put(place["uploadUrl"], content=large, headers=place["headers"])
    page.call("POST", "/messages", body={"type": "start"})
    answer = page.send(place["media"]["uri"])
    assert answer["statusCode"] == 400
    assert "10485760" in json_of(answer)["message"]


def test_nothing_is_put_over_a_picture(page: Page) -> None:
    place = page.place(PNG)
    assert "content-length" in place["uploadUrl"]
    assert "if-none-match" in place["uploadUrl"]
    statuses = [httpx.put(place["uploadUrl"], content=PNG, headers=place["headers"]).status_code for _ in range(2)]
    assert statuses == [200, 412]


def test_a_picture_of_somebody_else_cannot_be_sent(page: Page) -> None:
    uri = page.put(PNG)
    page.session = page.open("lee")
    page.call("POST", "/messages", body={"type": "start"})
    assert page.send(uri)["statusCode"] == 400


def test_an_erasure_deletes_what_the_person_uploaded(stack: Stack, page: Page, s3: Any) -> None:
    page.put(PNG)
    page.put(GIF, "image/gif")
    kim = keys_in(s3, stack, page)
    assert len(kim) == 2
    erasure = Erasure(
        erasure_id="e",
        bot_id=page.bot_id,
        end_user_id=page.session["endUserId"],
        log=page.log,
        revision=2,
        sequence=1,
        requested_by="test",
        requested_at_ms=world.now_ms() + 1,
    )
    (erase,) = wiring.erase_rows().holdings
    assert erase(erasure)
    assert keys_in(s3, stack, page) == []


# ---- leaving


def say(page: Page, text: str, **session: Any) -> Any:
    data = {"type": "text", "text": text}
    frame = {"type": "message", "clientId": uuid.uuid4().hex, "data": data}
    return json_of(page.call("POST", "/messages", body=frame, **session))


def test_a_person_erases_themselves_and_their_old_token_opens_nothing_of_before(page: Page) -> None:
    page.call("POST", "/messages", body={"type": "start", "params": {"phone": "010-1234-5678"}})
    before = say(page, "내 주소는 서울입니다")
    answer = page.call("DELETE", "/end-user")
    receipt = json_of(answer)
    assert (answer["statusCode"], receipt["endUserId"]) == (202, page.session["endUserId"])
    assert answer["headers"]["access-control-allow-origin"] == SHOP
    erasure = wiring.erase_person().receipt(page.bot_id, receipt["receiptId"])
    assert (erasure.requested_by, erasure.state) == ("web", "accepted")

    def everything() -> str:
        missed = page.call("GET", "/messages", query={"after": "0"})
        history = page.call("GET", "/messages")
        resumed = page.call("POST", "/sessions", None, body={"botId": page.bot_id, "resume": page.session["token"]})
        assert [found["statusCode"] for found in (missed, history, resumed)] == [200, 200, 201]
        assert json_of(resumed)["conversationId"] != before["conversationId"]
        return str(missed["body"] + history["body"])

    assert not any(word in everything() for word in ("서울", "010", before["conversationId"]))
    assert json_of(page.call("DELETE", "/end-user"))["receiptId"] == receipt["receiptId"]
    page.call("POST", "/messages", body={"type": "start"})
    assert say(page, "다시 왔어요")["conversationId"] != before["conversationId"]
    assert "다시 왔어요" in everything()
    assert not any(word in everything() for word in ("서울", "010", before["conversationId"]))


def test_who_never_said_anything_leaves_nothing_to_erase(page: Page) -> None:
    answer = page.call("DELETE", "/end-user")
    assert (answer["statusCode"], json_of(answer)["error"]["code"]) == (404, "not_found")


def test_nobody_is_erased_without_their_own_good_token(page: Page) -> None:
    page.call("POST", "/messages", body={"type": "start"})
    other = page.open("lee")["token"]
    assert page.call("DELETE", "/end-user", None)["statusCode"] == 401
    assert page.call("DELETE", "/end-user", page.session["token"][:-3] + "abc")["statusCode"] == 401
    assert page.call("DELETE", "/end-user", other)["statusCode"] == 404
    newest = wiring.turns().newest(page.bot_id, page.log)
    assert newest is not None
    assert newest.erases is None


def test_only_pages_that_may_show_the_bot_erase_and_they_ask_first(page: Page) -> None:
    wiring.authoring().connect_web(page.bot_id, origins=("https://other.example",))
    wiring.published_bots.cache_clear()
    wiring.web_sessions.cache_clear()
    assert page.call("DELETE", "/end-user")["statusCode"] == 403
    asked = page.call("OPTIONS", "/end-user", None)
    assert (asked["statusCode"], asked["headers"]["access-control-allow-methods"]) == (204, "DELETE")


def test_one_end_user_may_go_five_times_an_hour(page: Page) -> None:
    statuses = [page.call("DELETE", "/end-user")["statusCode"] for _ in range(6)]
    assert statuses == [404] * 5 + [429]


# ---- rows


def test_many_who_make_signing_keys_at_once_use_the_same_ones(stack: Stack) -> None:
    table = stack.environment[CORE_TABLE]
    row = {"pk": {"S": "W#default"}, "sk": {"S": "TOKENS"}}
    client("dynamodb", stack.endpoint).delete_item(TableName=table, Key=row)
    assert DynamoSigningKeys(table).get() is None

    def make(number: int) -> SigningKeys:
        keys = SigningKeys(current=SigningKey(kid=f"k{number}", secret=f"{number:043d}"))
        return DynamoSigningKeys(table).make(keys)

    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(make, range(12)))
    assert made == {DynamoSigningKeys(table).get()}
    rotate_and_race(DynamoSigningKeys(table))
    client("dynamodb", stack.endpoint).delete_item(TableName=table, Key=row)


def rotate_and_race(row: DynamoSigningKeys) -> None:
    """A change is read back as it was written; again it is no harm; who read the keys before it changes nothing."""
    before = row.get()
    assert before is not None
    after = before.with_new(SigningKey(kid="new", secret="n" * 43, signs_from_s=1_800_000_000), 1_800_000_000)
    row.replace(before, after)
    row.replace(before, after)
    assert row.get() == after
    with pytest.raises(Conflict):
        row.replace(before, SigningKeys(current=SigningKey(kid="late", secret="l" * 43)))
    assert row.get() == after


def test_counts_of_all_functions_come_together_and_expire(stack: Stack) -> None:
    rates, name = DynamoRates(stack.environment[CORE_TABLE]), uuid.uuid4().hex
    assert rates.add(name, 7, 6, expires_at_s=100) == 6
    assert DynamoRates(stack.environment[CORE_TABLE]).add(name, 7, 1, expires_at_s=100) == 7
    assert rates.add(name, 8, 1, expires_at_s=100) == 1
    found = client("dynamodb", stack.endpoint).get_item(
        TableName=stack.environment[CORE_TABLE], Key={"pk": {"S": f"RL#{name}#7"}, "sk": {"S": "COUNT"}}
    )
    assert found["Item"]["ttl"] == {"N": "100"}
