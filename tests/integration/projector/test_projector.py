"""The projector on DynamoDB: whatever crashes, comes again or is cut anew, ids and counts are what the turns say."""

import base64
import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.meter import item_bytes, write_units
from shared.bot.document import split_document
from shared.bot.model import Bot
from shared.conversation.identity import Identity
from shared.conversation.turn import Turn
from shared.engine.inbound import AgentMessage, Opened, StartAt, UserMessage
from shared.ids import end_user_id, log_key
from shared.runtime.settings import CORE_TABLE
from shared.services.project import Project
from shared.services.request import Request
from shared.storage.counters import DynamoCounters
from shared.storage.identities import DynamoIdentities
from shared.storage.turn_stream import read_seen_turn
from shared.storage.usage_limits import DynamoUsageLimits
from shared.usage.calendar import SEOUL
from tests.factories import a_handle_inbound, a_node, a_response, raise_fault
from tests.fakes import MemoryTurns
from tests.integration.conftest import Stack
from tests.integration.storage.faults import Crash, FaultyClient
from tests.webhook_world import a_record

JsonObject = dict[str, Any]

BORDER = int(datetime(2026, 11, 30, 15, tzinfo=UTC).timestamp()) * 1_000
"""Midnight in Korea between November and December."""
NOVEMBER, DECEMBER = 202611, 202612
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
HELLO = {"type": "text", "text": "안녕"}
AGENT = {"id": "a", "profile": {"displayName": "상담원"}}
CALLS = {
    "bot.conversation.agent_call_requested": "calls_requested",
    "bot.conversation.agent_call_connected": "calls_connected",
    "bot.conversation.agent_call_cancelled": "calls_cancelled",
    "bot.conversation.agent_call_disconnected": "calls_disconnected",
}


class MortalClient(FaultyClient):
    """The process dies before or after the call that a test names by its number."""

    def __init__(self) -> None:
        super().__init__()
        self.dies: tuple[int, str] | None = None
        self.watch: Callable[[str, JsonObject], None] = lambda operation, parameters: None

    def send(self, operation: str, timeout_seconds: float, parameters: dict[str, Any]) -> Any:
        if self.dies is not None and self.dies[0] == len(self.calls):
            self.faults = {operation: [self.dies[1]]}
            self.dies = None
        self.watch(operation, parameters)
        return super().send(operation, timeout_seconds, parameters)


@dataclass
class World:
    """A bot's end users, their turns, and the projector behind them."""

    stack: Stack
    client: MortalClient = field(default_factory=MortalClient)
    bot_id: str = field(default_factory=lambda: f"bot-{uuid.uuid4().hex[:8]}")
    now_ms: int = BORDER - HOUR_MS

    def __post_init__(self) -> None:
        nodes = [a_node(1, "entry", {}, 2), a_response(2, "들었어요", 3), a_node(3, "keyboard", {}, 2)]
        document = {
            "title": "시험",
            "flows": [{"id": 1, "nodes": nodes}],
            "preference": {"entryFlowId": 1, "sessionBehavior": {"sessionTimeoutMinutes": 30}},
        }
        file = split_document(document)
        self.bot = Bot(file.content, bot_id=self.bot_id, version="v1", profile=file.profile)
        self.turns = MemoryTurns()
        self.handle = a_handle_inbound(self.turns, now_ms=lambda: self.now_ms, new_id=lambda: str(uuid.uuid4()))
        table = self.stack.environment[CORE_TABLE]
        self.identities = DynamoIdentities(table, lambda: self.now_ms, self.client)
        self.counters = DynamoCounters(table, self.client)
        self.limits = DynamoUsageLimits(table, self.client)
        self.project = Project(
            read=read_seen_turn,
            index=self.identities,
            counters=self.counters,
            quotas=self.limits,
            calendar=SEOUL,
            set_aside=lambda row, reason: pytest.fail(reason),
            report=raise_fault,
            sleep=lambda seconds: None,
            random=lambda: 0.0,
        )

    def does(self, inbound: Any, user: str = "kim", platform: str = "web") -> None:
        self.handle(Request(bot=self.bot, platform=platform, user_key=user, inbound=inbound))

    def says(self, user: str = "kim", platform: str = "web") -> None:
        self.does(UserMessage(data=HELLO), user, platform)

    def all_turns(self) -> list[Turn]:
        """In the order in which they were written."""
        found = [self.turns.get(bot, log, revision) for bot, log, revision in self.turns.rows]
        return [turn for turn in found if turn is not None]

    def records(self) -> list[JsonObject]:
        return [a_record(turn, place) for place, turn in enumerate(self.all_turns(), start=1)]

    def everybody(self, rng: random.Random, turns: int) -> None:
        """Many people, at random, over the border of two months."""
        self.now_ms = BORDER - turns * 20 * MINUTE_MS
        for _ in range(turns):
            self.now_ms += rng.choice([1, 1_000, MINUTE_MS, HOUR_MS, HOUR_MS])
            inbound = rng.choice(
                [
                    UserMessage(data=HELLO),
                    UserMessage(data=HELLO),
                    Opened(),
                    StartAt(flow_id=1, message=HELLO),
                    StartAt(flow_id=1),
                    AgentMessage(data=HELLO, agent=AGENT),
                ]
            )
            self.does(inbound, rng.choice("abcdefg"), rng.choice(["web", "kakao", "kakao", "test"]))

    # What is true, from the turns alone.

    def real(self) -> list[Turn]:
        return [turn for turn in self.all_turns() if turn.platform != "test"]

    def true_hours(self) -> dict[str, Counter[str]]:
        hours: dict[str, Counter[str]] = {}
        for turn in self.real():
            at = datetime.fromtimestamp(turn.at_ms / 1_000, UTC) + timedelta(hours=9)
            counts = hours.setdefault(at.strftime("%Y-%m-%dT%H"), Counter())
            for event in turn.events:
                match event["event"]:
                    case "bot.message.received":
                        counts["received"] += 1
                        counts[turn.platform] += 1
                    case "bot.message.sent":
                        is_agents = (event["data"]["message"]["meta"] or {}).get("persona")
                        counts["sent_by_agents" if is_agents else "sent"] += 1
                    case "bot.end_user.created":
                        counts["new_end_users"] += 1
                    case "bot.conversation.created":
                        counts["conversations"] += 1
                    case name:
                        counts.update([CALLS[name]] if name in CALLS else [])
        return {hour: counts for hour, counts in hours.items() if counts}

    def true_active(self, month: int) -> int:
        people = {
            turn.log
            for turn in self.real()
            if any(event["event"] == "bot.message.received" for event in turn.events)
            and (turn.at_ms >= BORDER) == (month == DECEMBER)
        }
        return len(people)

    def true_identities(self) -> dict[str, Identity]:
        found: dict[str, Identity] = {}
        first: dict[str, int] = {}
        for turn in self.real():
            person = end_user_id(self.bot_id, turn.platform, turn.user_key)
            first.setdefault(person, turn.at_ms)
            names = {event["event"] for event in turn.events}
            common: dict[str, Any] = {
                "bot_id": self.bot_id,
                "log": log_key(turn.platform, turn.user_key),
                "platform": turn.platform,
                "user_key": turn.user_key,
                "end_user_id": person,
            }
            if names & {"bot.message.received", "bot.end_user.created", "bot.conversation.created"}:
                found[person] = Identity(
                    kind="end_user",
                    public_id=person,
                    revision=1,
                    created_at_ms=first[person],
                    seen_at_ms=turn.at_ms - turn.at_ms % HOUR_MS,
                    **common,
                )
            if "bot.conversation.created" in names:
                assert turn.state.session is not None
                conversation = turn.state.session.conversation_id
                found[conversation] = Identity(
                    kind="conversation",
                    public_id=conversation,
                    revision=turn.revision,
                    created_at_ms=turn.at_ms,
                    seen_at_ms=turn.at_ms,
                    **common,
                )
        return found

    # What the projector made of it.

    def hours(self) -> dict[str, Counter[str]]:
        found = {}
        for counts in self.counters.hours(self.bot_id, "0000-00-00T00", "9999-99-99T99"):
            plain = {
                name: getattr(counts, name)
                for name in counts.__dataclass_fields__
                if name not in ("hour", "received_by_platform")
            }
            found[counts.hour] = Counter({**plain, **counts.received_by_platform})
        return found

    def listed(self) -> dict[str, Identity]:
        found: dict[str, Identity] = {}
        for kind in ("end_user", "conversation"):
            cursor = None
            while True:
                page = self.identities.page(self.bot_id, kind, limit=40, cursor=cursor)
                assert not found.keys() & {item.public_id for item in page.items}
                found |= {item.public_id: item for item in page.items}
                if page.cursor is None:
                    break
                cursor = page.cursor
        return found

    def check(self) -> None:
        assert self.hours() == self.true_hours()
        assert self.listed() == self.true_identities()
        for month in (NOVEMBER, DECEMBER):
            assert self.counters.monthly_active(self.bot_id, month) == self.true_active(month), month


@pytest.fixture
def world(stack: Stack) -> World:
    return World(stack)


def a_small_batch(world: World) -> list[JsonObject]:
    """A bit of everything: two months, two platforms, a welcome alone, the preview, an agent."""
    world.now_ms = BORDER - 1
    world.says("kim")
    world.does(Opened(), "lee")
    world.says("author", "test")
    world.now_ms = BORDER + MINUTE_MS
    world.says("kim")
    world.says("park", "kakao")
    world.does(AgentMessage(data=HELLO, agent=AGENT), "kim")
    return world.records()


def test_ids_and_counts_are_what_the_turns_say(world: World) -> None:
    assert world.project(a_small_batch(world)) is None
    world.check()
    assert world.counters.monthly_active(world.bot_id, NOVEMBER) == 1
    assert world.counters.monthly_active(world.bot_id, DECEMBER) == 2
    assert world.identities.get(end_user_id(world.bot_id, "test", "author")) is None


def test_the_same_batch_again_changes_nothing_and_writes_nothing(world: World) -> None:
    records = a_small_batch(world)
    world.project(records)
    world.client.calls.clear()
    world.project(records)
    world.check()
    assert "transact_write_items" not in world.client.calls
    assert "update_item" not in world.client.calls


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
def test_a_crash_at_any_call_loses_nothing_and_counts_nothing_twice(stack: Stack, moment: str) -> None:
    """Afterwards Lambda halves the batch: the second half begins with a record that began no batch before."""
    probe = World(stack)
    records = a_small_batch(probe)
    probe.limits.set(probe.bot_id, quota=1, brand_line="")
    probe.client.calls.clear()
    probe.project(records)
    calls = len(probe.client.calls)
    assert calls > 8
    for number in range(calls):
        world = World(stack)
        records = a_small_batch(world)
        world.limits.set(world.bot_id, quota=1, brand_line="")
        world.client.calls.clear()
        world.client.dies = (number, moment)
        with pytest.raises(Crash):
            world.project(records)
        for half in (records[:3], records[3:]):
            assert world.project(half) is None
        world.check()
        assert world.limits.get(world.bot_id).over_month == DECEMBER


def test_a_batch_that_comes_shorter_and_then_goes_on_counts_once(world: World) -> None:
    records = a_small_batch(world)
    world.project(records)
    for start in range(0, len(records), 2):
        world.project(records[start : start + 2])
    world.project([*records[3:], *records[:3]])
    world.check()


class Shard:
    """One shard of the stream as Lambda reads it: from a checkpoint, in batches, again after whatever went wrong."""

    def __init__(self, world: World, records: list[JsonObject], rng: random.Random) -> None:
        self.world, self.records, self.rng, self.checkpoint = world, records, rng, 0

    def goes_on(self) -> bool:
        """One invocation; False at the end."""
        if self.checkpoint == len(self.records):
            return False
        size = self.rng.randint(1, 9)
        batch = self.records[self.checkpoint : self.checkpoint + size]
        if self.rng.random() < 0.5:
            self.world.client.calls.clear()
            self.world.client.dies = (self.rng.randrange(14), self.rng.choice(["crash_before", "crash_after"]))
        try:
            assert self.world.project(batch) is None
            if self.rng.random() < 0.8:  # else nobody heard that it was done
                self.checkpoint += len(batch)
        except Crash:
            pass
        finally:
            self.world.client.dies, self.world.client.faults = None, {}
        return True


@pytest.mark.parametrize("seed", range(6))
def test_any_cuts_crashes_and_repetitions_of_two_shards_end_in_the_truth(stack: Stack, seed: int) -> None:
    rng = random.Random(seed)
    world = World(stack)
    world.everybody(rng, 60)
    world.limits.set(world.bot_id, quota=4, brand_line="")
    shares: list[list[JsonObject]] = [[], []]
    for record in world.records():
        shares[ord(record["dynamodb"]["Keys"]["pk"]["S"][-1]) % 2].append(record)
    shards = [Shard(world, share, rng) for share in shares]
    while shards:
        shard = rng.choice(shards)
        if not shard.goes_on():
            shards.remove(shard)
    world.check()
    over = [month for month in (NOVEMBER, DECEMBER) if world.true_active(month) > 4]
    assert world.limits.get(world.bot_id).over_month == max(over, default=0)


def test_two_writers_of_one_counter_both_count(world: World, stack: Stack) -> None:
    """Their transactions meet on the row of the hour and on shares of the month."""
    a_small_batch(world)
    records = world.records()
    kims = [record for record in records if record["dynamodb"]["Keys"]["pk"]["S"].endswith(log_key("web", "kim"))]
    others = [record for record in records if record not in kims]
    other = World(stack, bot_id=world.bot_id)
    met: list[str] = []

    def meanwhile(operation: str, parameters: JsonObject) -> None:
        if operation == "transact_write_items" and not met:
            met.append(operation)
            other.project(others)

    world.client.watch = meanwhile
    world.project(kims)
    world.check()
    assert met


def test_a_transaction_that_is_cancelled_is_made_again(world: World) -> None:
    records = a_small_batch(world)
    world.client.faults = {"transact_write_items": ["lost_answer"]}
    assert world.project(records) is None
    world.check()


def test_a_month_over_the_quota_is_marked_and_one_at_it_is_not(world: World) -> None:
    world.limits.set(world.bot_id, quota=2, brand_line="")
    world.now_ms = BORDER
    world.says("kim")
    world.says("lee")
    world.project(world.records())
    assert world.limits.get(world.bot_id).over_month == 0
    world.says("park")
    world.project(world.records())
    assert world.limits.get(world.bot_id).over_month == DECEMBER


def test_a_large_state_in_a_row_of_its_own_does_not_hide_the_turn(world: World) -> None:
    world.says("kim")
    record = world.records()[0]
    turn = world.all_turns()[0]

    class WithoutState(Turn):
        def body(self) -> JsonObject:
            return {**super().body(), "state": {"row": "0" * 32}}

    fields = {name: getattr(turn, name) for name in turn.__dataclass_fields__}
    record = a_record(WithoutState(**fields), 1)
    assert world.project([record]) is None
    world.check()


class Meter:
    """Write units by DynamoDB's published rules, of calls as they are made: emulators answer with constants."""

    def __init__(self) -> None:
        self.units = 0
        self.rows: dict[str, JsonObject] = {}

    def __call__(self, operation: str, parameters: JsonObject) -> None:
        if operation == "put_item":
            self.put(parameters["Item"])
        if operation == "transact_write_items":
            for write in parameters["TransactItems"]:
                item = write["Put"]["Item"] if "Put" in write else {}  # a row of counters is far below 1 KB
                self.units += write_units(item_bytes(on_the_wire(item)), in_transaction=True)

    def put(self, item: JsonObject) -> None:
        units, before = write_units(item_bytes(item)), self.rows.get(item["pk"]["S"])
        self.rows[item["pk"]["S"]] = item
        # An index entry whose sort key changes is deleted and put.
        self.units += units * (2 if before is None else 3)


def on_the_wire(item: JsonObject) -> JsonObject:
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()
    }


def test_a_turn_costs_little_more_than_half_a_write_unit_beside_its_own(world: World) -> None:
    """People who came before, at eight turns a conversation, in batches of a hundred."""
    meter = Meter()
    world.client.watch = meter
    world.now_ms = BORDER
    for number in range(40):
        world.says(f"user-{number}", "kakao")
    world.project(world.records())
    known, meter.units = len(world.records()), 0
    world.now_ms = BORDER + 2 * HOUR_MS
    for turn in range(8 * 40):
        world.says(f"user-{turn % 10 + turn // 80 * 10}", "kakao")
        world.now_ms += 300
    records = world.records()[known:]
    for start in range(0, len(records), 100):
        world.project(records[start : start + 100])
    world.check()
    assert 0.6 < meter.units / len(records) < 0.75
