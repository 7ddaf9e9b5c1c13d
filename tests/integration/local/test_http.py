"""The HTTP API as handlers and callers see it (payload format 2.0)."""

import json
import logging
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.deploy import Route
from infra.local.events import MAX_BODY_BYTES, HttpRequest, Router, http_answer, http_event
from tests.integration.local.conftest import call

JSON = "application/json"


def echoed(cloud: LocalCloud, path: str = "/things/special", body: bytes | None = b"{}", **headers: str) -> Any:
    answer = call(cloud, "POST", path, body, **{"content_type": JSON, **headers})
    assert answer.status == 201
    return answer.json


def test_a_request_becomes_an_event_of_format_2(cloud: LocalCloud) -> None:
    event = echoed(cloud, "/things/a%20b?x=1&x=2&y=", b'{"a": 1}', x_custom="One", user_agent="tests")["event"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == "POST /things/{thing}"
    assert event["rawPath"] == "/things/a b"
    assert event["rawQueryString"] == "x=1&x=2&y="
    assert event["queryStringParameters"] == {"x": "1,2", "y": ""}
    assert event["pathParameters"] == {"thing": "a b"}
    assert event["headers"]["x-custom"] == "One"
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    context = event["requestContext"]
    assert (context["stage"], context["routeKey"]) == ("$default", event["routeKey"])
    assert context["http"] == {
        "method": "POST",
        "path": "/things/a b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "tests",
    }
    assert isinstance(context["timeEpoch"], int)
    assert event["headers"]["x-amzn-trace-id"].startswith("Root=1-")


def test_a_response_carries_status_headers_cookies_and_body(cloud: LocalCloud) -> None:
    answer = call(cloud, "POST", "/things/special", b"{}", content_type=JSON)
    assert answer.status == 201
    assert answer.headers["x-thing"] == "one"
    assert answer.headers["content-type"] == "text/plain;charset=UTF-8"
    assert answer.cookies == ("a=1; Path=/", "b=2")


def test_a_result_without_a_status_is_the_body(cloud: LocalCloud) -> None:
    answer = call(cloud, "GET", "/files/a/b%20c")
    assert (answer.status, answer.headers["content-type"], answer.json) == (200, JSON, {"found": "a/b c"})


def test_a_binary_response_is_decoded(cloud: LocalCloud) -> None:
    answer = call(cloud, "POST", "/faults", b'{"fault": "binary"}', content_type=JSON)
    assert (answer.headers["content-type"], answer.body) == ("image/png", b"\x89P")


def test_the_literal_path_wins_over_a_parameter(cloud: LocalCloud) -> None:
    assert echoed(cloud, "/things/special")["event"]["routeKey"] == "POST /things/special"


def test_another_method_goes_to_any(cloud: LocalCloud) -> None:
    assert call(cloud, "PUT", "/things/1", b"").json["event"]["routeKey"] == "ANY /things/{thing}"


def test_an_unknown_route_is_not_found(cloud: LocalCloud) -> None:
    answer = call(cloud, "GET", "/nothing")
    assert (answer.status, answer.json) == (404, {"message": "Not Found"})


def test_a_body_over_ten_megabytes_is_refused(cloud: LocalCloud) -> None:
    answer = call(cloud, "POST", "/things/special", b"x" * (MAX_BODY_BYTES + 1), content_type=JSON)
    assert (answer.status, answer.json) == (413, {"message": "Request Entity Too Large"})


def test_an_event_over_lambdas_six_megabytes_is_refused(cloud: LocalCloud) -> None:
    assert call(cloud, "POST", "/things/special", b"x" * 6_500_000, content_type=JSON).status == 413


def event_of(**changes: Any) -> dict[str, Any]:
    request = {"method": "POST", "target": "/", "headers": [], "body": b"", "source_ip": "127.0.0.1", **changes}
    return http_event(HttpRequest(**request), Route("POST", "/", "F", 30), {}, api_id="local", now=1.5)


def test_header_names_are_lower_case_and_their_values_joined() -> None:
    assert event_of(headers=[("X-A", "1"), ("x-a", "2")])["headers"]["x-a"] == "1,2"


def test_cookies_come_apart_from_headers() -> None:
    event = event_of(headers=[("Cookie", "a=1; b=2")])
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]


def test_an_event_without_body_query_and_cookies_has_no_such_fields() -> None:
    assert not {"body", "queryStringParameters", "cookies", "pathParameters"} & event_of().keys()


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "image/png", "application/octet-stream"])
def test_other_bodies_than_text_come_as_base64(content_type: str) -> None:
    event = event_of(body=b"a=1", headers=[("Content-Type", content_type)])
    assert (event["body"], event["isBase64Encoded"]) == ("YT0x", True)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-8", "application/problem+json"])
def test_text_bodies_come_as_they_are(content_type: str) -> None:
    event = event_of(body="가".encode(), headers=[("Content-Type", content_type)])
    assert (event["body"], event["isBase64Encoded"]) == ("가", False)


def test_text_that_is_no_utf_8_comes_as_base64() -> None:
    assert event_of(body=b"\xff", headers=[("Content-Type", "text/plain")])["isBase64Encoded"]


def route_of(key: str) -> Route:
    method, _, path = key.partition(" ")
    return Route(method, path, "F", 30.0) if path else Route("ANY", key, "F", 30.0)


def routed(method: str, path: str, *keys: str) -> str | None:
    found = Router(map(route_of, keys)).match(method, path)
    return found and found[0].key


def test_a_full_match_wins_over_a_greedy_path_and_that_over_the_default() -> None:
    keys = ("$default", "ANY /{all+}", "GET /a/{rest+}", "GET /a/{one}", "GET /{one}/b")
    assert routed("GET", "/a/b", *keys) == "GET /a/{one}"
    assert routed("GET", "/x/b", *keys) == "GET /{one}/b"
    assert routed("GET", "/a/b/c", *keys) == "GET /a/{rest+}"
    assert routed("POST", "/a/b", *keys) == "ANY /{all+}"
    assert routed("GET", "/", *keys) == "$default"
    assert routed("GET", "/x/y", "GET /x/{rest+}", "GET /{one}/{two}") == "GET /{one}/{two}"


def test_a_parameter_is_one_segment() -> None:
    assert routed("GET", "/a/b/c", "GET /a/{one}") is None
    assert routed("GET", "/a/b%2Fc", "GET /a/{one}") == "GET /a/{one}"


@pytest.mark.parametrize(
    "payload",
    [
        {"statusCode": "many"},
        {"statusCode": 42},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": ["x"]},
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
    ],
)
def test_a_malformed_response_is_an_internal_error(payload: Any) -> None:
    answer = http_answer(payload)
    assert (answer.status, json.loads(answer.body)) == (500, {"message": "Internal Server Error"})


def test_a_text_result_is_the_body_as_it_is() -> None:
    assert http_answer("hello").body == b"hello"


def test_a_function_may_not_set_the_content_length() -> None:
    assert "content-length" not in http_answer({"statusCode": 200, "headers": {"Content-Length": 5}}).headers


def test_paths_stay_out_of_the_log(cloud: LocalCloud, capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("aiohttp.access").setLevel(logging.DEBUG)
    call(cloud, "GET", "/files/secret-in-the-path")
    assert "secret-in-the-path" not in "".join(capfd.readouterr())
