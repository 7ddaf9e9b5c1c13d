"""A seeded storm over the path of events: people talk, everything on the way dies, fails, comes twice or late,
receivers misbehave and owners change their minds. One seed is one run: nothing here runs at once, and chance is
`random.Random`.

The use cases and the handlers are the real ones. Streams, the topic and queues do what AWS says of them: a batch of the
stream comes again from the lowest record that failed, and in halves after a crash; a message of a queue comes again
after its visibility, sometimes although it was done, in any order, and lies among the dead letters after some receives.
"""

import itertools
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from functions.relay import app as relay_app
from functions.webhook_deliver import app as deliver_app
from functions.webhook_fanout import app as fanout_app
from shared.bot.document import split_document
from shared.bot.model import Bot
from shared.conversation.turn import Turn
from shared.engine.inbound import UserMessage
from shared.errors import MalgilError, Unavailable
from shared.ids import log_key
from shared.runtime import wiring
from shared.services.authoring import Authoring
from shared.services.relay import Relay
from shared.services.request import Request
from shared.services.timed_effects import CircuitBreaker
from shared.services.webhook_deliver import HUNG_SECONDS, Deliver
from shared.services.webhook_fanout import Fanout
from shared.services.webhook_replay import Replay
from shared.storage.delivery_queue import to_body
from shared.storage.turn_stream import read_turn
from shared.webhooks.delivery import MAX_BODY_BYTES, MAX_EVENTS, Attempt, DeliveryJob, log_of
from shared.webhooks.endpoint import Endpoint, switched, with_new_secret, with_url
from shared.webhooks.grouping import EventMessage, Published
from shared.webhooks.signature import new_secret
from tests.factories import a_handle_inbound, a_node, a_response, an_authoring
from tests.fakes import MemoryTurns
from tests.webhook_world import Clock, MemoryDeliveries, MemoryEndpoints, MemoryIdentities, a_record, an_endpoint

JsonObject = dict[str, Any]

BOTS: Final = ("shop", "clinic", "school", "cafe")
PEOPLE: Final = ("kim", "lee", "park")
SHARDS: Final = 2
MAX_ENDPOINTS: Final = 12
MAX_MESSAGE_BYTES: Final = 1024 * 1024
EVENT_VISIBILITY_MS: Final = 180_000
JOB_VISIBILITY_MS: Final = 150_000
MAX_RECEIVES: Final = 5
"""These three as template.yaml has them."""
STEPS_OF_RECOVERY: Final = 200_000
SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
TEXTS: Final = ("안녕하세요", "배송 언제 와요?", "ㅋ" * 1_000, "{{params.heard}}", "👨‍👩‍👧‍👦\u2028", "긴 글 " * 2_000)
NODES: Final = [
    a_node(1, "entry", {}, 2),
    a_node(2, "parameter", {"set": [{"key": "heard", "value": "{{message}}"}]}, 3),
    a_response(3, "들었어요: {{message}}", 4),
    a_response(4, "더 있나요?", 5),
    a_node(5, "keyboard", {"type": "text"}, 2),
]


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Weather:
    """What goes wrong: each named point dies or fails with these chances, and is counted when it does."""

    chance: random.Random
    crash: float = 0.03
    fail: float = 0.02
    happened: Counter[str] = field(default_factory=Counter)
    is_calm: bool = False

    def at(self, point: str) -> None:
        if self.is_calm:
            return
        roll = self.chance.random()
        if roll < self.crash:
            self.happened[f"crash {point}"] += 1
            raise Crash(point)
        if roll < self.crash + self.fail:
            self.happened[f"fault {point}"] += 1
            raise Unavailable(point)

    def strikes(self, what: str, chance: float) -> bool:
        struck = not self.is_calm and self.chance.random() < chance
        self.happened[what] += struck
        return struck


class Shaken:
    """A port, each of whose calls may die or fail before or after it did its work."""

    def __init__(self, port: Any, name: str, weather: Weather) -> None:
        self._port, self._name, self._weather = port, name, weather

    def __getattr__(self, operation: str) -> Any:
        call = getattr(self._port, operation)

        def shaken(*args: Any, **named: Any) -> Any:
            self._weather.at(f"before {self._name}.{operation}")
            answer = call(*args, **named)
            if answer is True and self._weather.strikes(f"the answer of {self._name}.{operation} was lost", 0.1):
                answer = call(*args, **named)  # as the SDK's second try: the condition no longer holds
            self._weather.at(f"after {self._name}.{operation}")
            return answer

        return shaken


@dataclass
class Message:
    """A message of a queue; it is hidden until `visible_ms`."""

    message_id: str
    body: str
    visible_ms: int
    receives: int = 0


class StormQueue:
    """A standard queue of SQS: at least once, in any order, dead letters after MAX_RECEIVES."""

    def __init__(self, clock: Clock, weather: Weather, visibility_ms: int) -> None:
        self.clock, self.weather, self.visibility_ms = clock, weather, visibility_ms
        self.messages: dict[str, Message] = {}
        self.dead: list[Message] = []
        self._numbers = itertools.count(1)

    def send(self, body: str, delay_ms: int = 0) -> None:
        message_id = str(next(self._numbers))
        self.messages[message_id] = Message(message_id, body, self.clock.ms + delay_ms)

    def take(self, at_most: int) -> list[Message]:
        visible = [message for message in self.messages.values() if message.visible_ms <= self.clock.ms]
        self.weather.chance.shuffle(visible)
        taken = []
        for message in visible[:at_most]:
            message.receives += 1
            if message.receives > MAX_RECEIVES:
                self.dead.append(self.messages.pop(message.message_id))
                continue
            taken.append(message)
            if not self.weather.strikes("a queue hands a message out twice", 0.03):
                message.visible_ms = self.clock.ms + self.visibility_ms
        return taken

    def redrive(self) -> None:
        for message in self.dead:
            self.send(message.body)
        self.dead.clear()

    def poll(self, handler: Callable[[JsonObject, Any], JsonObject], at_most: int) -> bool:
        """What Lambda does: call the function, delete what it did not name as failed. Whether there was anything."""
        taken = self.take(at_most)
        if not taken:
            return False
        records = [{"messageId": message.message_id, "body": message.body} for message in taken]
        try:
            failures = handler({"Records": records}, None)["batchItemFailures"]
        except AssertionError:
            raise
        except (Crash, Exception):  # noqa: BLE001 - the invocation failed: all of it comes again
            return True
        failed = {failure["itemIdentifier"] for failure in failures}
        for message in taken:
            if message.message_id in failed:
                self.weather.happened["a message failed alone"] += 1
            elif not self.weather.strikes("a message that is done comes again", 0.03):
                self.messages.pop(message.message_id, None)
        return True

    @property
    def next_ms(self) -> int | None:
        return min((message.visible_ms for message in self.messages.values()), default=None)


@dataclass
class Shard:
    """A shard of the stream. `size` is what a batch was halved to."""

    records: list[JsonObject] = field(default_factory=list)
    position: int = 0
    size: int | None = None

    def poll(self, handler: Callable[[JsonObject, Any], JsonObject], weather: Weather) -> bool:
        size = self.size or weather.chance.choice((1, 3, 10, 100))
        batch = self.records[self.position : self.position + size]
        if not batch:
            return False
        try:
            failures = handler({"Records": batch}, None)["batchItemFailures"]
        except AssertionError:
            raise
        except (Crash, Exception):  # noqa: BLE001 - Lambda halves the batch
            weather.happened["a batch of the stream was halved"] += len(batch) > 1
            self.size = max(1, len(batch) // 2)
            return True
        self.size = None
        places = [record["dynamodb"]["SequenceNumber"] for record in batch]
        if failures:
            weather.happened["a batch came again from its lowest failure"] += 1
            self.position += min(places.index(failure["itemIdentifier"]) for failure in failures)
        elif not weather.strikes("a batch of the stream came twice", 0.05):
            self.position += len(batch)
        return True


class StormTurns(MemoryTurns):
    """The table of turns with its stream."""

    def __init__(self, weather: Weather, shards: Sequence[Shard]) -> None:
        super().__init__()
        self.weather, self.shards = weather, shards
        self.heads: dict[tuple[str, str], int] = {}
        self.told: list[Turn] = []

    def newest(self, bot_id: str, log: str, deadline_ns: int | None = None) -> Turn | None:
        return self.get(bot_id, log, self.heads.get((bot_id, log), 0))

    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        self.weather.at("before the put of a turn")
        super().append(turn, previous, deadline_ns)
        self.heads[turn.bot_id, turn.log] = turn.revision
        self.told.append(turn)
        record = a_record(turn, len(self.told))
        if self.weather.strikes("a record cannot be read", 0.01):
            record["dynamodb"]["NewImage"]["f"] = {"N": "99"}
        self.shards[sum(turn.log.encode()) % len(self.shards)].records.append(record)
        self.weather.at("after the put of a turn")


class StormTopic:
    """The topic with its queue. No log may be overtaken: whatever is told first is told before what follows it."""

    def __init__(self, storm: "Storm") -> None:
        self.storm = storm
        self.told: dict[tuple[str, str], set[int]] = {}

    def publish(self, messages: Sequence[EventMessage]) -> list[Published]:
        weather = self.storm.weather
        weather.at("before a publish")
        bodies = [message.body() for message in messages]
        self._nothing_is_overtaken(bodies)
        outcomes: list[Published] = []
        for message, body in zip(messages, bodies, strict=True):
            assert len(message.events) <= MAX_EVENTS
            if weather.strikes("an entry of PublishBatch failed", 0.05):
                outcomes.append("failed")
            elif weather.strikes("an entry of PublishBatch was refused", 0.005):
                outcomes.append("refused")
            else:
                outcomes.append("published")
                self._remember(body)
                self.storm.events.send(body, weather.chance.randint(0, 2 * SECOND_MS))
                if weather.strikes("the topic tells its queue twice", 0.03):
                    self.storm.events.send(body, weather.chance.randint(0, 5 * MINUTE_MS))
        weather.at("after a publish")
        return outcomes

    def _remember(self, body: str) -> None:
        for event in json.loads(body)["events"]:
            self.told.setdefault((event["sourceId"], log_of(event)), set()).add(event["sequence"])

    def _nothing_is_overtaken(self, bodies: Iterable[str]) -> None:
        first: dict[tuple[str, str], int] = {}
        for body in bodies:
            for event in json.loads(body)["events"]:
                first.setdefault((event["sourceId"], log_of(event)), event["sequence"])
        for log, sequence in first.items():
            missing = set(range(1, sequence)) - self.told.get(log, set()) - self.storm.set_aside_sequences(*log)
            assert not missing, f"{log}: {sequence} is told before {sorted(missing)}"


class StormJobs:
    """The port DeliveryQueue: SendMessageBatch of ten, of which some may be taken before it fails. The sender may be
    so quick that it has a job before the call that sent it is over."""

    def __init__(self, storm: "Storm") -> None:
        self.storm = storm

    def send(self, jobs: Iterable[DeliveryJob], *, delay_seconds: int = 0) -> None:
        assert 0 <= delay_seconds <= 900, "SQS refuses longer delays"
        for job in jobs:
            self.storm.weather.at("before a job is sent")
            body = to_body(job)
            assert body.isascii()
            assert len(body) <= MAX_MESSAGE_BYTES / 3, "SQS takes three of them in one batch"
            self.storm.jobs.send(body, delay_seconds * SECOND_MS)
        if self.storm.weather.strikes("the sender is quicker than who sends", 0.2):
            self.storm.aside(lambda: self.storm.jobs.poll(deliver_app.handler, 10))
        self.storm.weather.at("after jobs are sent")


class OneByOne:
    """In the place of a pool of threads: the jobs of a batch in turn, so that one seed is one run."""

    def __init__(self, _workers: int) -> None:
        pass

    def __enter__(self) -> "OneByOne":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, call: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [call(item) for item in items]


MOODS: Final = ("well", "well", "well", "fails", "hangs", "resets", "gone", "busy", "redirects", "unreachable")
ANSWERS: Final[dict[str, tuple[Any, ...]]] = {
    "well": (200, 200, 201, 204),
    "fails": (500, 400, 404, 503, 200),
    "hangs": ("timeout",),
    "resets": ("http",),
    "gone": (410,),
    "busy": ((429, "30"), (429, "3600"), (429, "soon"), (503, "-5"), 200),
    "redirects": (301, 307),
    "unreachable": ("dns", "tls", "connect", "blocked"),
}
STORED_ALTHOUGH: Final = ("http", "timeout")
"""What a receiver may have stored before we gave it up."""


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """What the reference library says now."""
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


class Receivers:
    """The port PostDelivery: customers' servers, one for each endpoint, that check everything they get."""

    def __init__(self, storm: "Storm") -> None:
        self.storm = storm
        self.moods: dict[str, str] = {}
        self.stored: dict[str, dict[str, JsonObject]] = {}
        self.deliveries: dict[str, tuple[str, ...]] = {}
        self.posts = 0

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> tuple[Attempt, str | None]:
        self.posts += 1
        delivery = self._checked(url, headers, body)
        webhook_id = delivery["webhookId"]
        at = self.storm.clock.ms
        chance = self.storm.weather.chance
        answer = chance.choice(ANSWERS[self.moods.get(webhook_id, "well")])
        status, wait = answer if isinstance(answer, tuple) else (answer, None)
        was_stored = status in STORED_ALTHOUGH and chance.random() < 0.5 if isinstance(status, str) else status < 300
        if was_stored:
            self._store(webhook_id, delivery["messages"])
        self.storm.clock.ms += 15 * SECOND_MS if status == "timeout" else chance.randint(1, 300)
        if self.storm.weather.strikes("something happens during a post", 0.1):
            self.storm.aside(chance.choice((self.storm.owner_acts, self.storm.deliver, self.storm.fan_out)))
        self.storm.weather.at("after a post")
        ms = self.storm.clock.ms - at
        if isinstance(status, str):
            return Attempt(at_ms=at, ms=ms, error=status), None
        error = None if status < 300 else "redirect" if status < 400 else "status"
        return Attempt(at_ms=at, ms=ms, status=status, error=error, answer="답"), wait

    def _checked(self, url: str, headers: dict[str, str], body: bytes) -> JsonObject:
        assert len(body) <= MAX_BODY_BYTES
        delivery: JsonObject = json.loads(body.decode("utf-8"))
        endpoint = self.storm.endpoints.rows[delivery["webhookId"]]
        assert endpoint.enabled, "an endpoint that is off gets nothing"
        assert url == delivery["webhookUrl"] == endpoint.url
        assert headers["webhook-id"] == delivery["id"]
        with time_machine.travel(self.storm.clock.ms / SECOND_MS, tick=False):
            assert is_signed(endpoint.secret, headers, body)
            if endpoint.previous_secret is not None and self.storm.clock.ms < endpoint.previous_until_ms:
                assert is_signed(endpoint.previous_secret, headers, body)
        messages = delivery["messages"]
        assert 1 <= len(messages) <= MAX_EVENTS
        assert {event["sourceId"] for event in messages} == {endpoint.bot_id}
        ids = tuple(event["id"] for event in messages)
        assert len(set(ids)) == len(ids)
        assert self.deliveries.setdefault(delivery["id"], ids) == ids, "an id of a delivery stands for its events"
        seen: dict[str, int] = {}
        for event in messages:
            assert event["sequence"] > seen.get(log_of(event), 0), "in order inside a delivery"
            seen[log_of(event)] = event["sequence"]
        return delivery

    def _store(self, webhook_id: str, messages: list[JsonObject]) -> None:
        stored = self.stored.setdefault(webhook_id, {})
        for event in messages:
            assert stored.setdefault(event["id"], event) == event, "the same event at every try"


class Storm:
    """The world of one seed. `blow` lets it rage, `recover` ends all faults and does what people would do, `check` says
    whether the promises were kept."""

    def __init__(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        chance = random.Random(seed)
        self.weather = Weather(chance)
        self.chance = chance
        self.clock = Clock()
        self.shards = [Shard() for _ in range(SHARDS)]
        self.turns = StormTurns(self.weather, self.shards)
        self.events = StormQueue(self.clock, self.weather, EVENT_VISIBILITY_MS)
        self.jobs = StormQueue(self.clock, self.weather, JOB_VISIBILITY_MS)
        self.endpoints, self.deliveries = MemoryEndpoints(), MemoryDeliveries()
        self.receivers = Receivers(self)
        self.set_aside: list[JsonObject] = []
        self.faults: list[Exception] = []
        self.said: set[str] = set()
        self._numbers = itertools.count(1)
        self._depth = 0
        self._handle = a_handle_inbound(self.turns, new_id=self._new_id, now_ms=self.clock.now_ms)
        self.authoring: Authoring = an_authoring(turns=self.turns, new_id=self._new_id, now_ms=self.clock.now_ms)
        self.bots = {bot_id: self._a_bot(bot_id) for bot_id in BOTS}
        self.turns.before_append = self._race
        jobs = StormJobs(self)
        endpoints: Any = Shaken(self.endpoints, "endpoints", self.weather)
        deliveries: Any = Shaken(self.deliveries, "deliveries", self.weather)
        relay = Relay(
            read=read_turn,
            topic=StormTopic(self),
            set_aside=self._set_aside,
            report=self._report,
            sleep=lambda seconds: None,
        )
        fanout = Fanout(
            endpoints=endpoints,
            deliveries=deliveries,
            queue=jobs,
            now_ms=self.clock.now_ms,
            clock_ns=self.clock.clock_ns,
            report=self._report,
        )
        deliver = Deliver(
            endpoints=endpoints,
            deliveries=deliveries,
            queue=jobs,
            post=self.receivers,
            now_ms=self.clock.now_ms,
            breaker=CircuitBreaker(self.clock.clock_ns, open_ms=HUNG_SECONDS * SECOND_MS),
        )
        self.replay = Replay(
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            queue=jobs,
            turns=self.turns,
            identities=MemoryIdentities(),
            now_ms=self.clock.now_ms,
        )
        monkeypatch.setattr(wiring, "relay", lambda: relay)
        monkeypatch.setattr(wiring, "fanout", lambda: fanout)
        monkeypatch.setattr(wiring, "deliver", lambda: deliver)
        monkeypatch.setattr(deliver_app, "ThreadPoolExecutor", OneByOne)
        for app in (relay_app, fanout_app, deliver_app):
            monkeypatch.setattr(app, "report_own_fault", self._report)
        for bot_id in (*BOTS[:3], BOTS[0]):  # the last has none yet
            self._new_endpoint(bot_id)

    # ---- the storm

    def blow(self, steps: int) -> None:
        acts: list[tuple[int, Callable[[], Any]]] = [
            (40, self.say),
            (20, self.relay),
            (12, self.fan_out),
            (25, self.deliver),
            (6, self.owner_acts),
            (1, self._a_busy_moment),
            (3, self._moods_change),
            (2, self._author_publishes),
            (4, self._time_passes),
            (1, self.jobs.redrive),
            (1, self.events.redrive),
        ]
        weights, calls = zip(*acts, strict=True)
        for _ in range(steps):
            self.clock.ms += self.chance.randint(0, 2 * SECOND_MS)
            (act,) = self.chance.choices(calls, weights)
            act()

    def aside(self, act: Callable[[], Any]) -> None:
        """Something happens while something else does, one deep."""
        if self._depth == 0:
            self._depth += 1
            try:
                act()
            finally:
                self._depth -= 1

    def say(self, who: tuple[str, str] | None = None) -> None:
        """Somebody says something, again and again until it is answered."""
        bot_id, person = who or (self.chance.choice(BOTS), self.chance.choice(PEOPLE))
        client_id = f"m{next(self._numbers)}"
        self.said.add(client_id)
        text = f"{client_id} {self.chance.choice(TEXTS)}"
        for _ in range(100):
            try:
                self._handle(
                    Request(
                        bot=self.bots[bot_id],
                        platform="web",
                        user_key=person,
                        inbound=UserMessage(data={"type": "text", "text": text}),
                        client_id=client_id,
                    )
                )
            except (Crash, MalgilError):
                continue
            return
        pytest.fail(f"{client_id} was never answered")

    def relay(self) -> bool:
        return self.chance.choice(self.shards).poll(relay_app.handler, self.weather)

    def fan_out(self) -> bool:
        return self.events.poll(fanout_app.handler, self.chance.choice((1, 5, 100)))

    def deliver(self) -> bool:
        return self.jobs.poll(deliver_app.handler, self.chance.choice((1, 10)))

    def owner_acts(self) -> None:
        endpoint = self.chance.choice(list(self.endpoints.rows.values()))
        now = self.clock.ms
        act = self.chance.choice(("off", "on", "on", "url", "secret", "send held", "new"))
        self.weather.happened[f"an owner: {act}"] += 1
        if act == "new" and len(self.endpoints.rows) < MAX_ENDPOINTS - 4:
            self._new_endpoint(endpoint.bot_id)
        elif act == "send held" and endpoint.enabled:
            self._by_hand(lambda: self.replay.send_held(endpoint.bot_id, endpoint.webhook_id))
        elif act == "url":
            self._change(with_url(endpoint, f"https://receiver.example/{next(self._numbers)}"))
        elif act == "secret":
            self._change(with_new_secret(endpoint, self._new_secret(), now))
        elif act in ("on", "off") and endpoint.enabled != (act == "on"):
            self._change(switched(endpoint, enabled=act == "on", now_ms=now))

    # ---- afterwards

    def recover(self) -> None:
        """No more faults; what waits is worked off. Then owners switch on, send what was held and what was given up,
        and somebody replays what was set aside."""
        self.weather.is_calm = True
        self.receivers.moods.clear()
        self._work_off()
        for endpoint in list(self.endpoints.rows.values()):
            self._change(switched(endpoint, enabled=True, now_ms=self.clock.ms))
            self.replay.send_held(endpoint.bot_id, endpoint.webhook_id)
            for delivery in list(self.deliveries.rows.values()):
                if delivery.key.webhook_id == endpoint.webhook_id and delivery.state == "failed":
                    self.replay.resend(endpoint.bot_id, delivery.key)
        self._work_off()
        for number, turn in enumerate(self._set_aside_turns()):
            for endpoint in list(self.endpoints.rows.values()):
                if endpoint.bot_id == turn.bot_id:
                    self.replay.replay_log(
                        turn.bot_id,
                        endpoint.webhook_id,
                        turn.log,
                        from_ms=turn.at_ms,
                        until_ms=turn.at_ms + 1,
                        replay_id=f"aside-{number}",
                    )
        self._work_off()

    def check(self) -> None:
        """The promises of docs/webhooks.md."""
        turns = self.turns.told
        heard = [turn.inbound["data"]["text"].split(" ")[0] for turn in turns if turn.inbound is not None]
        assert sorted(heard) == sorted(self.said), "every message is one turn"
        all_ids = [event["id"] for turn in turns for event in turn.events]
        assert len(set(all_ids)) == len(all_ids)
        for event_id in all_ids:
            assert str(uuid.UUID(event_id)) == event_id
        for bot_id in BOTS:
            mine = [turn for turn in turns if turn.bot_id == bot_id]
            logs: dict[str, list[int]] = {}
            for turn in mine:
                logs.setdefault(turn.log, []).extend(event["sequence"] for event in turn.events)
            assert all(found == list(range(1, len(found) + 1)) for found in logs.values())
            assert "_sys" in logs
            for endpoint in self.endpoints.of_bot(bot_id):
                self._check_endpoint(endpoint, mine)

    def _check_endpoint(self, endpoint: Endpoint, turns: Sequence[Turn]) -> None:
        told = {event["id"]: event for turn in turns for event in turn.events}
        stored = self.receivers.stored.get(endpoint.webhook_id, {})
        assert stored.keys() <= told.keys(), "nothing else arrives"
        owed = {event["id"] for turn in turns if turn.at_ms >= endpoint.created_at_ms for event in turn.events}
        lost = [(told[event]["event"], told[event]["sequence"], log_of(told[event])) for event in owed - stored.keys()]
        assert not lost, f"{endpoint.webhook_id} never got {sorted(lost)}"
        for event_id, event in stored.items():
            assert event == told[event_id], "as it was written"

    def set_aside_sequences(self, bot_id: str, log_id: str) -> set[int]:
        """What nobody waits for at the topic, because a person will replay it."""
        return {
            event["sequence"]
            for turn in self._set_aside_turns()
            for event in turn.events
            if (turn.bot_id, log_of(event)) == (bot_id, log_id)
        }

    # ---- parts

    def _set_aside_turns(self) -> list[Turn]:
        found = []
        for row in self.set_aside:
            _, bot_id, log = row["pk"]["S"].split("#")
            turn = self.turns.get(bot_id, log, int(row["sk"]["S"].removeprefix("T#")))
            assert turn is not None
            found.append(turn)
        return found

    def _work_off(self) -> None:
        for _ in range(STEPS_OF_RECOVERY):
            self.jobs.redrive()
            self.events.redrive()
            if any([*[self.relay() for _ in self.shards], self.fan_out(), self.deliver()]):
                continue
            if any(shard.position < len(shard.records) for shard in self.shards):
                continue
            due = [at for at in (self.events.next_ms, self.jobs.next_ms) if at is not None]
            if not due:
                return
            self.clock.ms = max(self.clock.ms, min(due))
        pytest.fail("the path never comes to rest")

    def _a_busy_moment(self) -> None:
        """Somebody talks, an endpoint is made, somebody talks again, and all of it passes within seconds."""
        bot_id = min(BOTS, key=lambda bot_id: len(self.endpoints.of_bot(bot_id)))
        for is_after in (False, True):
            if is_after and len(self.endpoints.rows) < MAX_ENDPOINTS:
                self.clock.ms += 1
                self._new_endpoint(bot_id)
            self.say((bot_id, self.chance.choice(PEOPLE)))
            for shard in self.shards * 5:
                shard.poll(relay_app.handler, self.weather)
            self.clock.ms += 2 * SECOND_MS
            for _ in range(3):
                self.events.poll(fanout_app.handler, 100)

    def _by_hand(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except (Crash, MalgilError):
            self.weather.happened["a request of an owner failed"] += 1

    def _change(self, endpoint: Endpoint) -> None:
        self.endpoints.rows[endpoint.webhook_id] = replace(endpoint, updated_at_ms=self.clock.ms)

    def _new_endpoint(self, bot_id: str) -> None:
        webhook_id = self._new_id()
        self.endpoints.rows[webhook_id] = an_endpoint(
            webhook_id=webhook_id,
            bot_id=bot_id,
            url=f"https://receiver.example/{next(self._numbers)}",
            secret=self._new_secret(),
            created_at_ms=self.clock.ms,
            updated_at_ms=self.clock.ms,
        )

    def _moods_change(self) -> None:
        webhook_id = self.chance.choice(list(self.endpoints.rows))
        self.receivers.moods[webhook_id] = self.chance.choice(MOODS)

    def _time_passes(self) -> None:
        self.clock.ms += self.chance.choice((10 * SECOND_MS, 3 * MINUTE_MS, 15 * MINUTE_MS))

    def _author_publishes(self) -> None:
        bot_id = self.chance.choice(BOTS)
        try:
            self.authoring.import_file(bot_id, json.dumps(_a_document(f"{next(self._numbers)}번째")).encode())
            self.authoring.publish(bot_id)
        except (Crash, MalgilError):
            self.weather.happened["a publish failed"] += 1

    def _race(self, turn: Turn) -> None:
        if turn.inbound is not None and self.weather.strikes("a message was faster", 0.1):
            person = next(person for person in PEOPLE if log_key("web", person) == turn.log)
            self.aside(lambda: self.say((turn.bot_id, person)))

    def _set_aside(self, row: JsonObject, reason: str) -> None:
        assert reason
        self.weather.at("before a record is set aside")
        self.set_aside.append(row)
        self.weather.at("after a record is set aside")

    def _report(self, fault: Exception) -> None:
        assert not isinstance(fault, AssertionError), fault
        self.faults.append(fault)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def _new_secret(self) -> str:
        return new_secret(self.chance.randbytes(32))

    def _a_bot(self, bot_id: str) -> Bot:
        self.weather.is_calm = True
        self.authoring.import_file(bot_id, json.dumps(_a_document("처음")).encode())
        self.authoring.publish(bot_id)
        self.weather.is_calm = False
        file = split_document(_a_document("처음"))
        return Bot(file.content, bot_id=bot_id, version="v1", profile=file.profile)


def _a_document(title: str) -> JsonObject:
    return {"title": title, "flows": [{"id": 1, "nodes": NODES}], "preference": {"entryFlowId": 1}}
