"""The whole path on the embedded AWS: what an end user said reaches a customer's server, signed, once."""

import base64
import json
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from functions.relay import app as relay
from functions.webhook_deliver import app as webhook_deliver
from functions.webhook_fanout import app as webhook_fanout
from infra.local.embedded import client
from shared.json_input import clean_text
from shared.runtime import wiring
from shared.runtime.settings import DELIVERY_QUEUE, SET_ASIDE_QUEUE
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.phones import Caller, a_caller
from tests.integration.test_promises_skill import ECHO
from tests.loopback_server import LoopbackServer, answering, response
from tests.webhook_world import NEXT_SECRET, SECRET, a_record, a_turn, an_endpoint, an_event

DONE: dict[str, Any] = {"batchItemFailures": []}


def stream_records(stack: Stack, bot_id: str) -> list[dict[str, Any]]:
    """The bot's turns as the stream would bring them."""
    dynamodb: Any = client("dynamodb", stack.endpoint)
    items = [
        item
        for page in dynamodb.get_paginator("scan").paginate(TableName=stack.turns_table)
        for item in page["Items"]
        if item["pk"]["S"].startswith(f"C#{bot_id}#") and item["sk"]["S"].startswith("T#")
    ]
    return [
        {
            "eventName": "INSERT",
            "dynamodb": {
                "Keys": {"pk": item["pk"], "sk": item["sk"]},
                "NewImage": {
                    name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
                    for name, value in item.items()
                },
                "SequenceNumber": str(number),
            },
        }
        for number, item in enumerate(sorted(items, key=lambda item: int(item["t"]["N"])), start=1)
    ]


def received(stack: Stack, queue_url: str) -> list[dict[str, Any]]:
    """Everything that a queue has, as Lambda hands it over; it is deleted."""
    sqs: Any = client("sqs", stack.endpoint)
    records: list[dict[str, Any]] = []
    while found := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            records.append({"messageId": message["MessageId"], "body": message["Body"]})
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return records


def carry(stack: Stack, bot_id: str) -> None:
    """From the stream to the receiver."""
    assert relay.handler({"Records": stream_records(stack, bot_id)}, None) == {"batchItemFailures": []}
    events = received(stack, stack.event_queue)
    assert webhook_fanout.handler({"Records": events}, None) == {"batchItemFailures": []}
    jobs = received(stack, stack.environment[DELIVERY_QUEUE])
    if jobs:
        assert webhook_deliver.handler({"Records": jobs}, None) == {"batchItemFailures": []}


@pytest.fixture
def caller(stack: Stack) -> Caller:
    forget_wiring()
    return a_caller(wiring.authoring(), ECHO)


def register(caller: Caller, server: LoopbackServer, **fields: Any) -> str:
    webhook_id = str(uuid.uuid4())
    wiring.reach_local_targets(frozenset({("127.0.0.1", server.port)}))
    url = f"http://127.0.0.1:{server.port}/hook"
    wiring.endpoints().create(an_endpoint(bot_id=caller.bot_id, webhook_id=webhook_id, url=url, **fields))
    return webhook_id


@pytest.fixture(autouse=True)
def no_local_targets():
    yield
    wiring.reach_local_targets(frozenset())
    forget_wiring()


def test_what_an_end_user_said_reaches_the_customer_signed_and_in_order(stack: Stack, caller: Caller) -> None:
    with LoopbackServer(answering(200, b"OK")) as server:
        webhook_id = register(caller, server)
        for text in ("안녕", "배송 😀"):
            caller.say(text)
        carry(stack, caller.bot_id)
        (request,) = server.requests
        url = f"http://127.0.0.1:{server.port}/hook"
    data = Webhook(SECRET).verify(request.body, dict(request.headers))
    assert (data["webhookId"], data["webhookUrl"]) == (webhook_id, url)
    logs: dict[bool, list[int]] = {True: [], False: []}
    for event in data["messages"]:
        logs[event["event"].startswith("bot.updated")].append(event["sequence"])
    assert all(found == sorted(found) == list(range(1, len(found) + 1)) for found in logs.values())
    said = [
        event["data"]["message"]["data"]["text"]
        for event in data["messages"]
        if event["event"] == "bot.message.received"
    ]
    assert said == ["안녕", "배송 😀"]
    assert request.header("user-agent") == "Malgil-Webhook/1 (compatible; CLOSER/webhook)"
    assert request.header("content-length") == str(len(request.body))


def test_all_of_it_twice_is_one_delivery(stack: Stack, caller: Caller) -> None:
    with LoopbackServer(answering()) as server:
        webhook_id = register(caller, server)
        caller.say("안녕")
        carry(stack, caller.bot_id)
        carry(stack, caller.bot_id)
        assert len(server.requests) == 1
    endpoint = wiring.endpoints().get(caller.bot_id, webhook_id)
    assert endpoint is not None
    assert endpoint.last_success_ms is not None


def test_a_record_that_cannot_be_read_lies_in_the_queue_of_set_aside_ones(stack: Stack, caller: Caller) -> None:
    caller.say("안녕")
    records = stream_records(stack, caller.bot_id)
    records[0]["dynamodb"]["NewImage"]["f"] = {"N": "99"}
    assert relay.handler({"Records": records}, None) == {"batchItemFailures": []}
    (aside,) = received(stack, stack.environment[SET_ASIDE_QUEUE])
    assert json.loads(aside["body"])["keys"] == records[0]["dynamodb"]["Keys"]
    assert received(stack, stack.event_queue)


@pytest.mark.parametrize("text", ["\ufffe", "\uffff", "a\x00b", "\u2028", "\U0010ffff", "{{x}}", "👨‍👩‍👧‍👦" * 500])
def test_odd_text_passes_the_topic_and_the_queues(stack: Stack, text: str) -> None:
    bot_id = f"bot-{uuid.uuid4().hex[:8]}"
    record = a_record(a_turn([an_event(text=text)], bot_id=bot_id))
    assert relay.handler({"Records": [record]}, None) == {"batchItemFailures": []}
    (message,) = received(stack, stack.event_queue)
    (event,) = json.loads(message["body"])["events"]
    assert event["data"]["message"]["data"]["text"] == text.replace("\x00", "")


ODD = (
    *[
        "NUL \x00 안",
        "\ud83d",
        "끝 \ud800",
        "\udc00\ud800",
        "\ufffe\uffff",
        "\ufdd0",
        "\U0010ffff",
        "\x7f\x80\x85",
        "\x1b[31m",
    ],
    *[
        "\u1100\u1161\u11a8",
        "각",
        "\u3164",
        "ﾡﾢﾣ",
        "ㅋ" * 1_000,
        "１２３",
        "👨‍👩‍👧‍👦",
        "👨‍👩‍👧‍👦" * 40,
        "❤\ufe0f\u200d🔥",
    ],
    *["\u2028줄\u2029", "줄\r\n바꿈\n\r끝", "\u202eabc\u202c", "\u200b\u200d\ufeff", "שלום عالم", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A"],
    *["{{constructor}}", "{{#if}}", "{{{x}}}", "${7*7}", "{%raw%}", "__proto__", "a.__class__", "params.platform"],
    *[
        "=1+1",
        "@SUM(A1)",
        "<img onerror=alert(1)>",
        "javascript:alert(1)",
        "'; DROP TABLE events;--",
        "\\u0000",
        "\\ud83d",
    ],
    *[
        '"\\',
        "\\",
        "%00",
        "%s%n",
        "null",
        "NaN",
        "1e400",
        "010-1234-5678",
        "../../etc/passwd",
        "\r\nX-Injected: 1",
        "`id`",
    ],
)


def test_whatever_an_end_user_types_arrives_as_text_that_everybody_can_store(stack: Stack, caller: Caller) -> None:
    """A real turn each, through the stream's records, the topic, both queues and a socket."""
    with LoopbackServer(answering()) as server:
        register(caller, server)
        for text in ODD:
            caller.say(text)
        for _ in range(3):
            carry(stack, caller.bot_id)
        bodies = [request.body for request in server.requests]
    events: dict[str, Any] = {}
    for body in bodies:
        text = body.decode("utf-8")
        assert "\\u0000" not in text.replace("\\\\", ""), "jsonb has no NUL"
        assert not re.search(r"\\ud[89a-f]", text.replace("\\\\", ""), re.IGNORECASE), "nor lone surrogates"
        for event in json.loads(text)["messages"]:
            assert events.setdefault(event["id"], event) == event
            json.dumps(event, ensure_ascii=False).encode("utf-8")
    in_turn = sorted(events.values(), key=lambda event: event["sequence"])
    said = [event["data"]["message"]["data"]["text"] for event in in_turn if event["event"] == "bot.message.received"]
    assert said == [clean_text(text) for text in ODD]
    sequences = [event["sequence"] for event in in_turn if not event["event"].startswith("bot.updated")]
    assert sequences == list(range(1, len(sequences) + 1))


class Gate:
    """A receiver that says nothing to one path until it is opened, and OK to all others."""

    def __init__(self, others: int) -> None:
        self.opened = threading.Event()
        self.all_others_came = threading.Event()
        self._left = others
        self._lock = threading.Lock()

    def __call__(self, connection: Any, request: Any) -> None:
        if request.path == "/hangs":
            self.opened.wait()
        connection.send(response(200, b"OK"))
        if request.path != "/hangs":
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    self.all_others_came.set()


def test_one_endpoint_that_hangs_among_fifty_holds_up_nobody(stack: Stack) -> None:
    """The real handler and real sockets. The one answers only after all others have got theirs, those of its own batch
    too: had one of them waited for it, this would never end."""
    forget_wiring()
    gate = Gate(others=49)
    bot_id = f"bot-{uuid.uuid4().hex[:8]}"
    with LoopbackServer(gate) as server:
        wiring.reach_local_targets(frozenset({("127.0.0.1", server.port)}))
        for number in range(50):
            path = "hangs" if number == 0 else f"quick/{number}"
            wiring.endpoints().create(
                an_endpoint(bot_id=bot_id, webhook_id=str(uuid.uuid4()), url=f"http://127.0.0.1:{server.port}/{path}")
            )
        message = {"botId": bot_id, "events": [an_event(sourceId=bot_id)]}
        assert webhook_fanout.handler({"Records": [{"messageId": "1", "body": json.dumps(message)}]}, None) == DONE
        jobs = received(stack, stack.environment[DELIVERY_QUEUE])
        assert len(jobs) == 50
        with ThreadPoolExecutor(5) as lambdas:
            batches = [{"Records": jobs[start : start + 10]} for start in range(0, 50, 10)]
            running = [lambdas.submit(webhook_deliver.handler, batch, None) for batch in batches]
            try:
                came = gate.all_others_came.wait(60)
            finally:
                gate.opened.set()
            answers = [invocation.result() for invocation in running]
        assert came, "somebody waited for the one that hangs"
        assert answers == [DONE] * 5
        assert len(server.requests) == 50


def test_messages_of_another_shape_come_again_alone(stack: Stack) -> None:
    records = [{"messageId": "broken", "body": "{"}, {"messageId": "well", "body": '{"botId": "b", "events": []}'}]
    failures = webhook_fanout.handler({"Records": records}, None)
    assert failures == {"batchItemFailures": [{"itemIdentifier": "broken"}]}
    assert webhook_deliver.handler({"Records": records[:1]}, None) == failures


def test_a_fault_of_the_relay_itself_is_raised_so_that_the_batch_is_halved(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(wiring, "relay", broken)
    with pytest.raises(ZeroDivisionError):
        relay.handler({"Records": []}, None)


def test_a_rotated_secret_signs_beside_the_old_one(stack: Stack, caller: Caller) -> None:
    with LoopbackServer(answering()) as server:
        register(caller, server, secret=NEXT_SECRET, previous_secret=SECRET, previous_until_ms=2**45)
        caller.say("안녕")
        carry(stack, caller.bot_id)
        (request,) = server.requests
    for secret in (SECRET, NEXT_SECRET):
        Webhook(secret).verify(request.body, dict(request.headers))
