"""Who is counted as active in a month: whoever sent a message that was received in it, once."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.conversation.turn import LogState, Turn
from shared.engine.inbound import AgentMessage, Opened, StartAt, UserMessage
from shared.ids import log_key
from shared.services.request import Request
from shared.usage.calendar import UsageCalendar
from tests.factories import NOW_MS, a_bot, a_handle_inbound, a_node, a_response
from tests.fakes import MemoryTurns
from tests.waiting_world import World, an_order_bot

ECHO = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, "들었어요", 3), a_node(3, "keyboard", {}, 2)])
NOVEMBER, DECEMBER = 202611, 202612
BORDER = int(datetime(2026, 11, 30, 15, tzinfo=UTC).timestamp()) * 1_000
"""Midnight in Korea between the two."""
AGENT = {"id": "a", "profile": {"displayName": "상담원"}}
HELLO = {"type": "text", "text": "안녕"}


class Talk:
    """Somebody who talks at the times that a test names."""

    def __init__(self, **more: Any) -> None:
        self.now_ms = BORDER
        self.turns = MemoryTurns()
        self.handle = a_handle_inbound(self.turns, now_ms=lambda: self.now_ms, **more)

    def does(self, inbound: Any, at_ms: int, user: str = "user", platform: str = "web", **more: Any) -> Turn:
        self.now_ms = at_ms
        request = Request(**{"bot": ECHO, "platform": platform, "user_key": user, "inbound": inbound, **more})
        return self.handle(request).turn

    def says(self, at_ms: int, **more: Any) -> Turn:
        return self.does(UserMessage(data=HELLO), at_ms, **more)

    def marks(self, user: str = "user", platform: str = "web") -> list[int | None]:
        return [turn.first_of_month for turn in self.turns.log("bot", log_key(platform, user))]


def test_the_first_message_of_each_month_is_marked() -> None:
    talk = Talk()
    for at_ms in (BORDER - 2, BORDER - 1, BORDER, BORDER + 1):
        talk.says(at_ms)
    assert talk.marks() == [NOVEMBER, None, DECEMBER, None]


def test_a_month_is_that_of_the_installations_zone() -> None:
    talk = Talk(calendar=UsageCalendar("UTC"))
    for at_ms in (BORDER - 1, BORDER, BORDER + 9 * 3_600_000 - 1, BORDER + 9 * 3_600_000):
        talk.says(at_ms)
    assert talk.marks() == [NOVEMBER, None, None, DECEMBER]


@pytest.mark.parametrize(
    "inbound",
    [Opened(), StartAt(flow_id=1), AgentMessage(data=HELLO, agent=AGENT)],
    ids=["a welcome", "a place in the bot", "an agent's message"],
)
def test_who_says_nothing_is_not_counted(inbound: Any) -> None:
    talk = Talk()
    talk.does(inbound, BORDER)
    assert talk.marks() == [None]
    talk.says(BORDER + 1)
    assert talk.marks() == [None, DECEMBER]


def test_what_a_tap_said_and_what_only_the_channel_heard_are_received_messages() -> None:
    talk = Talk()
    talk.does(StartAt(flow_id=1, message=HELLO), BORDER - 1)
    talk.does(None, BORDER, said_aside={"type": "text", "text": "계속 보기"})
    assert talk.marks() == [NOVEMBER, DECEMBER]


def test_the_preview_is_never_counted() -> None:
    talk = Talk()
    talk.says(BORDER, platform="test")
    assert talk.marks(platform="test") == [None]


def test_what_is_said_outside_a_conversation_tells_no_event_and_is_not_counted() -> None:
    talk = Talk()
    turn = talk.does(None, BORDER, said_aside=HELLO)
    assert [event["event"] for event in turn.events] == ["bot.end_user.created"]
    assert turn.first_of_month is None


def test_a_resend_does_not_count_again() -> None:
    talk = Talk()
    talk.says(BORDER - 1, client_id="one")
    assert talk.says(BORDER, client_id="one").first_of_month == NOVEMBER
    assert talk.marks() == [NOVEMBER]


def test_of_two_messages_that_race_one_is_marked() -> None:
    talk = Talk()
    racers = iter(["another"])

    def somebody_is_faster(turn: Turn) -> None:
        if next(racers, None):
            talk.says(BORDER)

    talk.turns.before_append = somebody_is_faster
    talk.says(BORDER)
    assert talk.marks() == [DECEMBER, None]


def test_a_message_that_waits_for_a_walk_counts_when_it_is_received() -> None:
    world = World(an_order_bot(slow=True))
    world.pass_ms(BORDER - NOW_MS - 2)
    world.says("하나")
    world.pass_ms(2)
    assert world.says("둘").is_waiting
    received = len(world.log)
    world.work()
    world.work()
    world.continues()
    assert [turn.first_of_month for turn in world.log if turn.first_of_month] == [NOVEMBER, DECEMBER]
    assert world.log[received - 1].first_of_month == DECEMBER


def test_what_is_answered_in_the_next_month_was_received_in_this_one() -> None:
    world = World(an_order_bot(slow=True))
    world.pass_ms(BORDER - NOW_MS - 1)
    world.says("하나")
    world.work()
    assert world.newest.at_ms >= BORDER
    assert [turn.first_of_month for turn in world.log if turn.first_of_month] == [NOVEMBER]


def test_a_machine_whose_clock_is_slow_counts_nobody_a_second_time() -> None:
    talk = Talk()
    for at_ms in (BORDER - 5, BORDER, BORDER - 1, BORDER + 1):
        talk.says(at_ms)
    assert talk.marks() == [NOVEMBER, DECEMBER, None, None]


def test_a_renewed_conversation_is_still_the_same_person() -> None:
    talk, bot = Talk(), a_bot(nodes=[a_node(1, "entry", {})], sessionBehavior={"sessionTimeoutMinutes": 1})
    talk.says(BORDER, bot=bot)
    later = talk.says(BORDER + 60_001, bot=bot)
    assert "bot.conversation.deleted" in [event["event"] for event in later.events]
    assert talk.marks() == [DECEMBER, None]


def test_a_state_of_a_person_who_was_never_counted_says_nothing_of_it() -> None:
    assert "month" not in LogState().to_json()
    assert LogState.from_json(LogState(active_month=DECEMBER).to_json()).active_month == DECEMBER
    assert "firstOfMonth" not in Turn(bot_id="b", log="l", revision=1, commit="c", at_ms=0, state=LogState()).body()


def doing(rng: random.Random) -> Callable[[Talk, int, str, str], Turn]:
    kinds = [
        lambda talk, at, user, where: talk.says(at, user=user, platform=where),
        lambda talk, at, user, where: talk.says(at, user=user, platform=where, client_id="often the same"),
        lambda talk, at, user, where: talk.does(Opened(), at, user, where),
        lambda talk, at, user, where: talk.does(AgentMessage(data=HELLO, agent=AGENT), at, user, where),
        lambda talk, at, user, where: talk.does(StartAt(flow_id=1, message=HELLO), at, user, where),
        lambda talk, at, user, where: talk.does(None, at, user, where, said_aside=HELLO),
    ]
    return rng.choice(kinds)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), zone=st.sampled_from(["Asia/Seoul", "UTC", "America/New_York", "Europe/Berlin"]))
def test_marks_are_the_distinct_people_and_months_with_a_received_message(seed: int, zone: str) -> None:
    rng, calendar = random.Random(seed), UsageCalendar(zone)
    talk, at_ms = Talk(calendar=calendar), BORDER - 40 * 86_400_000
    for _ in range(60):
        at_ms += rng.choice([1, 1_000, 3_600_000, 5 * 86_400_000])
        doing(rng)(talk, at_ms, rng.choice("abc"), rng.choice(["web", "kakao", "test"]))
    received, marked = set(), []
    for user in "abc":
        for platform in ("web", "kakao"):
            for turn in talk.turns.log("bot", log_key(platform, user)):
                if any(event["event"] == "bot.message.received" for event in turn.events):
                    received.add((user, platform, calendar.month_of(turn.at_ms)))
                if turn.first_of_month is not None:
                    marked.append((user, platform, turn.first_of_month))
        assert not any(talk.marks(user, "test"))
    assert sorted(marked) == sorted(received)
