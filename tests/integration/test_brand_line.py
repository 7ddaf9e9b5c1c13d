"""Over its quota a bot goes on, with a brand line under its answers on KakaoTalk that is stored and told nowhere."""

import json
from typing import Any

import pytest
import time_machine

from shared.ids import log_key
from shared.runtime import wiring, world
from shared.services.authoring import Authoring
from tests.factories import a_node, a_response
from tests.integration.conftest import forget_wiring
from tests.integration.phones import Caller, a_caller, continue_extra, texts

LINE = "powered by Malgil"


def a_document(*nodes: dict[str, Any]) -> dict[str, Any]:
    flow = {"id": 1, "nodes": [a_node(1, "entry", {}, 2), *nodes]}
    return {"title": "봇", "flows": [flow], "preference": {"entryFlowId": 1}}


ECHO = a_document(a_response(2, "들었어요: {{message}}", 3), a_node(3, "keyboard", {}, 2))
LONG = a_document(
    *[a_response(number, f"{number}번 " + "가" * 990, number + 1) for number in range(2, 6)], a_node(6, "keyboard", {})
)


@pytest.fixture
def echo(authoring: Authoring) -> Caller:
    return a_caller(authoring, ECHO)


def set_limits(caller: Caller, *, quota: int | None, active: int, brand_line: str = LINE) -> None:
    """The quota, and what was counted this month; seen by a new process."""
    limits = wiring.usage_limits()
    limits.set(caller.bot_id, quota=quota, brand_line=brand_line)
    limits.mark_over(caller.bot_id, wiring.usage_calendar().month_of(world.now_ms()), active=active)
    forget_wiring()


def test_over_the_quota_the_answer_ends_with_the_line(echo: Caller) -> None:
    set_limits(echo, quota=10, active=11)
    assert echo.say("안녕") == [f"들었어요: 안녕\n\n{LINE}"]


def test_the_line_is_the_owners(echo: Caller) -> None:
    set_limits(echo, quota=10, active=11, brand_line="말길로 만들었어요")
    assert echo.say("안녕") == ["들었어요: 안녕\n\n말길로 만들었어요"]


@pytest.mark.parametrize(("quota", "active"), [(10, 10), (None, 1_000_000)], ids=["at the quota", "without one"])
def test_otherwise_there_is_none(echo: Caller, quota: int | None, active: int) -> None:
    set_limits(echo, quota=quota, active=active)
    assert echo.say("안녕") == ["들었어요: 안녕"]


def test_neither_the_history_nor_webhooks_have_it(echo: Caller) -> None:
    set_limits(echo, quota=10, active=11)
    echo.say("안녕")
    turn = wiring.turns().newest(echo.bot_id, log_key("kakao", echo.user_key))
    assert turn is not None
    assert turn.messages[-1]["data"]["text"] == "들었어요: 안녕"
    assert LINE not in json.dumps([turn.messages, turn.events])


def test_a_resend_has_it_again(echo: Caller) -> None:
    set_limits(echo, quota=10, active=11)
    first = echo.say("안녕", request_id="same")
    assert echo.say("안녕", request_id="same") == first
    assert first[0].endswith(LINE)


def test_a_continued_answer_has_it_on_its_last_page(authoring: Authoring) -> None:
    reader = a_caller(authoring, LONG)
    set_limits(reader, quota=10, active=11)
    first = reader.call("안녕")
    assert LINE not in first["body"]
    rest = texts(reader.call("계속 보기", continue_extra(first)))
    assert rest[-1].endswith(f"\n\n{LINE}")


def test_a_new_month_takes_it_away(echo: Caller) -> None:
    with time_machine.travel("2026-11-30T14:59:58+00:00", tick=False) as clock:
        set_limits(echo, quota=10, active=11)
        assert echo.say("하나") == [f"들었어요: 하나\n\n{LINE}"]
        clock.move_to("2026-11-30T15:00:00+00:00")
        assert echo.say("둘") == ["들었어요: 둘"]
