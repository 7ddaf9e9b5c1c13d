"""A delivery: events of a short period for one endpoint, and what became of it. The body is CLOSER's in shape."""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from shared.webhooks.wire import to_bytes

JsonObject = dict[str, Any]

MAX_EVENTS: Final = 100
MAX_BODY_BYTES: Final = 256 * 1024
ENVELOPE_BYTES: Final = 1280
"""What stands around the events: two ids and a URL of 255 characters, of which each takes at most four bytes."""
KEPT_ANSWER_BYTES: Final = 2 * 1024
LONGEST_ESCAPE: Final = 6
"""Bytes that JSON takes for one character at most."""
KEPT_ATTEMPTS: Final = 20
"""Of a delivery that is sent again by hand, the newest."""

DeliveryState = Literal["pending", "delivered", "failed", "held", "erased"]
"""pending: being tried; held: its endpoint was off, nothing was sent; failed: given up; erased: all its events were of
people who were erased, and its row only keeps it from being made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try. `ms` is how long it took, `status` the answer's, `error` a class word unless it was a success, `answer`
    the first 2 KB of the body."""

    at_ms: int
    ms: int
    status: int | None = None
    error: str | None = None
    answer: str = ""

    @property
    def is_success(self) -> bool:
        return self.error is None

    def to_json(self) -> JsonObject:
        return {"at": self.at_ms, "ms": self.ms, "status": self.status, "error": self.error, "answer": self.answer}

    @classmethod
    def from_json(cls, data: JsonObject) -> "Attempt":
        return cls(at_ms=data["at"], ms=data["ms"], status=data["status"], error=data["error"], answer=data["answer"])


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryKey:
    """Where a delivery lies. `at_ms` is the time of its newest event, or of the replay that made it."""

    webhook_id: str
    at_ms: int
    delivery_id: str

    @property
    def day(self) -> str:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC).strftime("%Y%m%d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """`events` is their JSON array as bytes. A round is a series of tries: the first, and one for each resend by hand.

    Of the current round: `tried` counts its tries, `waited_s` is the sum of the waits between them, `first_try_ms` when
    it began, `url_revision` the endpoint's URL then, `next_at_ms` when the next try is due. `attempts` are of all
    rounds. `is_test`: its owner asked for it to see what the receiver does; it is tried once and never again.
    `erasures` counts how often events of an erased person were taken out.
    """

    key: DeliveryKey
    bot_id: str
    events: bytes
    count: int
    state: DeliveryState = "pending"
    round: int = 1
    tried: int = 0
    waited_s: int = 0
    first_try_ms: int | None = None
    url_revision: int | None = None
    next_at_ms: int | None = None
    attempts: tuple[Attempt, ...] = field(default=())
    is_test: bool = False
    erasures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """Deliveries of a day; `after` asks for the next page, None after the last one."""

    items: tuple[Delivery, ...]
    after: str | None = None


Place = tuple[int, str]
"""(at_ms, delivery id) of a row: the order of the delivery log. An empty id comes before all of its millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPart:
    """A piece of the delivery log, without the events, and after which place it goes on; None at the end."""

    items: list[Delivery]
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryJob:
    """A message of the queue `deliveries`: make try number `tried` + 1 of a round. One that names the round after the
    delivery's begins it: so a resend is this one message, and nothing is lost between two writes.

    That of a new delivery carries its `events` and their `count`: the sender writes its row after the first try. The
    others are of deliveries that have one.
    """

    bot_id: str
    key: DeliveryKey
    round: int = 1
    tried: int = 0
    events: bytes = b""
    count: int = 0

    @property
    def delivery(self) -> "Delivery | None":
        """What it carries, not yet tried."""
        if not self.events:
            return None
        return Delivery(key=self.key, bot_id=self.bot_id, events=self.events, count=self.count)

    def without_events(self) -> "DeliveryJob":
        return replace(self, events=b"", count=0)


def first_try(delivery: Delivery) -> DeliveryJob:
    """What makes the first try of a delivery that has no row yet."""
    return DeliveryJob(bot_id=delivery.bot_id, key=delivery.key, events=delivery.events, count=delivery.count)


def next_round(delivery: Delivery) -> DeliveryJob:
    """What sends a delivery again that was held, given up or received."""
    return DeliveryJob(bot_id=delivery.bot_id, key=delivery.key, round=delivery.round + 1)


def in_order(events: Iterable[JsonObject]) -> list[JsonObject]:
    """The oldest first, each id once. Inside a log its `sequence` decides, whatever the clocks of machines said."""
    once = {str(event["id"]): event for event in events}
    by_time = sorted(once.values(), key=lambda event: (event["timestamp"], event["sequence"]))
    of_log: dict[str, list[JsonObject]] = {}
    for event in by_time:
        of_log.setdefault(log_of(event), []).append(event)
    following = {log: iter(sorted(found, key=lambda event: event["sequence"])) for log, found in of_log.items()}
    return [next(following[log_of(event)]) for event in by_time]


def log_of(event: JsonObject) -> str:
    """Whose log counted the event: the end user's id, empty for the bot's own."""
    data = event["data"]
    if "endUser" in data:
        return str(data["endUser"]["id"])
    holder = data.get("conversation") or data.get("message") or {}
    return str(holder.get("endUserId", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Events of one delivery as they are stored: their ids, the newest time, and the bytes of their array."""

    ids: tuple[str, ...]
    at_ms: int
    events: bytes


def batches(events: Sequence[JsonObject]) -> list[Batch]:
    """`events`, in order, cut into what one delivery may carry."""
    return list(_batches(events))


def _batches(events: Sequence[JsonObject]) -> Iterator[Batch]:
    taken: list[JsonObject] = []
    texts: list[bytes] = []
    size = ENVELOPE_BYTES
    for event in events:
        raw = to_bytes(event)
        if taken and (len(taken) == MAX_EVENTS or size + len(raw) + 1 > MAX_BODY_BYTES):
            yield _batch(taken, texts)
            taken, texts, size = [], [], ENVELOPE_BYTES
        taken.append(event)
        texts.append(raw)
        size += len(raw) + 1
    if taken:
        yield _batch(taken, texts)


def _batch(events: list[JsonObject], texts: list[bytes]) -> Batch:
    return Batch(
        ids=tuple([str(event["id"]) for event in events]),
        at_ms=max(event["timestamp"] for event in events),
        events=b"[" + b",".join(texts) + b"]",
    )


def delivery_id(webhook_id: str, event_ids: Iterable[str], replay_id: str = "") -> str:
    """The same endpoint and the same events are the same delivery; `replay_id` tells deliberate repeats apart."""
    return str(uuid.uuid5(uuid.UUID(webhook_id), f"delivery/{replay_id}/{','.join(event_ids)}"))


def make(bot_id: str, webhook_id: str, batch: Batch, *, replay_id: str = "", at_ms: int | None = None) -> Delivery:
    """The delivery of a batch to an endpoint, not yet tried."""
    identity = delivery_id(webhook_id, batch.ids, replay_id)
    key = DeliveryKey(webhook_id=webhook_id, at_ms=batch.at_ms if at_ms is None else at_ms, delivery_id=identity)
    return Delivery(key=key, bot_id=bot_id, events=batch.events, count=len(batch.ids))


def body(delivery: Delivery, url: str) -> bytes:
    """The bytes that are sent, and signed: {id, webhookId, webhookUrl, messages}."""
    envelope = {"id": delivery.key.delivery_id, "webhookId": delivery.key.webhook_id, "webhookUrl": url}
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()[:-1] + (
        b',"messages":' + delivery.events + b"}"
    )


def kept_answer(raw: bytes) -> str:
    """The beginning of an answer as text that can be stored and shown, whatever it was: at most 2 KB as JSON, so that
    no receiver can make its row larger than a row may be."""
    text = raw[:KEPT_ANSWER_BYTES].decode("utf-8", "replace").replace("\x00", "")
    while (over := len(to_bytes(text)) - 2 - KEPT_ANSWER_BYTES) > 0:
        text = text[: -max(1, over // LONGEST_ESCAPE)]
    return text
