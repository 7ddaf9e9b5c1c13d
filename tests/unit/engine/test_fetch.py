"""HTTP requests of a fetch node: what is sent, and what becomes of any answer."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.engine import Answered, HttpCall, HttpResponse
from shared.engine.inbound import UserMessage
from shared.engine.nodes.fetch import read_body
from shared.json_input import clean_text
from tests.unit.engine.carrying import ask, asked, carried, kept
from tests.unit.engine.test_step import say, texts

URI = "https://api.example.com/talk"
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200) | st.sampled_from(
    ['"', '"}', '","admin":true,"x":"', "{{params}}", "{{{x}}}", "\\", "\\u0000", "\n\r\t\x00", "\ud800", "]]]}}}"]
)


def sent(**data: Any) -> HttpCall:
    call = asked("fetch", {"uri": URI, "method": "POST", **data})
    assert isinstance(call, HttpCall)
    return call


def answer(status: int, body: bytes, content_type: str = "application/json") -> HttpResponse:
    return HttpResponse(status=status, url=URI, content_type=content_type, body=body)


@given(ANY_TEXT)
def test_no_text_of_an_end_user_can_leave_its_place_in_a_structured_body(text: str) -> None:
    body = {"user": {"said": "{{message}}", "both": "[{{message}}]"}, "list": ["{{message}}", 1, None, True]}
    message = UserMessage(data={"type": "text", "text": text})
    call = asked("fetch", {"uri": URI, "method": "POST", "body": body}, message)
    assert isinstance(call, HttpCall)
    said = clean_text(text)
    assert json.loads(call.body) == {"user": {"said": said, "both": f"[{said}]"}, "list": [said, 1, None, True]}


@given(ANY_TEXT, ANY_TEXT)
def test_no_text_of_an_end_user_can_add_a_field_to_a_form(key: str, text: str) -> None:
    rows = [{"key": "said", "value": "{{message}}"}, {"key": f"k{key}", "value": "1"}]
    data = {"uri": URI, "method": "POST", "contentType": "x-www-form-urlencoded", "body": rows}
    if "{{" in key:
        return
    call = asked("fetch", data, UserMessage(data={"type": "text", "text": text}))
    assert isinstance(call, HttpCall)
    assert len(parse_qsl(call.body.decode(), keep_blank_values=True)) == 2


@pytest.mark.parametrize("method", ["GET", "post", "Put", " delete ", "PATCH"])
def test_a_method_is_written_in_any_case(method: str) -> None:
    call = sent(method=method)
    assert call.method == method.strip().upper()
    assert call.repeatable == (call.method == "GET")


@pytest.mark.parametrize(
    ("content_type", "body", "header", "raw"),
    [
        ("json", '{"a": 1}', "application/json", b'{"a": 1}'),
        ("json", {"a": 1.0}, "application/json", b'{"a":1}'),
        (None, ["{{message}}"], "application/json", '["안녕"]'.encode()),
        ("text", "{{message}}!", "text/plain; charset=utf-8", "안녕!".encode()),
        ("x-www-form-urlencoded", {"a": "b c", "n": 1}, "application/x-www-form-urlencoded", b"a=b+c&n=1"),
        ("x-www-form-urlencoded", [{"key": "a", "value": None}, 5, {}], "application/x-www-form-urlencoded", b"a="),
        ("x-www-form-urlencoded", "a={{ESCAPE(platform)}}", "application/x-www-form-urlencoded", b"a=web"),
    ],
)
def test_a_body_is_sent_as_its_content_type_says(content_type: Any, body: Any, header: str, raw: bytes) -> None:
    call = sent(contentType=content_type, body=body)
    assert (call.headers, call.body) == ({"content-type": header}, raw)


@pytest.mark.parametrize("body", [None, "", [], {}])
def test_a_get_without_a_body_says_nothing_about_one(body: Any) -> None:
    call = sent(method="GET", body=body)
    assert (call.headers, call.body) == ({}, b"")


@pytest.mark.parametrize(
    "headers", [{"X-Who": "{{userKey}}", " ": "x"}, [{"key": "X-Who", "value": "{{userKey}}"}, {"key": ""}, None]]
)
def test_headers_are_an_object_or_rows(headers: Any) -> None:
    assert sent(headers=headers).headers == {"X-Who": "user-1"}


def test_the_authors_own_content_type_header_stays() -> None:
    assert sent(headers={"Content-Type": "application/xml"}, body="<a/>").headers == {"Content-Type": "application/xml"}


def test_slow_is_the_authors_mark_only() -> None:
    assert [sent(slow=mark).slow for mark in (True, False, None, "true")] == [True, False, False, False]


def test_a_body_that_no_queue_could_carry_fails_the_node_and_the_walk_goes_on() -> None:
    result = ask("fetch", {"uri": URI, "method": "POST", "body": "x" * 131_073})
    assert texts(result) == ["FAILED TooLargeError|"]
    assert sent(body="x" * 131_072).body


@pytest.mark.parametrize(
    ("body", "content_type", "data"),
    [
        (b'{"a": [1, null]}', "text/html", {"a": [1, None]}),
        ("안녕".encode("cp949"), "text/plain; charset=EUC-KR; x=y", "안녕"),
        ('{"a": "안녕"}'.encode("cp949"), 'application/json;charset="euc-kr"', {"a": "안녕"}),
        ("똠방각하".encode("cp949"), "text/html", "똠방각하"),
        ('{"a": "안녕"}'.encode("utf-16"), "application/json; charset=utf-16", {"a": "안녕"}),
        ("안녕".encode("utf-8-sig"), "text/plain", "안녕"),
        ("안녕".encode(), "text/plain; charset=no-such-thing", "안녕"),
        (b"abc", "text/plain; charset=base64", "abc"),
        (b"abc", "text/plain; charset=\x00", "abc"),
        (b"\xff\xff", "text/plain", "\ufffd\ufffd"),
        (b"", "application/json", ""),
        (b"null", "", None),
        (b'{"a": NaN}', "application/json", '{"a": NaN}'),
        (b'{"n": 1e400}', "application/json", '{"n": 1e400}'),
        (b'{"a": ', "application/json", '{"a": '),
        (b'["\\ud800\\u0000x"]', "application/json", ["\ufffdx"]),
        (b"a\x00b", "text/plain", "ab"),
    ],
)
def test_an_answer_is_read_as_json_or_as_text_in_its_own_charset(body: bytes, content_type: str, data: Any) -> None:
    assert read_body(body, content_type) == data


@given(st.binary(max_size=100), st.text(max_size=60))
def test_no_answer_breaks_what_is_kept(body: bytes, content_type: str) -> None:
    for charset in (content_type, f"text/plain; charset={content_type}"):
        json.dumps(read_body(body, charset), allow_nan=False).encode()


def test_an_answer_as_large_as_may_come_is_not_parsed_beyond_its_limits() -> None:
    assert isinstance(read_body(b"[" * 1_000_000, ""), str)
    assert isinstance(read_body(b'"' + b"x" * 600_000 + b'"', ""), str)


@pytest.mark.parametrize(("status", "body"), [(204, b""), (200, b"")])
def test_success_without_a_body_is_success(status: int, body: bytes) -> None:
    result = carried("fetch", {"uri": URI}, answer(status, body))
    assert kept(result, "fetch") == {"status": "COMPLETED", "uri": URI, "statusCode": status, "data": ""}


def test_a_status_that_is_not_2xx_leaves_the_documented_error() -> None:
    result = carried("fetch", {"uri": URI}, answer(503, b'{"why": "busy"}'))
    assert kept(result, "fetch") == {
        "status": "FAILED",
        "uri": URI,
        "statusCode": 503,
        "data": {"why": "busy"},
        "error": {"name": "StatusCodeError", "message": '503 - {"why":"busy"}', "statusCode": 503},
    }


def test_an_answer_of_another_kind_is_a_failure_and_no_fault() -> None:
    assert texts(carried("fetch", {"uri": URI}, Answered(result={}))) == ["FAILED UnexpectedAnswerError|"]


def test_the_trace_shows_request_and_answer_without_secrets() -> None:
    headers, body = {"Authorization": "abc"}, {"token": "abc"}
    data = {"uri": f"{URI}?key=abc&q=1", "method": "POST", "headers": headers, "body": body}
    request = ask("fetch", data, say("x")).trace[-1].effect
    assert request == {
        "request": {
            "method": "POST",
            "url": f"{URI}?key=***&q=1",
            "headers": {"Authorization": "***", "content-type": "application/json"},
            "body": '{"token":"***"}',
        }
    }
    got = carried("fetch", data, answer(200, b'{"access_token": "abc", "n": 1}')).trace[0].effect
    assert got is not None
    assert got["answer"]["body"] == '{"access_token": "***", "n": 1}'


def test_masked_text_in_an_address_is_sent_and_not_shown() -> None:
    data = {"uri": URI + "?a=1&phone={{MASK(message)}}&b=2"}
    result = ask("fetch", data, say("010"))
    assert isinstance(result.effect, HttpCall)
    assert result.effect.url == URI + "?a=1&phone=010&b=2"
    assert kept(result, "fetch")["uri"] == URI + "?a=1&phone=***&b=2"


def test_a_request_with_masked_text_is_not_in_the_trace() -> None:
    effect = ask("fetch", {"uri": URI, "method": "POST", "body": {"phone": "{{MASK(message)}}"}}, say("010-1234")).trace
    assert effect[-1].effect == {"request": "***"}
