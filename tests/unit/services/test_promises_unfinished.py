"""No conversation hangs and no reply is lost or given twice, whatever becomes of a walk that waits for the world."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.conversation.turn import Turn, TurnTooLarge
from shared.engine import Attempt, Effect, EffectAnswer, StepResult
from shared.errors import Conflict, Unavailable
from shared.services import walks
from shared.services.advance import MAX_WAITING
from shared.services.ports import PostOutcome
from shared.services.timed_effects import CircuitBreaker
from tests.factories import a_bot, a_node, a_response
from tests.fakes import MemoryQueue, MemoryTurns
from tests.waiting_world import BUDGET_MS, CALLBACK, Crash, World, an_order_bot

ERROR = "요청을 처리하는 중에 오류가 발생했습니다. 잠시 후 다시 시도해 주세요."


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["data"]["text"] for message in messages]


def reply_to(word: str) -> list[str]:
    return [f"잠시만요, {word}.", f"됐어요: {word}"]


def work_it_off(world: World) -> None:
    """The queue gives jobs until nothing is to be walked any more."""
    for _ in range(30):
        if not world.newest.state.unfinished.is_walking:
            return
        world.work(70_000)
    pytest.fail("the conversation hangs")


# ---- faults of ours that come again and again


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Makes a part of the engine fail whenever this word was said."""

    def poison(part: str, word: str) -> None:
        healthy = getattr(walks, part)

        def fail(bot: Any, session: Any, event: Any, around: Any) -> StepResult:
            said = getattr(event, "data", None) or (session and session.message) or {}
            if said.get("text") == word:
                raise RecursionError(word)
            result: StepResult = healthy(bot, session, event, around)
            return result

        monkeypatch.setattr(walks, part, fail)

    return poison


def test_a_walk_whose_end_always_fails_ends_with_an_apology(poisoned: Callable[[str, str], None]) -> None:
    world = World(an_order_bot(slow=True))
    poisoned("resume", "독")
    world.says("독")
    world.says("둘")
    work_it_off(world)
    assert texts(world.continues().messages) == ["잠시만요, 독.", ERROR, *reply_to("둘")]
    assert [str(report) for report in world.reports] == ["독"]
    assert len([word for word, _ in world.company.calls if word == "독"]) == 1


def test_a_walk_in_line_whose_end_fails_ends_with_an_apology(poisoned: Callable[[str, str], None]) -> None:
    world = World()
    poisoned("resume", "독")
    assert texts(world.says("독").messages) == ["잠시만요, 독.", ERROR]
    assert texts(world.says("둘").messages) == reply_to("둘")


def test_a_message_that_waited_and_always_fails_gets_an_apology(poisoned: Callable[[str, str], None]) -> None:
    world = World(an_order_bot(slow=True))
    poisoned("step", "독")
    for word in ("하나", "독", "셋"):
        world.says(word)
    work_it_off(world)
    assert texts(world.continues().messages) == [*reply_to("하나"), ERROR, *reply_to("셋")]


def test_a_message_that_fails_is_stored_with_its_apology(poisoned: Callable[[str, str], None]) -> None:
    world = World()
    poisoned("step", "독")
    assert texts(world.says("독", client_id="a").messages) == [ERROR]
    assert texts(world.says("독", client_id="a").messages) == [ERROR]
    assert len(world.log) == 1


def test_a_reply_that_cannot_be_paginated_does_not_keep_its_walk_from_ending() -> None:
    world = World(an_order_bot(slow=True))

    def fail(*_: Any) -> int | None:
        raise ValueError("no such bubble")

    world.worker_memory = replace(world.worker_memory, paginate=fail)
    world.says("하나", callback=True)
    world.work()
    assert len(world.posted) == 1
    assert world.newest.state.unfinished.to_json() == {}


def test_an_effect_that_cannot_be_read_any_more_ends_its_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(an_order_bot(slow=True))
    world.says("하나")

    def fail(*_: Any) -> Effect:
        raise TypeError("unexpected keyword")

    monkeypatch.setattr("shared.services.advance.effect_from_json", fail)
    work_it_off(world)
    assert texts(world.continues().messages) == ["잠시만요, 하나.", ERROR]


@pytest.mark.parametrize("data", [{"method": "POST"}, {"method": "GET"}], ids=["post", "get"])
def test_a_service_of_ours_that_stays_away_is_given_up_after_five_minutes(data: dict[str, Any]) -> None:
    world = World(an_order_bot(slow=True))
    world.says("하나")
    world.bot = an_order_bot(**data)
    world.says("둘")

    def stay_away(effect: Effect, attempt: Attempt) -> EffectAnswer:
        raise Unavailable("no script function")

    world.company = stay_away  # type: ignore[assignment]
    tries = 0
    while world.newest.state.unfinished.is_walking:
        try:
            world.work(120_000)
        except Unavailable:
            tries += 1
    assert tries >= 2, "it might have come back"
    assert texts(world.continues().messages) == [
        "잠시만요, 하나.",
        ERROR,
        *(["잠시만요, 둘."] * ("POST" in data.values())),
        ERROR,
    ]


# ---- replies


def test_a_reply_that_another_worker_is_posting_is_kept_when_kakao_refuses_it() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문", callback=True)
    posted: list[str] = []

    def post(url: str, body: bytes, timeout_ms: int) -> PostOutcome:
        posted.append(url)
        world.work(0)
        return "refused"

    world._post = post  # type: ignore[method-assign]
    world.work()
    assert posted == [CALLBACK]
    assert texts(world.continues().messages) == reply_to("주문")


def test_a_reply_that_could_not_be_read_is_posted_by_the_next_job() -> None:
    world = World(an_order_bot(slow=True))
    world.says("주문", callback=True)
    healthy = world.worker_memory

    class Down(MemoryTurns):
        def get(self, *_: Any) -> Turn | None:
            raise Unavailable("no log")

    world.worker_memory = replace(healthy, turns=Down())
    with pytest.raises(Unavailable):
        world.work()
    world.worker_memory = healthy
    world.work()
    assert len(world.posted) == 1
    assert world.reports == []


def refuse(world: World, is_too_large: Callable[[Turn], bool]) -> None:
    def look(turn: Turn) -> None:
        if is_too_large(turn):
            raise TurnTooLarge("too large")

    world.turns.before_append = look


def waits_for_large(turn: Turn) -> bool:
    pending = turn.state.unfinished.pending
    return pending is not None and "큰" in str(pending.messages)


def test_what_was_owed_goes_out_once_with_an_apology_for_an_effect_that_does_not_fit() -> None:
    world = World(an_order_bot(slow=True))
    world.says("하나")
    world.work()
    refuse(world, waits_for_large)
    assert texts(world.says("큰").messages) == [*reply_to("하나"), ERROR]
    assert world.newest.state.unfinished.to_json() == {}
    assert world.company.calls[1:] == []


@pytest.mark.parametrize("callback", [False, True])
def test_a_message_that_waited_and_whose_effect_does_not_fit_gets_an_apology(callback: bool) -> None:
    world = World(an_order_bot(slow=True))
    world.says("하나", callback=callback)
    world.says("큰", callback=callback)
    refuse(world, waits_for_large)
    work_it_off(world)
    world.pass_ms(70_000)
    shown = "".join([*texts(world.continues().messages), *[body.decode() for _, body in world.posted]])
    assert shown.count(ERROR) == 1
    assert shown.count("됐어요: 하나") == 1


def test_a_message_too_large_to_wait_is_refused_and_harms_no_walk() -> None:
    world = World(an_order_bot(slow=True))
    world.says("하나")
    refuse(world, lambda turn: "큰" in str(turn.state.unfinished.held))
    with pytest.raises(Conflict):
        world.says("큰")
    world.says("둘")
    work_it_off(world)
    assert texts(world.continues().messages) == [*reply_to("하나"), *reply_to("둘")]


def test_messages_that_wait_are_bounded_and_all_answered_once() -> None:
    world = World(an_order_bot(slow=True))
    refused = 0
    for number in range(MAX_WAITING + 20):
        try:
            world.says(str(number))
        except Conflict:
            refused += 1
    assert refused == 19, "one is walked, as many wait as may"
    reads: list[int] = []
    read = world.turns.get

    def count(bot: str, log: str, revision: int, deadline_ns: int | None = None) -> Turn | None:
        reads.append(revision)
        return read(bot, log, revision, deadline_ns)

    world.turns.get = count  # type: ignore[assignment, method-assign]
    work_it_off(world)
    shown = texts(world.continues().messages)
    assert shown == [text for number in range(MAX_WAITING + 1) for text in reply_to(str(number))]
    assert len(reads) < 20 * MAX_WAITING, "what is owed is read when it is given, not with every reply"


def test_a_resend_gets_its_own_reply_also_when_messages_waited_behind_it() -> None:
    world = World(an_order_bot(slow=True))
    for word in ("하나", "둘", "셋"):
        world.says(word, client_id=word)
    work_it_off(world)
    world.continues()
    for word in ("하나", "둘", "셋"):
        again = world.says(word, client_id=word)
        assert again.is_resend
        assert texts(again.messages) == reply_to(word)


# ---- who works on a walk, and when


def a_bot_that_asks_and_orders() -> Any:
    ask = {"uri": "https://api.example.com/ask"}
    order = {"uri": "https://api.example.com/order", "method": "POST"}
    return a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "fetch", ask, 3),
            a_node(3, "fetch", order, 4),
            a_response(4, "{{fetch.data}}", 5),
            a_node(5, "keyboard", {}, 2),
        ]
    )


def test_a_walk_that_was_saved_late_is_its_owners_as_long() -> None:
    world = World(a_bot_that_asks_and_orders())
    company = world.company

    def answer(effect: Effect, attempt: Attempt) -> EffectAnswer:
        if effect.describe()["url"].endswith("/order"):
            world.pass_ms(1_000)
            world.work(0)  # a job that somebody else left
        else:
            world.pass_ms(2_200)
        return company(effect, attempt)

    world.company = answer  # type: ignore[assignment]
    assert texts(world.says("주문").messages) == ["됐어요: order"]
    assert [path for path, _ in company.calls] == ["ask", "order"]


def test_nobody_takes_over_before_clocks_that_differ_agree_that_the_owner_is_done() -> None:
    world = World()
    world.company.crashes = 1
    with pytest.raises(Crash):
        world.says("주문")
    world.ms = BUDGET_MS + 1_000
    world.work(0)
    assert len(world.company.calls) == 1
    world.pass_ms(world.queue.delays[-1] * 1_000)
    world.work(0)
    assert len(world.company.calls) == 2


def test_an_effect_is_not_started_when_saving_its_walk_took_all_the_time() -> None:
    world = World()

    def take_long(turn: Turn) -> None:
        world.turns.before_append = lambda turn: None
        world.pass_ms(3_700)

    world.turns.before_append = take_long
    assert world.says("주문").is_waiting
    assert world.company.calls == []
    world.work(10_000)
    assert texts(world.continues().messages) == reply_to("주문")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_whoever_waited_longest_still_gets_the_full_time_of_an_effect(method: str) -> None:
    world = World(an_order_bot(slow=True, method=method, timeout=30_000), breaker=False)
    world.company.takes_ms = 25_000
    words = ["하나", "둘", "셋", "넷"]
    for word in words:
        world.says(word)
    work_it_off(world)
    assert texts(world.continues().messages) == [text for word in words for text in reply_to(word)]
    assert len(world.company.calls) == len(words)


def test_a_worker_that_cannot_ask_for_another_job_keeps_its_own() -> None:
    world = World()
    world.company.crashes = 1
    with pytest.raises(Crash):
        world.says("주문")

    class Down(MemoryQueue):
        def send(self, *args: Any, **more: Any) -> None:
            raise Unavailable("no queue")

    queue, world.queue = world.queue, Down()
    world.worker_memory = world.an_advance()
    with pytest.raises(Unavailable):
        world.work(1_000)
    world.queue = queue
    world.worker_memory = world.an_advance()
    world.work(10_000)
    assert texts(world.continues().messages) == reply_to("주문")


def test_silence_is_measured_to_when_a_message_was_said_not_to_when_it_was_walked() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "fetch", {"uri": "https://api.example.com/{{message}}", "method": "POST", "slow": True}, 3),
            a_response(3, "{{conversationId}}", 4),
            a_node(4, "keyboard", {}, 2),
        ],
        sessionBehavior={"sessionTimeoutMinutes": 1},
    )
    world = World(bot)
    world.says("하나")
    world.pass_ms(50_000)
    world.says("둘")
    world.work(120_000)
    first, second = texts(world.continues().messages)
    assert first == second


def test_the_circuit_of_one_bot_is_not_that_of_another() -> None:
    breaker = CircuitBreaker(lambda: 0)
    for _ in range(5):
        breaker.note(("one", "script"), timed_out=True)
    assert breaker.is_open(("one", "script"))
    assert not breaker.is_open(("another", "script"))
