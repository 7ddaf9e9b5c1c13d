"""The projector's use case: what is listed and counted, what is set aside, what comes again."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from shared.conversation.identity import Sighting
from shared.conversation.projection import Active, Tally
from shared.errors import Conflict, Unavailable
from shared.services.project import TRIES, Project
from shared.storage.turn_stream import UnreadableTurn, read_seen_turn
from shared.usage.calendar import SEOUL
from shared.usage.limits import UsageLimits
from tests.factories import NOW_MS
from tests.webhook_world import BOT, a_record, a_turn, an_event

JsonObject = dict[str, Any]
BROKEN: JsonObject = {"dynamodb": {"Keys": {"pk": {"S": "C#shop#x"}}, "SequenceNumber": "broken"}}


class Written:
    """The index, the counters and the quotas in one; `faults` are raised by the next writes, in order."""

    def __init__(self) -> None:
        self.faults: list[Exception | None] = []
        self.seen: list[Sighting] = []
        self.counted: list[Tally] = []
        self.active: list[Active] = []
        self.limits = UsageLimits()
        self.over: list[tuple[str, int, int]] = []
        self.aside: list[tuple[JsonObject, str]] = []
        self.aside_fails = False
        self.reported: list[Exception] = []
        self.slept: list[float] = []
        self.monthly = 0

    def write(self, add: Callable[[], None]) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        add()

    def note(self, sightings: Iterable[Sighting]) -> None:
        self.write(lambda: self.seen.extend(sightings))

    def count(self, tallies: Iterable[Tally]) -> None:
        self.write(lambda: self.counted.extend([tally for tally in tallies if tally.counts]))

    def note_active(self, actives: Iterable[Active]) -> None:
        self.write(lambda: self.active.extend(actives))

    def monthly_active(self, bot_id: str, month: int) -> int:
        return self.monthly

    def get(self, bot_id: str) -> UsageLimits:
        return self.limits

    def mark_over(self, bot_id: str, month: int, *, active: int) -> bool:
        self.over.append((bot_id, month, active))
        return True

    def set_aside(self, row: JsonObject, reason: str) -> None:
        if self.aside_fails:
            raise Unavailable("the queue is away")
        self.aside.append((row, reason))

    def project(self, *records: JsonObject) -> str | None:
        return Project(
            read=read_seen_turn,
            index=self,
            counters=self,
            quotas=self,
            calendar=SEOUL,
            set_aside=self.set_aside,
            report=self.reported.append,
            sleep=self.slept.append,
            random=lambda: 0.5,
        )(records)


@pytest.fixture
def written() -> Written:
    return Written()


def record_of(number: int = 1, platform: str = "web", **overrides: Any) -> JsonObject:
    turn = a_turn([an_event(number)], revision=number)
    return a_record(replace(turn, **{"platform": platform, "user_key": "kim", **overrides}))


def sequence(record: JsonObject) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def test_a_turn_is_listed_and_counted_in_the_hour_of_its_time(written: Written) -> None:
    assert written.project(record_of()) is None
    (sighting,), (tally,) = written.seen, written.counted
    assert (sighting.identity.kind, sighting.identity.user_key, sighting.at_ms) == ("end_user", "kim", NOW_MS)
    assert (tally.bot_id, tally.hour) == (BOT, SEOUL.hour_of(NOW_MS))
    assert tally.counts == {"received": 1, "received_web": 1}


@pytest.mark.parametrize("platform", ["test", ""], ids=["the preview", "the log of the bot itself"])
def test_what_no_customers_end_user_did_is_neither_listed_nor_counted(written: Written, platform: str) -> None:
    assert written.project(record_of(platform=platform, first_of_month=202611)) is None
    assert (written.seen, written.counted, written.active) == ([], [], [])


def test_nobody_is_seen_by_what_others_did(written: Written) -> None:
    said: JsonObject = {**an_event(), "event": "bot.message.sent"}
    said["data"]["message"]["meta"] = {"persona": {"id": "a"}}
    updated = {**an_event(2), "event": "bot.conversation.updated", "data": {}}
    assert written.project(record_of(events=[said, updated])) is None
    assert written.seen == []
    assert [dict(tally.counts) for tally in written.counted] == [{"sent_by_agents": 1}]


def test_a_record_that_cannot_be_read_is_set_aside_alone_by_its_key(written: Written) -> None:
    assert written.project(record_of(1), BROKEN, record_of(2)) is None
    assert len(written.counted) == 2
    ((row, reason),) = written.aside
    assert row == {"pk": {"S": "C#shop#x"}}
    assert reason.startswith("not projected: ")
    assert isinstance(written.reported[0], UnreadableTurn)


def test_what_cannot_be_set_aside_comes_again_and_what_is_before_it_does_not(written: Written) -> None:
    written.aside_fails = True
    assert written.project(record_of(1), BROKEN, record_of(2)) == "broken"
    assert len(written.counted) == 1


@pytest.mark.parametrize("step", [0, 1, 2])
def test_after_a_step_that_failed_the_batch_comes_again_from_its_first_turn(written: Written, step: int) -> None:
    first = record_of(1)
    written.faults = [None] * step + [Unavailable("away")]
    assert written.project(BROKEN, first, record_of(2)) == sequence(first)
    assert any(isinstance(fault, Unavailable) for fault in written.reported)


def test_of_two_failures_the_lower_one_counts(written: Written) -> None:
    written.aside_fails = True
    written.faults = [Unavailable("away")]
    first = record_of(1)
    assert written.project(first, BROKEN) == sequence(first)


def test_counters_that_others_write_are_tried_again_after_growing_pauses(written: Written) -> None:
    written.faults = [None, Conflict("busy"), Conflict("busy")]
    assert written.project(record_of()) is None
    assert len(written.counted) == 1
    assert len(written.slept) == 2
    assert written.slept == sorted(written.slept)


def test_counters_that_stay_busy_let_the_batch_come_again(written: Written) -> None:
    written.faults = [None, *[Conflict("busy")] * TRIES]
    record = record_of()
    assert written.project(record) == sequence(record)
    assert written.faults == []


def test_a_fault_of_another_kind_is_lambdas_to_isolate(written: Written) -> None:
    written.faults = [KeyError("x")]
    with pytest.raises(KeyError):
        written.project(record_of())


def test_the_first_message_of_a_month_counts_its_log(written: Written) -> None:
    assert written.project(record_of(1, first_of_month=202611), record_of(2)) is None
    (active,) = written.active
    assert (active.bot_id, active.month, active.at_ms) == (BOT, 202611, NOW_MS)


@pytest.mark.parametrize(
    ("quota", "over_month", "active", "marked"),
    [
        (None, 0, 10**6, []),
        (5, 0, 5, []),
        (5, 0, 6, [(BOT, 202611, 6)]),
        (5, 202611, 6, []),
        (5, 202610, 6, [(BOT, 202611, 6)]),
    ],
    ids=["no quota", "at the quota", "over it", "marked already", "marked for the month before"],
)
def test_a_month_over_the_quota_is_marked_once(
    written: Written, quota: int | None, over_month: int, active: int, marked: list[Any]
) -> None:
    written.limits, written.monthly = UsageLimits(quota=quota, over_month=over_month), active
    assert written.project(record_of(first_of_month=202611)) is None
    assert written.over == marked


def test_whoever_died_before_the_mark_makes_it_the_next_time(written: Written) -> None:
    """Though nobody is counted anew then."""
    written.limits, written.monthly = UsageLimits(quota=0), 1
    for _ in range(2):
        written.project(record_of(first_of_month=202611))
    assert len(written.over) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"events": [{"event": "bot.conversation.created", "data": {}}]},
        {"events": [{"event": "bot.conversation.created", "data": {"conversation": {"id": 7}}}]},
        {"events": [{"event": "bot.message.sent", "data": {"message": {"meta": "x"}}}]},
        {"events": [{"data": {}}]},
        {"events": ["x"]},
        {"events": None},
        {"platform": None},
        {"user_key": 5},
        {"first_of_month": "202611"},
    ],
)
def test_a_turn_of_another_shape_cannot_be_read(change: dict[str, Any]) -> None:
    with pytest.raises(UnreadableTurn):
        read_seen_turn(record_of(**change))


@pytest.mark.parametrize(
    "break_it",
    [
        lambda image: image.pop("z"),
        lambda image: image.update(z={"B": "AAAA"}),
        lambda image: image.update(z={"B": "no base64!"}),
        lambda image: image.update(f={"N": "99"}),
        lambda image: image.update(c={"B": "AA=="}),
        lambda image: image.update(t={"N": "soon"}),
        lambda image: image.update(pk={"S": "B#shop"}),
        lambda image: image.update(pk={"S": "C#sh op#x"}),
        lambda image: image.update(sk={"S": "S#digest"}),
        lambda image: image.update(sk={"S": "T#x"}),
    ],
)
def test_a_row_of_another_shape_cannot_be_read(break_it: Callable[[JsonObject], Any]) -> None:
    record = record_of()
    break_it(record["dynamodb"]["NewImage"])
    with pytest.raises(UnreadableTurn):
        read_seen_turn(record)
