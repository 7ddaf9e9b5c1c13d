"""The use case of every channel: one inbound event, one step, one turn.

Lost races are run again on the winner's state; a resend is answered from the log; effects are carried out once even if
the step around them runs again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from shared.bot.model import Bot
from shared.conversation.record import Occurrence, record_turn
from shared.conversation.turn import NO_STATE, LogState, Turn, TurnConflict, TurnTooLarge
from shared.engine import Attempt, Effect, EffectAnswer, Session, StepResult, Surroundings, resume, step
from shared.engine.inbound import Inbound, said_by_end_user
from shared.engine.trace import TraceEntry
from shared.errors import Conflict, Unavailable
from shared.ids import end_user_id, log_key
from shared.services.ports import Effects, Turns

JsonObject = dict[str, Any]

RACES: Final = 4
"""Tries against faster writers before the message is given up; a human sends less than one a second."""

RESERVE_MS: Final = 450
"""Kept for writing the turn and answering."""

PREVIEW: Final = "test"
"""The platform of authors who try out their bots."""

Paginate = Callable[[list[JsonObject], JsonObject | None, int], int | None]
"""(messages, keyboard, revision) -> index at which "계속 보기" goes on, None when everything fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One inbound event. `inbound` None: nothing for the engine, the turn only records what was `said_aside`.

    `client_id` tells resends (None: nothing counts as one). `offer` is the next "계속 보기" of a turn without a step;
    with a step, `paginate` finds it. `deadline_ns` is on the monotonic clock.
    """

    bot: Bot
    platform: str
    user_key: str
    inbound: Inbound | None
    said_aside: JsonObject | None = None
    client_id: str | None = None
    params: JsonObject = field(default_factory=dict)
    offer: JsonObject | None = None
    paginate: Paginate | None = None
    deadline_ns: int | None = None

    @property
    def said(self) -> JsonObject | None:
        """What the end user said; None when they did something else."""
        return self.said_aside if self.inbound is None else said_by_end_user(self.inbound)

    @property
    def log(self) -> str:
        return log_key(self.platform, self.user_key)

    @property
    def end_user_id(self) -> str | None:
        """What templates see; absent on platform test (docs/bot-files.md)."""
        return None if self.platform == PREVIEW else end_user_id(self.bot.id, self.platform, self.user_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """The turn that answers the request. `is_resend`: it was there already. `trace` is empty then."""

    turn: Turn
    is_resend: bool = False
    trace: list[TraceEntry] = field(default_factory=list)

    @property
    def keyboard(self) -> JsonObject | None:
        return shown_keyboard(self.turn.state.session)


def shown_keyboard(session: Session | None) -> JsonObject | None:
    """The keyboard that a conversation waits at, with the place of its node; None when there is none."""
    if session is None or session.keyboard is None:
        return None
    return {**session.keyboard, "position": list(session.position or ())}


class RememberedEffects:
    """Answers of one invocation: a step that runs again after a lost race does not call anybody twice."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._answers: list[tuple[Effect, EffectAnswer]] = []
        self._used = 0

    def start_over(self) -> None:
        self._used = 0

    def __call__(self, effect: Effect, attempt: Attempt) -> EffectAnswer:
        key = effect
        for index in range(self._used, len(self._answers)):
            if self._answers[index][0] == key:
                self._used = index + 1
                return self._answers[index][1]
        answer = self._effects(effect, attempt)
        self._answers.append((key, answer))
        self._used = len(self._answers)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleInbound:
    """Ports and the sources of time, chance and ids."""

    turns: Turns
    effects: Effects
    now_ms: Callable[[], int]
    clock_ns: Callable[[], int]
    random: Callable[[], float]
    new_id: Callable[[], str]

    def __call__(self, request: Request, newest: Turn | None = None) -> Handled:
        """Raises Conflict when others were faster every time, Unavailable when the log could not be reached.

        `newest` is the log's newest turn if the caller has just read it.
        """
        effects = RememberedEffects(self.effects)
        if newest is None:
            newest = self.turns.newest(request.bot.id, request.log, request.deadline_ns)
        for _ in range(RACES):
            before = NO_STATE if newest is None else newest.state
            known = before.revision_of(request.client_id)
            if known is not None and newest is not None:
                return Handled(turn=self._stored(newest, known, request), is_resend=True)
            revision = 1 if newest is None else newest.revision + 1
            effects.start_over()
            turn, trace = self._make(request, before, revision, effects)
            try:
                turn = self._write(turn, newest, request, before)
            except TurnConflict as exc:
                newest = exc.winner
                continue
            return Handled(turn=turn, trace=trace)
        raise Conflict("other messages of this conversation were faster every time", log=request.log)

    def _stored(self, newest: Turn, revision: int, request: Request) -> Turn:
        if revision == newest.revision:
            return newest
        turn = self.turns.get(request.bot.id, request.log, revision, request.deadline_ns)
        if turn is None:
            raise Unavailable("the turn of a resend is gone", revision=revision)
        return turn

    def _make(
        self, request: Request, before: LogState, revision: int, effects: Effects
    ) -> tuple[Turn, list[TraceEntry]]:
        now_ms = self.now_ms()
        if request.inbound is None:
            nothing = StepResult(session=before.session, messages=[], keyboard=None, facts=[], effect=None, trace=[])
            return self._turn(request, before, revision, nothing, now_ms, offer=request.offer), []
        result = self._walk(request, before, now_ms, effects)
        next_index = None
        if request.paginate is not None:
            next_index = request.paginate(result.messages, shown_keyboard(result.session), revision)
        offer = None if next_index is None else {"revision": revision, "index": next_index}
        return self._turn(request, before, revision, result, now_ms, offer=offer), result.trace

    def _walk(self, request: Request, before: LogState, now_ms: int, effects: Effects) -> StepResult:
        """The whole step, its effects carried out as they come up."""
        surroundings = Surroundings(
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
        assert request.inbound is not None  # noqa: S101 - the caller has checked it
        result = step(request.bot, before.session, request.inbound, surroundings)
        while result.effect is not None and result.session is not None:
            started = self.clock_ns()
            answer = effects(result.effect, self._attempt(request, result.effect, surroundings))
            took = self.clock_ns() - started
            more = resume(request.bot, result.session, answer, surroundings)
            more.trace[0].nanoseconds += took
            result = StepResult(
                session=more.session,
                messages=result.messages + more.messages,
                keyboard=more.keyboard,
                facts=result.facts + more.facts,
                effect=more.effect,
                trace=result.trace + more.trace,
            )
        return result

    def _attempt(self, request: Request, effect: Effect, surroundings: Surroundings) -> Attempt:
        left = surroundings.milliseconds_left() - RESERVE_MS
        return Attempt(bot_id=request.bot.id, idempotency_key="", timeout_ms=max(1, int(min(effect.timeout_ms, left))))

    def _turn(
        self,
        request: Request,
        before: LogState,
        revision: int,
        result: StepResult,
        now_ms: int,
        *,
        offer: JsonObject | None,
    ) -> Turn:
        happened = Occurrence(
            bot_id=request.bot.id,
            log=request.log,
            platform=request.platform,
            user_key=request.user_key,
            at_ms=now_ms,
            said=request.said,
            client_id=request.client_id,
            session=result.session,
            messages=result.messages,
            facts=result.facts,
            bot_version=request.bot.version,
            offer=offer,
        )
        return record_turn(before, happened, revision=revision, commit=self.new_id())

    def _write(self, turn: Turn, newest: Turn | None, request: Request, before: LogState) -> Turn:
        """Append the turn. An answer that does not fit becomes the bot's error message; a lost answer is looked up."""
        try:
            self.turns.append(turn, newest, request.deadline_ns)
        except TurnTooLarge:
            turn = self._too_large(request, before, turn.revision)
            self.turns.append(turn, newest, request.deadline_ns)
        except Unavailable:
            found = self.turns.get(request.bot.id, request.log, turn.revision, request.deadline_ns)
            if found is None:
                raise
            if found.commit != turn.commit:
                raise TurnConflict(found) from None
        return turn

    def _too_large(self, request: Request, before: LogState, revision: int) -> Turn:
        text = request.bot.system_messages["error"]
        if "{{" in text:  # what it would see is what does not fit
            text = request.bot.default_system_message("error")
        apology = {"data": {"type": "text", "text": text}, "meta": None, "position": None}
        result = StepResult(session=before.session, messages=[apology], keyboard=None, facts=[], effect=None, trace=[])
        return self._turn(request, before, revision, result, self.now_ms(), offer=None)
