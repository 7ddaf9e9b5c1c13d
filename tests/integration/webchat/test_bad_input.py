"""What strangers, careless pages and visitors may send to the web chat, on the real template over sockets and HTTP.

Where each is tried; without a file's name it is this one. The line under the input names the test.

| bad input, and its test |
| --- |
| frames that are not JSON, of unknown type, without what they need, over the socket: |
| test_sockets.py::test_what_is_no_frame_is_refused_and_the_socket_stays |
| the same over HTTP: |
| test_what_is_no_frame_is_refused_over_http_too |
| each field of a frame, with its place: |
| unit/channels/test_web_frames.py::test_what_is_wrong_is_refused_with_its_place |
| frames that are too large, over the socket: |
| test_sockets.py::test_a_frame_that_is_too_large_ends_the_socket_and_another_one_goes_on |
| the same over HTTP: |
| test_a_frame_that_is_too_large_is_refused_over_http |
| too many frames: |
| test_who_sends_too_much_is_told_when_to_go_on |
| too many sessions, uploads, erasures: |
| unit/web/test_sessions.py, unit/web/test_uploads.py, test_web_session.py |
| forged and foreign tokens (alg none, RS256 confusion, another key, another bot's or person's name): |
| test_a_token_that_is_not_ours_opens_nothing |
| every single claim of a token: |
| unit/channels/test_web_tokens.py |
| expired tokens: |
| test_a_token_that_has_ended_says_so_and_only_resumes |
| a token of another bot, to resume with: |
| test_a_token_of_another_bot_is_no_token_of_this_one |
| a userKey of somebody else, where identity is required: |
| test_nobody_comes_in_as_somebody_else_where_identity_is_required |
| a token, to read or erase somebody else with: |
| test_a_token_shows_nothing_of_anybody_else |
| foreign origins at session, messages, upload, erasure: |
| test_a_foreign_page_reads_nothing_and_sends_nothing |
| foreign origins at the socket: |
| test_sockets.py::test_a_page_that_may_not_show_the_bot_opens_no_socket |
| a text over the limit (emoji families, combining marks): |
| test_a_text_is_counted_as_people_count_it |
| a 12 MB picture: |
| test_twelve_megabytes_reach_no_conversation |
| a PDF named .png, an SVG with a script, HTML, an address elsewhere: |
| test_a_file_that_is_only_called_a_picture_reaches_no_conversation |
| a polyglot of picture and script: |
| test_a_picture_that_is_a_script_too_is_shown_as_a_picture |
| a picture of somebody else: |
| test_web_session.py::test_a_picture_of_somebody_else_cannot_be_sent |
| HTML, links with scripts, templates in text, payload, parameters, contact data, a place's title: |
| test_what_people_write_is_kept_as_text_and_never_evaluated |
| the same in a userKey: |
| test_a_user_key_is_a_name_whatever_it_looks_like |
| the same in the settings of an owner, which pages get: |
| test_what_an_owner_writes_reaches_pages_as_text |
| a bot that is switched off or deleted while people talk (socket, HTTP, upload): |
| test_a_bot_that_is_gone_takes_nothing_from_those_who_talk |
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.exceptions import InvalidStatus

from infra.local.cloud import LocalCloud
from shared.channels.web.frames import MAX_FRAME
from shared.ids import end_user_id, log_key
from shared.runtime import wiring, world
from shared.services.published_bots import SECONDS_KEPT
from shared.services.web_chat import MAX_SENT, WINDOW_MS
from shared.storage.rates import DynamoRates
from tests.factories import a_node, a_response
from tests.integration.local.conftest import eventually
from tests.integration.webchat.conftest import Browser, a_token, a_web_bot, opened
from tests.unit.web.test_uploads import GIF, HTML, PDF, PNG, SVG

JsonObject = dict[str, Any]

SITE, EVIL = "https://shop.example.com", "https://evil.example.com"
START: JsonObject = {"type": "start"}
FAMILY = "👨‍👩‍👧‍👦"
MARKED = "e\u0301"
ECHO: JsonObject = {
    "title": "메아리",
    "flows": [
        {
            "id": 1,
            "title": "인사",
            "nodes": [
                a_node(1, "entry", {}, 2),
                a_response(2, "안녕하세요 {{name}} {{phone}} {{page}}", 3),
                a_node(3, "keyboard", {}, 4),
                a_response(4, "들었어요: {{message}}", 3),
            ],
        }
    ],
    "preference": {"entryFlowId": 1},
}
"""It says again what people wrote and what pages and contact forms filled in."""


@pytest.fixture
def echo(cloud: LocalCloud) -> str:
    return a_web_bot(ECHO)


def call(
    cloud: LocalCloud,
    method: str,
    path: str,
    token: str | None = None,
    *,
    origin: str | None = None,
    body: Any = None,
) -> httpx.Response:
    """A call under /webchat/v1; `body` is JSON, or bytes as they are."""
    headers = {"content-type": "application/json"}
    headers |= {} if token is None else {"authorization": f"Bearer {token}"}
    headers |= {} if origin is None else {"origin": origin}
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return httpx.request(method, f"{cloud.http_url}/webchat/v1{path}", headers=headers, content=content, timeout=60)


def message(data: Any, client_id: str | None = None) -> JsonObject:
    return {"type": "message", "clientId": client_id or uuid.uuid4().hex, "data": data}


def text(words: str) -> JsonObject:
    return {"type": "text", "text": words}


def answered(browser: Browser, frame: JsonObject) -> JsonObject:
    """What the socket says to a frame with a clientId."""
    browser.send(frame)
    return browser.hear_until(lambda found: found.get("clientId") == frame["clientId"])


def revision(bot_id: str, user_key: str = "kim") -> int:
    newest = wiring.turns().newest(bot_id, log_key("web", user_key))
    return 0 if newest is None else newest.revision


# ---- frames


@pytest.mark.parametrize(
    "raw",
    [
        *("안녕".encode(), b"[]", b"", b"null", b'{"type": "shout"}', b'{"type": "$connect"}', b'{"type": "\xff"}'),
        *(b'{"type": "sync", "rev": NaN}', b'{"type": "sync", "rev": 1e999}', b"[" * 5_000, b'{"type": ["ping"]}'),
    ],
)
def test_what_is_no_frame_is_refused_over_http_too(cloud: LocalCloud, bot_id: str, raw: bytes) -> None:
    refused = call(cloud, "POST", "/messages", a_token(bot_id, "kim"), body=raw)
    frame = refused.json()
    assert (refused.status_code, frame["type"], frame["code"]) == (400, "error", "invalid_input")
    assert revision(bot_id) == 0


def test_a_frame_that_is_too_large_is_refused_over_http(cloud: LocalCloud, bot_id: str) -> None:
    token = a_token(bot_id, "kim")
    frame = json.dumps({"type": "ping"}).encode()
    assert call(cloud, "POST", "/messages", token, body=frame.ljust(MAX_FRAME)).json()["type"] == "pong"
    refused = call(cloud, "POST", "/messages", token, body=frame.ljust(MAX_FRAME + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


def test_who_sends_too_much_is_told_when_to_go_on(cloud: LocalCloud, bot_id: str) -> None:
    """The counter says that they have sent all they may in this time and the next: whoever is fast asks it."""
    rates, window = DynamoRates(wiring.settings().core_table), world.now_ms() // WINDOW_MS
    for ahead in range(30):
        name = f"sent {bot_id} {log_key('web', 'kim')}"
        rates.add(name, window + ahead, MAX_SENT, expires_at_s=world.now_ms() // 1_000 + 3_600)
    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")

        def refused() -> JsonObject | None:
            frames = [message(text("빨리")) for _ in range(4)]
            waiting = {frame["clientId"] for frame in frames}
            for frame in frames:
                kim.send(frame)
            found = None
            while waiting:
                heard = kim.hear_until(lambda frame: frame.get("clientId") in waiting)
                waiting.remove(heard["clientId"])
                found = heard if heard["type"] == "error" else found
            return found

        told = eventually(refused, 60)
        assert (told["code"], told["retryable"]) == ("rate_limited", True)
        assert 0 < told["retryAfterMs"] <= WINDOW_MS


# ---- tokens


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def bad_tokens(bot_id: str) -> dict[str, str]:
    """By what is wrong with them; each says what a good one would."""
    good = a_token(bot_id, "kim")
    kid = jwt.get_unverified_header(good)["kid"]
    claims = jwt.decode(good, options={"verify_signature": False})
    header, payload, signature = good.split(".")
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = part({"alg": "none", "typ": "JWT", "kid": kid})
    confused = f"{header}.{payload}"
    other = a_web_bot()
    foreign = part({**claims, "aud": other, "sub": end_user_id(other, "web", "kim")})
    return {
        "alg none": f"{unsigned}.{payload}.x",
        "alg none with the signature of a good one": f"{unsigned}.{payload}.{signature}",
        "RS256": jwt.encode(claims, private, algorithm="RS256", headers={"kid": kid}),
        "HS256 with a public key": f"{confused}.{part(hmac.digest(public, confused.encode(), hashlib.sha256))}",
        "another key": jwt.encode(claims, "x" * 43, algorithm="HS256", headers={"kid": kid}),
        "an unknown key": jwt.encode(claims, "x" * 43, algorithm="HS256", headers={"kid": "other"}),
        "another bot's name": f"{header}.{foreign}.{signature}",
        "somebody else's name": f"{header}.{part({**claims, 'uk': 'lee'})}.{signature}",
        "longer than it was given": f"{header}.{part({**claims, 'exp': claims['exp'] + 3_600})}.{signature}",
    }


def test_a_token_that_is_not_ours_opens_nothing(cloud: LocalCloud, bot_id: str) -> None:
    for why, token in bad_tokens(bot_id).items():
        with pytest.raises(InvalidStatus) as refused:
            opened(cloud.outputs["SocketUrl"], token)
        assert refused.value.response.status_code == 403, why
        for method, path, body in (
            ("POST", "/messages", START),
            ("GET", "/messages?after=0", None),
            ("POST", "/uploads", {"name": "a.png", "contentType": "image/png", "size": 1}),
            ("DELETE", "/end-user", None),
        ):
            answer = call(cloud, method, path, token, body=body)
            assert (answer.status_code, "access_denied" in answer.text) == (401, True), (why, path)
    assert revision(bot_id) == 0


def test_a_token_that_has_ended_says_so_and_only_resumes(cloud: LocalCloud, bot_id: str) -> None:
    old = a_token(bot_id, "kim", world.now_ms() // 1_000 - 7_200)
    with pytest.raises(InvalidStatus):
        opened(cloud.outputs["SocketUrl"], old)
    for method, path in (("POST", "/messages"), ("POST", "/uploads"), ("DELETE", "/end-user")):
        answer = call(cloud, method, path, old, body=START if method == "POST" else None)
        assert (answer.status_code, "expired" in answer.text) == (401, True)
    assert call(cloud, "POST", "/sessions", body={"botId": bot_id, "resume": old}).json()["userKey"] == "kim"


def test_a_token_of_another_bot_is_no_token_of_this_one(cloud: LocalCloud, bot_id: str) -> None:
    answer = call(cloud, "POST", "/sessions", body={"botId": bot_id, "resume": a_token(a_web_bot(), "kim")})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access_denied")


# ---- people


def test_nobody_comes_in_as_somebody_else_where_identity_is_required(cloud: LocalCloud) -> None:
    bot_id = a_web_bot(require_identity=True, new_identity_key=True)
    key = wiring.authoring().web(bot_id).identity_keys[0]

    def session(**body: Any) -> int:
        return call(cloud, "POST", "/sessions", body={"botId": bot_id, "userKey": "kim", **body}).status_code

    def vouched(user_key: str, secret: str) -> str:
        claims = {"sub": user_key, "aud": bot_id, "exp": int(time.time()) + 60}
        return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": key.key_id})

    assert session() == 403
    assert session(identity=vouched("lee", key.secret)) == 403
    assert session(identity=vouched("kim", "x" * 43)) == 403
    assert session(resume=a_token(bot_id, "kim")) == 403
    assert session(identity=vouched("kim", key.secret)) == 201


def test_a_token_shows_nothing_of_anybody_else(cloud: LocalCloud, bot_id: str) -> None:
    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")
        answered(kim, message(text("제 비밀")))
    lee = a_token(bot_id, "lee")
    for path in ("/messages?after=0", "/messages"):
        assert "비밀" not in call(cloud, "GET", path, lee).text
    with Browser(cloud, bot_id, "lee") as other:
        assert "비밀" not in json.dumps(other.ask({"type": "sync", "rev": 0}, "context"), ensure_ascii=False)
    assert call(cloud, "DELETE", "/end-user", lee).status_code == 404


@pytest.mark.parametrize("origin", [EVIL, "null", SITE + ".evil.example", SITE.upper(), "http://shop.example.com"])
def test_a_foreign_page_reads_nothing_and_sends_nothing(cloud: LocalCloud, origin: str) -> None:
    bot_id = a_web_bot(origins=(SITE,))
    token = a_token(bot_id, "kim")
    for method, path, body in (
        ("GET", f"/bots/{bot_id}", None),
        ("POST", "/sessions", {"botId": bot_id}),
        ("POST", "/messages", START),
        ("GET", "/messages?after=0", None),
        ("POST", "/uploads", {"name": "a.png", "contentType": "image/png", "size": 1}),
        ("DELETE", "/end-user", None),
    ):
        is_open = path.startswith(("/bots", "/sessions"))
        answer = call(cloud, method, path, None if is_open else token, origin=origin, body=body)
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False), path
    assert revision(bot_id) == 0


# ---- texts


@pytest.mark.parametrize(
    "character", ["가", FAMILY, MARKED, "e" + "\u0301" * 4], ids=["syllable", "family", "é", "marks"]
)
def test_a_text_is_counted_as_people_count_it(cloud: LocalCloud, bot_id: str, character: str) -> None:
    def said(count: int) -> JsonObject:
        """As browsers write it: in UTF-8, so that a thousand families fit into a frame."""
        frame = message(text(character * count))
        assert kim.socket is not None
        kim.socket.send(json.dumps(frame, ensure_ascii=False))
        return kim.hear_until(lambda found: found.get("clientId") == frame["clientId"])

    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")
        assert said(1_000)["type"] == "messages"
        refused = said(1_001)
        assert (refused["code"], refused["retryable"]) == ("too_large", False)
        over_http = call(cloud, "POST", "/messages", kim.token, body=message(text(character * 1_001)))
        assert (over_http.status_code, over_http.json()["code"]) == (413, "too_large")
    stored = call(cloud, "GET", "/messages?after=1", a_token(bot_id, "kim")).json()
    assert (stored["rev"], stored["messages"][0]["data"]["text"]) == (2, character * 1_000)


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "[눌러요](javascript:alert(1))",
    "data:text/html,<script>alert(1)</script>",
    "{{message}} {{phone}} {{#if name}}yes{{/if}} {{RAND(1, 9)}}",
    "{% for x in (1).__class__.__mro__ %}{{ x }}{% endfor %}",
    "${7*7} #{7*7} <%= 7*7 %> {{7*7}}",
    "'; DROP TABLE turns; --",
    "\u202eevil\u202c \u200b 끝",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_what_people_write_is_kept_as_text_and_never_evaluated(cloud: LocalCloud, echo: str, words: str) -> None:
    filled_in = {"name": words, "phone": words, "page": words}
    with Browser(cloud, echo) as kim:
        context = kim.ask({**START, "params": filled_in}, "context")
        assert kim.seen[0]["data"]["text"] == f"안녕하세요 {words} {words} {words}"
        assert {key: context["context"]["params"][key] for key in filled_in} == filled_in
        said = answered(kim, message({**text(words), "payload": {"key": words}}))
        heard, reply = said["messages"]
        assert (heard["data"]["text"], heard["data"]["payload"]) == (words, {"key": words})
        assert reply["data"]["text"] == f"들었어요: {words}"
        place = {"title": words, "latitude": 37.5, "longitude": 127}
        found = answered(kim, message({"type": "location", "location": place}))
        assert found["messages"][0]["data"]["location"] == place
        again = call(cloud, "GET", "/messages?after=0", kim.token)
        assert again.headers["content-type"].startswith("application/json")
        assert again.headers["x-content-type-options"] == "nosniff"
        assert [item["data"] for item in again.json()["messages"]] == [item["data"] for item in kim.seen]


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "{{message}}", "../../etc/passwd", "a#b%00c"])
def test_a_user_key_is_a_name_whatever_it_looks_like(cloud: LocalCloud, echo: str, words: str) -> None:
    with Browser(cloud, echo, words) as somebody:
        context = somebody.ask(START, "context")["context"]
        assert (context["userKey"], context["endUserId"]) == (words, end_user_id(echo, "web", words))
        answered(somebody, message(text("안녕")))
        assert (revision(echo, words), revision(echo)) == (2, 0)


def test_what_an_owner_writes_reaches_pages_as_text(cloud: LocalCloud, bot_id: str) -> None:
    words = "<script>alert(1)</script>{{message}}"
    form = {"required": False, "fields": ["name"], "consent": words}
    wiring.authoring().change_web(
        bot_id, {"theme": {"title": words, "icon": "javascript:alert(1)"}, "contactForm": form}
    )

    def shown() -> bool:
        answer = call(cloud, "GET", f"/bots/{bot_id}", origin=SITE)
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["x-content-type-options"] == "nosniff"
        return (answer.json()["title"], answer.json()["contactForm"]) == (words, form)

    eventually(shown)


# ---- pictures


def put(cloud: LocalCloud, token: str, content: bytes, content_type: str = "image/png", size: int | None = None) -> str:
    """The address of a file that was put where the server said; of whatever size it was said to be."""
    body = {"name": "photo.png", "contentType": content_type, "size": len(content) if size is None else size}
    place = call(cloud, "POST", "/uploads", token, body=body).raise_for_status().json()
    httpx.put(place["uploadUrl"], content=content, headers=place["headers"], timeout=60)
    uri: str = place["media"]["uri"]
    return uri


def picture(uri: str) -> JsonObject:
    return message({"type": "media", "media": {"contentType": "image", "uri": uri}})


def test_twelve_megabytes_reach_no_conversation(cloud: LocalCloud, bot_id: str) -> None:
    large = PNG + bytes(12 * 1024 * 1024)
    with Browser(cloud, bot_id) as kim:
        body = {"name": "a.png", "contentType": "image/png", "size": len(large)}
        refused = call(cloud, "POST", "/uploads", kim.token, body=body)
        assert (refused.status_code, "body.size" in refused.text) == (400, True)
        kim.ask(START, "context")
        told = answered(kim, picture(put(cloud, kim.token, large, size=len(PNG))))
        assert (told["code"], told["retryable"]) == ("invalid_input", False)
        assert told["message"].startswith("data.media.uri: ")
    assert revision(bot_id) == 1


@pytest.mark.parametrize("content", [PDF, SVG, HTML], ids=["pdf", "svg with a script", "html"])
def test_a_file_that_is_only_called_a_picture_reaches_no_conversation(
    cloud: LocalCloud, bot_id: str, content: bytes
) -> None:
    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")
        told = answered(kim, picture(put(cloud, kim.token, content)))
        assert (told["code"], told["message"]) == ("invalid_input", "data.media.uri: the file is no png picture")
        for data in (
            {"type": "media", "media": {"contentType": "image", "uri": "javascript:alert(1)"}},
            {"type": "media", "media": {"contentType": "image", "uri": f"{EVIL}/webchat/v1/uploads/a.png"}},
        ):
            assert answered(kim, message(data))["code"] == "invalid_input"
    assert revision(bot_id) == 1


def test_a_picture_that_is_a_script_too_is_shown_as_a_picture(cloud: LocalCloud, bot_id: str) -> None:
    polyglot = GIF[:6] + b"/*" + bytes(20) + b"*/=1;alert(1);//<script>alert(1)</script>"
    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")
        uri = put(cloud, kim.token, polyglot, "image/gif")
        assert answered(kim, picture(uri))["messages"][0]["data"]["media"]["uri"] == uri
        told = answered(kim, picture(put(cloud, kim.token, polyglot, "image/png")))
        assert told["code"] == "invalid_input", "its first bytes are of another picture than it was said to be"
    seen = httpx.get(uri, timeout=60)
    assert (seen.status_code, seen.headers["x-content-type-options"]) == (302, "nosniff")
    shown = httpx.get(seen.headers["location"], timeout=60)
    assert (shown.content, shown.headers["content-type"]) == (polyglot, "image/gif")


# ---- bots that go


@pytest.mark.parametrize("what", ["off", "deleted"])
def test_a_bot_that_is_gone_takes_nothing_from_those_who_talk(cloud: LocalCloud, bot_id: str, what: str) -> None:
    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")
        uri = put(cloud, kim.token, PNG)
        if what == "off":
            wiring.authoring().connect_web(bot_id, enabled=False)
        else:
            wiring.authoring().delete(bot_id)

        gone_ms = world.now_ms()
        eventually(lambda: world.now_ms() > gone_ms + 1_000 * SECONDS_KEPT)  # each process remembers bots for itself
        before = revision(bot_id)
        for frame in (
            message(text("거기 있나요")),
            picture(uri),
            {**message(None), "type": "params", "params": {"a": 1}},
        ):
            told = answered(kim, frame)
            assert (told["code"], told["retryable"]) == ("not_found", False)

        for method, path, body in (
            ("POST", "/messages", message(text("안녕"))),
            ("POST", "/uploads", {"name": "a.png", "contentType": "image/png", "size": 1}),
            ("DELETE", "/end-user", None),
        ):
            assert call(cloud, method, path, kim.token, body=body).status_code == 404, path
        assert call(cloud, "POST", "/sessions", body={"botId": bot_id}).status_code == 404
        with pytest.raises(InvalidStatus):
            eventually(lambda: opened(kim.url, kim.token).close())
        shown = call(cloud, "GET", f"/bots/{bot_id}")
        assert (shown.status_code, shown.json().get("enabled")) in ((200, False), (404, None))
    assert revision(bot_id) == before
