"""The reference turn of KakaoTalk and of the web chat through the real handlers, with the network replaced by canned
answers.

A question about a delivery, answered with a card, a text and three quick replies, in a conversation with ten
parameters that has been going on for a while. Everything but the wire is real: signing, serialising, parsing.
What the calls cost is metered from the bytes sent (bench/meter.py), never taken from an emulator.
"""

import gzip
import io
import itertools
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench import meter
from bench.measure import PAIRS, CannotRun, Quantity, Row, Say, Subject, Worker, python_worker, rows
from bench.start import not_in_layer
from bench.worker import Operations

CALLS: Final = Quantity(name="turn.kakao.aws_calls", unit="calls", better="lower", goal=2)
WRITE_UNITS: Final = Quantity(name="turn.kakao.wru", unit="units", better="lower", goal=2)
READ_UNITS: Final = Quantity(name="turn.kakao.rru", unit="units", better="lower", goal=1)
BYTES_WRITTEN: Final = Quantity(name="turn.kakao.bytes_written", unit="B", better="lower", goal=1250)
HANDLER_CPU: Final = Quantity(
    name="turn.kakao.handler_cpu_ms", unit="ms", better="lower", goal=2.5, of=lambda seconds: seconds * 1000
)
WEB_CALLS: Final = Quantity(name="turn.web.aws_calls", unit="calls", better="lower", goal=3)
"""Of whoever sends faster than once a second, and is counted: the most that a message ever makes."""
WEB_WRITE_UNITS: Final = Quantity(name="turn.web.wru", unit="units", better="lower", goal=2)
"""Without the count, as all that follows: of whoever reads before they answer."""
WEB_READ_UNITS: Final = Quantity(name="turn.web.rru", unit="units", better="lower", goal=1)
WEB_HANDLER_CPU: Final = Quantity(
    name="turn.web.handler_cpu_ms", unit="ms", better="lower", goal=2.5, of=lambda seconds: seconds * 1000
)
METERED_TURNS: Final = 51
"""Ids are random, and some pack better than others: the median of so many turns."""

REFERENCE_BOT: Final = Path(__file__).parent / "reference_bot.json"
BOT_ID: Final = "Bd80zx"
PATH_SECRET: Final = "bench-path-secret-0123456789"  # noqa: S105 - of the canned bot
HEADER_SECRET: Final = "bench-header-secret-0123456789"  # noqa: S105
USER_KEY: Final = "3a1f0c2b9e8d7c6b5a49382716f5e4d3c2b1a0f9e8d7c6b5a4938271605f4e3d2c"
QUESTION: Final = "배송 언제 도착하나요? 주문번호는 20261121-004512 입니다"
BEFORE: Final = ("안녕하세요", *itertools.chain.from_iterable([(QUESTION, "처음으로")] * 5))
"""What was said earlier: long enough to fill the list of request ids that a state carries."""
NOW_MS: Final = 1_795_219_200_123

ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_REGION": "ap-northeast-2",
    "AWS_DEFAULT_REGION": "ap-northeast-2",
    "MALGIL_TURNS_TABLE": "turns",
    "MALGIL_CORE_TABLE": "core",
    "MALGIL_BOT_BUCKET": "bots",
    "MALGIL_EFFECT_QUEUE_URL": "https://sqs.ap-northeast-2.amazonaws.com/000000000000/effects",
    "POWERTOOLS_SERVICE_NAME": "kakao_skill",
}


class Body(io.BytesIO):
    """A response's body as urllib3 hands it out."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def aws_response(url: str, content: bytes) -> Any:
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415

    make: Any = AWSResponse  # its headers may be any mapping, whatever the stubs say
    return make(url, 200, {}, Body(content))


class CannedAws:
    """Answers the three services that a turn may call, and meters what it is asked.

    Puts into the log are kept until `freeze`; from then on each query finds the same newest turn, so that every turn
    is the same one.
    """

    def __init__(self, core_rows: list[meter.Item], document: bytes) -> None:
        self._core_rows = core_rows
        self._document = document
        self._newest: list[meter.Item] = []
        self._is_frozen = False
        self.start_counting()

    def start_counting(self) -> None:
        self.calls: list[str] = []
        self.write_units = 0
        self.read_units = 0.0
        self.bytes_written = 0

    def freeze(self) -> None:
        self._is_frozen = True

    def send(self, request: Any) -> Any:
        """In the place of botocore's HTTP session."""
        target = request.headers.get("X-Amz-Target")
        if target is None:
            self.calls.append("s3")
            return aws_response(request.url, self._document)
        operation = (target.decode() if isinstance(target, bytes) else target).partition(".")[2]
        self.calls.append(operation)
        answer = json.dumps(self._answer(operation, json.loads(request.body)), ensure_ascii=False).encode()
        return aws_response(request.url, answer)

    def _answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == "PutItem":
            size = meter.item_bytes(asked["Item"])
            self.bytes_written += size
            self.write_units += meter.write_units(size)
            if not self._is_frozen:
                self._newest = [asked["Item"]]
            return {}
        if operation == "Query":
            found = self._newest if asked["TableName"] == ENVIRONMENT["MALGIL_TURNS_TABLE"] else self._core_rows
            sizes = [meter.item_bytes(item) for item in found]
            self.read_units += meter.read_units(sizes, is_consistent=bool(asked.get("ConsistentRead")))
            return {"Items": found, "Count": len(found), "ScannedCount": len(found)}
        if operation == "UpdateItem":  # how often somebody sent in ten seconds
            added = asked["ExpressionAttributeValues"]
            counted = {**asked["Key"], "count": added[":count"], "ttl": added[":ttl"]}
            self.write_units += meter.write_units(meter.item_bytes(counted))
            return {"Attributes": {"count": added[":count"]}}
        raise CannotRun(f"a turn calls {operation}")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def skill_event(utterance: str, *, bot_id: str = BOT_ID, user_key: str = USER_KEY) -> dict[str, Any]:
    """What API Gateway hands to the function for an utterance, received just now."""
    block = {"id": "5f0c0000000000000000a001", "name": "폴백 블록"}
    body = {
        "intent": block,
        "userRequest": {
            "timezone": "Asia/Seoul",
            "params": {"surface": "Kakaotalk.plusfriend"},
            "block": block,
            "utterance": utterance,
            "lang": "ko",
            "user": {
                "id": user_key,
                "type": "botUserKey",
                "properties": {"botUserKey": user_key, "plusfriendUserKey": "Xa1b2C3d4E5f"},
            },
        },
        "bot": {"id": "5f0c0000000000000000b001", "name": "말길"},
        "action": {
            "name": "말길",
            "clientExtra": None,
            "params": {},
            "id": "5f0c0000000000000000c001",
            "detailParams": {},
        },
        "contexts": [],
    }
    return {
        "version": "2.0",
        "headers": {
            "content-type": "application/json",
            "x-malgil-secret": HEADER_SECRET,
            "x-request-id": str(uuid.uuid4()),
        },
        "requestContext": {"timeEpoch": now_ms()},
        "pathParameters": {"botId": bot_id, "secret": PATH_SECRET},
        "body": json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def published_bot(bot_id: str) -> tuple[list[meter.Item], bytes]:
    """The reference bot, published, on KakaoTalk and the web: its rows of the core table, its document in S3."""
    from shared.bot.document import content_bytes, content_hash, read_bot_file  # noqa: PLC0415
    from shared.bot.record import BotRecord, BotVersion  # noqa: PLC0415
    from shared.channels.kakao.settings import KakaoSettings  # noqa: PLC0415
    from shared.channels.web.settings import WebSettings  # noqa: PLC0415
    from shared.storage import keys  # noqa: PLC0415
    from shared.storage.core import CoreRow  # noqa: PLC0415

    file = read_bot_file(REFERENCE_BOT.read_bytes())
    content = content_bytes(file.content)
    version = BotVersion(number=1, content_hash=content_hash(file.content), size=len(content), created_at_ms=NOW_MS)
    record = BotRecord(
        bot_id=bot_id,
        profile=file.profile,
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
        latest=version,
        published=version,
    )
    settings = KakaoSettings(path_secret=PATH_SECRET, header_secrets=(HEADER_SECRET,))
    partition = keys.bot_partition(bot_id)
    core_rows = [
        CoreRow(partition, keys.channel_sort("kakao"), data=settings.to_dict(), version=1).serialize(),
        CoreRow(partition, keys.channel_sort("web"), data=WebSettings(enabled=True).to_dict(), version=1).serialize(),
        CoreRow(partition, keys.BOT_META, data=record.to_json(), version=1).serialize(),
    ]
    return core_rows, gzip.compress(content)


def ours() -> Operations:
    """The warm handler. `turn` is one reference turn; `metered` one whose calls are counted."""
    os.environ.update(ENVIRONMENT)
    refused: dict[str, Any] = dict.fromkeys(not_in_layer())
    sys.modules.update(refused)
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    from functions.kakao_skill.app import handler  # noqa: PLC0415

    aws = CannedAws(*published_bot(BOT_ID))
    session: Any = URLLib3Session
    session.send = lambda _, request: aws.send(request)

    def turn(utterance: str = QUESTION) -> dict[str, Any]:
        answer = json.loads(handler(skill_event(utterance), None)["body"])
        if len(answer.get("template", {}).get("outputs", ())) == 0:
            raise CannotRun(f"the handler answers {answer}")
        return answer

    for utterance in BEFORE:
        turn(utterance)
    aws.freeze()
    if len(turn()["template"]["outputs"]) != 2 or len(turn()["template"]["quickReplies"]) != 3:
        raise CannotRun("the reference turn is not what it should be")

    event = skill_event(QUESTION)
    expected = handler(event, None)["body"]

    def handled() -> None:
        event["requestContext"]["timeEpoch"] = now_ms()
        if handler(event, None)["body"] != expected:
            raise CannotRun("the reference turn was answered differently")

    def metered() -> dict[str, Any]:
        aws.start_counting()
        handler(skill_event(QUESTION), None)
        return {
            "calls": len(aws.calls),
            "write_units": aws.write_units,
            "read_units": aws.read_units,
            "bytes_written": aws.bytes_written,
        }

    return {"turn": handled, "metered": metered}


def frame_event(client_id: str, utterance: str, at_s: int) -> dict[str, Any]:
    """What API Gateway hands to the function for a message on an open socket."""
    data = {"type": "text", "text": utterance}
    return {
        "requestContext": {
            "routeKey": "$default",
            "eventType": "MESSAGE",
            "connectionId": "bench-socket=",
            "authorizer": {
                "botId": BOT_ID,
                "endUserId": "00000000-0000-5000-8000-000000000000",
                "userKey": USER_KEY,
                "log": "bench",
                "iat": str(at_s),
                "exp": str(at_s + 3_600),
            },
        },
        "body": json.dumps({"type": "message", "clientId": client_id, "data": data}, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def ours_on_the_web() -> Operations:
    """The warm handler behind the socket, on clocks that stand still but for what is said. `turn` is one reference
    turn; `metered` one of somebody slow, `metered_fast` one within a second of the turn before it."""
    os.environ.update({**ENVIRONMENT, "POWERTOOLS_SERVICE_NAME": "flow_step"})
    refused: dict[str, Any] = dict.fromkeys(not_in_layer())
    sys.modules.update(refused)
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    from functions.flow_step.app import handler  # noqa: PLC0415
    from shared.runtime import world  # noqa: PLC0415

    aws = CannedAws(*published_bot(BOT_ID))
    session: Any = URLLib3Session
    session.send = lambda _, request: aws.send(request)
    start_ms = now_ms()
    clock = {"ms": start_ms}
    world.now_ms = lambda: clock["ms"]

    def turn(utterance: str = QUESTION) -> dict[str, Any]:
        event = frame_event(str(uuid.uuid4()), utterance, start_ms // 1_000)
        answer: dict[str, Any] = json.loads(handler(event, None)["body"])
        if answer["type"] != "messages":
            raise CannotRun(f"the handler answers {answer}")
        return answer

    for utterance in BEFORE:
        clock["ms"] += 5_000
        turn(utterance)
    aws.freeze()
    last_ms = clock["ms"]
    clock["ms"] = last_ms + 5_000
    answer = turn()
    if len(answer["messages"]) != 3 or len(answer["keyboard"]["buttons"]) != 3:
        raise CannotRun(f"the reference turn is not what it should be: {answer}")
    event = frame_event("bench", QUESTION, start_ms // 1_000)

    def handled() -> None:
        if not handler(event, None)["body"].startswith('{"type":"messages"'):
            raise CannotRun("the reference turn was answered differently")

    def metered(after_ms: int = 5_000) -> dict[str, Any]:
        aws.start_counting()
        clock["ms"] = last_ms + after_ms
        turn()
        return {"calls": len(aws.calls), "write_units": aws.write_units, "read_units": aws.read_units}

    return {"turn": handled, "metered": metered, "metered_fast": lambda: metered(100)}


def measure(say: Say) -> list[Row]:
    return [*measure_kakao(say), *measure_web(say)]


def measure_kakao(say: Say) -> list[Row]:
    say("the reference turn of KakaoTalk")
    with Worker(python_worker("bench.turn:ours")) as worker:
        subject = Subject(worker, "turn")
        seconds = [subject.sample() for _ in range(PAIRS)]
        figures = [worker.run("metered")["result"] for _ in range(METERED_TURNS)]
    middle = {key: median(figure[key] for figure in figures) for key in figures[0]}
    return [
        *rows(CALLS, [middle["calls"]], {}),
        *rows(WRITE_UNITS, [middle["write_units"]], {}),
        *rows(READ_UNITS, [middle["read_units"]], {}),
        *rows(BYTES_WRITTEN, [middle["bytes_written"]], {}),
        *rows(HANDLER_CPU, seconds, {}),
    ]


def measure_web(say: Say) -> list[Row]:
    say("the reference turn of the web chat")
    with Worker(python_worker("bench.turn:ours_on_the_web")) as worker:
        subject = Subject(worker, "turn")
        seconds = [subject.sample() for _ in range(PAIRS)]
        figures = [worker.run("metered")["result"] for _ in range(METERED_TURNS)]
        fast = [worker.run("metered_fast")["result"]["calls"] for _ in range(METERED_TURNS)]
    return [
        *rows(WEB_CALLS, [median(fast)], {}),
        *rows(WEB_WRITE_UNITS, [median(figure["write_units"] for figure in figures)], {}),
        *rows(WEB_READ_UNITS, [median(figure["read_units"] for figure in figures)], {}),
        *rows(WEB_HANDLER_CPU, seconds, {}),
    ]
