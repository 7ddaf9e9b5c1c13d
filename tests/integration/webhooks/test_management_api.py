"""The management API on the embedded AWS with a real receiver. Every answer is one that docs/api/management.yaml
describes, and so is every request that was meant to be good."""

import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from functions.management_api import app
from functions.projector import app as projector
from functions.webhook_deliver import app as webhook_deliver
from shared.api_key import SCOPES
from shared.runtime import wiring, world
from shared.runtime.settings import DELIVERY_QUEUE
from tests.api_world import JsonObject, a_call, json_of
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.phones import Caller, a_caller
from tests.integration.test_promises_skill import ECHO
from tests.integration.webhooks.test_path import carry, received, stream_records
from tests.loopback_server import LoopbackServer, answering
from tests.openapi_document import OpenApiDocument

DOCUMENT = OpenApiDocument(Path(__file__).parents[3] / "docs" / "api" / "management.yaml")
UNKNOWN = "99999999-9999-4999-8999-999999999999"
MINUTE_MS = 60_000


@dataclass
class Owner:
    """Calls the API with a key, and knows what the document promises."""

    bot_id: str
    key: str | None
    urls: list[str] = field(default_factory=list)

    def call(
        self, method: str, path: str, body: Any = None, query: JsonObject | str | None = None, **fields: Any
    ) -> tuple[int, Any]:
        fields.setdefault("key", self.key)
        answer = app.handler(a_call(method, path, body=body, query=query, **fields), None)
        DOCUMENT.check_answer(method, path, answer)
        assert answer["headers"]["cache-control"] == "no-store"
        if answer["statusCode"] < 400:
            DOCUMENT.check_request(method, path, body)
        return answer["statusCode"], json_of(answer) if answer["body"] else None

    def good(self, method: str, path: str, body: Any = None, query: JsonObject | None = None) -> Any:
        status, found = self.call(method, path, body, query)
        assert 200 <= status < 300, found
        return found

    def code(self, method: str, path: str, body: Any = None, query: JsonObject | str | None = None) -> tuple[int, str]:
        status, found = self.call(method, path, body, query)
        return status, found["error"]["code"]

    @property
    def webhooks(self) -> str:
        return f"/api/bots/{self.bot_id}/webhooks"

    def registered(self, server: LoopbackServer, **fields: Any) -> tuple[str, JsonObject]:
        """(path, webhook) of a new one that leads to the receiver."""
        wiring.reach_local_targets(frozenset({("127.0.0.1", server.port)}))
        url = f"http://127.0.0.1:{server.port}/hook"
        webhook = self.good("POST", self.webhooks, {"name": "받는 곳", "url": url, **fields})
        return f"{self.webhooks}/{webhook['id']}", webhook


@pytest.fixture
def caller(stack: Stack) -> Iterator[Caller]:
    forget_wiring()
    yield a_caller(wiring.authoring(), ECHO)
    wiring.reach_local_targets(frozenset())
    forget_wiring()


@pytest.fixture
def owner(caller: Caller) -> Owner:
    return Owner(caller.bot_id, wiring.api_keys().make(name="주인", scopes=SCOPES)[1])


@pytest.fixture
def receiver() -> Iterator[LoopbackServer]:
    with LoopbackServer(answering(200, b"OK")) as server:
        yield server


def work(stack: Stack) -> None:
    """The sender does the jobs that are in its queue."""
    jobs = received(stack, stack.environment[DELIVERY_QUEUE])
    if jobs:
        assert webhook_deliver.handler({"Records": jobs}, None) == {"batchItemFailures": []}


def filled_path(owner: Owner, path: str) -> str:
    """A route's path with the bot's id, and ids of nothing else that is there."""
    return re.sub(r"\{\w+\}", UNKNOWN, path.replace("{botId}", owner.bot_id))


def sent_ids(server: LoopbackServer, secret: str) -> list[str]:
    return [
        event["id"]
        for request in server.requests
        for event in Webhook(secret).verify(request.body, dict(request.headers))["messages"]
    ]


class TestKeys:
    def test_a_key_is_made_used_listed_and_revoked(self, owner: Owner) -> None:
        made = owner.good("POST", "/api/keys", {"name": "대시보드", "scopes": ["webhooks:read"]})
        other = Owner(owner.bot_id, made["key"])
        assert other.good("GET", owner.webhooks) == {"items": []}
        listed = owner.good("GET", "/api/keys")["items"]
        assert {name: value for name, value in made.items() if name != "key"} in listed
        assert made["key"] not in str(listed)
        assert owner.good("DELETE", f"/api/keys/{made['id']}") is None
        assert other.code("GET", owner.webhooks) == (401, "access_denied")
        assert owner.code("DELETE", f"/api/keys/{made['id']}") == (404, "not_found")

    @pytest.mark.parametrize("key", [None, "", "mgk_" + "x" * 32, "x", "mgk_" + "x" * 100_000])
    def test_a_wrong_key_is_denied_everywhere(self, owner: Owner, key: str | None) -> None:
        stranger = Owner(owner.bot_id, key)
        for method, path in app.api.routes:
            filled = filled_path(owner, path)
            assert stranger.code(method, filled) == (401, "access_denied")

    def test_a_key_without_any_scope_of_this_api_may_do_nothing(self, owner: Owner) -> None:
        rest = [
            scope
            for scope in SCOPES
            if not scope.startswith(("bots:", "webhooks:", "keys:", "usage:", "endusers:erase"))
        ]
        guest = Owner(owner.bot_id, owner.good("POST", "/api/keys", {"name": "n", "scopes": rest})["key"])
        for method, path in app.api.routes:
            filled = filled_path(owner, path)
            assert guest.code(method, filled) == (403, "missing_scope")

    def test_who_may_read_may_not_write(self, owner: Owner, receiver: LoopbackServer) -> None:
        path, _ = owner.registered(receiver)
        scopes = {"name": "n", "scopes": ["webhooks:read"]}
        reader = Owner(owner.bot_id, owner.good("POST", "/api/keys", scopes)["key"])
        assert reader.good("GET", path)["name"] == "받는 곳"
        for method, where in app.api.routes:
            if method != "GET":
                filled = filled_path(owner, where)
                assert reader.code(method, filled) == (403, "missing_scope")

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_the_scheme_is_written_in_any_case(self, owner: Owner, scheme: str) -> None:
        headers = {"authorization": f"{scheme} {owner.key}"}
        assert owner.call("GET", owner.webhooks, key=None, headers=headers)[0] == 200

    def test_100_kb_of_headers_do_not_matter(self, owner: Owner) -> None:
        headers = {f"x-{number}": "x" * 1000 for number in range(100)}
        assert owner.call("GET", owner.webhooks, headers=headers)[0] == 200

    @pytest.mark.parametrize(
        "body",
        [
            *({}, {"name": "n"}, {"name": "n", "scopes": []}, {"name": "n", "scopes": "bots:read"}),
            *(
                {"name": "n", "scopes": [1]},
                {"name": "n", "scopes": ["all"]},
                {"name": "x" * 41, "scopes": ["bots:read"]},
            ),
            {"name": "n", "scopes": ["bots:read"], "admin": True},
        ],
    )
    def test_a_key_that_cannot_be_is_refused(self, owner: Owner, body: JsonObject) -> None:
        assert owner.code("POST", "/api/keys", body) == (400, "invalid_input")


class TestWebhooks:
    def test_one_lives_from_registration_to_deletion(self, owner: Owner, receiver: LoopbackServer) -> None:
        path, made = owner.registered(receiver, closerUserAgent=True)
        secret = made.pop("secret")
        assert owner.good("GET", path) == made
        assert owner.good("GET", owner.webhooks) == {"items": [made]}
        changed = owner.good("PATCH", path, {"name": "새 이름", "closerUserAgent": False})
        assert (changed["name"], changed["url"], changed["closerUserAgent"]) == ("새 이름", made["url"], False)
        rotated = owner.good("POST", f"{path}/rotate-secret", {})
        assert rotated["secret"] != secret
        assert rotated["previousSecretUntil"] > rotated["updatedAt"]
        off = owner.good("POST", f"{path}/disable")
        assert (off["enabled"], off["disabling"]["reason"]) == (False, "by_owner")
        on = owner.good("POST", f"{path}/enable")
        assert (on["enabled"], on["disabling"], on["disabledAt"]) == (True, None, None)
        for answer in (owner.good("GET", path), owner.good("GET", owner.webhooks), changed, on, off):
            assert secret not in str(answer)
            assert rotated["secret"] not in str(answer)
        assert owner.good("DELETE", path) is None
        assert owner.code("DELETE", path) == (404, "not_found")
        assert owner.good("GET", owner.webhooks) == {"items": []}

    @pytest.mark.parametrize(
        ("body", "place"),
        [
            ("{", "line 1"),
            ("", "body.name"),
            ("[]", "body: an object"),
            ("\ufeff{}", "body.name"),
            ({"name": 1, "url": "https://a.example/"}, "body.name"),
            ({"name": "n", "url": ["https://a.example/"]}, "body.url"),
            ({"name": "n", "url": "https://a.example/", "closerUserAgent": "yes"}, "body.closerUserAgent"),
            ({"name": "n", "url": "https://a.example/", "secret": "mine"}, "body.secret"),
            ({"name": "가" * 41, "url": "https://a.example/"}, "name: 1 to 40"),
            ({"name": "n", "url": "https://a.example/" + "x" * 238}, "url: 1 to 255"),
            ({"name": "n", "url": "x" * 70_000}, "at most 65536"),
        ],
    )
    def test_what_is_malformed_is_refused_with_its_place(self, owner: Owner, body: Any, place: str) -> None:
        status, answer = owner.call("POST", owner.webhooks, body)
        assert (status, answer["error"]["code"]) == (400, "invalid_input")
        assert place in answer["error"]["message"]
        assert owner.good("GET", owner.webhooks) == {"items": []}

    @pytest.mark.parametrize(
        "url",
        [
            *("http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/latest/"),
            *("http://localhost/", "http://2130706433/", "http://0x7f.1/", "https://a.example:22/", "ftp://a.example/"),
            *("https://user:pass@a.example/", "javascript:alert(1)", "//a.example/", "http://service.internal/"),
        ],
    )
    def test_what_leads_to_a_private_network_or_nowhere_is_refused(
        self, owner: Owner, receiver: LoopbackServer, url: str
    ) -> None:
        assert owner.code("POST", owner.webhooks, {"name": "n", "url": url}) == (400, "blocked_address")
        path, made = owner.registered(receiver)
        assert owner.code("PATCH", path, {"url": url}) == (400, "blocked_address")
        assert owner.good("GET", path)["url"] == made["url"]

    def test_one_of_another_bot_is_not_found_and_not_touched(self, owner: Owner, receiver: LoopbackServer) -> None:
        path, made = owner.registered(receiver)
        stranger = a_caller(wiring.authoring(), ECHO).bot_id
        foreign = f"/api/bots/{stranger}/webhooks/{made['id']}"
        for method, where in app.api.routes:
            if "{webhookId}" not in where:
                continue
            filled = where.format(botId=stranger, webhookId=made["id"], deliveryId=UNKNOWN)
            body = {"from": 0, "until": 1} if where.endswith("replay") else None
            assert owner.code(method, filled, body) == (404, "not_found"), filled
        assert owner.code("GET", foreign) == (404, "not_found")
        assert owner.good("GET", path)["id"] == made["id"]
        assert receiver.requests == []

    @pytest.mark.parametrize("bot_id", ["none", "x" * 65, "a b", "%2e%2e", "CL"])
    def test_a_bot_that_is_none_is_not_found(self, owner: Owner, bot_id: str) -> None:
        assert owner.code("GET", f"/api/bots/{bot_id}/webhooks") == (404, "not_found")

    @pytest.mark.parametrize("webhook_id", [UNKNOWN, "x", "x" * 3000])
    def test_a_webhook_that_is_none_is_not_found(self, owner: Owner, webhook_id: str) -> None:
        for suffix in ("", "/held", "/deliveries"):
            assert owner.code("GET", f"{owner.webhooks}/{webhook_id}{suffix}") == (404, "not_found")

    def test_of_two_owners_at_once_the_second_is_told(
        self, owner: Owner, receiver: LoopbackServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, _ = owner.registered(receiver)
        endpoints = wiring.endpoints()
        change = endpoints.change

        def second(*states: Any) -> None:
            monkeypatch.setattr(endpoints, "change", change)
            owner.good("PATCH", path, {"name": "둘째"})
            change(*states)

        monkeypatch.setattr(endpoints, "change", second)
        assert owner.code("PATCH", path, {"name": "첫째"}) == (409, "conflict")
        assert owner.good("GET", path)["name"] == "둘째"

    def test_unknown_routes_and_methods_have_the_same_shape(self, owner: Owner) -> None:
        for method, path, status, code in (
            ("GET", "/api/nothing", 404, "not_found"),
            ("PUT", "/api/keys", 405, "method_not_allowed"),
        ):
            answer = app.handler(a_call(method, path, key=owner.key), None)
            assert (answer["statusCode"], json_of(answer)["error"]["code"]) == (status, code)

    def test_a_fault_of_ours_says_nothing_of_itself(
        self, owner: Owner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def broken() -> None:
            raise ZeroDivisionError("detail")

        monkeypatch.setattr(wiring, "manage_webhooks", broken)
        status, answer = owner.call("GET", owner.webhooks)
        assert (status, answer["error"]["code"]) == (500, "internal")
        assert "detail" not in str(answer)
        assert '"OwnFault": 1' in capsys.readouterr().out


class TestDeliveries:
    def test_a_test_reaches_the_receiver_signed_and_stands_in_the_log(
        self, owner: Owner, receiver: LoopbackServer
    ) -> None:
        path, made = owner.registered(receiver)
        owner.good("POST", f"{path}/disable")
        tested = owner.good("POST", f"{path}/test")
        (request,) = receiver.requests
        delivery = Webhook(made["secret"]).verify(request.body, dict(request.headers))
        assert delivery["id"] == tested["id"]
        assert delivery["messages"] == tested["messages"]
        assert tested["messages"][0]["event"] == "webhook.test"
        assert (tested["state"], tested["test"], tested["attempts"][0]["answer"]) == ("delivered", True, "OK")
        (listed,) = owner.good("GET", f"{path}/deliveries")["items"]
        assert listed == {name: value for name, value in tested.items() if name != "messages"}
        assert owner.good("GET", f"{path}/deliveries/{tested['id']}") == tested
        assert owner.code("POST", f"{path}/deliveries/{tested['id']}/resend") == (409, "endpoint_disabled")
        owner.good("POST", f"{path}/enable")
        assert owner.code("POST", f"{path}/deliveries/{tested['id']}/resend") == (409, "conflict")

    def test_a_test_that_fails_is_an_answer_and_disables_nothing(self, owner: Owner) -> None:
        with LoopbackServer(answering(410, b"\xff gone")) as server:
            path, _ = owner.registered(server)
            tested = owner.good("POST", f"{path}/test", {})
        assert (tested["state"], tested["attempts"][0]["status"]) == ("failed", 410)
        assert owner.good("GET", path)["enabled"]

    def test_what_was_delivered_is_listed_read_and_sent_again(
        self, stack: Stack, caller: Caller, owner: Owner, receiver: LoopbackServer
    ) -> None:
        path, made = owner.registered(receiver)
        caller.say("안녕")
        carry(stack, caller.bot_id)
        (listed,) = owner.good("GET", f"{path}/deliveries", query={"state": "delivered", "limit": "1"})["items"]
        whole = owner.good("GET", f"{path}/deliveries/{listed['id']}", query={"at": listed["at"]})
        assert [event["id"] for event in whole["messages"]] == sent_ids(receiver, made["secret"])
        assert owner.good("GET", f"{path}/deliveries", query={"state": "failed"})["items"] == []
        assert owner.good("GET", f"{path}/deliveries", query={"until": listed["at"]})["items"] == []
        assert owner.good("POST", f"{path}/deliveries/{listed['id']}/resend", {"at": listed["at"]}) == {"deliveries": 1}
        work(stack)
        assert len(receiver.requests) == 2
        assert owner.good("GET", f"{path}/deliveries/{listed['id']}")["round"] == 2
        assert owner.good("GET", path)["lastSuccessAt"] is not None
        assert owner.code("GET", f"{path}/deliveries/{UNKNOWN}") == (404, "not_found")
        for bad in (
            {"limit": "101"},
            {"cursor": "x"},
            {"state": "lost"},
            {"from": "now"},
            {"page": "1"},
            "limit=1&limit=2",
        ):
            assert owner.code("GET", f"{path}/deliveries", query=bad) == (400, "invalid_input")

    def test_pages_go_on_where_the_one_before_ended(self, owner: Owner, receiver: LoopbackServer) -> None:
        path, _ = owner.registered(receiver)
        made = [owner.good("POST", f"{path}/test")["id"] for _ in range(5)]
        seen: list[str] = []
        query: JsonObject = {"limit": "2"}
        while True:
            page = owner.good("GET", f"{path}/deliveries", query=query)
            seen += [found["id"] for found in page["items"]]
            if page["cursor"] is None:
                break
            query["cursor"] = page["cursor"]
        assert sorted(seen) == sorted(made)

    def test_what_was_held_is_counted_and_sent(
        self, stack: Stack, caller: Caller, owner: Owner, receiver: LoopbackServer
    ) -> None:
        path, made = owner.registered(receiver)
        owner.good("POST", f"{path}/disable")
        caller.say("안녕")
        carry(stack, caller.bot_id)
        assert receiver.requests == []
        held = owner.good("GET", f"{path}/held")
        assert held["count"] > 0
        assert held["isAll"]
        assert owner.code("POST", f"{path}/send-held") == (409, "endpoint_disabled")
        owner.good("POST", f"{path}/enable")
        assert owner.good("POST", f"{path}/send-held", {}) == {"deliveries": held["count"], "cursor": None}
        work(stack)
        assert sent_ids(receiver, made["secret"])
        assert owner.good("GET", f"{path}/held") == {"count": 0, "isAll": True}

    def test_a_range_of_the_delivery_log_is_sent_again_under_the_same_ids(
        self, stack: Stack, caller: Caller, owner: Owner, receiver: LoopbackServer
    ) -> None:
        path, made = owner.registered(receiver)
        caller.say("안녕")
        carry(stack, caller.bot_id)
        before = sent_ids(receiver, made["secret"])
        span = {"from": world.now_ms() - MINUTE_MS, "until": world.now_ms() + MINUTE_MS}
        assert owner.good("POST", f"{path}/replay", span) == {"deliveries": 1, "cursor": None}
        work(stack)
        assert sent_ids(receiver, made["secret"]) == before * 2

    def test_what_never_became_a_delivery_is_told_out_of_the_logs(
        self, stack: Stack, caller: Caller, owner: Owner, receiver: LoopbackServer
    ) -> None:
        caller.say("안녕")  # there is no webhook yet, and the relay never sees it
        records = stream_records(stack, caller.bot_id)
        assert projector.handler({"Records": records}, None) == {"batchItemFailures": []}
        path, made = owner.registered(receiver)
        span = {"from": "2026-01-01T00:00:00Z", "until": world.now_ms() + MINUTE_MS, "source": "log"}
        first = owner.good("POST", f"{path}/replay", span)
        assert (first["deliveries"], first["cursor"]) == (2, None), "one of the bot's log, one of the end user's"
        work(stack)
        told = sent_ids(receiver, made["secret"])
        expected = [
            event["id"]
            for log in ("_sys", *(identity.log for identity in end_users(caller.bot_id)))
            for event in events_of(caller.bot_id, log)
        ]
        assert sorted(told) == sorted(expected)
        assert len(told) > 2
        again = owner.good("POST", f"{path}/replay", {**span, "replayId": first["replayId"]})
        assert again["deliveries"] == 0
        work(stack)
        assert sent_ids(receiver, made["secret"]) == told

    @pytest.mark.parametrize(
        ("body", "place"),
        [
            ({"from": 1}, "body.until"),
            ({"until": 1}, "body.from"),
            ({"from": 2, "until": 2}, "body.until"),
            ({"from": "yesterday", "until": 2}, "body.from"),
            ({"from": 1, "until": 2, "source": "everything"}, "body.source"),
            ({"from": 1, "until": 2, "replayId": "r"}, "body.replayId"),
            ({"from": 1, "until": 2, "source": "log", "cursor": "x"}, "body.replayId"),
            ({"from": 1, "until": 2, "source": "log", "cursor": "x", "replayId": "r"}, "cursor"),
            ({"from": 1, "until": 2, "source": "log", "replayId": "x" * 65}, "replayId"),
            ({"from": 1, "until": 2, "cursor": "x"}, "cursor"),
        ],
    )
    def test_a_replay_that_cannot_be_is_refused(
        self, owner: Owner, receiver: LoopbackServer, body: JsonObject, place: str
    ) -> None:
        path, _ = owner.registered(receiver)
        status, answer = owner.call("POST", f"{path}/replay", body)
        assert (status, answer["error"]["code"]) == (400, "invalid_input")
        assert place in answer["error"]["message"]


def end_users(bot_id: str) -> Any:
    """What the index says, once it says it: it is read without consistency."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        page = wiring.identities().page(bot_id, "end_user", limit=10)
        if page.items:
            return page.items
    raise AssertionError("the projector listed nobody")


def events_of(bot_id: str, log: str) -> list[JsonObject]:
    newest = wiring.turns().newest(bot_id, log)
    assert newest is not None
    found = [wiring.turns().get(bot_id, log, revision) for revision in range(1, newest.revision + 1)]
    return [event for turn in found if turn is not None for event in turn.events]


def test_ids_of_webhooks_are_uuids(owner: Owner, receiver: LoopbackServer) -> None:
    _, made = owner.registered(receiver)
    assert str(uuid.UUID(made["id"])) == made["id"]
