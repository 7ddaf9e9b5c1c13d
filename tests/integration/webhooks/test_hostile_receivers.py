"""A customer's server may do anything: a try ends within its time and size, as a success or with a class word."""

import datetime as dt
import gzip
import itertools
import json
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

import shared.net.exchange  # noqa: F401 - a test with a short deadline should not pay for the first import
from shared.net.deliveries import MAX_WIRE_BYTES, DeliveryClient
from shared.net.guarded_client import GuardedClient
from shared.webhooks.delivery import KEPT_ANSWER_BYTES, Attempt
from shared.webhooks.schedule import next_try, retry_after
from tests.factories import NOW_MS
from tests.integration.net.conftest import client_for, server_context
from tests.loopback_server import LoopbackServer, answering, response, saying
from tests.webhook_world import Clock

HEAD = b"HTTP/1.1 200 OK\r\n"
SHORT_DEADLINE = 0.5
HEADERS = {"content-type": "application/json", "user-agent": "CLOSER/webhook"}
BODY = '{"messages":["가"]}'.encode()


def deliveries(client: GuardedClient, timeout_seconds: float = 20.0) -> DeliveryClient:
    clock = Clock()
    return DeliveryClient(client, now_ms=clock.now_ms, clock_ns=clock.clock_ns, timeout_seconds=timeout_seconds)


def post(server: LoopbackServer, timeout_seconds: float = 20.0, **client: Any) -> tuple[Attempt, str | None]:
    url = f"{'https' if server.tls else 'http'}://a.example:{server.port}/hook?x=1"
    return deliveries(client_for(server, **client), timeout_seconds)(url, HEADERS, BODY)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_2xx_is_a_success(status: int) -> None:
    with LoopbackServer(answering(status, b"" if status == HTTPStatus.NO_CONTENT else b"OK")) as server:
        attempt, _ = post(server)
        assert (attempt.status, attempt.is_success) == (status, True)
        (request,) = server.requests
        assert (request.method, request.path, request.body) == ("POST", "/hook?x=1", BODY)
        assert request.header("user-agent") == "CLOSER/webhook"
        assert request.header("content-type") == "application/json"


@pytest.mark.parametrize(("status", "error"), [(301, "redirect"), (302, "redirect"), (307, "redirect")])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int, error: str) -> None:
    location = [("Location", "http://169.254.169.254/latest/meta-data")]
    with LoopbackServer(answering(status, headers=location)) as server:
        attempt, _ = post(server)
        assert (attempt.status, attempt.error) == (status, error)
        assert server.connections == 1


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413, 429, 500, 502, 503])
def test_any_other_status_is_a_failure_with_the_beginning_of_its_answer(status: int) -> None:
    with LoopbackServer(answering(status, "왜\x00".encode() * 2_000)) as server:
        attempt, _ = post(server)
    assert (attempt.status, attempt.error) == (status, "status")
    assert attempt.answer.startswith("왜왜")
    assert "\x00" not in attempt.answer
    assert len(attempt.answer.encode()) <= KEPT_ANSWER_BYTES + 3


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("600", 600),
        ("3600", 900),
        ("9" * 4_000, 900),
        ("Sat, 21 Nov 2026 00:10:00 GMT", 600),
        ("Sat, 21 Nov 2020 00:00:00 GMT", 180),
        *[(nonsense, 180) for nonsense in ("", "0", "-600", "soon", "1e9", "600.5", "Sat, 99 Nov 2026", "\xb2\xb2")],
    ],
)
def test_a_receiver_that_asks_for_patience_gets_it_within_the_schedule(said: str, waits: int) -> None:
    with LoopbackServer(answering(429, headers=[("Retry-After", said)])) as server:
        attempt, asked = post(server)
    assert attempt.status == 429
    assert next_try(0, retry_after(asked, NOW_MS)) == waits


Script = Callable[..., None]


def slow_headers(connection: Any, _: Any) -> None:
    connection.drip([HEAD, b"Content-Length: 2\r\n", b"\r\n", b"OK"], every_seconds=0.01)


def reset_after_the_answer(connection: Any, _: Any) -> None:
    connection.send(response(200, b"OK"))
    connection.reset()


def drip_the_body(connection: Any, _: Any) -> None:
    connection.send(HEAD + b"Content-Length: 100000\r\n\r\n")
    connection.drip([b"x"] * 100_000)


def endless(connection: Any, _: Any) -> None:
    connection.send(HEAD + b"\r\n")
    for piece in itertools.repeat(b"x" * 10_000):
        connection.send(piece)


def bomb(connection: Any, _: Any) -> None:
    packed = gzip.compress(bytes(50_000_000))
    connection.send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


def too_long_a_promise(connection: Any, _: Any) -> None:
    connection.send(HEAD + b"Content-Length: 100000000\r\n\r\nabc")
    connection.reset()


@pytest.mark.parametrize("letter", [b"\x01", b"\xff", b'"', "가".encode(), b"\xf0\x9f\x98\x80"])
def test_no_answer_makes_its_row_too_large(letter: bytes) -> None:
    """A row holds twenty answers beside the events: what is kept of each takes 2 KB, however it is written."""
    with LoopbackServer(answering(500, letter * 4_000)) as server:
        attempt, _ = post(server)
    assert attempt.answer
    assert len(json.dumps(attempt.answer, ensure_ascii=False).encode()) <= KEPT_ANSWER_BYTES + 2


@pytest.mark.parametrize(
    "script",
    [slow_headers, reset_after_the_answer, drip_the_body, endless, bomb, too_long_a_promise],
    ids=lambda script: script.__name__,
)
def test_a_2xx_is_a_success_from_its_headers_on_whatever_the_body_does(script: Script) -> None:
    with LoopbackServer(script) as server:
        attempt, _ = post(server, SHORT_DEADLINE if script is drip_the_body else 20.0)
    assert (attempt.status, attempt.error) == (200, None)
    assert len(attempt.answer) <= KEPT_ANSWER_BYTES


def hang(connection: Any, _: Any) -> None:
    connection.hang()


def drip_the_headers(connection: Any, _: Any) -> None:
    connection.send(HEAD)
    connection.drip(b"X-%d: a\r\n" % number for number in range(10_000))


def reset(connection: Any, _: Any) -> None:
    connection.reset()


def flood_of_headers(connection: Any, _: Any) -> None:
    connection.send(HEAD)
    for number in itertools.count():
        connection.send(b"X-%d: %s\r\n" % (number, b"a" * 1_000))


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (hang, {"timeout"}),
        (drip_the_headers, {"timeout"}),
        (reset, {"http"}),
        (saying(b""), {"http"}),
        (saying(b"SSH-2.0-OpenSSH\r\n"), {"http"}),
        (flood_of_headers, {"http", "too_large"}),
    ],
    ids=["hang", "drip", "reset", "nothing", "not http", "flood"],
)
def test_what_is_no_answer_is_a_failure(script: Script, error: set[str]) -> None:
    is_slow = script in (hang, drip_the_headers)
    with LoopbackServer(script) as server:
        attempt, wait = post(server, SHORT_DEADLINE if is_slow else 20.0)
    assert attempt.error in error
    assert (attempt.status, attempt.answer, wait) == (None, "", None)


def test_no_more_than_its_share_is_read_of_an_endless_answer() -> None:
    sent = []

    def count(connection: Any, _: Any) -> None:
        connection.send(HEAD + b"\r\n")
        for piece in itertools.repeat(b"x" * 10_000):
            connection.send(piece)
            sent.append(len(piece))

    with LoopbackServer(count) as server:
        attempt, _ = post(server)
    assert attempt.is_success
    assert sum(sent) < 50 * MAX_WIRE_BYTES, "what the sockets buffer on top of our share"


class TestTls:
    def test_a_valid_certificate_is_a_success(self, authority: trustme.CA, trusting: Any) -> None:
        with LoopbackServer(answering(), tls=server_context(authority.issue_cert("a.example"))) as server:
            assert post(server, ssl_context=trusting)[0].is_success

    @pytest.mark.parametrize("how", ["expired", "other name", "self-signed"])
    def test_any_other_is_a_failure_and_nothing_is_sent(self, authority: trustme.CA, trusting: Any, how: str) -> None:
        long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        issued = {
            "expired": lambda: authority.issue_cert(
                "a.example", not_before=long_ago, not_after=long_ago + dt.timedelta(days=1)
            ),
            "other name": lambda: authority.issue_cert("b.example"),
            "self-signed": lambda: trustme.CA().issue_cert("a.example"),
        }
        with LoopbackServer(answering(), tls=server_context(issued[how]())) as server:
            assert post(server, ssl_context=trusting)[0].error == "tls"
            assert server.requests == []


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1/",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://localhost/",
            "http://2130706433/",
            "http://0x7f000001/",
            "https://user:password@example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "http://example.com:22/",
            "http://xn--/",
            "nothing",
        ],
    )
    def test_an_address_that_is_not_public_is_refused(self, url: str) -> None:
        attempt, _ = deliveries(GuardedClient())(url, HEADERS, BODY)
        assert (attempt.error, attempt.status) == ("blocked", None)

    @pytest.mark.parametrize("answers", [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["fd00:ec2::254"]])
    def test_so_is_a_name_with_one_such_address(self, answers: list[str]) -> None:
        client = GuardedClient(resolve=lambda host, port: answers)
        assert deliveries(client)("http://receiver.example/", HEADERS, BODY)[0].error == "blocked"

    def test_a_name_that_changes_its_address_is_looked_up_once_and_then_pinned(self) -> None:
        answers = iter([["127.0.0.1"], ["169.254.169.254"]])
        with LoopbackServer(answering()) as server:
            local = frozenset({("a.example", server.port)})
            client = GuardedClient(resolve=lambda host, port: next(answers), local_targets=local)
            send = deliveries(client)
            assert send(f"http://a.example:{server.port}/", HEADERS, BODY)[0].is_success
            assert send(f"http://a.example:{server.port}/", HEADERS, BODY)[0].error == "blocked"
            assert server.connections == 1

    def test_a_name_without_an_address_and_a_port_without_a_server(self) -> None:
        def nobody(host: str, port: int) -> list[str]:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        assert deliveries(GuardedClient(resolve=nobody))("http://a.example/", HEADERS, BODY)[0].error == "dns"
        with LoopbackServer(answering()) as server:
            port = server.port
        client = GuardedClient(resolve=lambda host, _: ["127.0.0.1"], local_targets=frozenset({("a.example", port)}))
        assert deliveries(client)(f"http://a.example:{port}/", HEADERS, BODY)[0].error == "connect"

    def test_a_look_up_that_hangs_ends_with_the_try(self) -> None:
        is_over = threading.Event()

        def hang(host: str, port: int) -> list[str]:
            is_over.wait()
            return ["93.184.216.34"]

        client = GuardedClient(resolve=hang)
        attempt, _ = deliveries(client, SHORT_DEADLINE)("http://receiver.example/", HEADERS, BODY)
        is_over.set()
        assert attempt.error == "timeout"

    @settings(max_examples=300, deadline=None)
    @given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,30}(:[0-9]{0,7})?(/.{0,20})?", fullmatch=True))
    def test_whatever_stands_for_a_url_is_a_failure_that_is_written_down(self, url: str) -> None:
        """A try that raises would be made again and again and never be counted."""

        def nobody(host: str, port: int) -> list[str]:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        attempt, _ = deliveries(GuardedClient(resolve=nobody))(url, HEADERS, BODY)
        assert attempt.error in {"blocked", "dns"}

    def test_what_is_kept_of_a_try_names_no_address(self) -> None:
        client = GuardedClient(resolve=lambda host, port: ["10.1.2.3"])
        attempt, _ = deliveries(client)("http://receiver.example/", HEADERS, BODY)
        assert "10.1.2.3" not in json.dumps(attempt.to_json())
