"""Usage over the API for owners: counted in the core table, asked with a key."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from functions.management_api import app
from shared.bot.record import BotRecord
from shared.conversation.projection import Active, Tally
from shared.runtime import wiring, world
from tests.api_world import a_call, json_of
from tests.integration.conftest import Stack, forget_wiring
from tests.openapi_document import OpenApiDocument

HOUR_MS = 3_600_000
DOCUMENT = OpenApiDocument(Path(__file__).parents[2] / "docs" / "api" / "management.yaml")


@pytest.fixture
def bot_id(stack: Stack) -> str:
    """Two people said three things an hour ago, and one of them a fourth just now."""
    forget_wiring()
    bot_id = f"bot-{uuid.uuid4().hex[:8]}"
    wiring.bots().save(BotRecord(bot_id=bot_id, profile={}, created_at_ms=1, updated_at_ms=1))
    now_ms = world.now_ms()
    calendar, counters = wiring.usage_calendar(), wiring.counters()
    for at_ms, count in ((now_ms - HOUR_MS, 3), (now_ms, 1)):
        counts = {"received": count, "received_kakao": count, "sent": 2 * count}
        counters.count(
            [Tally(bot_id=bot_id, hour=calendar.hour_of(at_ms), commit=str(uuid.uuid4()), at_ms=at_ms, counts=counts)]
        )
    month = calendar.month_of(now_ms)
    counters.note_active([Active(bot_id=bot_id, log=log, month=month, at_ms=now_ms) for log in ("a", "b")])
    return bot_id


def ask(path: str, *scopes: str, **fields: Any) -> Any:
    key = wiring.api_keys().make(name="test", scopes=scopes or ("usage:read",))[1]
    answer = app.handler(a_call("GET", path, key=key, **fields), None)
    DOCUMENT.check_answer("GET", path, answer)
    return answer


def test_the_months_active_users_the_quota_and_the_brand_line_are_shown(bot_id: str) -> None:
    wiring.usage().set_limits(bot_id, quota=1)
    month = f"{wiring.usage_calendar().hour_of(world.now_ms())[:7]}"
    assert json_of(ask(f"/api/bots/{bot_id}/usage")) == {
        "botId": bot_id,
        "timeZone": "Asia/Seoul",
        "month": month,
        "monthlyActiveUsers": 2,
        "quota": 1,
        "brandLine": "powered by Malgil",
        "isBrandLineShown": True,
        "months": [{"month": month, "monthlyActiveUsers": 2}],
    }


def test_statistics_are_those_of_the_time_that_is_asked_for(bot_id: str) -> None:
    now_ms = world.now_ms()
    query = {"from": str(now_ms - HOUR_MS), "until": str(now_ms + 1)}
    shown = json_of(ask(f"/api/bots/{bot_id}/statistics", query=query))
    assert (shown["unit"], shown["timeZone"]) == ("hour", "Asia/Seoul")
    assert [(hour["received"], hour["sent"]) for hour in shown["items"]] == [(3, 6), (1, 2)]
    assert shown["items"][0]["receivedByPlatform"] == {"kakao": 3}
    days = json_of(ask(f"/api/bots/{bot_id}/statistics", query={**query, "unit": "day"}))["items"]
    assert sum(day["received"] for day in days) == 4


def test_other_scopes_are_not_enough(bot_id: str) -> None:
    for path in (f"/api/bots/{bot_id}/usage", f"/api/bots/{bot_id}/statistics"):
        assert ask(path, "bots:read", "webhooks:write")["statusCode"] == 403


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"from": "0"},
        {"from": "1", "until": "1"},
        {"from": "0", "until": "1000", "unit": "week"},
        {"from": "0", "until": str(63 * 24 * HOUR_MS)},
        {"from": "0", "until": "1000", "days": "1"},
    ],
)
def test_what_cannot_be_asked_is_refused(bot_id: str, query: dict[str, str]) -> None:
    assert ask(f"/api/bots/{bot_id}/statistics", query=query)["statusCode"] == 400


def test_a_bot_that_is_not_there_has_none(stack: Stack) -> None:
    assert ask("/api/bots/nobody/usage")["statusCode"] == 404
    query = {"from": "0", "until": "1000"}
    assert ask("/api/bots/nobody/statistics", query=query)["statusCode"] == 404
