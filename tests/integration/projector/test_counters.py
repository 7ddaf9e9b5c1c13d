"""Reading and writing counters: ranges, many bots at once, keys that DynamoDB leaves for later."""

import uuid
from typing import Any

import pytest

from shared.conversation.projection import Active, HourCounts, Tally
from shared.errors import Conflict, InvalidInput, Unavailable
from shared.runtime.settings import CORE_TABLE
from shared.storage import batch_get
from shared.storage.batch_get import rows_of
from shared.storage.counters import MAX_ROWS, DynamoCounters
from tests.factories import NOW_MS
from tests.integration.conftest import Stack
from tests.integration.storage.faults import FaultyClient


@pytest.fixture
def client() -> FaultyClient:
    return FaultyClient()


@pytest.fixture
def counters(stack: Stack, client: FaultyClient) -> DynamoCounters:
    return DynamoCounters(stack.environment[CORE_TABLE], client)


@pytest.fixture
def bot_id() -> str:
    return f"bot-{uuid.uuid4().hex[:8]}"


def a_tally(bot_id: str, hour: str = "2026-11-21T09", at_ms: int = NOW_MS, **counts: int) -> Tally:
    return Tally(bot_id=bot_id, hour=hour, commit=str(uuid.uuid4()), at_ms=at_ms, counts=counts)


def test_hours_come_in_order_from_the_first_to_the_last_asked_for(counters: DynamoCounters, bot_id: str) -> None:
    hours = ["2026-11-21T09", "2026-11-20T23", "2026-11-21T10", "2026-11-21T00"]
    counters.count([a_tally(bot_id, hour, received=1, received_web=1) for hour in hours])
    assert counters.hours(bot_id, "2026-11-21T00", "2026-11-21T09") == [
        HourCounts(hour=hour, received=1, received_by_platform={"web": 1})
        for hour in ("2026-11-21T00", "2026-11-21T09")
    ]
    assert counters.hours(bot_id, "2026-11-22T00", "2026-11-21T00") == []
    assert counters.hours("nobody", "2026-11-21T00", "2026-11-21T09") == []


@pytest.mark.parametrize("hour", ["", "2026-11-21", "2026-11-21T9", "2026-11-21T09:00", "H#2026-11-21T09"])
def test_what_is_no_hour_is_refused_with_its_place(counters: DynamoCounters, hour: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        counters.hours("bot", "2026-11-21T09", hour)
    assert caught.value.details == {"path": "last_hour"}


def test_counts_of_one_batch_are_one_write_for_each_bot_and_hour(
    counters: DynamoCounters, client: FaultyClient, bot_id: str
) -> None:
    counters.count([a_tally(bot_id, received=1), a_tally(bot_id, received=2, sent=5), a_tally(bot_id)])
    assert client.calls.count("transact_write_items") == 1
    (found,) = counters.hours(bot_id, "2026-11-21T09", "2026-11-21T09")
    assert (found.received, found.sent) == (3, 5)


def test_more_bots_than_a_transaction_holds_are_several(
    counters: DynamoCounters, client: FaultyClient, bot_id: str
) -> None:
    tallies = [a_tally(f"{bot_id}-{number}", received=1) for number in range(MAX_ROWS + 1)]
    counters.count(tallies)
    assert client.calls.count("transact_write_items") == 2
    counters.count(tallies)
    for tally in tallies:
        (found,) = counters.hours(tally.bot_id, "2026-11-21T09", "2026-11-21T09")
        assert found.received == 1


def test_a_turn_that_stands_twice_in_a_batch_counts_once(counters: DynamoCounters, bot_id: str) -> None:
    tally = a_tally(bot_id, received=1)
    counters.count([tally, tally])
    (found,) = counters.hours(bot_id, "2026-11-21T09", "2026-11-21T09")
    assert found.received == 1


def test_active_users_of_a_month_are_distinct_logs(counters: DynamoCounters, client: FaultyClient, bot_id: str) -> None:
    everybody = [Active(bot_id=bot_id, log=f"log-{number % 30}", month=202611, at_ms=NOW_MS) for number in range(60)]
    counters.note_active(everybody)
    counters.note_active([*everybody, Active(bot_id=bot_id, log="log-0", month=202612, at_ms=NOW_MS)])
    assert counters.monthly_active(bot_id, 202611) == 30
    assert counters.monthly_active(bot_id, 202612) == 1
    assert counters.monthly_active(bot_id, 202610) == 0


def test_a_lost_answer_of_a_write_is_a_conflict_and_the_next_try_finds_it_done(
    counters: DynamoCounters, client: FaultyClient, bot_id: str
) -> None:
    tally = a_tally(bot_id, received=1)
    client.faults = {"transact_write_items": ["lost_answer"]}
    with pytest.raises(Conflict):  # with itself
        counters.count([tally])
    counters.count([tally])
    (found,) = counters.hours(bot_id, "2026-11-21T09", "2026-11-21T09")
    assert found.received == 1


class Reluctant(FaultyClient):
    """Reads one key of each call and leaves the others for later."""

    def send(self, operation: str, timeout_seconds: float, parameters: dict[str, Any]) -> Any:
        self.calls.append(operation)
        ((table, request),) = parameters["RequestItems"].items()
        first, *others = request["Keys"]
        left = {table: {"Keys": others}} if others else {}
        return {"Responses": {table: [first]}, "UnprocessedKeys": left}


def test_keys_that_are_left_for_later_are_asked_for_again_and_not_for_ever() -> None:
    keys = [{"pk": {"S": str(number)}} for number in range(batch_get.TRIES)]
    assert list(rows_of(Reluctant(), "t", keys)) == keys
    with pytest.raises(Unavailable):
        list(rows_of(Reluctant(), "t", [*keys, {"pk": {"S": "one too many"}}]))
