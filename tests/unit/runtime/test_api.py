"""The shell of the HTTP APIs: keys, scopes, routes, strict input, and errors in one shape."""

from http import HTTPStatus
from typing import Any

import pytest

from shared.errors import Conflict, Unavailable
from shared.runtime import api as shell
from shared.runtime.api import Api, Request
from shared.runtime.http import reply
from tests.api_world import JsonObject, a_call, api_keys, json_of


class World:
    """An API with one route that echoes, one that fails, and a key for each case."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys = api_keys()
        self.reader = self.keys.make(name="reader", scopes=("bots:read",))[1]
        self.faults: list[BaseException] = []
        self.failure: Exception | None = None
        self.seen: list[Request] = []
        monkeypatch.setattr(shell, "report_own_fault", lambda fault, **_: self.faults.append(fault))
        self.api = Api(lambda: self.keys)
        self.api.route("GET", "/api/bots/{botId}/things/{thingId}", scope="bots:read")(self._echo)
        self.api.route("POST", "/api/bots/{botId}/things/{thingId}", scope="webhooks:write")(self._echo)
        self.api.route("PATCH", "/api/bots/{botId}/things/{thingId}", scope="bots:read")(self._take)

    def _echo(self, request: Request) -> JsonObject:
        self.seen.append(request)
        query = request.query("limit", "since")
        if self.failure is not None:
            raise self.failure
        limit = query.whole("limit", default=5, lowest=1, highest=10)
        return reply(HTTPStatus.OK, {**request.path, "limit": limit, "since": query.time_or_none("since")})

    def _take(self, request: Request) -> JsonObject:
        body = request.body("name", "on", "at", max_bytes=1000)
        taken = {"name": body.text("name"), "on": body.flag_or_none("on"), "at": body.time_or_none("at")}
        return reply(HTTPStatus.OK, taken)

    def call(self, method: str = "GET", path: str = "/api/bots/shop/things/7", **fields: Any) -> JsonObject:
        fields.setdefault("key", self.reader)
        return self.api(a_call(method, path, **fields), None)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def code(answer: JsonObject) -> tuple[int, str]:
    return answer["statusCode"], json_of(answer)["error"]["code"]


def test_a_route_gets_its_parameters_and_answers(world: World) -> None:
    answer = world.call(query={"limit": "3", "since": "2026-11-22T05:00:00.250Z"})
    assert answer["statusCode"] == 200
    assert json_of(answer) == {"botId": "shop", "thingId": "7", "limit": 3, "since": 1_795_323_600_250}
    assert answer["headers"] == {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
    assert world.seen[0].key.name == "reader"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic x"}, {"Authorization": "Bearer mgk_" + "x" * 32}])
def test_without_a_good_key_nothing_is_done(world: World, headers: dict[str, str]) -> None:
    answer = world.call(key=None, headers=headers)
    assert code(answer) == (401, "access_denied")
    assert answer["headers"]["www-authenticate"] == "Bearer"
    assert answer["headers"]["cache-control"] == "no-store"
    assert world.seen == []


def test_a_key_without_the_scope_is_told_which(world: World) -> None:
    answer = world.call("POST")
    assert code(answer) == (403, "missing_scope")
    assert "webhooks:write" in json_of(answer)["error"]["message"]
    assert world.seen == []


@pytest.mark.parametrize("path", ["/api", "/api/bots/shop/things", "/api/bots/shop/things/7/", "/api/bots//things/7"])
def test_an_unknown_path_is_not_found(world: World, path: str) -> None:
    assert code(world.call(path=path)) == (404, "not_found")


def test_a_parameter_with_characters_that_none_can_have_is_not_found(world: World) -> None:
    assert code(world.call(path='/api/bots/"/things/7')) == (404, "not_found")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "HEAD", "OPTIONS"])
def test_another_method_is_told_which_are_allowed(world: World, method: str) -> None:
    answer = world.call(method)
    assert code(answer) == (405, "method_not_allowed")
    assert answer["headers"]["allow"] == "GET, POST, PATCH"


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "query.limit"),
        ("limit=11", "query.limit"),
        ("limit=-1", "query.limit"),
        ("limit=", "query.limit"),
        ("limit=1&limit=2", "twice"),
        ("limits=1", "query.limits"),
        ("since=tomorrow", "query.since"),
        ("since=2026-02-30T00:00:00Z", "query.since"),
        ("since=2026-11-22T05:00:00%2B09:00", "query.since"),
        ("since=1969-12-31T23:59:59Z", "query.since"),
        ("since=999999999999999", "query.since"),
        ("limit=%ff", "query"),
        ("&".join(f"a{n}=1" for n in range(30)), "query"),
    ],
)
def test_a_query_is_refused_with_its_place(world: World, query: str, place: str) -> None:
    answer = world.call(query=query)
    assert code(answer) == (400, "invalid_input")
    assert place in json_of(answer)["error"]["message"]


def test_times_are_epoch_milliseconds_too(world: World) -> None:
    assert json_of(world.call(query="since=1795323600250"))["since"] == 1_795_323_600_250
    body = json_of(world.call("PATCH", body={"name": "x", "at": 1_795_323_600_250}))
    assert body == {"name": "x", "on": None, "at": 1_795_323_600_250}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("{", "line 1 column 2"),
        ("[]", "body: an object"),
        ("", "body.name"),
        ({}, "body.name"),
        ({"name": 1}, "body.name: a text"),
        ({"name": "x", "on": "yes"}, "body.on: true or false"),
        ({"name": "x", "at": True}, "body.at"),
        ({"name": "x", "at": 1.5}, "body.at"),
        ({"name": "x", "nmae": "x"}, "body.nmae: unknown"),
        ({"name": "x" * 1000}, "at most 1000"),
        ('{"name": NaN}', "NaN"),
        ("[" * 100, "nested"),
    ],
)
def test_a_body_is_refused_with_its_place(world: World, body: Any, place: str) -> None:
    answer = world.call("PATCH", body=body)
    assert code(answer) == (400, "invalid_input")
    assert place in json_of(answer)["error"]["message"]


def test_an_error_of_the_use_case_has_its_status(world: World) -> None:
    world.failure = Conflict("somebody was faster")
    assert code(world.call()) == (409, "conflict")
    assert world.faults == []


def test_a_dependency_that_failed_is_reported_and_may_be_asked_again(world: World) -> None:
    world.failure = Unavailable("dynamodb did not answer in time")
    assert code(world.call()) == (503, "unavailable")
    assert world.faults == [world.failure]


def test_a_fault_of_ours_is_reported_and_its_details_stay_inside(world: World) -> None:
    world.failure = ZeroDivisionError("secret detail")
    answer = world.call()
    assert code(answer) == (500, "internal")
    assert "secret detail" not in answer["body"]
    assert answer["headers"]["cache-control"] == "no-store"
    assert world.faults == [world.failure]


def test_a_route_cannot_ask_for_a_scope_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="bots:reed"):
        Api(api_keys).route("GET", "/x", scope="bots:reed")
