"""`malgil webhook listen` over real sockets: what it prints and answers, whatever comes."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import httpx
import pytest

from infra.cli.language import Language
from infra.cli.webhook_listen import MAX_HEADERS, Receiver, listen_on
from infra.cli.webhook_words import Words
from shared.webhooks import signature
from shared.webhooks.delivery import MAX_BODY_BYTES, batches, body, make
from tests.factories import NOW_MS
from tests.integration.cli.conftest import free_port, run_malgil
from tests.integration.cli.listening import Listening
from tests.webhook_world import BOT, NEXT_SECRET, SECRET, WEBHOOK, a_conversation_event, an_event


def listening(*arguments: object) -> Listening:
    return Listening("webhook", "listen", "--port", free_port(), *arguments)


def deliver(url: str, *events: dict[str, Any], secret: str = SECRET, age_s: int = 0, named: str = "") -> httpx.Response:
    (batch,) = batches(events)
    delivery = make(BOT, WEBHOOK, batch)
    sent = body(delivery, url)
    headers = signature.headers(
        secrets=(secret,),
        delivery_id=named or delivery.key.delivery_id,
        timestamp_s=int(time.time()) - age_s,
        body=sent,
        closer_user_agent=False,
    )
    return httpx.post(url, headers=headers, content=sent)


def said(receiver: Listening, words: str) -> str:
    """The line with these words, once it is printed."""
    lines = receiver.until(lambda lines: any(words in line for line in lines))
    return next(line for line in lines if words in line)


def test_a_delivery_is_verified_and_its_events_are_told() -> None:
    with listening("--secret", SECRET) as receiver:
        assert deliver(receiver.url, an_event(1, text="배송 언제 와요?"), an_event(2)).status_code == 200
        assert said(receiver, "✓").endswith("서명 확인, 이벤트 2개")
        assert said(receiver, "배송").endswith("bot.message.received ● 받음 00000000: 배송 언제 와요?")


def test_who_said_something_is_told_when_a_later_event_of_the_delivery_names_them() -> None:
    conversation = a_conversation_event({})
    conversation["data"]["conversation"]["endUserId"] = "00000000-0000-5000-8000-000000000001"
    with listening("--secret", SECRET) as receiver:
        deliver(receiver.url, an_event(1, text="저예요"), {**conversation, "timestamp": NOW_MS + 2, "sequence": 2})
        assert said(receiver, "저예요").endswith("● 받음 kim: 저예요")


def test_repeats_and_gaps_are_marked_and_summed_up() -> None:
    with listening("--secret", SECRET, "--secret", NEXT_SECRET) as receiver:
        for numbers in ((1, 2), (2, 5), (4,)):
            deliver(receiver.url, *[an_event(number) for number in numbers], secret=NEXT_SECRET)
        assert receiver.stop() == 0
        lines = receiver.lines
    assert [line.split()[-1] for line in lines if "2번째" in line] == ["2번째", "받음)"]
    assert next(line for line in lines if "5번째" in line).endswith("(3-4번 빠짐)")
    assert next(line for line in lines if "4번째" in line).endswith("(늦게 옴)")
    assert lines[-2:] == ["전송 3개, 이벤트 5개 (이미 받은 것 1개)", "빠진 번호: 00000000 3"]


@pytest.mark.parametrize(
    ("how", "words"), [({"secret": NEXT_SECRET}, "서명이 틀림"), ({"age_s": 400}, "서명이 5분보다 오래됨")]
)
def test_what_is_not_verified_is_told_and_refused(how: dict[str, Any], words: str) -> None:
    with listening("--secret", SECRET) as receiver:
        assert deliver(receiver.url, an_event(), **how).status_code == 401
        assert said(receiver, "✗").endswith(f"확인 실패: {words}, 이벤트 1개")
        deliver(receiver.url, an_event())
        assert "이미" not in said(receiver, "✓"), "what somebody else sent was not received"


def test_without_a_secret_it_says_that_nothing_is_verified() -> None:
    with listening() as receiver:
        assert deliver(receiver.url, an_event()).status_code == 200
        assert said(receiver, "? ").endswith("확인하지 않음, 이벤트 1개")
        assert any("--secret" in line for line in receiver.lines)


def test_events_are_lines_of_json() -> None:
    with listening("--secret", SECRET, "--json") as receiver:
        deliver(receiver.url, an_event(1), an_event(3))
        httpx.get(receiver.url)
        assert receiver.stop() == 0
        lines = [json.loads(line) for line in receiver.lines]
    assert [line.get("event") for line in lines] == [an_event(1), an_event(3), None]
    assert [line.get("missing") for line in lines] == [None, [2, 2], None]
    assert (lines[0]["trust"], lines[2]["refused"]) == ("verified", 405)


def test_failures_can_be_tried() -> None:
    with listening("--answer", 503) as receiver:
        assert deliver(receiver.url, an_event()).status_code == 503


@pytest.fixture(scope="module")
def receiver() -> Iterator[Listening]:
    with listening("--secret", SECRET) as started:
        yield started


def refusal(receiver: Listening, before: int, status: int) -> str:
    """The line of a refusal that was printed after the first `before` lines."""
    words = f"✗ 거절 {status}: "
    lines = receiver.until(lambda lines: any(line.startswith(words) for line in lines[before:]))
    return next(line for line in lines[before:] if line.startswith(words)).removeprefix(words)


@pytest.mark.parametrize(
    ("request_", "status", "why"),
    [
        ({"method": "GET"}, 405, "POST is expected"),
        ({"method": "POST", "content": b"{"}, 400, "body: line 1 column 2"),
        ({"method": "POST", "content": b"x" * (MAX_BODY_BYTES + 1)}, 413, f"more than {MAX_BODY_BYTES} bytes"),
        ({"method": "POST", "headers": {"a": "b" * 9_000}}, 400, "not HTTP"),
        ({"method": "POST", "headers": [(f"h{number}", "v") for number in range(MAX_HEADERS + 1)]}, 400, "not HTTP"),
        ({"method": "POST", "content": gzip.compress(b"{}"), "headers": {"content-encoding": "gzip"}}, 400, "UTF-8"),
    ],
)
def test_what_is_no_delivery_is_refused_and_printed(
    receiver: Listening, request_: dict[str, Any], status: int, why: str
) -> None:
    before = len(receiver.lines)
    assert httpx.request(url=receiver.url, **request_).status_code == status
    assert why in refusal(receiver, before, status)
    assert deliver(receiver.url, an_event()).status_code == 200, "it goes on"
    assert receiver.errors == []


def test_a_delivery_under_another_id_is_refused(receiver: Listening) -> None:
    before = len(receiver.lines)
    answer = deliver(receiver.url, an_event(), named="another")
    assert answer.status_code == 400
    assert refusal(receiver, before, 400) == "webhook-id: is not the id of the body"


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n"])
def test_what_is_not_http_is_refused_and_printed(receiver: Listening, sent: bytes) -> None:
    before = len(receiver.lines)
    port = int(receiver.url.rstrip("/").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(sent)
        assert connection.recv(64).split()[1] == b"400"
    assert refusal(receiver, before, 400) == "not HTTP as it should be"
    assert receiver.errors == []


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"POST / HTTP/1.1\r\nhost", b""),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n{", b"HTTP/1.1 408"),
    ],
)
def test_who_never_finishes_a_request_is_hung_up_on(sent: bytes, answer: bytes) -> None:
    listener = listen_on(0)
    port = listener.getsockname()[1]
    receiver = Receiver(secrets=(), words=Words(Language.ENGLISH), deadline_seconds=0.2)
    loop = asyncio.new_event_loop()
    serving = Thread(target=loop.run_forever, daemon=True)
    serving.start()
    stop = asyncio.run_coroutine_threadsafe(receiver.begin(listener), loop).result(10)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(sent)
            got = b""
            while piece := connection.recv(4096):
                got += piece
        assert got.startswith(answer)
        assert bool(got) == bool(answer)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        serving.join()
        loop.close()


def test_a_secret_that_is_none_is_one_line() -> None:
    done = run_malgil("webhook", "listen", "--secret", "whsec_c2hvcnQ=")
    assert done.stderr == "malgil: secret: whsec_ and 24 to 64 bytes in base64 are expected\n"


def test_a_busy_port_is_named_with_its_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run_malgil("webhook", "listen", "--port", taken.getsockname()[1])
    assert "--port" in done.stderr
    assert done.returncode == 1
