"""The faults that the path of events lives through, and the tests that show it.

| fault | shown by |
| --- | --- |
| the put of a turn fails three times | here |
| a turn with events too large for a message | test_relay: TestAnEventThatIsTooLarge |
| the stream brings a batch twice | test_relay: a_batch_that_comes_twice |
| a record is poison | test_relay: a_record_that_cannot_be_read; here, in a batch that Lambda halves |
| PublishBatch answers 200 with failed entries | test_relay: only_the_entries_that_failed |
| the topic is down for hours | here |
| nobody reads the stream for more than a day | here |
| the queue brings a message twice, or out of order | test_fanout: handed_out_twice, the_oldest_event_is_first |
| a crash before a delivery's job | test_fanout: a_crash_before_the_job |
| a crash between the first answer and the row | test_deliver: a_crash_between_the_answer_and_the_row |
| a receiver answers 500, 500, 500, 200 | test_deliver: 500_500_500_200 |
| a receiver always answers 404 | test_deliver: four_failures, what_comes_afterwards_is_held |
| a receiver fails for one payload | test_deliver: one_payload_that_fails |
| the URL is changed within the 30 minutes | test_deliver: a_url_that_was_changed_meanwhile |
| hanging, dripping, endless, packed answers; redirects; DNS; TLS | integration: test_hostile_receivers.py |
| a 200 and then a reset | test_hostile_receivers: reset_after_the_answer |
| 410; 429 with Retry-After | test_deliver: 410_stops, 429_with_retry_after |
| clocks that differ; a row that expired; an old signature | here; test_storage; test_receivers: ten_minutes_ago |
| an endpoint with thousands of jobs that hang | here, test_deliver: TestAnEndpointThatHangs |
| all of it together | test_soak |
"""

import heapq
import json
from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from shared.engine.inbound import UserMessage
from shared.errors import Unavailable
from shared.ids import log_key
from shared.services.request import Request
from shared.services.timed_effects import CircuitBreaker
from shared.services.webhook_deliver import HUNG_SECONDS, Deliver
from shared.webhooks.delivery import DeliveryJob
from tests.factories import NOW_MS, a_bot, a_handle_inbound, a_node, a_response
from tests.fakes import MemoryTurns
from tests.webhook_world import (
    MINUTE_MS,
    WEBHOOK,
    WebhookWorld,
    a_record,
    a_turn,
    an_endpoint,
    an_event,
)

HOUR_MS = 60 * MINUTE_MS
ECHO = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, "{{message}}", 3), a_node(3, "keyboard", {}, 2)])
LOG = log_key("web", "kim")


@pytest.fixture
def world() -> WebhookWorld:
    return WebhookWorld(an_endpoint(bot_id=ECHO.id))


def say(world: WebhookWorld, text: str) -> None:
    """A real turn of a real bot."""
    handle = a_handle_inbound(world.turns, now_ms=world.clock.now_ms, new_id=world_ids(world))
    handle(Request(bot=ECHO, platform="web", user_key="kim", inbound=UserMessage(data={"type": "text", "text": text})))


def world_ids(world: WebhookWorld) -> Any:
    numbers = iter(range(1_000 * (1 + len(world.turns.rows)), 10**9))
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"


def records(world: WebhookWorld) -> list[dict[str, Any]]:
    return [a_record(turn) for turn in world.turns.log(ECHO.id, LOG)]


def arrived(world: WebhookWorld) -> list[dict[str, Any]]:
    return [event for posted in world.receiver.got for event in posted.data["messages"]]


class BrokenTurns(MemoryTurns):
    """A table that refuses."""

    def append(self, *_: Any, **__: Any) -> None:
        raise Unavailable("dynamodb did not answer in time")


def test_a_turn_that_could_not_be_put_has_no_event(world):
    world.turns = BrokenTurns()
    for _ in range(3):
        with pytest.raises(Unavailable):
            say(world, "안녕")
    assert records(world) == []


def test_after_two_hours_without_the_topic_everything_is_told_in_order(world):
    for number in range(30):
        say(world, f"{number}번째")
        world.clock.ms += 4 * MINUTE_MS
    stream = records(world)
    until = world.clock.ms + 2 * HOUR_MS
    while world.clock.ms < until:
        world.topic.answers = [Unavailable("down")]
        assert world.relay(stream) == stream[0]["dynamodb"]["SequenceNumber"]
        world.clock.ms += 1_000 * 60
    assert world.topic.published == []
    assert world.relay(stream) is None
    told = [event for message in world.topic.published for event in message["events"]]
    assert told == [event for turn in world.turns.log(ECHO.id, LOG) for event in turn.events]


def test_a_log_that_the_stream_forgot_is_told_again_with_the_same_events(world):
    """Nobody read the stream for a day. The log still has it all: a replay is what the relay would have told."""
    for number in range(70):
        say(world, f"{number}번째 \x00\uffff" if number == 3 else f"{number}번째")
    world.clock.ms += 30 * HOUR_MS
    replay = {"from_ms": NOW_MS, "until_ms": world.clock.ms, "replay_id": "outage"}
    assert world.replay.replay_log(ECHO.id, WEBHOOK, LOG, **replay) > 1
    world.work()
    assert world.relay(records(world)) is None
    assert arrived(world) == [event for message in world.topic.published for event in message["events"]]
    assert [event["sequence"] for event in arrived(world)] == list(range(1, len(arrived(world)) + 1))
    before = len(world.receiver.got)
    world.replay.replay_log(ECHO.id, WEBHOOK, LOG, **replay)
    world.work()
    assert len(world.receiver.got) == before, "the same request again is the same deliveries"


def test_what_the_relay_told_and_a_replay_tells_are_the_same_events_in_other_deliveries(world):
    say(world, "안녕")
    world.relay(records(world))
    assert world.fan_out(*world.topic.published) == set()
    world.work()
    world.replay.replay_log(ECHO.id, WEBHOOK, LOG, from_ms=0, until_ms=2**42, replay_id="r")
    world.work()
    first, second = world.receiver.got
    assert first.data["messages"] == second.data["messages"]
    assert first.data["id"] != second.data["id"]


def test_a_record_that_makes_the_relay_crash_is_alone_after_some_halves(world):
    """What no rule foresees: Lambda halves, sets the one record aside, and goes on."""
    turns = [a_turn([an_event(number)], revision=number) for number in range(1, 11)]
    stream = [a_record(turn) for turn in turns]
    del stream[2]["dynamodb"]
    given_up = []

    def work(batch: list[dict[str, Any]]) -> None:
        try:
            assert world.relay(batch) is None
        except KeyError:
            half = len(batch) // 2
            if half == 0:
                given_up.extend(batch)
                return
            work(batch[:half])
            work(batch[half:])

    work(stream)
    told = [event["sequence"] for message in world.topic.published for event in message["events"]]
    assert sorted(set(told)) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert given_up == [stream[2]]


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_sender_whose_clock_differs_by_minutes_loses_no_try_and_no_event(world, minutes):
    """One sender writes down when the next try is due; another, whose clock differs, makes it."""
    world.receiver.answers = [500, 500, 500]
    assert world.fan_out({"botId": ECHO.id, "events": [an_event(sourceId=ECHO.id)]}) == set()
    world.deliver(world.queue.take())
    other = replace(world.deliver, now_ms=lambda: world.clock.ms + minutes * MINUTE_MS)
    while (job := world.queue.take()) is not None:
        other(job)
        if len(world.receiver.got) % 2 == 0:
            world.deliver, other = other, world.deliver
    assert world.delivery.state == "delivered"
    assert len(world.receiver.got) == 4
    assert world.endpoints.rows[WEBHOOK].enabled


def test_the_order_inside_a_delivery_does_not_come_from_clocks(world):
    for minutes in (0, -5, 5):
        world.clock.ms += minutes * MINUTE_MS
        say(world, f"{minutes}")
    assert world.relay(records(world)) is None
    assert world.fan_out(*world.topic.published) == set()
    world.work()
    assert [event["sequence"] for event in arrived(world)] == list(range(1, len(arrived(world)) + 1))


class Senders:
    """The sender as Lambda runs it: so many invocations at once, ten jobs in each, which takes as long as its slowest.
    Each has its own memory. The queue is the worst one: first come, first served, with no regard to groups."""

    CONCURRENCY = 50
    BATCH = 10
    TRY_MS = 15_000
    QUICK_MS = 100

    def __init__(self, *, hung: str, remembers: bool) -> None:
        self.world = WebhookWorld()
        self.world.endpoints.rows.clear()
        self.hung = hung
        self.delays: list[int] = []
        self.waiting: deque[DeliveryJob] = deque()
        self.due: list[tuple[int, int, DeliveryJob]] = []
        clock = self.world.clock
        self.world.receiver.meanwhile = lambda: None
        self.envs = [
            Deliver(
                endpoints=self.world.endpoints,
                deliveries=self.world.deliveries,
                queue=self.world.queue,
                post=self.post,
                now_ms=clock.now_ms,
                breaker=CircuitBreaker(clock.clock_ns, open_ms=1_000 * HUNG_SECONDS) if remembers else None,
            )
            for _ in range(self.CONCURRENCY)
        ]
        self.free = [(NOW_MS, number) for number in range(self.CONCURRENCY)]
        self.took = self.QUICK_MS

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Any:
        self.world.receiver.always = 200
        data = json.loads(body)
        if data["webhookId"] == self.hung:
            self.world.receiver.always = "timeout"
            self.took = self.TRY_MS
        else:
            self.delays.append(self.world.clock.ms - data["messages"][0]["timestamp"])
        return self.world.receiver(url, headers, body)

    def tell(self, webhook_id: str, at_ms: int, count: int = 1) -> None:
        endpoint = an_endpoint(webhook_id=webhook_id, bot_id=f"b{webhook_id[:8]}")
        self.world.endpoints.rows.setdefault(webhook_id, endpoint)
        for number in range(count):
            event = an_event(timestamp=at_ms, id=f"{webhook_id[:24]}{at_ms % 10**8:08d}{number:04d}")
            assert self.world.fan_out({"botId": endpoint.bot_id, "events": [event]}) == set()
        for _, job in self.world.queue.jobs:
            heapq.heappush(self.due, (at_ms, len(self.due), job))
        self.world.queue.jobs.clear()

    def run(self) -> None:
        """Every sender takes what is due whenever it is free."""
        numbers = iter(range(10**6, 10**9))
        while self.due or self.waiting:
            now, env = heapq.heappop(self.free)
            if not self.waiting and self.due:
                now = max(now, self.due[0][0])
            while self.due and self.due[0][0] <= now:
                self.waiting.append(heapq.heappop(self.due)[2])
            self.took = self.QUICK_MS
            for _ in range(min(self.BATCH, len(self.waiting))):
                self.world.clock.ms = now
                self.envs[env](self.waiting.popleft())
            for at, job in self.world.queue.jobs:
                heapq.heappush(self.due, (at, next(numbers), job))
            self.world.queue.jobs.clear()
            heapq.heappush(self.free, (now + self.took, env))


def a_webhook(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


def longest_wait(*, remembers: bool) -> int:
    """Of 49 endpoints that get a delivery every five seconds, beside one that hangs and has 5,000 waiting."""
    senders = Senders(hung=a_webhook(0), remembers=remembers)
    senders.tell(a_webhook(0), NOW_MS, 5_000)
    for second in range(0, 60, 5):
        for number in range(1, 50):
            senders.tell(a_webhook(number), NOW_MS + 1_000 * second + 1)
    senders.run()
    assert len(senders.delays) == 12 * 49
    return max(senders.delays)


def test_one_endpoint_with_thousands_of_jobs_that_hang_delays_nobody_by_more_than_one_try():
    """Even on a queue that is not fair. Before it is known that it hangs, it can keep all senders for one try."""
    assert longest_wait(remembers=True) <= 2 * Senders.TRY_MS
    assert longest_wait(remembers=False) > 8 * Senders.TRY_MS, "without the memory they wait for minutes"
