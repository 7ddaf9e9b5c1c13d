"""What a bot's owner is shown of its use, and what setting a quota does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.bot.record import BotRecord
from shared.conversation.projection import HourCounts
from shared.errors import InvalidInput, NotFound
from shared.services.usage import MAX_DAYS, ShowUsage
from shared.storage.usage_limits import limits_of
from shared.usage.calendar import UsageCalendar, month_after, month_before
from shared.usage.limits import UsageLimits
from tests.fakes import MemoryBots, MemoryTurns

NOVEMBER, DECEMBER = 202611, 202612


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000


class Counters:
    def __init__(self) -> None:
        self.active: dict[int, int] = {}
        self.counted: list[HourCounts] = []

    def hours(self, bot_id: str, first_hour: str, last_hour: str) -> list[HourCounts]:
        return [counts for counts in self.counted if first_hour <= counts.hour <= last_hour]

    def monthly_active(self, bot_id: str, month: int) -> int:
        return self.active.get(month, 0)


class Limits:
    """As storage.usage_limits."""

    def __init__(self) -> None:
        self.quota: int | None = None
        self.brand_line = limits_of({}).brand_line
        self.over_month = 0

    def get(self, bot_id: str) -> UsageLimits:
        return UsageLimits(quota=self.quota, brand_line=self.brand_line, over_month=self.over_month)

    def set(self, bot_id: str, *, quota: Any = "as it is", brand_line: str | None = None) -> None:
        if quota not in ("as it is", self.quota):
            self.quota, self.over_month = quota, 0
        self.brand_line = brand_line or self.brand_line

    def mark_over(self, bot_id: str, month: int, *, active: int) -> bool:
        is_news = self.quota is not None and active > self.quota and month > self.over_month
        self.over_month = month if is_news else self.over_month
        return is_news


class World:
    def __init__(self, zone: str = "Asia/Seoul", now: str = "2026-11-30T14:59:59") -> None:
        self.now_ms = at(now)
        self.counters, self.limits = Counters(), Limits()
        bots = MemoryBots(MemoryTurns())
        bots.records["bot"] = BotRecord(bot_id="bot", profile={}, created_at_ms=1, updated_at_ms=1)
        bots.records["gone"] = BotRecord(bot_id="gone", profile={}, created_at_ms=1, updated_at_ms=1, deleted_at_ms=2)
        self.show = ShowUsage(
            bots=bots,
            limits=self.limits,
            counters=self.counters,
            calendar=UsageCalendar(zone),
            now_ms=lambda: self.now_ms,
        )


def test_a_month_starts_at_nobody_and_the_brand_line_is_gone() -> None:
    world = World()
    world.counters.active = {NOVEMBER: 11}
    world.show.set_limits("bot", quota=10)
    assert (world.show.usage("bot").active, world.show.usage("bot").brand_line) == (11, "powered by Malgil")
    world.now_ms += 1_000
    assert world.show.usage("bot").month == DECEMBER
    assert (world.show.usage("bot").active, world.show.usage("bot").brand_line) == (0, None)


def test_earlier_months_are_shown_from_the_first_in_which_anybody_was_active() -> None:
    world = World()
    world.counters.active = {202609: 3, NOVEMBER: 11}
    assert world.show.usage("bot").months == ((NOVEMBER, 11), (202610, 0), (202609, 3))
    world.counters.active = {}
    assert world.show.usage("bot").months == ((NOVEMBER, 0),)


def test_a_quota_that_the_month_is_over_already_counts_at_once() -> None:
    world = World()
    world.counters.active = {NOVEMBER: 11}
    for quota, is_shown in ((10, True), (11, False), (0, True), (None, False)):
        world.show.set_limits("bot", quota=quota)
        assert (world.show.usage("bot").brand_line is not None) is is_shown, quota


def test_the_quota_stays_when_the_brand_line_is_changed_and_the_other_way_round() -> None:
    world = World()
    world.counters.active = {NOVEMBER: 11}
    world.show.set_limits("bot", quota=10)
    world.show.set_limits("bot", brand_line=" 말길로 만들었어요 ")
    assert world.limits.get("bot") == UsageLimits(quota=10, brand_line="말길로 만들었어요", over_month=NOVEMBER)
    world.show.set_limits("bot", quota=20)
    assert world.limits.get("bot") == UsageLimits(quota=20, brand_line="말길로 만들었어요")


@pytest.mark.parametrize(("quota", "line"), [(-1, None), (10**13, None), (5, "두\n줄"), (5, "")])
def test_what_cannot_be_set_changes_nothing(quota: int, line: str | None) -> None:
    world = World()
    with pytest.raises(InvalidInput):
        world.show.set_limits("bot", quota=quota, brand_line=line)
    assert world.limits.get("bot") == UsageLimits()


@pytest.mark.parametrize("bot_id", ["nobody", "gone"])
def test_a_bot_that_is_not_there_has_no_usage(bot_id: str) -> None:
    world = World()
    for ask in (
        lambda: world.show.usage(bot_id),
        lambda: world.show.statistics(bot_id, 1, "day"),
        lambda: world.show.set_limits(bot_id, quota=1),
    ):
        with pytest.raises(NotFound):
            ask()
    assert world.limits.quota is None


def test_days_are_those_of_the_calendar_and_those_without_anything_are_there() -> None:
    world = World()
    world.counters.counted = [
        HourCounts(hour="2026-11-27T23", received=99),
        HourCounts(hour="2026-11-28T00", received=1, sent=2, received_by_platform={"kakao": 1}),
        HourCounts(hour="2026-11-28T23", received=4, received_by_platform={"kakao": 3, "web": 1}),
        HourCounts(hour="2026-11-30T23", new_end_users=1, conversations=1, calls_requested=1),
    ]
    days = world.show.statistics("bot", 3, "day")
    assert [day.start for day in days] == ["2026-11-28", "2026-11-29", "2026-11-30"]
    assert [(day.counts["received"], day.counts["sent"], day.counts["new_end_users"]) for day in days] == [
        (5, 2, 0),
        (0, 0, 0),
        (0, 0, 1),
    ]
    assert days[0].received_by_platform == {"kakao": 4, "web": 1}


@pytest.mark.parametrize(
    ("zone", "now", "hours", "first", "last"),
    [
        ("Asia/Seoul", "2026-11-30T14:59:59", 24, "2026-11-30T00", "2026-11-30T23"),
        ("Asia/Seoul", "2026-11-30T15:00:00", 1, "2026-12-01T00", "2026-12-01T00"),
        ("Europe/Berlin", "2026-03-29T21:59:59", 23, "2026-03-29T00", "2026-03-29T23"),  # 2 o'clock is left out
        ("Europe/Berlin", "2026-10-25T22:59:59", 24, "2026-10-25T00", "2026-10-25T23"),  # it comes twice, as one
        ("Australia/Lord_Howe", "2026-10-04T12:30:00", 24, "2026-10-04T00", "2026-10-04T23"),  # half an hour is
    ],
)
def test_the_hours_of_a_day_are_those_on_the_clock(zone: str, now: str, hours: int, first: str, last: str) -> None:
    shown = [hour.start for hour in World(zone, now).show.statistics("bot", 1, "hour")]
    assert (len(shown), shown[0], shown[-1]) == (hours, first, last)
    assert shown == sorted(set(shown))


@pytest.mark.parametrize("days", [0, -1, MAX_DAYS + 1])
def test_a_look_is_bounded(days: int) -> None:
    with pytest.raises(InvalidInput, match="days"):
        World().show.statistics("bot", days, "day")


def test_months_follow_each_other_over_the_years() -> None:
    assert [month_before(202701), month_before(202612)] == [202612, 202611]
    assert [month_after(202612), month_after(202611)] == [202701, 202612]
