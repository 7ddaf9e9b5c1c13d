"""Kakao's 5 seconds are kept whatever the companies' systems do, and everybody still gets one final reply.

10,000 turns run on a scaled clock: the sockets are real and hang for a thousandth of what the clock is told, so that
minutes of waiting take seconds. 100 turns run in real time, through the handler of the skill URL.
"""

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from functions.effect_worker import app as effect_worker
from shared.engine import Attempt, Effect, EffectAnswer, EffectFailed
from shared.engine.effects import TIMEOUT
from shared.net.effects import EffectRunner
from shared.net.guarded_client import GuardedClient
from shared.runtime import wiring
from shared.services.authoring import Authoring
from tests.factories import a_node, a_response
from tests.fakes import MemoryClaims, MemoryQueue, MemoryTurns
from tests.integration.phones import Caller, a_caller, texts
from tests.loopback_server import LoopbackServer
from tests.waiting_world import World, an_order_bot

KAKAO_MS = 4_500
"""No answer may be later; Kakao hangs up after 5,000."""
SCALE = 1_000
WORLDS = 100
MESSAGES = 100
REAL_TURNS = 100
PHONES = 25
WAITING = "답변을 준비하고 있습니다. 잠시만 기다려 주세요."
KINDS: tuple[dict[str, Any], ...] = (
    {"method": "POST"},
    {"method": "GET"},
    {"method": "POST", "timeout": 8_000},
    {"method": "GET", "timeout": 1_000},
    {"method": "POST", "slow": True},
)


@pytest.fixture(scope="module")
def hanging() -> Iterator[LoopbackServer]:
    """Accepts, reads the request and says nothing."""
    with LoopbackServer(lambda connection, _request: connection.hang()) as server:
        yield server


class HangingWorld(World):
    """The company's system is a real socket that hangs; the clock passes what the attempt allowed."""

    def __init__(self, server: LoopbackServer, *, breaker: bool, **data: Any) -> None:
        super().__init__(an_order_bot(uri=f"http://127.0.0.1:{server.port}/order", **data), breaker=breaker)
        self.attempts = 0
        self.runner = EffectRunner(GuardedClient(local_targets=frozenset({("127.0.0.1", server.port)})))

    def ask_company(self, effect: Effect, attempt: Attempt) -> EffectAnswer:
        self.attempts += 1
        answer = self.runner(effect, replace(attempt, timeout_ms=max(1, attempt.timeout_ms // SCALE)))
        assert isinstance(answer, EffectFailed)
        assert answer.name == TIMEOUT
        self.pass_ms(attempt.timeout_ms)
        return answer


def one_world(server: LoopbackServer, seed: int) -> tuple[int, int]:
    """Messages of one person, one after another; returns the slowest answer in ms and the number of attempts."""
    chance = random.Random(seed)
    world = HangingWorld(server, breaker=seed % 2 == 0, **KINDS[seed % len(KINDS)])
    slowest = 0
    shown: list[str] = []
    for number in range(MESSAGES):
        started = world.ms
        handled = world.says(f"말{number}", callback=chance.random() < 0.5)
        slowest = max(slowest, world.ms - started)
        shown += [message["data"]["text"] for message in handled.messages]
        world.pass_ms(chance.choice((500, 5_000, 20_000)))
        while world.queue.jobs and chance.random() < 0.7:
            world.queue.jobs.pop()
            world.work(1_000)
    while world.newest.state.unfinished.is_walking:
        world.work(70_000)
    world.pass_ms(70_000)
    shown += [message["data"]["text"] for message in world.continues().messages]
    posted = "".join(body.decode() for _, body in world.posted)
    for number in range(MESSAGES):
        greeting = f"잠시만요, 말{number}."
        assert shown.count(greeting) + posted.count(greeting) == 1, f"{greeting} once, in world {seed}"
    replies = [message["data"]["text"] for turn in world.log for message in turn.messages]
    assert sum(text.startswith("실패") for text in replies) == MESSAGES, "each ended with its final word"
    return slowest, world.attempts


def test_ten_thousand_turns_against_a_hanging_target_are_answered_in_time_and_once(hanging: LoopbackServer) -> None:
    with ThreadPoolExecutor(8) as threads:
        worlds = list(threads.map(lambda seed: one_world(hanging, seed), range(WORLDS)))
    slowest, attempts = max(took for took, _ in worlds), sum(made for _, made in worlds)
    print(f"\n{WORLDS * MESSAGES} turns, {attempts} calls, slowest answer {slowest} ms of the scaled clock")
    assert slowest <= KAKAO_MS


@pytest.fixture
def skill(authoring: Authoring, monkeypatch: pytest.MonkeyPatch, hanging: LoopbackServer) -> Iterator[list[Caller]]:
    """Phones in the chats of bots whose systems hang; the log costs no time, the breaker is off for half of them."""
    turns, queue, claims = MemoryTurns(), MemoryQueue(), MemoryClaims()
    monkeypatch.setattr(wiring, "turns", lambda: turns)
    monkeypatch.setattr(wiring, "claims", lambda: claims)
    monkeypatch.setattr(wiring, "SqsWorkQueue", lambda url: queue)
    wiring.reach_local_targets(frozenset({("127.0.0.1", hanging.port)}))
    bots = [a_caller(authoring, a_document(hanging.port, data)) for data in KINDS]
    phones = [replace(bots[number % len(bots)], user_key=f"phone-{number}") for number in range(PHONES)]
    for bot in bots:
        record = wiring.published_bots().get(bot.bot_id)
        assert record is not None
        assert record.published is not None
        wiring.runnable_bots().load(record, record.published)
    yield phones
    monkeypatch.undo()
    wiring.reach_local_targets(frozenset())


def a_document(port: int, data: dict[str, Any]) -> dict[str, Any]:
    nodes = [
        a_node(1, "entry", {}, 2),
        a_node(2, "fetch", {"uri": f"http://127.0.0.1:{port}/order", **data}, 3),
        a_response(3, "{{message}}: {{fetch.error.name}}", 4),
        a_node(4, "keyboard", {}, 2),
    ]
    return {"title": "봇", "flows": [{"id": 1, "nodes": nodes}], "preference": {"entryFlowId": 1}}


def test_a_hundred_turns_in_real_time_are_answered_in_time_and_once(skill: list[Caller]) -> None:
    def talk(phone: Caller) -> tuple[float, list[str]]:
        slowest, shown = 0.0, []
        for number in range(REAL_TURNS // PHONES):
            started = monotonic()
            shown += texts(phone.call(f"말{number}"))
            slowest = max(slowest, monotonic() - started)
        return slowest, shown

    with ThreadPoolExecutor(PHONES) as threads:
        talks = list(threads.map(talk, skill))
    slowest_ms = 1_000 * max(slowest for slowest, _ in talks)
    print(f"\n{REAL_TURNS} turns in real time, slowest answer {slowest_ms:.0f} ms")
    assert slowest_ms <= KAKAO_MS
    for phone, (_, shown) in zip(skill, talks, strict=True):
        job = json.dumps({"botId": phone.bot_id, "platform": "kakao", "userKey": phone.user_key})
        for _ in range(REAL_TURNS // PHONES):
            effect_worker.handler({"Records": [{"messageId": "1", "body": job}]}, None)
        said = "\n".join([text for text in [*shown, *texts(phone.call("계속 보기"))] if text != WAITING])
        for number in range(REAL_TURNS // PHONES):
            assert said.count(f"말{number}: ") == 1, f"one final reply each: {said}"
