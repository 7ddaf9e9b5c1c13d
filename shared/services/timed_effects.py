"""Carries effects out, and remembers how long they took and who hangs. The memory is this process's own."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from shared.engine.effects import TIMEOUT, Attempt, Effect, EffectAnswer, EffectFailed
from shared.services.ports import Effects

NANOSECONDS: Final = 1_000_000
"""Nanoseconds in a millisecond."""

Place = tuple[str, int, int]
"""(bot id, flow id, node id)"""
Target = tuple[str, str]
"""(bot id, whom its effects depend on)"""


@dataclass(slots=True)
class Pace:
    """How long each node's effect usually takes: the 95th percentile of its last runs, once there are a few. Old runs
    are forgotten, so that a system that has recovered is tried again."""

    clock_ns: Callable[[], int]
    runs: int = 20
    least_runs: int = 5
    forget_after_ms: int = 300_000
    max_places: int = 10_000
    _kept: dict[Place, deque[tuple[int, float]]] = field(default_factory=dict)

    def note(self, place: Place, took_ms: float) -> None:
        if place not in self._kept and len(self._kept) >= self.max_places:
            self._kept.clear()
        self._kept.setdefault(place, deque(maxlen=self.runs)).append((self.clock_ns(), took_ms))

    def p95_ms(self, place: Place) -> float | None:
        """None while too little is known."""
        oldest = self.clock_ns() - self.forget_after_ms * NANOSECONDS
        took = sorted(ms for at, ms in self._kept.get(place, ()) if at >= oldest)
        return took[ceil(0.95 * len(took)) - 1] if len(took) >= self.least_runs else None


@dataclass(slots=True)
class CircuitBreaker:
    """After a few time-outs in a row a target is not asked for a while: whoever hangs must not hold up everybody."""

    clock_ns: Callable[[], int]
    timeouts: int = 5
    open_ms: int = 30_000
    max_targets: int = 10_000
    _kept: dict[Target, tuple[int, int]] = field(default_factory=dict)

    def is_open(self, target: Target) -> bool:
        count, last_ns = self._kept.get(target, (0, 0))
        return count >= self.timeouts and self.clock_ns() - last_ns < self.open_ms * NANOSECONDS

    def note(self, target: Target, *, timed_out: bool) -> None:
        if not timed_out:
            self._kept.pop(target, None)
            return
        if target not in self._kept and len(self._kept) >= self.max_targets:
            self._kept.clear()
        count, _ = self._kept.get(target, (0, 0))
        self._kept[target] = (count + 1, self.clock_ns())


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedEffects:
    """The port Effects with that memory. `breaker` None: everybody is always asked."""

    effects: Effects
    clock_ns: Callable[[], int]
    pace: Pace
    breaker: CircuitBreaker | None

    @classmethod
    def of(cls, effects: Effects, clock_ns: Callable[[], int]) -> "TimedEffects":
        return cls(effects=effects, clock_ns=clock_ns, pace=Pace(clock_ns), breaker=CircuitBreaker(clock_ns))

    def is_refused(self, effect: Effect, place: Place) -> bool:
        """It would fail at once: its target hangs."""
        return self.breaker is not None and self.breaker.is_open(_circuit(effect, place))

    def __call__(self, effect: Effect, attempt: Attempt, place: Place) -> EffectAnswer:
        if self.is_refused(effect, place):
            message = f"{effect.target} did not answer several times in a row and is not asked for some seconds"
            return EffectFailed(name="CircuitOpenError", message=message)
        started = self.clock_ns()
        answer = self.effects(effect, attempt)
        self.pace.note(place, (self.clock_ns() - started) / NANOSECONDS)
        timed_out = isinstance(answer, EffectFailed) and answer.name == TIMEOUT
        was_cut_off = timed_out and attempt.timeout_ms < effect.timeout_ms  # our hurry is not the target's fault
        if self.breaker is not None and not was_cut_off:
            self.breaker.note(_circuit(effect, place), timed_out=timed_out)
        return answer


def _circuit(effect: Effect, place: Place) -> Target:
    """Each bot's own: an author whose scripts hang harms nobody else."""
    return place[0], effect.target
