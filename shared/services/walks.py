"""Walks with their effects: how far one goes before it has to be saved, or has to wait.

An effect that may be repeated and fits the time left is carried out in line. Any other one is only asked for: the
caller saves the walk first, so that whoever carries it out does so under a key that a crash does not change.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from shared.engine import Attempt, EffectAnswer, EffectFailed, Session, StepResult, Surroundings, resume, step
from shared.engine.effects import TIMEOUT, Effect
from shared.engine.nodes import sandbox
from shared.services.request import Request
from shared.services.timed_effects import NANOSECONDS, Place, TimedEffects

RESERVE_MS: Final = 450
"""Kept for writing turns and answering."""
LEAST_MS: Final = 300
"""With less time than this an effect is not started: it could not be finished."""
SLOW_MS: Final = 1_500
"""Whoever usually takes longer is not waited for on a channel whose caller hangs up (docs/kakao.md)."""


def idempotency_key(log: str, revision: int, place: Place, visit: int) -> str:
    """The name of an effect: the same whoever carries it out, and however often."""
    _, flow_id, node_id = place
    return f"{log}:{revision}:{flow_id}.{node_id}:{visit}"


@dataclass(slots=True)
class RememberedAnswers:
    """Answers of one invocation: a walk that runs again after a lost race does not call anybody twice."""

    _answers: list[tuple[Effect, EffectAnswer]] = field(default_factory=list)
    _used: int = 0

    def start_over(self) -> None:
        self._used = 0

    def find(self, effect: Effect) -> EffectAnswer | None:
        for index in range(self._used, len(self._answers)):
            if self._answers[index][0] == effect:
                self._used = index + 1
                return self._answers[index][1]
        return None

    def add(self, effect: Effect, answer: EffectAnswer) -> None:
        self._answers.append((effect, answer))
        self._used = len(self._answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walks:
    """The engine with effects, time and chance."""

    effects: TimedEffects
    now_ms: Callable[[], int]
    clock_ns: Callable[[], int]
    random: Callable[[], float]
    new_id: Callable[[], str]

    def begin(
        self, request: Request, session: Session | None, now_ms: int, revision: int, remembered: RememberedAnswers
    ) -> StepResult:
        """A step, on until it is done or asks for an effect that is not for now or not without being saved."""
        assert request.inbound is not None  # noqa: S101 - the caller has checked it
        around = self._surroundings(request, now_ms)
        result = step(request.bot, session, request.inbound, around)
        return self._in_line(request, result, around, revision, remembered)

    def resume(
        self, request: Request, session: Session, answer: EffectAnswer, now_ms: int, took_ns: int = 0
    ) -> StepResult:
        """Go on with a saved walk, up to its end or its next effect, which is for the caller to save."""
        result = resume(request.bot, session, answer, self._surroundings(request, now_ms))
        result.trace[0].nanoseconds += took_ns
        return result

    def carry_out(self, request: Request, effect: Effect, place: Place, key: str) -> EffectAnswer:
        """One attempt, cut to the time that is left."""
        timeout_ms = int(max(1, min(effect.timeout_ms, self.milliseconds_left(request) - RESERVE_MS)))
        attempt = Attempt(bot_id=request.bot.id, idempotency_key=key, timeout_ms=timeout_ms)
        return self.effects(effect, attempt, place)

    def is_for_now(self, request: Request, effect: Effect, place: Place) -> bool:
        """Whether to start it: it is expected to be done in the time that its caller waits."""
        if request.from_outside:
            return False
        if self.effects.is_refused(effect, place):
            return True
        if request.nobody_waits:
            return self.has_time(request, effect.timeout_ms)
        usual_ms = self.effects.pace.p95_ms(place)
        if request.can_be_told_to_wait and (effect.slow or (usual_ms or 0) > SLOW_MS):
            return False
        return self.has_time(request, min(usual_ms or 0, effect.timeout_ms))

    def has_time(self, request: Request, expected_ms: float = 0) -> bool:
        """Whether something that takes so long can be finished."""
        return self.milliseconds_left(request) - RESERVE_MS >= max(LEAST_MS, expected_ms)

    def milliseconds_left(self, request: Request) -> float:
        if request.deadline_ns is None:
            return float("inf")
        return (request.deadline_ns - self.clock_ns()) / NANOSECONDS

    def _in_line(
        self, request: Request, result: StepResult, around: Surroundings, revision: int, remembered: RememberedAnswers
    ) -> StepResult:
        while result.effect is not None and result.session is not None and result.effect.repeatable:
            effect, place = result.effect, place_of(request, result.session)
            answer = remembered.find(effect)
            if answer is None:
                if not self.is_for_now(request, effect, place):
                    break
                started = self.clock_ns()
                key = idempotency_key(request.log, revision, place, visit_of(result.session))
                answer = self.carry_out(request, effect, place, key)
                took_ns = self.clock_ns() - started
                if self.deserves_more_time(request, effect, answer, took_ns):
                    break
                remembered.add(effect, answer)
            else:
                took_ns = 0
            result = joined(result, resume(request.bot, result.session, answer, around), took_ns)
        return result

    def deserves_more_time(self, request: Request, effect: Effect, answer: EffectAnswer, took_ns: int) -> bool:
        """Cut off by the caller's hurry, not by its own time-out; may be repeated, and the caller told to wait."""
        timed_out = isinstance(answer, EffectFailed) and answer.name == TIMEOUT
        was_cut_off = took_ns / NANOSECONDS < effect.timeout_ms
        return effect.repeatable and timed_out and was_cut_off and request.can_be_told_to_wait

    def _surroundings(self, request: Request, now_ms: int) -> Surroundings:
        return Surroundings(
            platform=request.platform,
            user_key=request.user_key,
            end_user_id=request.end_user_id,
            new_conversation_id=self.new_id(),
            now_ms=now_ms,
            random=self.random,
            clock_ns=self.clock_ns,
            deadline_ns=request.deadline_ns,
            params=request.params,
        )


def place_of(request: Request, session: Session) -> Place:
    """Where a suspended walk waits."""
    flow_id, node_id = session.position or (0, 0)
    return request.bot.id, flow_id, node_id


def visit_of(session: Session) -> int:
    """Which of the walk's nodes it is: a node may be visited twice."""
    visit: int = (session.progress or {}).get("executed", 0)
    return visit


def script_of(request: Request, session: Session) -> str:
    """The script of the node that a suspended walk waits at; it is kept in the bot's version alone."""
    node = None if session.position is None else request.bot.node(*session.position)
    return "" if node is None else sandbox.script_of(node)


def joined(result: StepResult, more: StepResult, took_ns: int = 0) -> StepResult:
    """A walk and its continuation as one; the effect between them took `took_ns`."""
    more.trace[0].nanoseconds += took_ns
    return replace(
        more,
        messages=result.messages + more.messages,
        facts=result.facts + more.facts,
        trace=result.trace + more.trace,
    )
