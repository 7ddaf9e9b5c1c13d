"""Replies posted to Kakao's callback: what a real connection makes of them."""

import json
import ssl

import pytest
import trustme

from shared.net.callback import CallbackClient
from tests.integration.net.conftest import client_for, server_context
from tests.loopback_server import LoopbackServer, Script, answering, saying

SUCCESS = json.dumps({"taskId": "1", "status": "SUCCESS", "message": "", "timestamp": 0}).encode()
BODY = '{"version":"2.0","template":{"outputs":[{"simpleText":{"text":"다 됐어요"}}]}}'.encode()
HOST = "bot-api.kakao.com"


def outcome(
    script: Script, authority: trustme.CA, trusting: ssl.SSLContext, *, name: str = HOST
) -> tuple[str, LoopbackServer]:
    tls = server_context(authority.issue_cert(name))
    with LoopbackServer(script, tls=tls) as server:
        post = CallbackClient(client_for(server, HOST, ssl_context=trusting))
        return post(f"https://{HOST}:{server.port}/callback/1", BODY, 300), server


def test_a_reply_is_posted_as_json(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    result, server = outcome(answering(200, SUCCESS), authority, trusting)
    assert result == "given"
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("POST", "/callback/1", BODY)
    assert request.header("content-type") == "application/json; charset=utf-8"


@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_body_decides_whatever_the_status_is(authority: trustme.CA, trusting: ssl.SSLContext, status: int) -> None:
    refusal = json.dumps({"status": "FAIL", "message": "Invalid callback token. Check your callback token."}).encode()
    assert outcome(answering(status, refusal), authority, trusting)[0] == "refused"


@pytest.mark.parametrize(
    "script",
    [
        lambda connection, _request: connection.hang(),
        lambda connection, _request: connection.reset(),
        lambda connection, _request: connection.drip([b"HTTP/1.1 200 OK\r\n"] + [b"x: y\r\n"] * 1_000),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
        saying(b"nonsense\r\n\r\n"),
        answering(200, b"x" * 1_000_000),
        answering(502, b"<html>bad gateway</html>"),
        answering(302, headers=[("Location", "https://bot-api.kakao.com/elsewhere")]),
    ],
    ids=["hangs", "resets", "drips", "breaks off", "not http", "endless", "gateway", "redirect"],
)
def test_once_it_was_sent_only_kakao_knows(authority: trustme.CA, trusting: ssl.SSLContext, script: Script) -> None:
    result, server = outcome(script, authority, trusting)
    assert result == "unknown"
    assert server.connections == 1, "never posted a second time, nor elsewhere"


def test_what_was_never_sent_is_refused(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    assert outcome(answering(200, SUCCESS), authority, trusting, name="somebody.example")[0] == "refused"


def test_a_private_address_behind_the_name_is_refused() -> None:
    with LoopbackServer(answering(200, SUCCESS)) as server:
        post = CallbackClient(client_for(server, "other.example", answers={HOST: ["10.0.0.1"]}))
        assert post(f"https://{HOST}/callback/1", BODY, 300) == "refused"
        assert server.connections == 0
