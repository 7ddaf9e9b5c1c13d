"""Somebody is erased in the middle of talk, deliveries, crashes and jobs that come again, on real storage semantics:
afterwards nothing anywhere tells of them, and everybody else's rows are what they were."""

import json
import random
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from infra.local.embedded import client as aws_client
from shared.aws import BoundedClient
from shared.conversation.erasure import Erasure, ErasureJob
from shared.conversation.projection import sightings
from shared.conversation.turn import Turn
from shared.engine.inbound import UserMessage
from shared.errors import MalgilError
from shared.ids import end_user_id, log_key
from shared.runtime import wiring
from shared.runtime.settings import BOT_BUCKET, CORE_TABLE
from shared.services.erase_person import ErasePerson, EraseRows
from shared.services.request import Request
from shared.services.webhook_deliver import Deliver
from shared.services.webhook_fanout import Fanout, parse_message
from shared.storage import keys, turn_codec
from shared.storage.deliveries import DynamoDeliveries
from shared.storage.erasures import DynamoErasures
from shared.storage.identities import DynamoIdentities
from shared.storage.old_rows import DynamoOldRows
from shared.storage.turns import DynamoTurns
from shared.storage.webhooks import DynamoEndpoints
from shared.webhooks.delivery import log_of
from tests.erasing_world import MemoryErasureQueue, seen
from tests.factories import a_bot, a_handle_inbound, a_node, a_response
from tests.integration.conftest import Stack
from tests.webhook_world import Clock, MemoryDeliveryQueue, ScriptedReceiver, an_endpoint

Row = tuple[str, str]
"""(pk, sk)"""
SEEDS = range(8)
DELETED = "bot.end_user.deleted"
NOISE = random.Random(1).randbytes(9_000).hex()
"""Makes the state too large for its turn."""


class Crash(BaseException):
    """The process dies here."""


class CrashingClient(BoundedClient):
    """Dies before or after its next calls, when it is told to."""

    def __init__(self, bomb: "Bomb") -> None:
        super().__init__()
        self.bomb = bomb

    def send(self, operation: str, timeout_seconds: float, parameters: dict[str, Any]) -> Any:
        return self.bomb(lambda: super(CrashingClient, self).send(operation, timeout_seconds, parameters))


class Bomb:
    """Goes off around the n-th call from now on; None: never."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.left: int | None = None

    def __call__(self, call: Callable[[], Any]) -> Any:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                if self.dice.random() < 0.5:
                    call()
                raise Crash
        return call()


class World:
    """A bot with three people and two endpoints, one of them off, on the embedded AWS; a clock that is set by hand."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.stack = stack
        self.dice = random.Random(seed)
        self.clock = Clock()
        self.bomb = Bomb(self.dice)
        core, client = stack.environment[CORE_TABLE], CrashingClient(self.bomb)
        self.bot_id = f"bot-{uuid.uuid4().hex[:8]}"
        self.bot = a_bot(
            {
                "title": "시험",
                "flows": [
                    {
                        "id": 1,
                        "nodes": [
                            a_node(1, "entry", {}, 2),
                            a_node(
                                2,
                                "parameter",
                                {
                                    "set": [
                                        {"key": "heard", "value": "{{params.heard}}{{message}};"},
                                        {"key": "noise", "value": NOISE if seed % 2 else ""},
                                    ]
                                },
                                3,
                            ),
                            a_response(3, "echo {{message}}", 4),
                            a_node(4, "keyboard", {"type": "text"}, 2),
                        ],
                    }
                ],
                "preference": {"entryFlowId": 1},
            }
        )
        object.__setattr__(self.bot, "id", self.bot_id)
        self.stream: list[Turn] = []
        wiring.bots()  # binds the tables
        self.turns = RecordingTurns(stack.turns_table, client, self.stream)
        self.endpoints = DynamoEndpoints(core, client)
        self.deliveries = DynamoDeliveries(core, self.clock.now_ms, client)
        self.identities = DynamoIdentities(core, self.clock.now_ms, client)
        self.erasures = RecordingErasures(DynamoErasures(self.turns), self.stream, self.bomb)
        self.jobs = MemoryErasureQueue(self.clock)
        self.queue = MemoryDeliveryQueue(self.clock)
        self.receiver = ScriptedReceiver(self.clock)
        self.faults: list[Exception] = []
        self.hooks = [str(uuid.uuid4()) for _ in range(2)]
        for place, webhook_id in enumerate(self.hooks):
            self.endpoints.create(
                an_endpoint(bot_id=self.bot_id, webhook_id=webhook_id, enabled=not place, created_at_ms=0)
            )
        new_id = lambda: str(uuid.UUID(bytes=self.dice.randbytes(16), version=4))  # noqa: E731
        self.inbound = a_handle_inbound(self.turns, new_id=new_id, now_ms=self.clock.now_ms)
        self.person = ErasePerson(
            identities=self.identities,
            turns=self.turns,
            erasures=self.erasures,
            queue=self.jobs,
            now_ms=self.clock.now_ms,
            new_id=new_id,
        )
        self.eraser = EraseRows(
            erasures=self.erasures,
            queue=self.jobs,
            turns=self.turns,
            rows=DynamoOldRows(stack.turns_table, core, client),
            identities=self.identities,
            endpoints=self.endpoints,
            deliveries=self.deliveries,
            now_ms=self.clock.now_ms,
            clock_ns=self.clock.clock_ns,
            report=self.faults.append,
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
            post=self.receive,
            now_ms=self.clock.now_ms,
        )
        self.told: list[dict[str, Any]] = []

    # ---- what happens

    def receive(self, url: str, headers: dict[str, str], body: bytes) -> Any:
        """Answers with what it was sent, and fails now and then."""
        self.receiver.always = self.dice.choice([200, 200, 500])
        attempt, wait = self.receiver(url, headers, body)
        return replace(attempt, answer=body[:2_000].decode("utf-8", "ignore")), wait

    def says(self, user_key: str, text: str) -> None:
        self.clock.ms += self.dice.randint(1, 5_000)
        message = UserMessage(data={"type": "text", "text": text})
        self.inbound(Request(bot=self.bot, platform="web", user_key=user_key, inbound=message))

    def relay(self, most: int) -> None:
        """Some of what the stream has goes to the index and to the delivery logs, now and then twice."""
        taken = self.stream[:most]
        if self.dice.random() < 0.8:
            del self.stream[:most]
        self.identities.note([sighting for turn in taken for sighting in sightings(seen(turn))])
        events = [event for turn in taken for event in turn.events]
        self.told += events
        if events:
            text = json.dumps({"botId": self.bot_id, "events": events})
            assert self.fanout([parse_message("1", text)]) == set()

    def deliver_some(self, most: int) -> None:
        for _ in range(most):
            job = self.queue.take()
            if job is not None:
                self.deliver(job)

    def erase(self, user_key: str) -> Erasure:
        """Asked for until it is answered."""
        while True:
            self.bomb.left = self.dice.choice([None, 0, 1, 2, 3, 4])
            try:
                found = self.person.request_by_key(self.bot_id, "web", user_key, requested_by="cli")
            except Crash:
                continue
            finally:
                self.bomb.left = None
            return found

    def work(self, job: ErasureJob, crash_at: int | None) -> None:
        """What dies comes again; what does not, now and then too."""
        self.bomb.left = crash_at
        budget_ns = self.dice.choice([0, 10**9])
        try:
            self.eraser(job, self.clock.clock_ns() + budget_ns)
        except (Crash, MalgilError):
            self.jobs.jobs.append((self.clock.ms + 360_000, job))
        finally:
            self.bomb.left = None
        if self.dice.random() < 0.2:
            self.jobs.jobs.append((self.clock.ms + 1_000, job))

    # ---- what is there

    def rows(self) -> Iterator[tuple[Row, dict[str, Any]]]:
        dynamodb: Any = aws_client("dynamodb", self.stack.endpoint)
        for table in (self.stack.turns_table, self.stack.environment[CORE_TABLE]):
            for page in dynamodb.get_paginator("scan").paginate(TableName=table):
                for item in page["Items"]:
                    yield (item["pk"]["S"], item["sk"]["S"]), item

    def objects(self) -> list[str]:
        s3: Any = aws_client("s3", self.stack.endpoint)
        found = s3.list_objects_v2(Bucket=self.stack.environment[BOT_BUCKET])
        return [entry["Key"] for entry in found.get("Contents", [])]


class RecordingTurns(DynamoTurns):
    """The stream gets what is written."""

    def __init__(self, table: str, client: BoundedClient, stream: list[Turn]) -> None:
        super().__init__(table, client)
        self.stream = stream

    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        super().append(turn, previous, deadline_ns)
        self.stream.append(turn)


class RecordingErasures:
    """The same for tombstones; every call may die."""

    def __init__(self, erasures: DynamoErasures, stream: list[Turn], bomb: Bomb) -> None:
        self.erasures, self.stream, self.bomb = erasures, stream, bomb

    def begin(self, erasure: Erasure, tombstone: Turn) -> None:
        def both() -> None:
            self.erasures.begin(erasure, tombstone)
            self.stream.append(tombstone)

        self.bomb(both)

    def get(self, bot_id: str, erasure_id: str) -> Erasure | None:
        found: Erasure | None = self.bomb(lambda: self.erasures.get(bot_id, erasure_id))
        return found

    def save(self, erasure: Erasure) -> None:
        self.bomb(lambda: self.erasures.save(erasure))


@dataclass
class Found:
    """A row, inflated: all of its text, and the events in it."""

    row: Row
    item: dict[str, Any]
    text: str
    events: list[dict[str, Any]]

    @property
    def partition(self) -> str:
        return self.row[0]


def read(row: Row, item: dict[str, Any]) -> Found:
    text = json.dumps({name: value for name, value in item.items() if "B" not in value}, ensure_ascii=False)
    events: list[dict[str, Any]] = []
    if row[0].startswith("C#") and row[1].startswith("T#"):
        commit = str(uuid.UUID(bytes=item["c"]["B"]))
        hints = turn_codec.hints(row[0].split("#")[1], commit, int(item["t"]["N"]))
        body = turn_codec.decode(item["z"]["B"], int(item["f"]["N"]), hints)
        events, text = body["events"], text + json.dumps(body, ensure_ascii=False)
    elif "z" in item:
        inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=turn_codec.DICTIONARY_1)
        inflated = inflater.decompress(item["z"]["B"]).decode()
        events, text = json.loads(inflated) if row[0].startswith("D#") else [], text + inflated
    return Found(row, item, text, events)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_tells_of_somebody_who_was_erased_and_nobody_else_is_touched(stack: Stack, seed: int) -> None:
    world = World(stack, seed)
    dice = world.dice
    victim, *others = (f"PERSON{uuid.uuid4().hex}" for _ in range(3))
    world.says(victim, "OLDFIRST")
    for number in range(dice.randint(3, 25)):
        who = dice.choice([victim, victim, *others])
        world.says(who, f"{'OLD' if who == victim else 'KEPT'}{number}")
        if dice.random() < 0.3:
            world.relay(dice.randint(1, 6))
        if dice.random() < 0.2:
            world.deliver_some(3)
    for other in others:
        world.says(other, "KEPTLAST")
    erasure = world.erase(victim)
    theirs = {row: item for other in others for row, item in rows_of(world, other).items()}
    assert theirs
    erase_to_the_end(world, victim if dice.random() < 0.5 else None)

    receipt = world.person.receipt(world.bot_id, erasure.erasure_id)
    assert receipt.state == "done"
    assert not world.faults
    after = {row: read(row, item) for row, item in world.rows()}
    for found in after.values():
        assert "OLD" not in found.text, found.row
        if victim in found.text:
            may_stay(world, receipt, found)
    names = (victim, receipt.log, receipt.end_user_id)
    assert not [key for key in world.objects() if any(name in key for name in names)]
    assert {row: after[row].item for row in theirs} == theirs
    for webhook_id in world.hooks:
        told = [event for found in after.values() if webhook_id in found.partition for event in found.events]
        ids = [event["id"] for event in told if event["event"] == DELETED and log_of(event) == receipt.end_user_id]
        assert len(set(ids)) == 1
    counted = {event["sequence"] for event in world.told if log_of(event) == receipt.end_user_id}
    assert counted == set(range(1, max(counted) + 1))
    world.says(victim, "NEWLAST")
    newest = world.turns.newest(world.bot_id, receipt.log)
    assert newest is not None
    assert "OLD" not in json.dumps(newest.state.to_json())


def rows_of(world: World, user_key: str) -> dict[Row, dict[str, Any]]:
    """What is stored of somebody alone: their log, and the index of them and their conversations."""
    log, person = log_key("web", user_key), end_user_id(world.bot_id, "web", user_key)
    return {
        row: item
        for row, item in world.rows()
        if row[0] == keys.log_partition(world.bot_id, log)
        or (row[0].startswith("ID#") and person in json.dumps(item, default=str))
    }


def erase_to_the_end(world: World, comes_back: str | None) -> None:
    """Every job, with crashes, while all else goes on; until nothing is under way any more."""
    dice, runs = world.dice, 0
    while (job := world.jobs.take()) is not None:
        runs += 1
        assert runs < 400, "the erasure never ends"
        world.work(job, dice.choice([None, dice.randint(0, 40)]))
        if comes_back is not None and dice.random() < 0.3:
            world.says(comes_back, f"NEW{runs}")
        world.relay(dice.randint(1, 6))
        if dice.random() < 0.5:
            world.deliver_some(4)
    while world.stream:
        world.relay(10)
    while world.queue.jobs:
        world.deliver_some(10)


def may_stay(world: World, receipt: Erasure, found: Found) -> None:
    """The tombstone, deliveries of its event, and what is newer than it."""
    if found.partition == keys.log_partition(world.bot_id, receipt.log):
        revision = keys.revision_of(found.row[1])
        assert revision >= receipt.revision
        assert ("ttl" in found.item) == (revision == receipt.revision)
        return
    if found.partition.startswith("D#"):
        about = [event for event in found.events if log_of(event) == receipt.end_user_id]
        assert all(event["sequence"] >= receipt.sequence for event in about)
        return
    assert found.partition.startswith("ID#"), found.row
    assert int(found.item["created"]["N"]) >= receipt.requested_at_ms
