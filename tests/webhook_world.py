"""In-memory stand-ins of the path of events, and its parts wired to them: conditions are kept, time is set by hand."""

import base64
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.conversation.identity import Identity, IdentityKind
from shared.conversation.turn import LogState, Turn
from shared.errors import Conflict, Unavailable
from shared.ids import log_key
from shared.services.people_ports import IdentityPage
from shared.services.relay import Relay
from shared.services.timed_effects import CircuitBreaker
from shared.services.webhook_deliver import HUNG_SECONDS, Deliver
from shared.services.webhook_fanout import Fanout, parse_message
from shared.services.webhook_replay import Replay
from shared.storage import keys, turn_codec
from shared.storage.turn_stream import read_turn
from shared.webhooks.delivery import Attempt, Delivery, DeliveryJob, DeliveryKey, DeliveryPage, LogPart, Place
from shared.webhooks.endpoint import Disabling, Endpoint, checked
from shared.webhooks.events import EventLog, Person, conversation_data, message_data
from shared.webhooks.grouping import EventMessage, Published
from tests.factories import NOW_MS
from tests.fakes import MemoryTurns

JsonObject = dict[str, Any]

BOT = "shop"
WEBHOOK = "11111111-1111-4111-8111-111111111111"
OTHER_WEBHOOK = "22222222-2222-4222-8222-222222222222"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NEXT_SECRET = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
MINUTE_MS = 60_000


class Clock:
    """Epoch milliseconds and a monotonic clock that only move when they are told to."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def clock_ns(self) -> int:
        return self.ms * 1_000_000


def an_endpoint(**overrides: Any) -> Endpoint:
    return Endpoint(
        **{
            "webhook_id": WEBHOOK,
            "bot_id": BOT,
            "name": "받는 곳",
            "url": "https://receiver.example/hook",
            "secret": SECRET,
            "created_at_ms": NOW_MS,
            "updated_at_ms": NOW_MS,
            **overrides,
        }
    )


def an_event(number: int = 1, **overrides: Any) -> JsonObject:
    """A message of the end user; number is its sequence."""
    person = Person(
        bot_id=BOT,
        end_user_id="00000000-0000-5000-8000-000000000001",
        platform="web",
        user_key="kim",
        first_contact_ms=NOW_MS,
    )
    text = overrides.pop("text", f"{number}번째")
    if "end_user_id" in overrides:
        person = replace(person, end_user_id=overrides.pop("end_user_id"))
    data = message_data(
        person,
        message_id=str(uuid.UUID(int=number, version=4)),
        conversation_id="00000000-0000-4000-8000-000000000001",
        is_user=True,
        data={"type": "text", "text": text},
        meta=None,
        at_ms=NOW_MS + number,
        request_id="r",
    )
    return {
        "id": str(uuid.UUID(int=1000 + number, version=4)),
        "event": "bot.message.received",
        "sourceType": "bot",
        "sourceId": BOT,
        "timestamp": NOW_MS + number,
        "data": data,
        "sequence": number,
        **overrides,
    }


def a_conversation_event(params: JsonObject) -> JsonObject:
    person = Person(bot_id=BOT, end_user_id="e", platform="web", user_key="kim", first_contact_ms=NOW_MS)
    log = EventLog(BOT, str(uuid.UUID(int=7, version=4)), NOW_MS, 0)
    log.add(
        "bot.conversation.updated",
        conversation_data(
            person, conversation_id="c", params=params, navigation={}, created_at_ms=NOW_MS, at_ms=NOW_MS
        ),
    )
    return log.events[0]


def a_turn(events: Sequence[JsonObject], *, bot_id: str = BOT, log: str | None = None, revision: int = 1) -> Turn:
    return Turn(
        bot_id=bot_id,
        log=log or log_key("web", "kim"),
        revision=revision,
        commit=str(uuid.UUID(int=revision, version=4)),
        at_ms=NOW_MS,
        state=LogState(),
        events=list(events),
    )


def a_record(turn: Turn, place: int | None = None) -> JsonObject:
    """The stream's record of a turn as Lambda hands it over."""
    packed = turn_codec.encode(turn.body(), turn_codec.hints(turn.bot_id, turn.commit, turn.at_ms))
    key = {
        "pk": {"S": keys.log_partition(turn.bot_id, turn.log)},
        "sk": {"S": keys.turn_sort(turn.revision)},
    }
    image = {
        **key,
        "c": {"B": base64.b64encode(uuid.UUID(turn.commit).bytes).decode()},
        "t": {"N": str(turn.at_ms)},
        "f": {"N": str(turn_codec.VERSION)},
        "z": {"B": base64.b64encode(packed).decode()},
    }
    number = turn.revision if place is None else place
    return {
        "eventID": str(number),
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": key,
            "NewImage": image,
            "SequenceNumber": f"{number:021d}",
            "StreamViewType": "NEW_IMAGE",
        },
    }


class MemoryTopic:
    """The topic; `answers` are what the next calls do instead: an exception, or outcomes by place."""

    def __init__(self) -> None:
        self.calls: list[list[EventMessage]] = []
        self.published: list[JsonObject] = []
        self.answers: list[Exception | dict[int, Published]] = []

    def publish(self, messages: Sequence[EventMessage]) -> list[Published]:
        self.calls.append(list(messages))
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        outcomes: list[Published] = [answer.get(index, "published") for index in range(len(messages))]
        for message, outcome in zip(messages, outcomes, strict=True):
            if outcome == "published":
                self.published.append(json.loads(message.body()))
        return outcomes


class MemoryEndpoints:
    """The port ManagedEndpoints; `before_change` runs between the read and the write of a change."""

    def __init__(self, *endpoints: Endpoint) -> None:
        self.rows = {endpoint.webhook_id: endpoint for endpoint in endpoints}
        self.reads = 0
        self.before_change: Callable[[], None] = lambda: None

    def create(self, endpoint: Endpoint) -> None:
        if endpoint.webhook_id in self.rows:
            raise Conflict("the webhook exists already")
        self.rows[endpoint.webhook_id] = checked(endpoint)

    def change(self, before: Endpoint, after: Endpoint) -> None:
        checked(after)
        self.before_change()
        row = self.rows.get(before.webhook_id)
        if row is None or (row.updated_at_ms, row.enabled, row.url_revision) != (
            before.updated_at_ms,
            before.enabled,
            before.url_revision,
        ):
            raise Conflict("the webhook was changed by somebody else")
        self.rows[before.webhook_id] = replace(checked(after), last_success_ms=row.last_success_ms)

    def delete(self, bot_id: str, webhook_id: str) -> None:
        self.rows.pop(webhook_id, None)

    def of_bot(self, bot_id: str) -> list[Endpoint]:
        self.reads += 1
        return [endpoint for endpoint in self.rows.values() if endpoint.bot_id == bot_id]

    def get(self, bot_id: str, webhook_id: str) -> Endpoint | None:
        self.reads += 1
        endpoint = self.rows.get(webhook_id)
        return endpoint if endpoint is not None and endpoint.bot_id == bot_id else None

    def note_success(self, endpoint: Endpoint, at_ms: int) -> None:
        row = self.rows.get(endpoint.webhook_id)
        if row is not None and (row.last_success_ms is None or row.last_success_ms < at_ms):
            self.rows[endpoint.webhook_id] = replace(row, last_success_ms=at_ms)

    def disable(
        self,
        endpoint: Endpoint,
        disabling: Disabling,
        *,
        url_revision: int,
        at_ms: int,
        unless_success_since: int | None,
    ) -> bool:
        row = self.rows.get(endpoint.webhook_id)
        if row is None or not row.enabled or row.url_revision != url_revision:
            return False
        if unless_success_since is not None and (row.last_success_ms or 0) >= unless_success_since:
            return False
        self.rows[endpoint.webhook_id] = replace(row, enabled=False, disabled_at_ms=at_ms, disabling=disabling)
        return True


class MemoryDeliveries:
    """The port Deliveries."""

    def __init__(self) -> None:
        self.rows: dict[DeliveryKey, Delivery] = {}
        self.page_size = 2

    def put(self, delivery: Delivery, *, now_ms: int) -> bool:
        if delivery.key in self.rows:
            return False
        self.rows[delivery.key] = delivery
        return True

    def get(self, key: DeliveryKey) -> Delivery | None:
        return self.rows.get(key)

    def begin_round(self, delivery: Delivery, *, now_ms: int) -> bool:
        row = self.rows.get(delivery.key)
        if row is None or row.round != delivery.round - 1 or row.state in ("pending", "erased"):
            return False
        self.rows[delivery.key] = delivery
        return True

    def hold(self, delivery: Delivery, *, now_ms: int) -> bool:
        row = self.rows.get(delivery.key)
        if row is None or (row.state, row.round, row.tried) != ("pending", delivery.round, delivery.tried):
            return False
        self.rows[delivery.key] = replace(row, state="held")
        return True

    def note_attempt(self, before: Delivery, after: Delivery, attempt: Attempt) -> bool:
        return self._replace(replace(before, state="pending"), after)

    def rewrite(self, before: Delivery, after: Delivery) -> bool:
        return self._replace(before, after)

    def _replace(self, before: Delivery, after: Delivery) -> bool:
        row = self.rows.get(after.key)
        if row is None or (row.state, row.round, row.tried, row.erasures) != (
            before.state,
            before.round,
            before.tried,
            before.erasures,
        ):
            return False
        self.rows[after.key] = after
        return True

    def page(self, webhook_id: str, day: str, after: str) -> DeliveryPage:
        places = {
            keys.delivery_sort(key.at_ms, key.delivery_id): row
            for key, row in self.rows.items()
            if (key.webhook_id, key.day) == (webhook_id, day)
        }
        following = sorted(place for place in places if place > after)
        taken = following[: self.page_size]
        return DeliveryPage(
            items=tuple(places[place] for place in taken), after=taken[-1] if len(following) > len(taken) else None
        )

    def part_of_day(
        self, webhook_id: str, day: str, *, first: Place, last: Place, newest_first: bool, limit: int
    ) -> LogPart:
        def place(key: DeliveryKey) -> Place:
            return key.at_ms, key.delivery_id

        found = sorted(
            (key for key in self.rows if (key.webhook_id, key.day) == (webhook_id, day) and first < place(key) < last),
            key=place,
            reverse=newest_first,
        )
        items = [replace(self.rows[key], events=b"") for key in found[:limit]]
        return LogPart(items=items, place=place(found[limit - 1]) if len(found) > limit else None)


class MemoryIdentities:
    """The port Identities: the newest seen first, by the hour. A cursor is the place of the last one."""

    def __init__(self) -> None:
        self.rows: dict[str, Identity] = {}
        self.before_page: Callable[[], None] = lambda: None

    def see(self, log: str, at_ms: int, *, bot_id: str = BOT) -> None:
        """An end user of the bot says something."""
        self.rows[f"id-{log}"] = Identity(
            kind="end_user",
            public_id=f"id-{log}",
            bot_id=bot_id,
            log=log,
            platform="web",
            user_key=log,
            end_user_id=f"id-{log}",
            revision=1,
            created_at_ms=at_ms,
            seen_at_ms=at_ms - at_ms % 3_600_000,
        )

    def get(self, public_id: str) -> Identity | None:
        return self.rows.get(public_id)

    def page(
        self,
        bot_id: str,
        kind: IdentityKind,
        *,
        limit: int,
        cursor: str | None = None,
        from_ms: int | None = None,
        until_ms: int | None = None,
        platform: str | None = None,
    ) -> IdentityPage:
        self.before_page()
        places = sorted(
            (
                (f"{row.seen_at_ms:015d}#{row.public_id}", row)
                for row in self.rows.values()
                if (row.bot_id, row.kind) == (bot_id, kind) and row.seen_at_ms >= (from_ms or 0)
            ),
            key=lambda found: found[0],
            reverse=True,
        )
        left = [found for found in places if cursor is None or found[0] < cursor]
        more = len(left) > limit
        return IdentityPage(items=tuple([row for _, row in left[:limit]]), cursor=left[limit - 1][0] if more else None)

    def delete(self, identity: Identity, *, at_ms: int | None = None) -> None:
        self.rows.pop(identity.public_id, None)


class MemoryDeliveryQueue:
    """The queue of jobs: (due in epoch ms, job)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: list[tuple[int, DeliveryJob]] = []
        self.delays: list[int] = []
        self.fails = False

    def send(self, jobs: Iterable[DeliveryJob], *, delay_seconds: int = 0) -> None:
        if self.fails:
            raise Unavailable("the queue of deliveries did not take jobs")
        for job in jobs:
            assert 0 <= delay_seconds <= 900, "SQS refuses longer delays"
            self.jobs.append((self.clock.ms + 1000 * delay_seconds, job))
            self.delays.append(delay_seconds)

    def take(self) -> DeliveryJob | None:
        """The next job, when it is due: the clock moves on to it."""
        if not self.jobs:
            return None
        self.jobs.sort(key=lambda found: found[0])
        due, job = self.jobs.pop(0)
        self.clock.ms = max(self.clock.ms, due)
        return job


@dataclass
class Posted:
    """A POST as the receiver saw it."""

    at_ms: int
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> JsonObject:
        found: JsonObject = json.loads(self.body)
        return found


@dataclass
class ScriptedReceiver:
    """The port PostDelivery: answers in order with statuses, (status, Retry-After) or an error's class; then 200s."""

    clock: Clock
    answers: list[Any] = field(default_factory=list)
    always: Any = 200
    got: list[Posted] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> tuple[Attempt, str | None]:
        at = self.clock.ms
        self.got.append(Posted(at, url, headers, body))
        self.meanwhile()
        answer = self.answers.pop(0) if self.answers else self.always
        status, wait = answer if isinstance(answer, tuple) else (answer, None)
        if isinstance(status, str):
            return Attempt(at_ms=at, ms=5, error=status), None
        error = None if 200 <= status < 300 else "status"
        return Attempt(at_ms=at, ms=5, status=status, error=error, answer="answer"), wait


class WebhookWorld:
    """Everything from the stream to the receiver."""

    def __init__(self, *endpoints: Endpoint) -> None:
        self.clock = Clock()
        self.topic = MemoryTopic()
        self.endpoints = MemoryEndpoints(*(endpoints or (an_endpoint(),)))
        self.deliveries = MemoryDeliveries()
        self.queue = MemoryDeliveryQueue(self.clock)
        self.receiver = ScriptedReceiver(self.clock)
        self.turns = MemoryTurns()
        self.identities = MemoryIdentities()
        self.aside: list[tuple[JsonObject, str]] = []
        self.faults: list[Exception] = []
        self.breaker = CircuitBreaker(self.clock.clock_ns, open_ms=1_000 * HUNG_SECONDS)
        self.slept: list[float] = []
        self.relay = Relay(
            read=read_turn,
            topic=self.topic,
            set_aside=lambda row, reason: self.aside.append((row, reason)),
            report=self.faults.append,
            sleep=self.slept.append,
        )
        self.fanout = Fanout(
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            queue=self.queue,
            now_ms=self.clock.now_ms,
            clock_ns=self.clock.clock_ns,
            report=self.faults.append,
        )
        self.deliver = Deliver(
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            queue=self.queue,
            post=self.receiver,
            now_ms=self.clock.now_ms,
            breaker=self.breaker,
        )
        self.replay = Replay(
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            queue=self.queue,
            turns=self.turns,
            identities=self.identities,
            now_ms=self.clock.now_ms,
        )

    def fan_out(self, *messages: JsonObject) -> set[str]:
        return self.fanout([parse_message(str(index), json.dumps(message)) for index, message in enumerate(messages)])

    def tell(self, *events: JsonObject) -> None:
        """Events of the bot in one message of the topic."""
        assert self.fan_out({"botId": BOT, "events": list(events)}) == set()

    def work(self) -> None:
        """Every job when it is due, until there is none."""
        while (job := self.queue.take()) is not None:
            self.deliver(job)

    @property
    def endpoint(self) -> Endpoint:
        return self.endpoints.rows[WEBHOOK]

    @property
    def delivery(self) -> Delivery:
        (found,) = self.deliveries.rows.values()
        return found
