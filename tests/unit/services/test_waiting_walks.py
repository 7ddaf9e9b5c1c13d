"""Walks that wait for the world: saved before anything that must not happen twice, finished by whoever is there, and
their reply given once (docs/effects.md)."""

from typing import Any

import pytest

from shared.conversation.turn import Turn
from shared.engine import Attempt, Effect, EffectAnswer
from shared.errors import Unavailable
from shared.services.advance import GIVE_UP_MS
from shared.services.ports import PostOutcome
from shared.services.request import Handled
from shared.services.unfinished_walks import WalkedByOther
from tests.factories import a_bot, a_node, a_response
from tests.fakes import MemoryQueue
from tests.waiting_world import BUDGET_MS, CALLBACK, Crash, World, an_order_bot


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["data"]["text"] for message in messages]


def sent(log: list[Turn]) -> list[str]:
    """What the events tell that the bot said."""
    return [
        event["data"]["message"]["data"]["text"]
        for turn in log
        for event in turn.events
        if event["event"] == "bot.message.sent"
    ]


def received(log: list[Turn]) -> list[str]:
    return [turn.inbound["data"]["text"] for turn in log if turn.inbound is not None]


REPLY = ["잠시만요, 주문.", "됐어요: 주문"]


# ---- in line


def test_a_call_that_must_not_happen_twice_is_saved_before_it_is_made() -> None:
    world = World()
    seen: list[Turn] = []
    company = world.company

    def look(effect: Effect, attempt: Attempt) -> EffectAnswer:
        seen.append(world.newest)
        return company(effect, attempt)

    world.company = look  # type: ignore[assignment]
    handled = world.says("주문")
    (saved,) = seen
    assert saved.state.unfinished.pending is not None
    assert saved.messages == []
    assert received([saved]) == ["주문"]
    assert texts(handled.messages) == REPLY
    assert [turn.revision for turn in world.log] == [1, 2]
    assert world.newest.state.unfinished.pending is None


def test_a_call_that_may_be_repeated_costs_one_turn_and_no_job() -> None:
    world = World(an_order_bot(method="GET"))
    assert texts(world.says("주문").messages) == REPLY
    assert len(world.log) == 1
    assert world.queue.jobs == []


def test_the_worker_is_asked_to_look_when_the_front_must_be_done() -> None:
    world = World()
    world.says("주문")
    assert world.queue.jobs == [("bot", "kakao", "user")]
    assert world.queue.delays[0] * 1_000 > BUDGET_MS


def test_the_worker_has_nothing_to_do_when_the_front_was_done() -> None:
    world = World()
    world.says("주문")
    world.work(6_000)
    assert len(world.log) == 2
    assert len(world.company.calls) == 1


def test_a_resend_of_a_finished_walk_gets_its_reply() -> None:
    world = World()
    world.says("주문", client_id="a")
    again = world.says("주문", client_id="a")
    assert again.is_resend
    assert texts(again.messages) == REPLY
    assert len(world.company.calls) == 1


def test_a_queue_that_is_down_does_not_stop_the_answer_and_is_reported() -> None:
    world = World()

    class Down(MemoryQueue):
        def send(self, *args: Any, **more: Any) -> None:
            raise Unavailable("no queue")

    world.queue = Down()
    world.front_memory = world.an_advance()
    assert texts(world.says("주문").messages) == REPLY
    assert [str(report) for report in world.reports] == ["no queue"]


def test_two_calls_of_a_walk_are_each_saved_under_a_key_of_their_own() -> None:
    call = {"uri": "https://api.example.com/{{message}}", "method": "POST"}
    nodes = [
        a_node(1, "entry", {}, 2),
        a_node(2, "fetch", call, 3),
        a_response(3, "하나 {{fetch.data}}", 4),
        a_node(4, "fetch", call, 5),
        a_response(5, "둘 {{fetch.data}}"),
    ]
    world = World(a_bot(nodes=nodes))
    assert texts(world.says("주문").messages) == ["하나 됐어요: 주문", "둘 됐어요: 주문"]
    assert len(world.log) == 3
    assert len({key for _, key in world.company.calls}) == 2
    assert sent(world.log) == ["하나 됐어요: 주문", "둘 됐어요: 주문"]


# ---- crashes


def test_a_front_that_died_after_the_call_is_taken_up_under_the_same_key() -> None:
    world = World()
    world.company.crashes = 1
    with pytest.raises(Crash):
        world.says("주문")
    world.work(10_000)
    assert len({key for _, key in world.company.calls}) == 1, "whoever asks twice asks under one key"
    assert texts(world.continues().messages) == REPLY
    assert sent(world.log) == REPLY


def test_nobody_takes_a_walk_over_while_its_owner_may_still_be_at_it() -> None:
    world = World()
    world.company.crashes = 1
    with pytest.raises(Crash):
        world.says("주문")
    jobs = len(world.queue.jobs)
    world.work(1_000)
    assert len(world.company.calls) == 1
    assert len(world.queue.jobs) == jobs + 1, "it asks to be sent again"


def test_a_front_that_was_frozen_finds_its_walk_finished_by_the_worker() -> None:
    world = World()
    company = world.company

    def freeze(effect: Effect, attempt: Attempt) -> EffectAnswer:
        world.company = company
        world.work(10_000)
        return company(effect, attempt)

    world.company = freeze  # type: ignore[assignment]
    assert world.says("주문").is_waiting
    assert sent(world.log) == REPLY
    assert len({key for _, key in company.calls}) == 1
    assert texts(world.continues().messages) == REPLY


def test_two_workers_do_not_carry_the_same_walk_on() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문")
    world.company.crashes = 1
    with pytest.raises(Crash):
        world.work()
    with pytest.raises(WalkedByOther):
        world.work()
    assert len(world.company.calls) == 1


def test_a_worker_that_died_is_followed_by_the_next_one() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문")
    world.company.crashes = 1
    with pytest.raises(Crash):
        world.work()
    world.work(120_000)
    assert len({key for _, key in world.company.calls}) == 1
    assert texts(world.continues().messages) == REPLY


def test_a_walk_that_nobody_finished_ends_as_timed_out_with_the_next_message() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문")
    world.pass_ms(GIVE_UP_MS + 1)
    world.bot = an_order_bot(method="GET")
    handled = world.says("다시")
    assert texts(handled.messages) == ["잠시만요, 주문.", "실패: TimeoutError", "잠시만요, 다시.", "됐어요: 다시"]


# ---- slow effects without a callback


def test_a_slow_effect_makes_the_end_user_wait_and_the_next_message_gets_the_result() -> None:
    world = World(an_order_bot(slow=True))
    handled = world.says("주문")
    assert handled.is_waiting
    assert world.company.calls == []
    world.work()
    assert texts(world.continues().messages) == REPLY
    assert world.newest.state.unfinished.owed == ()


def test_while_it_still_runs_the_end_user_is_told_to_wait_again() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문")
    turns = len(world.log)
    assert world.continues().is_waiting
    assert len(world.log) == turns, "asking for the result changes nothing"


def test_an_owed_reply_goes_out_once_before_the_next_answer() -> None:
    world = World(an_order_bot(slow=True))
    world.says("하나")
    world.work()
    world.bot = an_order_bot(method="GET")
    second = world.says("둘")
    assert texts(second.messages) == ["잠시만요, 하나.", "됐어요: 하나", "잠시만요, 둘.", "됐어요: 둘"]
    assert texts(world.says("셋").messages) == ["잠시만요, 셋.", "됐어요: 셋"]


def test_a_resend_of_an_answer_that_gave_an_owed_reply_gives_both_again() -> None:
    world = World(an_order_bot(slow=True))
    world.says("하나")
    world.work()
    world.bot = an_order_bot(method="GET")
    first = world.says("둘", client_id="b")
    assert texts(world.says("둘", client_id="b").messages) == texts(first.messages)


def test_a_resend_of_a_message_whose_reply_is_owed_waits_like_the_first() -> None:
    world = World(an_order_bot(slow=True))
    assert world.says("주문", client_id="a").is_waiting
    assert world.says("주문", client_id="a").is_waiting
    world.work()
    assert world.says("주문", client_id="a").is_waiting
    assert texts(world.continues().messages) == REPLY
    assert len(world.company.calls) == 1


def test_a_message_that_meets_a_walk_is_stored_and_walked_after_it() -> None:
    world = World(an_order_bot(slow=True))
    world.says("하나")
    assert world.says("둘").is_waiting
    assert world.says("셋").is_waiting
    world.work()
    world.work()
    world.work()
    handled = world.continues()
    assert texts(handled.messages) == [
        "잠시만요, 하나.",
        "됐어요: 하나",
        "잠시만요, 둘.",
        "됐어요: 둘",
        "잠시만요, 셋.",
        "됐어요: 셋",
    ]
    assert [path for path, _ in world.company.calls] == ["하나", "둘", "셋"]
    assert received(world.log) == ["하나", "둘", "셋", "계속 보기"]
    assert sent(world.log) == texts(handled.messages)


def test_what_met_a_walk_in_line_is_handed_to_the_worker() -> None:
    world = World()
    answers = world.company

    def meets(effect: Effect, attempt: Attempt) -> EffectAnswer:
        world.company = answers
        assert world.says("둘").is_waiting
        return answers(effect, attempt)

    world.company = meets  # type: ignore[assignment]
    assert texts(world.says("하나").messages) == ["잠시만요, 하나.", "됐어요: 하나"]
    world.work(10_000)
    assert texts(world.continues().messages) == ["잠시만요, 둘.", "됐어요: 둘"]


def test_a_repeatable_call_that_is_cut_off_by_the_hurry_gets_its_full_time_from_the_worker() -> None:
    world = World(an_order_bot(method="GET", timeout=8_000))
    world.company.takes_ms = 6_000
    started = world.ms
    assert world.says("주문").is_waiting
    assert world.ms - started < BUDGET_MS
    world.work()
    assert texts(world.continues().messages) == REPLY


def test_a_repeatable_call_after_one_that_is_not_gets_its_full_time_too() -> None:
    post = {"uri": "https://api.example.com/저장", "method": "POST"}
    get = {"uri": "https://api.example.com/보기", "timeout": 8_000}
    nodes = [
        a_node(1, "entry", {}, 2),
        a_node(2, "fetch", post, 3),
        a_node(3, "fetch", get, 4),
        a_response(4, "{{fetch.data}}"),
    ]
    world = World(a_bot(nodes=nodes))
    company = world.company

    def slow_to_show(effect: Effect, attempt: Attempt) -> EffectAnswer:
        company.takes_ms = 100 if attempt.idempotency_key.endswith("1.2:2") else 6_000
        return company(effect, attempt)

    world.company = slow_to_show  # type: ignore[assignment]
    assert world.says("주문").is_waiting
    world.work(10_000)
    assert texts(world.continues().messages) == ["됐어요: 보기"]
    assert [path for path, _ in company.calls] == ["저장", "보기", "보기"]


def test_a_call_that_must_not_happen_twice_is_cut_off_and_fails() -> None:
    world = World(an_order_bot(timeout=8_000))
    world.company.takes_ms = 6_000
    assert texts(world.says("주문").messages) == ["잠시만요, 주문.", "실패: TimeoutError"]
    assert len(world.company.calls) == 1


def test_who_usually_takes_long_is_not_waited_for() -> None:
    world = World()
    world.company.takes_ms = 2_000
    for number in range(5):
        assert not world.says(str(number)).is_waiting
    assert world.says("주문").is_waiting
    assert len(world.company.calls) == 5


def test_who_took_long_is_tried_again_after_a_while() -> None:
    world = World()
    world.company.takes_ms = 2_000
    for number in range(5):
        world.says(str(number))
    world.pass_ms(400_000)
    assert not world.says("주문").is_waiting


def test_who_is_cut_off_by_our_hurry_is_not_taken_for_hanging() -> None:
    world = World(an_order_bot(timeout=10_000))
    world.company.takes_ms = 6_000
    for number in range(5):
        assert texts(world.says(str(number)).messages)[-1] == "실패: TimeoutError"
    assert world.says("주문").is_waiting, "it takes its time, which the worker has"
    world.work()
    assert texts(world.continues().messages) == REPLY


def test_who_hangs_is_not_asked_after_five_time_outs() -> None:
    world = World(an_order_bot(timeout=2_000))
    world.company.takes_ms = 60_000
    for number in range(5):
        world.says(str(number))
    started = world.ms
    assert texts(world.says("주문").messages)[-1] == "실패: CircuitOpenError"
    assert world.ms == started
    assert len(world.company.calls) == 5
    world.pass_ms(31_000)
    world.says("다시")
    world.work()
    assert len(world.company.calls) == 6


def test_a_caller_that_cannot_be_told_to_wait_is_not_hurried() -> None:
    world = World(an_order_bot(slow=True))
    assert texts(world.says("주문", wait=False).messages) == REPLY


# ---- the callback


def test_the_finished_reply_is_posted_once() -> None:
    world = World(an_order_bot(slow=True))
    assert world.says("주문", callback=True).is_waiting
    world.work()
    world.work()
    ((url, body),) = world.posted
    assert url == CALLBACK
    assert "됐어요: 주문" in body.decode()
    assert world.newest.state.unfinished.owed == ()
    world.bot = an_order_bot(method="GET")
    assert texts(world.says("둘").messages) == ["잠시만요, 둘.", "됐어요: 둘"]


def test_a_refused_reply_goes_out_with_the_next_message() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문", callback=True)
    world.outcomes = ["refused"]
    world.work()
    assert texts(world.continues().messages) == REPLY
    assert len(world.posted) == 1


def test_a_reply_posted_too_early_is_posted_again() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문", callback=True)
    world.outcomes = ["too_early", "given"]
    world.work()
    assert len(world.posted) == 2
    assert world.newest.state.unfinished.owed == ()


def test_an_outcome_that_nobody_knows_counts_as_given_and_is_reported() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문", callback=True)
    world.outcomes = ["unknown"]
    world.work()
    assert world.newest.state.unfinished.owed == ()
    assert len(world.reports) == 1


def test_after_its_minute_a_reply_is_kept_for_the_next_message() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문", callback=True)
    world.work(56_000)
    assert world.posted == []
    assert world.continues().messages == [], "clocks differ: somebody might still be posting it"
    world.pass_ms(2_000)
    assert texts(world.continues().messages) == REPLY


def test_while_a_reply_is_being_posted_nobody_else_gives_it() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문", callback=True)
    meanwhile: list[Handled] = []

    def post(url: str, body: bytes, timeout_ms: int) -> PostOutcome:
        world.bot = an_order_bot(method="GET")
        meanwhile.append(world.says("둘"))
        return "given"

    world._post = post  # type: ignore[method-assign]
    world.work()
    assert texts(meanwhile[0].messages) == ["잠시만요, 둘.", "됐어요: 둘"]
    assert world.newest.state.unfinished.owed == ()


def test_a_worker_that_died_while_posting_leaves_a_reply_that_counts_as_given() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문", callback=True)

    def die(url: str, body: bytes, timeout_ms: int) -> PostOutcome:
        raise Crash

    world._post = die  # type: ignore[method-assign]
    with pytest.raises(Crash):
        world.work()
    world.pass_ms(70_000)
    world.bot = an_order_bot(method="GET")
    assert texts(world.says("둘").messages) == ["잠시만요, 둘.", "됐어요: 둘"]
    assert len(world.reports) == 1


def test_a_message_that_meets_a_walk_has_its_reply_posted_to_its_own_callback() -> None:
    world = World(an_order_bot(slow=True))
    world.says("하나", callback=True)
    world.says("둘", callback=True)
    world.work()
    world.work()
    assert ["하나" in body.decode() for _, body in world.posted] == [True, False]
    assert ["둘" in body.decode() for _, body in world.posted] == [False, True]
    assert world.newest.state.unfinished.to_json() == {}
