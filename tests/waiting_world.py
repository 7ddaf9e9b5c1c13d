"""A front, a worker and the company's system of one log, with a clock that only moves when something takes time."""

from dataclasses import dataclass, field, replace
from typing import Any

from shared.conversation.turn import Turn
from shared.conversation.unfinished import ReplyRoute
from shared.engine import Attempt, Effect, EffectAnswer, EffectFailed, HttpResponse
from shared.engine.inbound import UserMessage
from shared.ids import log_key
from shared.services.advance import Advance
from shared.services.inbound import HandleInbound
from shared.services.ports import PostOutcome
from shared.services.request import Handled, Request
from shared.services.timed_effects import TimedEffects
from shared.services.unfinished_walks import FinishWalks, WalkJob
from tests.factories import NOW_MS, a_bot, a_node, a_response, an_advance, an_id_source
from tests.fakes import MemoryClaims, MemoryQueue, MemoryTurns

MS = 1_000_000
BUDGET_MS = 4_300
JOB = WalkJob(bot_id="bot", platform="kakao", user_key="user")
LOG = log_key("kakao", "user")
CALLBACK = "https://bot-api.kakao.com/callback/1"


class Crash(BaseException):
    """The process dies here."""


def an_order_bot(**data: Any) -> Any:
    """Every message is sent to the company's system, whose answer is the bot's."""
    call = {"uri": "https://api.example.com/{{message}}", "method": "POST", **data}
    return a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_response(2, "잠시만요, {{message}}.", 3),
            a_node(3, "fetch", call, 4),
            a_response(4, "{{#if fetch.error}}실패: {{fetch.error.name}}{{else}}{{fetch.data}}{{/if}}", 5),
            a_node(5, "keyboard", {}, 2),
        ]
    )


@dataclass
class Company:
    """The company's system: every call takes `takes_ms` of the clock and is answered with its path, or times out."""

    world: "World"
    takes_ms: int = 100
    calls: list[tuple[str, str]] = field(default_factory=list)
    crashes: int = 0

    def __call__(self, effect: Effect, attempt: Attempt) -> EffectAnswer:
        path = effect.describe()["url"].rpartition("/")[2]
        self.calls.append((path, attempt.idempotency_key))
        if self.takes_ms > attempt.timeout_ms:
            self.world.pass_ms(attempt.timeout_ms)
            return EffectFailed(name="TimeoutError", message="The request took too long")
        self.world.pass_ms(self.takes_ms)
        if self.crashes:
            self.crashes -= 1
            raise Crash
        return HttpResponse(status=200, url="", content_type="text/plain", body=f"됐어요: {path}".encode())


class World:
    """Front and worker of one log, with a clock that only moves when something takes time."""

    def __init__(self, bot: Any = None, *, breaker: bool = True) -> None:
        self.bot = bot or an_order_bot()
        self.breaker = breaker
        self.ms = 0
        self.turns, self.queue, self.claims = MemoryTurns(), MemoryQueue(), MemoryClaims()
        self.company = Company(self)
        self.reports: list[Exception] = []
        self.posted: list[tuple[str, bytes]] = []
        self.outcomes: list[PostOutcome] = []
        self.new_id = an_id_source()
        self.worker_memory = self.an_advance()
        self.front_memory = self.an_advance()

    def pass_ms(self, ms: int) -> None:
        self.ms += ms

    def an_advance(self) -> Advance:
        timed = TimedEffects.of(self.ask_company, lambda: self.ms * MS)
        return an_advance(
            self.turns,
            timed=timed if self.breaker else replace(timed, breaker=None),
            queue=self.queue,
            new_id=self.new_id,
            now_ms=lambda: NOW_MS + self.ms,
            clock_ns=lambda: self.ms * MS,
            report=self.reports.append,
        )

    def ask_company(self, effect: Effect, attempt: Attempt) -> EffectAnswer:
        return self.company(effect, attempt)

    @property
    def front(self) -> HandleInbound:
        advance = self.front_memory
        return HandleInbound(
            turns=self.turns, advance=advance, claims=self.claims, now_ms=advance.now_ms, report=self.reports.append
        )

    def says(self, text: str, *, callback: bool = False, client_id: str | None = None, wait: bool = True) -> Handled:
        """The end user says something on a channel whose caller hangs up."""
        until_ms = NOW_MS + self.ms + 55_000
        route = ReplyRoute(callback_url=CALLBACK, until_ms=until_ms) if callback else ReplyRoute()
        return self.front(
            Request(
                bot=self.bot,
                platform="kakao",
                user_key="user",
                inbound=UserMessage(data={"type": "text", "text": text}),
                client_id=client_id,
                route=route if wait else None,
                deadline_ns=(self.ms + BUDGET_MS) * MS,
            )
        )

    def continues(self, client_id: str | None = None) -> Handled:
        """The end user taps "계속 보기"."""
        return self.front(
            Request(
                bot=self.bot,
                platform="kakao",
                user_key="user",
                inbound=None,
                said_aside={"type": "text", "text": "계속 보기"},
                client_id=client_id,
                route=ReplyRoute(),
                deadline_ns=(self.ms + BUDGET_MS) * MS,
            )
        )

    def work(self, takes_ms: int = 1_000) -> None:
        """The queue gives the worker a job."""
        self.pass_ms(takes_ms)
        FinishWalks(
            published=OneRecord(),  # type: ignore[arg-type]
            runnable=OneRunnable(self.bot),  # type: ignore[arg-type]
            turns=self.turns,
            advance=self.worker_memory,
            claims=self.claims,
            post=self._post,
            now_ms=lambda: NOW_MS + self.ms,
            clock_ns=lambda: self.ms * MS,
            sleep=lambda seconds: self.pass_ms(int(seconds * 1_000)),
            report=self.reports.append,
        )(JOB, (self.ms + 60_000) * MS)

    def _post(self, url: str, body: bytes, timeout_ms: int) -> PostOutcome:
        self.posted.append((url, body))
        return self.outcomes.pop(0) if self.outcomes else "given"

    @property
    def log(self) -> list[Turn]:
        return self.turns.log("bot", LOG)

    @property
    def newest(self) -> Turn:
        return self.log[-1]


class OneRecord:
    def get(self, bot_id: str, deadline_ns: int) -> Any:
        return self

    published = "the only version"
    line: str | None = None

    def brand_line(self, bot_id: str, month: int) -> str | None:
        return self.line


class OneRunnable:
    def __init__(self, bot: Any) -> None:
        self.bot = bot

    def load(self, record: Any, version: Any, deadline_ns: int) -> Any:
        return self.bot
