"""CLOSER's own dashboards show of our events what happened: their questions, asked of a real PostgreSQL that CLOSER's
receiver filled with our deliveries. What is expected stands in the script of the two days, not in the events."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.contract.closer_receiver import panels
from tests.contract.closer_receiver.company import DAY, Company, two_days
from tests.contract.closer_receiver.table import PostgresTable
from tests.factories import NOW_MS

MIDNIGHT = datetime(2026, 11, 20, 15, tzinfo=UTC)
"""In Seoul, of the first day."""
FIRST, SECOND = MIDNIGHT, MIDNIGHT + timedelta(days=1)


class Dashboards:
    def __init__(self, table: PostgresTable) -> None:
        self.table = table
        self.company: Company = two_days(table.receiver())

    def ask(self, query: str, first: datetime = FIRST, days: int = 2, group_by: str = "day") -> Sequence[Any]:
        """Rows of a panel that shows `days` whole days."""
        from_ms = int(first.timestamp()) * 1000
        return self.table.ask(panels.filled_in(query, from_ms, from_ms + (days * DAY - 1) * 1000, group_by))

    def number(self, query: str, first: datetime = FIRST, days: int = 2) -> Any:
        ((value,),) = self.ask(query, first, days)
        return value


@pytest.fixture
def dashboards(postgres_table: PostgresTable) -> Dashboards:
    found = Dashboards(postgres_table)
    assert found.company.receiver.lost == []
    return found


def test_totals_are_those_of_the_script(dashboards) -> None:
    seen = dashboards.company.seen
    assert (len(seen.people), seen.said + seen.by_bot + seen.by_agents) == (4, 31)
    told = [event for turn in dashboards.company.turns() for event in turn.events]
    assert {title: dashboards.number(query) for title, query in panels.TOTALS.items()} == {
        "users": 4,
        "messages": 31,
        "events of the time": len(told),
        "new users of the time": 4,
        "active users of the time": 4,
        "messages of the time": 31,
    }


def test_a_time_range_leaves_the_other_day_out(dashboards) -> None:
    totals = {title: dashboards.number(query, SECOND, 1) for title, query in panels.TOTALS.items()}
    assert totals["users"] == 4
    assert totals["new users of the time"] == 1
    assert totals["active users of the time"] == 2
    assert totals["messages of the time"] == 10


def test_events_are_counted_by_day_and_type(dashboards) -> None:
    told: Counter[tuple[datetime, str]] = Counter()
    for turn in dashboards.company.turns():
        day = FIRST if turn.at_ms < NOW_MS + DAY * 1000 else SECOND
        told.update((day, event["event"]) for event in turn.events)
        told.update((day, "total") for _ in turn.events)
    assert dashboards.ask(panels.EVENTS) == sorted((day, name, count) for (day, name), count in told.items())


def test_new_and_active_users_are_counted_by_day(dashboards) -> None:
    """The second day's: choi, who is new, and jung, who came back. The sum adds up days, as the dashboard does."""
    assert dashboards.ask(panels.USERS) == [(FIRST, 3, 3, 3), (SECOND, 5, 1, 2)]


def test_users_are_counted_by_hour_too(dashboards) -> None:
    rows = dashboards.ask(panels.USERS, days=1, group_by="hour")
    assert len(rows) == 24
    assert [row for row in rows if row[2]] == [(FIRST + timedelta(hours=9), 3, 3, 3)]


def test_messages_of_end_users_bots_and_agents_are_told_apart(dashboards) -> None:
    seen = dashboards.company.seen.per_day
    assert seen == {0: (9, 10, 2), 1: (4, 5, 1)}
    assert dashboards.ask(panels.SPEAKERS) == [(FIRST, *seen[0]), (SECOND, *seen[1])]


def test_the_list_of_messages_says_who_spoke(dashboards) -> None:
    rows = dashboards.ask(panels.MESSAGE_LIST)
    seen = dashboards.company.seen
    assert Counter(speaker for _, _, _, speaker, _, _ in rows) == {
        "user": seen.said,
        "bot": seen.by_bot,
        "agent": seen.by_agents,
    }
    assert {data["text"] for _, _, _, speaker, data, _ in rows if speaker == "agent"} == {
        "안녕하세요, 한별입니다.",
        "이어서 도와드리겠습니다.",
        "오래 기다리셨습니다.",
    }
    assert all(None not in row for row in rows)
    assert len({row[0] for row in rows}) == 31
    assert rows[-1][5] == NOW_MS


def test_calls_are_paired_with_what_follows_them(dashboards) -> None:
    """Six calls, of which a HANDOVER is none; the last one still waits."""
    found = {title: dashboards.number(query) for title, query in panels.CALL_TOTALS.items()}
    found["mean wait"] = round(found["mean wait"], 2)
    assert found == {
        "calls": 6,
        "missed": 2,
        "taken back within 10 s": 1,
        "connected": 3,
        "mean wait": Decimal("61.67"),
        "wait of 90 %": 120,
    }


def test_calls_are_counted_by_day_without_those_taken_back_within_ten_seconds(dashboards) -> None:
    assert dashboards.ask(panels.CALL_COUNTS) == [(FIRST, 3, 1, 1), (SECOND, 3, 0, 2)]


def test_the_share_of_answered_calls_leaves_out_those_taken_back_within_ten_seconds(dashboards) -> None:
    assert dashboards.ask(panels.ANSWERED) == [(FIRST, 50), (SECOND, 66)]


def test_waits_are_those_of_the_script(dashboards) -> None:
    assert dashboards.ask(panels.WAITS) == [(FIRST, 45, 45, 45, 45), (SECOND, 120, 20, 70, 120)]


def test_a_day_on_which_nothing_happened_is_shown_as_nothing(dashboards) -> None:
    third = MIDNIGHT + timedelta(days=2)
    assert dashboards.ask(panels.SPEAKERS, third, 1) == [(third, 0, 0, 0)]
    assert dashboards.ask(panels.CALL_COUNTS, third, 1) == [(third, 0, 0, 0)]
    assert dashboards.ask(panels.ANSWERED, third, 1) == [(third, 100)]
