"""`malgil usage`: counted by the local cloud's projector, limited and shown."""

import json
import time
import uuid

import pytest

from tests.integration.cli.conftest import BACK_NODE_BOT, Malgil

PATIENCE_SECONDS = 60


@pytest.fixture
def shop(malgil: Malgil) -> str:
    bot_id = f"shop-{uuid.uuid4().hex[:8]}"
    assert malgil("bot", "import", BACK_NODE_BOT, "--id", bot_id, "--publish").returncode == 0
    return bot_id


def wait_for_active(malgil: Malgil, bot_id: str, count: int) -> dict:
    """What is shown once so many are counted."""
    until = time.monotonic() + PATIENCE_SECONDS
    shown: dict = {}
    while time.monotonic() < until:
        shown = json.loads(malgil("usage", bot_id, "--json").stdout)
        if shown["monthlyActiveUsers"] >= count:
            return shown
    raise AssertionError(shown)


def test_people_are_counted_and_over_the_quota_the_brand_line_is_shown(malgil: Malgil, shop: str) -> None:
    malgil("chat", shop, typed="진행\n")  # the preview
    malgil("chat", shop, "--platform", "web", "--user", "kim", typed="진행\n진행\n")
    malgil("chat", shop, "--platform", "web", "--user", "nobody")
    shown = wait_for_active(malgil, shop, 1)
    assert (shown["monthlyActiveUsers"], shown["quota"], shown["isBrandLineShown"]) == (1, None, False)
    assert shown["months"] == [{"month": shown["month"], "monthlyActiveUsers": 1}]
    assert len(shown["days"]) == 7
    assert (shown["days"][-1]["received"], shown["days"][-1]["receivedByPlatform"]) == (2, {"web": 2})

    limited = json.loads(malgil("usage", shop, "--quota", "1", "--brand-line", "말길로 만들었어요", "--json").stdout)
    assert (limited["quota"], limited["isBrandLineShown"]) == (1, False)
    malgil("chat", shop, "--platform", "web", "--user", "lee", typed="진행\n")
    assert wait_for_active(malgil, shop, 2)["isBrandLineShown"]
    assert "말길로 만들었어요" in malgil("chat", shop, "--platform", "web", "--user", "lee", typed="진행\n").stdout
    text = malgil("usage", shop, "--days", "1").stdout
    assert "2 / 1" in text
    assert "말길로 만들었어요 (지금 보임 / shown now)" in text

    assert not json.loads(malgil("usage", shop, "--no-quota", "--json").stdout)["isBrandLineShown"]


def test_what_cannot_be_set_or_shown_is_said_in_a_line(malgil: Malgil, shop: str) -> None:
    for options, said in (
        (("--quota", "1", "--no-quota"), "exclude each other"),
        (("--brand-line", "가" * 41), "at most 40 characters"),
        (("--quota", "-1"), "0 to"),
        (("--days", "63"), "1 to 62"),
    ):
        refused = malgil("usage", shop, *options)
        assert refused.returncode == 1
        assert said in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert "no bot 'nobody-here'" in malgil("usage", "nobody-here").stderr
