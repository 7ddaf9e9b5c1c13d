"""The path of events: how many the relay carries, and how many deliveries the sender posts, on one core.

AWS and the receivers are replaced by canned answers below botocore's HTTP session and below the socket; decoding,
grouping, signing, serialising and parsing are real.
"""

import base64
import json
import os
import sys
import uuid
from dataclasses import replace
from typing import Any, Final

from bench.account import PUBLISHED
from bench.measure import PAIRS, CannotRun, Quantity, Row, Say, Subject, Worker, python_worker, rows
from bench.start import not_in_layer
from bench.turn import ENVIRONMENT as TURN_ENVIRONMENT
from bench.turn import aws_response
from bench.worker import Operations
from shared.ids import message_id
from shared.storage import turn_codec

RELAYED_TURNS: Final = 100
EVENTS_A_TURN: Final = 4
"""Of the reference turn: what was said, two replies, the conversation's change."""
POSTS_A_BATCH: Final = 10
NOW_MS: Final = 1_795_219_200_123
RELAY: Final = Quantity(
    name="relay.events_per_s",
    unit="1/s",
    better="higher",
    goal=30_000,
    of=lambda seconds: RELAYED_TURNS * EVENTS_A_TURN / seconds,
)
DELIVER: Final = Quantity(
    name="deliver.posts_per_s",
    unit="1/s",
    better="higher",
    goal=1_500,
    of=lambda seconds: POSTS_A_BATCH / seconds,
)
DELIVER_WITH_AWS: Final = replace(DELIVER, name="deliver.with_aws_calls.posts_per_s", goal=None)
RECEIVER: Final = "93.184.215.14"
ENVIRONMENT: Final = {
    **TURN_ENVIRONMENT,
    "MALGIL_EVENT_TOPIC_ARN": "arn:aws:sns:ap-northeast-2:000000000000:events",
    "MALGIL_SET_ASIDE_QUEUE_URL": "https://sqs.ap-northeast-2.amazonaws.com/000000000000/aside",
    "MALGIL_DELIVERY_QUEUE_URL": "https://sqs.ap-northeast-2.amazonaws.com/000000000000/deliveries",
    "POWERTOOLS_SERVICE_NAME": "webhook_deliver",
}


def turns() -> list[Any]:
    """Turns of many end users whose events are those of the reference turn in their sizes."""
    from shared.webhooks.events import EventLog, Person, conversation_data, message_data  # noqa: PLC0415

    made = []
    for number in range(RELAYED_TURNS):
        person = Person(
            bot_id="Bd80zx",
            end_user_id=str(uuid.UUID(int=number, version=4)),
            platform="kakao",
            user_key=f"{number:066x}",
            first_contact_ms=NOW_MS,
        )
        commit = str(uuid.UUID(int=(number + 1) << 64, version=4))
        log = EventLog(person.bot_id, commit, NOW_MS, 40)
        texts = (
            "배송 언제 도착하나요? 주문번호는 20261121-004512 입니다",
            "주문하신 상품은 오늘 도착합니다.",
            "더 궁금한 점이 있으신가요?",
        )
        for index, text in enumerate(texts):
            data = {"type": "text", "text": text}
            log.add(
                "bot.message.sent" if index else "bot.message.received",
                message_data(
                    person,
                    message_id=message_id(commit, index),
                    conversation_id=commit,
                    is_user=not index,
                    data=data,
                    meta=None,
                    at_ms=NOW_MS,
                ),
            )
        params = {f"parameter{index}": f"값 {index}" for index in range(10)}
        navigation = {"current": {"flowId": 1, "nodeId": 4, "visitCount": 11}, "prev": {"flowId": 1, "nodeId": 3}}
        log.add(
            "bot.conversation.updated",
            conversation_data(
                person,
                conversation_id=commit,
                params=params,
                navigation=navigation,
                created_at_ms=NOW_MS,
                at_ms=NOW_MS,
            ),
        )
        made.append((person, commit, log.events))
    return made


def stream_event() -> dict[str, Any]:
    """What Lambda hands to the relay for them."""
    records = []
    for number, (person, commit, events) in enumerate(turns()):
        body = {
            "state": {"session": None, "firstContactAt": NOW_MS, "sequence": 44, "recent": ""},
            "platform": person.platform,
            "userKey": person.user_key,
            "botVersion": "0" * 64,
            "inbound": None,
            "messages": [event["data"]["message"] for event in events if "message" in event["data"]],
            "events": events,
        }
        packed = turn_codec.encode(body, turn_codec.hints(person.bot_id, commit, NOW_MS))
        key = {"pk": {"S": f"C#{person.bot_id}#{number:016d}"}, "sk": {"S": "T#0000000012"}}
        image = {
            **key,
            "c": {"B": base64.b64encode(uuid.UUID(commit).bytes).decode()},
            "t": {"N": str(NOW_MS)},
            "f": {"N": str(turn_codec.VERSION)},
            "z": {"B": base64.b64encode(packed).decode()},
        }
        records.append({"dynamodb": {"Keys": key, "NewImage": image, "SequenceNumber": str(number)}})
    return {"Records": records}


class CannedServices:
    """Answers of SNS, SQS and DynamoDB in the place of botocore's HTTP session."""

    def __init__(self, rows_by_key: dict[str, dict[str, Any]] | None = None) -> None:
        self.events = 0
        self.writes = 0
        self._rows = rows_by_key or {}

    def send(self, request: Any) -> Any:
        if "sns" in request.url:
            body = request.body if isinstance(request.body, bytes) else request.body.encode()
            self.events += body.count(SOURCE_TYPE)
            return aws_response(request.url, PUBLISHED)
        asked = json.loads(request.body)
        target = request.headers["X-Amz-Target"]
        if target.decode().endswith("GetItem") if isinstance(target, bytes) else target.endswith("GetItem"):
            row = self._rows.get(asked["Key"]["sk"]["S"])
            return aws_response(request.url, json.dumps({} if row is None else {"Item": row}).encode())
        self.writes += 1
        return aws_response(request.url, b"{}")


SOURCE_TYPE: Final = b"sourceType".hex("%").encode()
"""A word that each event has once, as a form writes it."""


def as_deployed() -> None:
    """The environment of a function, and no packages that its layers do not carry."""
    os.environ.update(ENVIRONMENT)
    refused: dict[str, Any] = dict.fromkeys(not_in_layer())
    sys.modules.update(refused)


def relay() -> Operations:
    """The relay's handler on a batch of turns."""
    as_deployed()
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    from functions.relay.app import handler  # noqa: PLC0415

    services = CannedServices()
    session: Any = URLLib3Session
    session.send = lambda _, request: services.send(request)
    event = stream_event()

    def relayed() -> None:
        services.events = 0
        if handler(event, None) != {"batchItemFailures": []} or services.events != RELAYED_TURNS * EVENTS_A_TURN:
            raise CannotRun(f"the relay published {services.events} events")

    return {"relay": relayed}


class CannedReceiver:
    """A socket whose other side takes everything and answers 200."""

    def __init__(self) -> None:
        self._answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"

    def settimeout(self, seconds: float) -> None:
        pass

    def send(self, data: Any) -> int:
        return len(data)

    def recv(self, size: int) -> bytes:
        answer, self._answer = self._answer, b""
        return answer

    def close(self) -> None:
        pass


def deliver() -> Operations:
    """The sender's jobs of a batch, one after the other: threads would only wait for each other here.

    A delivery of the reference turn's events. `deliver`: the job is unpacked, the body built and signed, posted over
    HTTP through the guarded client, the answer read, the row's content made; what the AWS SDK costs is left out.
    `deliver_with_aws` has its three calls too, with canned answers. TLS is in neither.
    """
    as_deployed()
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    from shared.net import connection  # noqa: PLC0415
    from shared.runtime import wiring  # noqa: PLC0415
    from shared.services.webhook_deliver import Deliver  # noqa: PLC0415
    from shared.storage import deliveries as delivery_rows  # noqa: PLC0415
    from shared.storage import webhooks as endpoint_rows  # noqa: PLC0415
    from shared.storage.delivery_queue import from_body, to_body  # noqa: PLC0415
    from shared.webhooks.delivery import Delivery, DeliveryKey, batches, first_try, make  # noqa: PLC0415
    from shared.webhooks.endpoint import Endpoint  # noqa: PLC0415
    from shared.webhooks.signature import new_secret  # noqa: PLC0415

    endpoint = Endpoint(
        webhook_id=str(uuid.UUID(int=1, version=4)),
        bot_id="Bd80zx",
        name="bench",
        url="http://receiver.example/webhook-endpoint",
        secret=new_secret(bytes(32)),
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
    )
    endpoint_row = {
        "sk": {"S": f"WH#{endpoint.webhook_id}"},
        **endpoint_rows._owners_part(endpoint),
        "lastSuccessAt": {"N": str(2**45)},  # noted within the last second, as of a busy endpoint
    }
    stored = {endpoint_row["sk"]["S"]: endpoint_row}
    jobs = []
    for _, _, events in turns()[:POSTS_A_BATCH]:
        (batch,) = batches(events)
        jobs.append(to_body(first_try(make(endpoint.bot_id, endpoint.webhook_id, batch))))
    services = CannedServices(stored)
    session: Any = URLLib3Session
    session.send = lambda _, request: services.send(request)
    sockets: Any = connection
    sockets.connect = lambda addresses, port, budget: CannedReceiver()
    sockets.vetted_addresses = lambda target, resolve, budget: [RECEIVER]
    use_case = wiring.deliver()

    def delivered(sender: Deliver) -> None:
        services.writes = 0
        for job in jobs:
            sender(from_body(job))
        if services.writes != POSTS_A_BATCH:
            raise CannotRun(f"the sender wrote {services.writes} rows")

    class Stored:
        """The rows without the SDK: there is none yet, and one is brought into its stored form."""

        def get(self, key: DeliveryKey) -> None:
            return None

        def put(self, delivery: Delivery, *, now_ms: int) -> bool:
            services.writes += bool(delivery_rows.to_row(delivery, now_ms))
            return True

    class Known:
        def get(self, bot_id: str, webhook_id: str) -> Endpoint:
            return endpoint_rows._endpoint(bot_id, endpoint_row)

    rows_alone: Any = {"endpoints": Known(), "deliveries": Stored()}
    without_aws = replace(use_case, **rows_alone)
    return {"deliver": lambda: delivered(without_aws), "deliver_with_aws": lambda: delivered(use_case)}


def measure(say: Say) -> list[Row]:
    made: list[Row] = []
    for quantity, subject_name, operation in (
        (RELAY, "relay", "relay"),
        (DELIVER, "deliver", "deliver"),
        (DELIVER_WITH_AWS, "deliver", "deliver_with_aws"),
    ):
        say(f"the path of events: {operation}")
        with Worker(python_worker(f"bench.webhooks:{subject_name}")) as worker:
            subject = Subject(worker, operation)
            made += rows(quantity, [subject.sample() for _ in range(PAIRS)], {})
    return made
