"""The whole path on the embedded AWS: what an end user said reaches a customer's server, signed, once."""

import base64
import json
import uuid
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from functions.relay import app as relay
from functions.webhook_deliver import app as webhook_deliver
from functions.webhook_fanout import app as webhook_fanout
from infra.local.embedded import client
from shared.runtime import wiring
from shared.runtime.settings import DELIVERY_QUEUE, SET_ASIDE_QUEUE
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.phones import Caller, a_caller
from tests.integration.test_promises_skill import ECHO
from tests.loopback_server import LoopbackServer, answering
from tests.webhook_world import NEXT_SECRET, SECRET, a_record, a_turn, an_endpoint, an_event


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
