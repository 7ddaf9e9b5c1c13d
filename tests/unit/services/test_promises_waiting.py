"""Nothing lost, nothing doubled while walks wait for the world: a seeded storm of slow and failing calls, crashes of
front and worker, jobs that come twice, messages that meet walks, and callbacks that refuse."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.conversation.turn import Turn
from shared.engine import Attempt, Effect, EffectAnswer
from shared.errors import MalgilError
from shared.services.inbound import ReplyUnknown
from shared.services.ports import PostOutcome
from shared.services.request import Handled
from tests.fakes import MemoryTurns
from tests.waiting_world import Crash, World, an_order_bot

MESSAGES = 40
SEEDS = range(8)


class CrashingTurns(MemoryTurns):
    """A log whose writer may die before or after a turn is there."""

    def __init__(self, may_crash: Callable[[], None]) -> None:
        super().__init__()
        self.may_crash = may_crash

    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        self.may_crash()
        super().append(turn, previous, deadline_ns)
        self.may_crash()


class StormyWorld(World):
    """Calls and turns crash as chance has it."""

    def __init__(self, bot: Any, chance: random.Random) -> None:
        super().__init__(bot)
        self.chance = chance
        self.calm = False
        self.turns = CrashingTurns(self.may_crash)
        self.worker_memory, self.front_memory = self.an_advance(), self.an_advance()
        self.others: list[Callable[[], None]] = []
        self.posted_texts: set[str] = set()

    def ask_company(self, effect: Effect, attempt: Attempt) -> EffectAnswer:
        self.let_others_act()
        self.company.takes_ms = self.chance.choice((50, 50, 900, 2_000, 20_000))
        self.company.crashes = 0 if self.calm else int(self.chance.random() < 0.1)
        return super().ask_company(effect, attempt)

    def let_others_act(self) -> None:
        """Whatever happens in other processes while this one waits; their time is not ours."""
        others, self.others, ms = self.others, [], self.ms
        for other in others:
            if self.chance.random() < 0.3:
                other()
            self.ms = ms
        self.others = others

    def may_crash(self) -> None:
        if not self.calm and self.chance.random() < 0.05:
            raise Crash

    def _post(self, url: str, body: bytes, timeout_ms: int) -> PostOutcome:
        self.let_others_act()
        outcome = self.chance.choice(("given", "given", "refused", "too_early", "unknown", "crash"))
        if outcome in ("given", "unknown", "crash"):
            self.posted_texts |= {text for text in self.replies if text in body.decode()}
        if outcome == "crash":
            if self.calm:
                return "given"
            raise Crash
        return outcome  # type: ignore[return-value]

    @property
    def of_unknown_fate(self) -> set[str]:
        """Replies whose posting was reported as unknown: they count as given."""
        revisions = {report.details["revision"] for report in self.reports if isinstance(report, ReplyUnknown)}
        given = {number for turn in self.log if turn.revision in revisions for number in (*turn.gives, turn.revision)}
        return {message["data"]["text"] for turn in self.log if turn.revision in given for message in turn.messages}

    @property
    def replies(self) -> set[str]:
        return {message["data"]["text"] for turn in self.log for message in turn.messages}


@dataclass
class Phone:
    """Says numbered words until each is answered or it is told to wait, and remembers what it was shown, and when."""

    world: StormyWorld
    shown: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    taps: int = 0

    def say(self, word: str, *, callback: bool) -> None:
        for _ in range(50):
            try:
                self.take(word, self.world.says(word, callback=callback, client_id=word))
            except (Crash, MalgilError):
                continue
            return
        pytest.fail(f"{word} was never answered")

    def ask_for_the_rest(self) -> None:
        self.taps += 1
        for _ in range(50):
            try:
                handled = self.world.continues(client_id=f"tap {self.taps}")
            except (Crash, MalgilError):
                continue
            self.take(None, handled)
            return
        pytest.fail("a tap was never answered")

    def take(self, word: str | None, handled: Handled) -> None:
        if word is not None and word in self.answered:
            return
        if word is not None and not handled.is_waiting:
            self.answered.add(word)
        self.shown += [message["data"]["text"] for message in handled.messages]


def work(world: StormyWorld, takes_ms: int) -> None:
    try:
        world.work(takes_ms)
    except (Crash, MalgilError):
        return  # the queue gives the job again


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("data", [{}, {"slow": True}, {"method": "GET", "timeout": 8_000}], ids=["post", "slow", "get"])
def test_a_storm_loses_and_doubles_no_message_no_reply_and_no_call(seed: int, data: dict[str, Any]) -> None:
    chance = random.Random(seed)
    world = StormyWorld(an_order_bot(**data), chance)
    phone = Phone(world)
    words = [f"말{number:03d}" for number in range(MESSAGES)]

    waiting = list(words)

    def say_the_next() -> None:
        if waiting:
            phone.say(waiting.pop(0), callback=chance.random() < 0.4)

    world.others = [say_the_next, lambda: work(world, 0), lambda: work(world, 3_000), phone.ask_for_the_rest]
    while waiting:
        say_the_next()
        for _ in range(chance.choice((0, 0, 1, 2))):
            work(world, chance.choice((100, 1_000, 6_000, 70_000)))
        if chance.random() < 0.2:
            phone.ask_for_the_rest()
    world.calm = True
    for _ in range(2 * MESSAGES):
        work(world, 70_000)
    phone.ask_for_the_rest()

    log = world.log
    heard = [turn.inbound["data"]["text"] for turn in log if turn.inbound is not None]
    assert sorted(word for word in heard if word != "계속 보기") == words
    replies = [message["data"]["text"] for turn in log for message in turn.messages]
    begun = [text for text in replies if text.startswith("잠시만요")]
    in_order = [f"잠시만요, {word}." for word in heard if word != "계속 보기"]
    assert begun == in_order, "each answered once, in the order in which they were heard"
    assert len(replies) == 2 * len(words)
    assert world.newest.state.unfinished.to_json() == {}
    keys: dict[str, set[str]] = {}
    for word, key in world.company.calls:
        keys.setdefault(word, set()).add(key)
    if data.get("method") != "GET":
        assert all(len(of_word) == 1 for of_word in keys.values()), "whoever asks again asks under the same key"
    for word in words:
        text = f"잠시만요, {word}."
        count = phone.shown.count(text) + (text in world.posted_texts)
        assert count == 1 or (count == 0 and text in world.of_unknown_fate), f"{word} was shown {count} times"
