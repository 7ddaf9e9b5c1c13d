"""The callback from end to end: skill call, queue, worker, Kakao's callback server, on the embedded AWS."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.effect_worker import app as effect_worker
from infra.local.embedded import client
from shared.runtime import wiring, world
from shared.runtime.settings import EFFECT_QUEUE
from shared.services.authoring import Authoring
from tests.factories import a_node, a_response
from tests.integration.conftest import Stack
from tests.integration.phones import Caller, a_caller, continue_extra, texts
from tests.loopback_server import LoopbackConnection, LoopbackServer, RecordedRequest, response

WAITING = "주문을 보고 있어요."
SUCCESS = json.dumps({"taskId": "1", "status": "SUCCESS", "message": "", "timestamp": 0}).encode()
REFUSED = json.dumps({"taskId": "1", "status": "FAIL", "message": "Invalid callback token."}).encode()


class Kakao:
    """Kakao's callback server; `answer` is what it says."""

    def __init__(self) -> None:
        self.answer = SUCCESS
        self.replies: list[str] = []

    def __call__(self, connection: LoopbackConnection, request: RecordedRequest) -> None:
        if request.path == "/callback":
            self.replies.append(request.body.decode())
            connection.send(response(200, self.answer))
        else:
            connection.send(response(200, b'{"order": "A-1"}'))


@pytest.fixture
def kakao() -> Iterator[tuple[Kakao, LoopbackServer]]:
    """Kakao and the company's system on one server."""
    script = Kakao()
    with LoopbackServer(script) as server:
        wiring.reach_local_targets(frozenset({("127.0.0.1", server.port)}))
        yield script, server
    wiring.reach_local_targets(frozenset())


@pytest.fixture
def phone(authoring: Authoring, kakao: tuple[Kakao, LoopbackServer]) -> Caller:
    nodes = [
        a_node(1, "entry", {}, 2),
        a_node(2, "fetch", {"uri": f"http://127.0.0.1:{kakao[1].port}/orders", "slow": True}, 3),
        a_response(3, "주문 {{fetch.data.order}}", 4),
        a_node(4, "keyboard", {}, 2),
    ]
    preference = {"entryFlowId": 1, "systemMessage": {"waiting": WAITING}}
    return a_caller(authoring, {"title": "봇", "flows": [{"id": 1, "nodes": nodes}], "preference": preference})


@pytest.fixture
def reader(authoring: Authoring, kakao: tuple[Kakao, LoopbackServer]) -> Caller:
    """Waits for the company's system, and then has much to read."""
    nodes = [
        a_node(1, "entry", {}, 2),
        a_node(2, "fetch", {"uri": f"http://127.0.0.1:{kakao[1].port}/orders", "slow": True}, 3),
        *[a_response(number, f"{number}번 " + "가" * 990, number + 1) for number in range(3, 8)],
        a_node(8, "keyboard", {}, 2),
    ]
    return a_caller(authoring, {"title": "봇", "flows": [{"id": 1, "nodes": nodes}], "preference": {"entryFlowId": 1}})


def jobs(stack: Stack) -> list[dict[str, Any]]:
    """What the queue has for the worker, taken off it."""
    sqs: Any = client("sqs", stack.endpoint)
    url = stack.environment[EFFECT_QUEUE]
    found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [{"messageId": message["MessageId"], "body": message["Body"]} for message in found]


def work(stack: Stack) -> dict[str, Any]:
    return effect_worker.handler({"Records": jobs(stack)}, None)


def work_it_off(stack: Stack) -> None:
    """All jobs, also what earlier tests left."""
    while found := jobs(stack):
        assert effect_worker.handler({"Records": found}, None) == {"batchItemFailures": []}


def acknowledgement(reply: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(reply["body"])
    return body


def test_the_reply_is_posted_to_kakao(stack: Stack, phone: Caller, kakao: tuple[Kakao, LoopbackServer]) -> None:
    script, server = kakao
    reply = phone.call("주문", callback_url=f"http://127.0.0.1:{server.port}/callback")
    assert acknowledgement(reply) == {"version": "2.0", "useCallback": True, "data": {"text": WAITING}}
    assert work(stack) == {"batchItemFailures": []}
    (posted,) = script.replies
    assert json.loads(posted)["template"]["outputs"] == [{"simpleText": {"text": "주문 A-1"}}]


def test_the_posted_reply_has_the_brand_line_and_the_waiting_text_has_not(
    stack: Stack, phone: Caller, kakao: tuple[Kakao, LoopbackServer]
) -> None:
    limits = wiring.usage_limits()
    limits.set(phone.bot_id, quota=1, brand_line="powered by Malgil")
    limits.mark_over(phone.bot_id, wiring.usage_calendar().month_of(world.now_ms()), active=2)
    script, server = kakao
    reply = phone.call("주문", callback_url=f"http://127.0.0.1:{server.port}/callback")
    assert acknowledgement(reply)["data"]["text"] == WAITING
    work(stack)
    (posted,) = script.replies
    assert json.loads(posted)["template"]["outputs"] == [{"simpleText": {"text": "주문 A-1\n\npowered by Malgil"}}]


def test_a_refused_reply_comes_with_the_next_message(
    stack: Stack, phone: Caller, kakao: tuple[Kakao, LoopbackServer]
) -> None:
    script, server = kakao
    script.answer = REFUSED
    phone.call("주문", callback_url=f"http://127.0.0.1:{server.port}/callback")
    work(stack)
    assert len(script.replies) == 1
    assert phone.say("계속 보기") == ["주문 A-1"]


def test_a_job_that_comes_twice_posts_once(stack: Stack, phone: Caller, kakao: tuple[Kakao, LoopbackServer]) -> None:
    script, server = kakao
    phone.call("주문", callback_url=f"http://127.0.0.1:{server.port}/callback")
    records = jobs(stack)
    effect_worker.handler({"Records": records}, None)
    effect_worker.handler({"Records": records}, None)
    assert len(script.replies) == 1


def test_a_callback_elsewhere_is_not_one(phone: Caller) -> None:
    reply = phone.call("주문", callback_url="https://kakao.example.com/callback")
    assert texts(reply) == [WAITING]
    assert json.loads(reply["body"])["template"]["quickReplies"][0]["label"] == "계속 보기"


def test_a_job_that_is_none_is_dropped_and_reported(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    broken = [{"messageId": str(number), "body": body} for number, body in enumerate(["", "[]", "{}", '{"botId": 1}'])]
    assert effect_worker.handler({"Records": broken}, None) == {"batchItemFailures": []}
    assert capsys.readouterr().out.count("OwnFault") >= len(broken)


def test_a_job_of_a_bot_that_is_gone_is_dropped(stack: Stack) -> None:
    body = json.dumps({"botId": "nobody", "platform": "kakao", "userKey": "1"})
    assert effect_worker.handler({"Records": [{"messageId": "1", "body": body}]}, None) == {"batchItemFailures": []}


# ---- "계속 보기"


def test_a_resent_tap_that_fetched_a_reply_gets_it_again(stack: Stack, phone: Caller) -> None:
    tap = continue_extra(phone.call("주문"))
    work_it_off(stack)
    assert phone.say("계속 보기", tap, request_id="tap") == ["주문 A-1"]
    assert phone.say("계속 보기", tap, request_id="tap") == ["주문 A-1"]


def test_no_tap_gives_a_reply_twice(stack: Stack, phone: Caller) -> None:
    taps = [continue_extra(phone.call("주문")), continue_extra(phone.call("둘"))]
    work_it_off(stack)
    assert phone.say("계속 보기", taps[0]) == ["주문 A-1", "주문 A-1"]
    for tap in taps:
        assert phone.say("계속 보기", tap) == ["더 볼 내용이 없습니다."]


def test_a_resend_of_who_waits_for_a_callback_gives_no_reply_twice(
    stack: Stack, phone: Caller, kakao: tuple[Kakao, LoopbackServer]
) -> None:
    script, server = kakao
    taps: list[Any] = []

    def resend(connection: LoopbackConnection, request: RecordedRequest) -> None:
        if request.path == "/callback":
            taps.append(continue_extra(phone.call("주문", request_id="order")))
        script(connection, request)

    server.script = resend
    phone.call("주문", request_id="order", callback_url=f"http://127.0.0.1:{server.port}/callback")
    work_it_off(stack)
    assert len(script.replies) == 1
    assert phone.say("계속 보기", taps[0]) == ["더 볼 내용이 없습니다."]


def test_the_rest_of_a_posted_reply_is_shown_while_the_next_one_is_made(
    stack: Stack, reader: Caller, kakao: tuple[Kakao, LoopbackServer]
) -> None:
    script, server = kakao
    reader.call("하나", callback_url=f"http://127.0.0.1:{server.port}/callback")
    work_it_off(stack)
    tap = continue_extra({"body": script.replies[0]})
    reader.call("둘")
    assert [text[:2] for text in reader.say("계속 보기", tap)] == ["6번", "7번"]
    work_it_off(stack)
    assert reader.say("계속 보기")[0].startswith("3번")


@pytest.mark.parametrize("how", ["typed", "tapped"])
def test_a_resent_word_that_fetched_a_refused_reply_gets_its_beginning_again(
    stack: Stack, reader: Caller, kakao: tuple[Kakao, LoopbackServer], how: str
) -> None:
    script, server = kakao
    script.answer = REFUSED
    reader.call("주문", callback_url=f"http://127.0.0.1:{server.port}/callback")
    tap = continue_extra(reader.call("계속 보기")) if how == "tapped" else None
    work_it_off(stack)
    first = reader.say("계속 보기", tap, request_id="r")
    assert first[0].startswith("3번")
    assert reader.say("계속 보기", tap, request_id="r") == first
    assert reader.say("계속 보기")[0].startswith("6번")
