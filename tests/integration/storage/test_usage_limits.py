"""Limits in the bot's partition: read with the bot, never marked wrongly or twice."""

import uuid

import pytest

from shared.bot.record import BotRecord
from shared.runtime import wiring
from shared.runtime.settings import CORE_TABLE
from shared.storage.usage_limits import DynamoUsageLimits
from shared.usage.limits import DEFAULT_BRAND_LINE, NO_LIMITS, UsageLimits
from tests.integration.conftest import Stack
from tests.integration.storage.faults import FaultyClient


@pytest.fixture
def limits(stack: Stack, client: FaultyClient) -> DynamoUsageLimits:
    return DynamoUsageLimits(stack.environment[CORE_TABLE], client)


@pytest.fixture
def bot_id() -> str:
    return f"bot-{uuid.uuid4().hex[:8]}"


def test_a_bot_without_limits_has_none(limits: DynamoUsageLimits, bot_id: str) -> None:
    assert limits.get(bot_id) == NO_LIMITS
    assert not limits.mark_over(bot_id, 202611, active=1_000_000)
    assert limits.get(bot_id) == NO_LIMITS


def test_limits_come_with_the_bot_in_its_one_query(stack: Stack, limits: DynamoUsageLimits, bot_id: str) -> None:
    bots = wiring.bots()
    record = BotRecord(bot_id=bot_id, profile={}, created_at_ms=1, updated_at_ms=1, channels={"kakao": {"a": 1}})
    bots.save(record, channel="kakao")
    limits.set(bot_id, quota=1_000, brand_line="말길로 만들었어요")
    limits.mark_over(bot_id, 202611, active=1_001)
    found = bots.get(bot_id)
    assert found is not None
    assert found.limits == UsageLimits(quota=1_000, brand_line="말길로 만들었어요", over_month=202611)
    assert found.channels == {"kakao": {"a": 1}}


def test_limits_without_a_bot_make_none(limits: DynamoUsageLimits, bot_id: str) -> None:
    limits.set(bot_id, quota=1, brand_line=DEFAULT_BRAND_LINE)
    assert wiring.bots().get(bot_id) is None


def test_a_month_is_marked_once_and_never_an_earlier_one(limits: DynamoUsageLimits, bot_id: str) -> None:
    limits.set(bot_id, quota=10, brand_line=DEFAULT_BRAND_LINE)
    assert not limits.mark_over(bot_id, 202611, active=10)
    assert limits.mark_over(bot_id, 202611, active=11)
    assert not limits.mark_over(bot_id, 202611, active=12)
    assert limits.mark_over(bot_id, 202612, active=11)
    assert not limits.mark_over(bot_id, 202611, active=13)
    assert limits.get(bot_id).over_month == 202612


def test_another_quota_forgets_the_mark_and_a_count_under_it_does_not_bring_it_back(
    limits: DynamoUsageLimits, bot_id: str
) -> None:
    limits.set(bot_id, quota=10, brand_line=DEFAULT_BRAND_LINE)
    limits.mark_over(bot_id, 202611, active=11)
    limits.set(bot_id, quota=20, brand_line=DEFAULT_BRAND_LINE)
    assert limits.get(bot_id).over_month == 0
    assert not limits.mark_over(bot_id, 202611, active=12)  # by somebody who knew the quota of before
    limits.set(bot_id, quota=None, brand_line=DEFAULT_BRAND_LINE)
    assert not limits.mark_over(bot_id, 202611, active=1_000)
    assert limits.get(bot_id) == NO_LIMITS


def test_another_brand_line_leaves_the_mark_where_it_is(limits: DynamoUsageLimits, bot_id: str) -> None:
    limits.set(bot_id, quota=10, brand_line="하나")
    limits.mark_over(bot_id, 202611, active=11)
    limits.set(bot_id, quota=10, brand_line="둘")
    assert limits.get(bot_id) == UsageLimits(quota=10, brand_line="둘", over_month=202611)


@pytest.mark.parametrize("fault", ["throttled", "server_fault", "lost_request", "lost_answer"])
def test_one_fault_does_not_keep_a_mark_from_being_made(
    limits: DynamoUsageLimits, client: FaultyClient, bot_id: str, fault: str
) -> None:
    limits.set(bot_id, quota=10, brand_line=DEFAULT_BRAND_LINE)
    client.faults["update_item"] = [fault]
    limits.mark_over(bot_id, 202611, active=11)
    assert limits.get(bot_id).over_month == 202611
