"""Replays of a range over all logs of a bot: in bounded parts, the same ids, nobody left out who talks meanwhile."""

import base64
import json
from collections import Counter
from typing import Any

import pytest

from shared.errors import InvalidInput, Unavailable
from shared.ids import log_key
from shared.services import webhook_replay
from shared.services.log_replay import CHUNK, HOUR_MS, LOGS_A_PAGE
from shared.services.webhook_replay import READS_A_PART, EndpointDisabled
from tests.factories import NOW_MS
from tests.webhook_world import BOT, WEBHOOK, WebhookWorld, a_turn, an_endpoint, an_event

DAY_MS = 86_400_000


class World(WebhookWorld):
    def talk(self, user: str, *ats: int) -> list[str]:
        """Turns of one event each at these times after NOW_MS; the ids of the events."""
        log = user if user == "_sys" else log_key("web", user)
        last = self.turns.newest(BOT, log)
        ids = []
        for revision, at in enumerate(ats, start=1 if last is None else last.revision + 1):
            event = an_event(revision, id=f"{user}/{revision}", timestamp=NOW_MS + at, end_user_id=user)
            turn = a_turn([event], log=log, revision=revision)
            self.turns.append(type(turn)(**{**vars_of(turn), "at_ms": NOW_MS + at}))
            ids.append(event["id"])
        if user != "_sys":
            self.identities.see(log, NOW_MS + max(ats))
        return ids

    def replayed(self, *, from_at: int = -DAY_MS, until_at: int = 0, replay_id: str = "r1") -> int:
        """All parts; how many there were."""
        cursor, parts = None, 0
        while True:
            page = self.replay.replay_range(
                BOT, WEBHOOK, from_ms=NOW_MS + from_at, until_ms=NOW_MS + until_at, replay_id=replay_id, cursor=cursor
            )
            parts += 1
            cursor = page.cursor
            if cursor is None:
                return parts

    def received(self) -> list[str]:
        self.work()
        return [event["id"] for posted in self.receiver.got for event in posted.data["messages"]]


def vars_of(turn: Any) -> dict[str, Any]:
    return {name: getattr(turn, name) for name in turn.__dataclass_fields__}


@pytest.fixture
def world() -> World:
    world = World()
    world.clock.ms = NOW_MS + 10 * 60_000
    return world


def test_what_every_log_told_in_the_range_is_sent_once_under_its_id(world: World) -> None:
    expected = world.talk("_sys", -3000) + world.talk("kim", -2000, -1000) + world.talk("lee", -1500)
    world.talk("old", -2 * DAY_MS)
    world.talk("new", 0, 5000)
    world.replayed()
    assert sorted(world.received()) == sorted(expected)


def test_the_same_request_again_sends_nothing_twice_and_another_one_sends_all_again(world: World) -> None:
    expected = world.talk("kim", -2000, -1000)
    world.replayed()
    world.replayed()
    assert world.received() == expected
    world.replayed(replay_id="r2")
    assert Counter(world.received()) == dict.fromkeys(expected, 2)


def test_a_delivery_whose_job_was_lost_is_asked_for_again_and_one_under_way_is_not_sent_twice(world: World) -> None:
    expected = world.talk("kim", -2000)
    world.queue.fails = True
    with pytest.raises(Unavailable):
        world.replayed()
    world.queue.fails = False
    world.replayed()
    assert set(world.queue.delays) == {60}, "a try may be under way"
    assert world.received() == expected


def test_what_the_stream_forgot_is_told_under_the_ids_of_the_log(world: World) -> None:
    world.talk("kim", -2000)
    world.replayed()
    world.work()
    (event,) = world.receiver.got[0].data["messages"]
    turn = world.turns.newest(BOT, log_key("web", "kim"))
    assert turn is not None
    assert event == turn.events[0]


def test_a_long_log_is_read_only_where_the_range_is_and_in_parts(world: World) -> None:
    ids = world.talk("kim", *[-1_000_000_000 + 100_000 * number for number in range(20 * CHUNK)])
    reads: list[int] = []
    get = world.turns.get

    def counted(bot_id: str, log: str, revision: int, deadline_ns: int | None = None) -> Any:
        reads.append(revision)
        return get(bot_id, log, revision)

    world.turns.get = counted  # type: ignore[method-assign]
    world.replayed(from_at=-1_000_000_000 + 100_000 * 700, until_at=-1_000_000_000 + 100_000 * 720)
    assert world.received() == ids[700:720]
    assert len(reads) < 300


def test_a_part_does_bounded_work(world: World) -> None:
    users = [f"user-{number}" for number in range(3 * LOGS_A_PAGE)]
    expected = [event for user in users for event in world.talk(user, *range(-2000, -2000 + CHUNK))]
    get = world.turns.get
    counts: list[int] = []

    def counted(bot_id: str, log: str, revision: int, deadline_ns: int | None = None) -> Any:
        counts.append(revision)
        return get(bot_id, log, revision)

    world.turns.get = counted  # type: ignore[method-assign]
    cursor, parts = None, 0
    while True:
        counts.clear()
        page = world.replay.replay_range(
            BOT, WEBHOOK, from_ms=NOW_MS - DAY_MS, until_ms=NOW_MS, replay_id="r", cursor=cursor
        )
        assert len(counts) <= READS_A_PART + 2 * CHUNK
        parts += 1
        cursor = page.cursor
        if cursor is None:
            break
    assert parts > 5
    assert sorted(world.received()) == sorted(expected)


def test_who_talks_while_the_replay_runs_is_not_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_replay, "READS_A_PART", 5)
    users = [f"user-{number}" for number in range(2 * LOGS_A_PAGE)]
    expected = [event for user in users for event in world.talk(user, -5 * HOUR_MS)]
    silent = iter(users)
    pages = iter(range(10_000))

    def somebody_talks() -> None:
        if next(pages) == 1:  # the first page was read: those of the second jump to the top
            for user in silent:
                world.talk(user, 10 * 60_000 + 1)

    world.identities.before_page = somebody_talks
    world.replayed()
    assert sorted(world.received()) == sorted(expected)


def test_it_ends_although_somebody_talks_at_every_page_and_hours_pass(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_replay, "READS_A_PART", 3)
    expected = world.talk("kim", -2000)
    pages = iter(range(10_000))

    def an_hour_passes_at_first() -> None:
        if next(pages) < 5:
            world.clock.ms += HOUR_MS
        world.identities.see(log_key("web", "kim"), world.clock.ms)

    world.identities.before_page = an_hour_passes_at_first
    assert world.replayed() < 50
    assert world.received() == expected


def test_a_log_that_was_erased_meanwhile_is_passed_by(world: World) -> None:
    world.talk("kim", -2000)
    expected = world.talk("lee", -1000)
    for key in [key for key in world.turns.rows if key[1] == log_key("web", "kim")]:
        del world.turns.rows[key]
    world.replayed()
    assert world.received() == expected


def test_nothing_is_replayed_to_one_that_is_off() -> None:
    world = World(an_endpoint(enabled=False))
    with pytest.raises(EndpointDisabled):
        world.replayed()


@pytest.mark.parametrize("replay_id", ["", "x" * 65])
def test_a_replay_has_a_name_of_some_length(world: World, replay_id: str) -> None:
    with pytest.raises(InvalidInput, match="replayId"):
        world.replayed(replay_id=replay_id)


def cursor_of(**changes: Any) -> str:
    fields = {"logs": ["_sys"], "chunk": 0, "people": None, "more": True, "seen_from_ms": 0, "began_ms": 0}
    return base64.urlsafe_b64encode(json.dumps({**fields, **changes}).encode()).decode()


def test_a_cursor_is_read_as_it_was_written(world: World) -> None:
    page = world.replay.replay_range(
        BOT, WEBHOOK, from_ms=0, until_ms=NOW_MS, replay_id="r", cursor=cursor_of(more=False)
    )
    assert page.deliveries == 0


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "가", "e30=", base64.urlsafe_b64encode(b"[" * 3000).decode(), "A" * 5000),
        cursor_of(logs=["shop#other"]),
        cursor_of(logs=[1]),
        cursor_of(logs=["_sys"] * 21),
        cursor_of(logs=None),
        cursor_of(chunk=0.0),
        cursor_of(chunk=-1),
        cursor_of(chunk=10**16),
        cursor_of(people=1),
        cursor_of(more=None),
        cursor_of(seen_from_ms=None),
        cursor_of(began_ms="0"),
        cursor_of(extra=1),
    ],
)
def test_what_is_no_cursor_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        world.replay.replay_range(BOT, WEBHOOK, from_ms=0, until_ms=1, replay_id="r", cursor=cursor)
