"""The moves of a log: hear a message, save a walk that waits for the world, go on with it, hear what waited meanwhile.
Each move is a turn; the front makes them while its caller waits, the worker when nobody does (docs/effects.md).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from shared.bot.model import Bot
from shared.conversation.record import plain_message
from shared.conversation.turn import NO_STATE, Turn, TurnConflict, TurnTooLarge
from shared.conversation.unfinished import CLOCK_SLACK_MS, Held, Owed, Pending, ReplyRoute, Unfinished
from shared.engine import EffectAnswer, Session, StepResult
from shared.engine.effects import effect_from_json, effect_to_json
from shared.engine.inbound import inbound_from_json, inbound_to_json
from shared.engine.trace import TraceEntry
from shared.errors import Conflict, MalgilError, NotFound, Unavailable
from shared.services.ports import BotVersions, Turns, WorkQueue
from shared.services.request import JsonObject, Request, shown_keyboard
from shared.services.turn_writer import Entry, TurnWriter, apology, next_revision, nothing_walked
from shared.services.walks import RememberedAnswers, Walks, idempotency_key, place_of, script_of, visit_of

RACES: Final = 4
"""Tries against faster writers before a move is given up; a human sends less than one a second."""
MILLISECONDS: Final = 1_000
OPEN_END_MS: Final = 60_000
"""How long a walk without a deadline keeps others away."""
GIVE_UP_MS: Final = 600_000
"""When a walk that nobody could finish is ended, so that a conversation cannot hang for ever."""
MAX_WAITING: Final = 100
"""Held messages and owed replies of one log (ours): all of them go out with one answer."""
HAND_OVER_SECONDS: Final = 1
"""Before the worker looks: the turn must be there, and Kakao must have read that a callback comes (docs/kakao.md)."""

Paginate = Callable[[Bot, ReplyRoute, list[JsonObject], JsonObject | None, int], int | None]
"""(bot, route, messages, keyboard, revision) -> index at which "계속 보기" goes on, None when everything fits."""


class TakenOver(Conflict):
    """Somebody else finished the walk; `newest` is the log as they left it."""

    def __init__(self, newest: Turn) -> None:
        super().__init__("somebody else finished the walk", revision=newest.revision)
        self.newest = newest


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """The newest turn after a move. `is_waiting`: the walk is saved and not for now."""

    turn: Turn
    is_waiting: bool = False
    trace: list[TraceEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Owed replies that go out with the next one: `turns` hold them, and nothing owed for a revision in `settled`
    stays owed."""

    turns: tuple[Turn, ...] = ()
    settled: frozenset[int] = frozenset()

    @property
    def gives(self) -> tuple[int, ...]:
        return tuple([turn.revision for turn in self.turns])

    def taken_from(self, unfinished: Unfinished) -> Unfinished:
        if not self.settled:
            return unfinished
        return unfinished.owing(*[owed for owed in unfinished.owed if owed.revision not in self.settled])


NOTHING_DUE: Final = Due()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """See above. `report` is told of faults of our own that do not stop a move."""

    turns: Turns
    walks: Walks
    writer: TurnWriter
    queue: WorkQueue
    versions: BotVersions
    paginate: Paginate
    now_ms: Callable[[], int]
    report: Callable[[Exception], None]

    def hear(
        self, request: Request, newest: Turn | None, remembered: RememberedAnswers, due: Due = NOTHING_DUE
    ) -> Advanced:
        """Walk with a message; what is `due` goes out with its reply. Raises TurnConflict."""
        before = NO_STATE if newest is None else newest.state
        if request.from_outside and request.route is not None and before.unfinished.count >= MAX_WAITING:
            raise Conflict("too many messages to this end user wait already for their next one", log=request.log)
        now_ms = self.now_ms()
        entry = Entry(
            result=nothing_walked(before.session),
            now_ms=now_ms,
            said=request.said,
            client_id=request.client_id,
            offer=before.offer if request.from_outside else request.offer,
            unfinished=before.unfinished,
        )
        if request.inbound is not None:
            remembered.start_over()
            result = self._begun(request, newest, now_ms, remembered)
            return self._walked(request, newest, replace(entry, result=result), request.route, due)
        if due.turns:
            entry = self._giving(request, entry, due, request.route, next_revision(newest))
        else:
            entry = replace(entry, unfinished=due.taken_from(entry.unfinished))
        return Advanced(turn=self.writer.write(request, newest, entry))

    def hold(self, request: Request, newest: Turn) -> Turn:
        """Store a message that meets a walk; it is walked after it. Raises TurnConflict."""
        assert request.inbound is not None  # noqa: S101 - the caller has checked it
        unfinished, now_ms = newest.state.unfinished, self.now_ms()
        if unfinished.count >= MAX_WAITING:
            raise Conflict("too many messages of this conversation wait already", log=request.log)
        held = Held(
            revision=next_revision(newest),
            at_ms=now_ms,
            inbound=inbound_to_json(request.inbound),
            params=request.params,
            route=request.route,
        )
        entry = Entry(
            result=nothing_walked(newest.state.session),
            now_ms=now_ms,
            said=request.said,
            client_id=request.client_id,
            offer=newest.state.offer,
            unfinished=replace(unfinished, held=(*unfinished.held, held)),
        )
        try:
            return self.writer.write(request, newest, entry)
        except TurnTooLarge as exc:
            raise Conflict("what waits already leaves no room for this message", log=request.log) from exc

    def hear_held(self, request: Request, newest: Turn) -> Advanced:
        """Walk with the first message that waited, as if it came when it was said; its reply is owed. Raises
        TurnConflict."""
        unfinished = newest.state.unfinished
        held, rest = unfinished.held[0], unfinished.held[1:]
        request = replace(request, inbound=inbound_from_json(held.inbound), params=held.params)
        result = self._begun(request, newest, held.at_ms, RememberedAnswers())
        entry = Entry(
            result=result,
            now_ms=self.now_ms(),
            unfinished=replace(unfinished, held=rest),
            answers=(held.revision,),
        )
        return self._walked(request, newest, entry, held.route)

    def go_on(
        self, request: Request, turn: Turn, *, due: Due = NOTHING_DUE, answer: EffectAnswer | None = None
    ) -> Advanced:
        """Carry out the effect that a saved walk waits for, and walk on to its end or to an effect that is not for now.

        `answer` is taken for the effect's answer instead of carrying it out. Raises TakenOver when somebody else was
        faster.
        """
        trace: list[TraceEntry] = []
        while True:
            pending, session = turn.state.unfinished.pending, turn.state.session
            assert pending is not None and session is not None  # noqa: S101, PT018 - the caller has checked it
            started_ns = self.walks.clock_ns()
            try:
                request = replace(request, bot=self._bot(request, pending))
                answer = answer or self._answer(request, pending, session)
                if answer is None:
                    if request.nobody_waits:  # else the worker was asked when it was saved
                        self.nudge(request)
                    return Advanced(turn=turn, is_waiting=True, trace=trace)
                took_ns = self.walks.clock_ns() - started_ns
                result = self.walks.resume(request, session, answer, self.now_ms(), took_ns)
            except Exception as exc:  # noqa: BLE001 - see _apology
                result = self._apology(exc, request, session, pending.at_ms)
            answer = None
            trace += result.trace
            turn = self._write_after(request, turn, pending, result, due)
            now = turn.state.unfinished.pending
            if now is None or now.held_until_ms is None:
                return self._advanced(request, turn, trace)

    def settle(self, request: Request, newest: Turn, revision: int, *, is_given: bool) -> Turn:
        """Note what became of a posted reply: given, or refused and so given with the next answer."""
        for _ in range(RACES):
            unfinished = newest.state.unfinished
            owed = [
                replace(owed, route=ReplyRoute(base_url=owed.route.base_url)) if owed.revision == revision else owed
                for owed in unfinished.owed
                if not (is_given and owed.revision == revision)
            ]
            if tuple(owed) == unfinished.owed:
                return newest
            entry = Entry(
                result=nothing_walked(newest.state.session),
                now_ms=self.now_ms(),
                offer=newest.state.offer,
                unfinished=unfinished.owing(*owed),
            )
            try:
                return self.writer.write(request, newest, entry)
            except TurnConflict as exc:
                newest = exc.winner
        raise Conflict("other messages of this conversation were faster every time", log=request.log)

    def nudge(self, request: Request, *, delay_seconds: int = HAND_OVER_SECONDS) -> None:
        """Ask the worker to look at the log. A queue that does not answer is reported and not waited for: the next
        message of the log asks again. The worker itself raises Unavailable: its own job comes again then."""
        try:
            self.queue.send(
                request.bot.id,
                request.platform,
                request.user_key,
                delay_seconds=delay_seconds,
                deadline_ns=request.deadline_ns,
            )
        except Unavailable as exc:
            if request.nobody_waits:
                raise
            self.report(exc)

    def load(self, request: Request, revisions: tuple[int, ...]) -> tuple[Turn, ...]:
        """Earlier turns of the log."""
        found = [self.turns.get(request.bot.id, request.log, number, request.deadline_ns) for number in revisions]
        return tuple([turn for turn in found if turn is not None])

    # ---- parts of moves

    def _begun(self, request: Request, newest: Turn | None, now_ms: int, remembered: RememberedAnswers) -> StepResult:
        session = None if newest is None else newest.state.session
        try:
            return self.walks.begin(request, session, now_ms, next_revision(newest), remembered)
        except Exception as exc:  # noqa: BLE001 - see _apology
            return self._apology(exc, request, session, now_ms)

    def _answer(self, request: Request, pending: Pending, session: Session) -> EffectAnswer | None:
        """Carry out what a saved walk waits for; None when that needs more time than our caller has."""
        if not self.walks.has_time(request):
            return None
        effect = effect_from_json(pending.effect, script_of(request, session))
        place = place_of(request, session)
        key = idempotency_key(request.log, pending.revision, place, pending.visit)
        started_ns = self.walks.clock_ns()
        answer = self.walks.carry_out(request, effect, place, key)
        took_ns = self.walks.clock_ns() - started_ns
        return None if self.walks.deserves_more_time(request, effect, answer, took_ns) else answer

    def _apology(self, fault: Exception, request: Request, session: Session | None, since_ms: int) -> StepResult:
        """A fault of ours ends its walk: whoever tried again would meet it again, and the conversation would hang. One
        that may pass is raised, for as long as somebody may still wait. Whoever asked from outside is told of all: the
        end user did not ask, and gets no apology."""
        may_pass = isinstance(fault, MalgilError) and fault.retryable
        if request.from_outside:
            raise fault
        if may_pass and self.now_ms() <= since_ms + GIVE_UP_MS:
            raise fault
        self.report(fault)
        return apology(request.bot, session)

    def _walked(
        self, request: Request, newest: Turn | None, entry: Entry, route: ReplyRoute | None, due: Due = NOTHING_DUE
    ) -> Advanced:
        """Write how far a walk came with a message."""
        held_until_ms = self._hold(request, entry.result)
        turn = self._write(request, newest, entry, route=route, due=due, held_until_ms=held_until_ms)
        return self._advanced(request, turn, entry.result.trace)

    def _hold(self, request: Request, result: StepResult) -> int | None:
        """Until when the walk to be saved is ours, None when it is done or its effect is not for now. Before it is
        saved, the worker is asked to look when that time is over: so no crash of ours can lose it. The worker itself
        need not be: its own job comes again."""
        effect, session = result.effect, result.session
        if effect is None or session is None or not self.walks.is_for_now(request, effect, place_of(request, session)):
            return None
        hold_ms = math.ceil(max(1, min(self.walks.milliseconds_left(request), OPEN_END_MS)))
        held_until_ms = self.now_ms() + hold_ms
        if not request.nobody_waits:
            self.nudge(request, delay_seconds=math.ceil((hold_ms + CLOCK_SLACK_MS) / MILLISECONDS))
        return held_until_ms

    def _advanced(self, request: Request, turn: Turn, trace: list[TraceEntry]) -> Advanced:
        """Hand a walk that is not for now over to the worker."""
        pending = turn.state.unfinished.pending
        is_waiting = pending is not None and pending.held_until_ms is None
        if is_waiting:
            self.nudge(request)
        return Advanced(turn=turn, is_waiting=is_waiting, trace=trace)

    def _write_after(self, request: Request, turn: Turn, pending: Pending, result: StepResult, due: Due) -> Turn:
        """The turn that ends a saved walk or saves it anew, whatever was stored in between."""
        now_ms, held_until_ms = self.now_ms(), self._hold(request, result)
        result = replace(result, messages=pending.messages + result.messages)
        for _ in range(RACES):
            unfinished = replace(turn.state.unfinished, pending=None)
            entry = Entry(result=result, now_ms=now_ms, unfinished=unfinished, answers=(pending.revision,))
            try:
                return self._write(request, turn, entry, route=pending.route, due=due, held_until_ms=held_until_ms)
            except TurnConflict as exc:
                turn = exc.winner
                now = turn.state.unfinished.pending
                if now is None or now.revision != pending.revision:
                    raise TakenOver(turn) from exc
        raise Conflict("other messages of this conversation were faster every time", log=request.log)

    def _write(
        self,
        request: Request,
        newest: Turn | None,
        entry: Entry,
        *,
        route: ReplyRoute | None,
        due: Due,
        held_until_ms: int | None,
    ) -> Turn:
        """The turn of a walk; what does not fit becomes an apology."""
        revision = next_revision(newest)
        try:
            if entry.result.effect is not None:
                saving = _saving(entry, request, revision=revision, route=route, held_until_ms=held_until_ms)
                return self.writer.write(request, newest, saving)
            return self.writer.write(request, newest, self._ending(request, entry, due, route, revision))
        except TurnTooLarge:
            if request.from_outside:
                raise
            session = None if newest is None else newest.state.session
            entry = replace(entry, result=apology(request.bot, session))
            return self.writer.write(request, newest, self._ending(request, entry, due, route, revision))

    def _ending(self, request: Request, entry: Entry, due: Due, route: ReplyRoute | None, revision: int) -> Entry:
        """The turn that ends a walk: its reply goes out now, after what is due, or is owed."""
        if request.nobody_waits or request.from_outside:
            return self._owing(request, entry, route, revision)
        return self._giving(request, entry, due, route, revision)

    def _giving(self, request: Request, entry: Entry, due: Due, route: ReplyRoute | None, revision: int) -> Entry:
        """The turn's reply goes out now, after what is due."""
        return replace(
            entry,
            unfinished=due.taken_from(entry.unfinished),
            gives=due.gives,
            offer=self._offer(request, entry, due.turns, route, revision),
        )

    def _owing(self, request: Request, entry: Entry, route: ReplyRoute | None, revision: int) -> Entry:
        """Nobody waits for the turn's reply: it is owed. A callback gets with it what only waited for a next answer."""
        if route is None:
            return entry
        if route.callback_url is not None:
            waiting = [owed for owed in entry.unfinished.owed if owed.route.callback_url is None]
            due = Due(
                turns=self.load(request, tuple([number for owed in waiting for number in owed.revisions])),
                settled=frozenset(owed.revision for owed in waiting),
            )
            entry = self._giving(request, entry, due, route, revision)
        owed = Owed(revision=revision, gives=entry.gives, route=route)
        return replace(entry, unfinished=entry.unfinished.owing(*entry.unfinished.owed, owed))

    def _offer(
        self, request: Request, entry: Entry, given: tuple[Turn, ...], route: ReplyRoute | None, revision: int
    ) -> JsonObject | None:
        if route is None:
            return None
        messages = [message for turn in given for message in turn.messages] + entry.result.messages
        keyboard = shown_keyboard(entry.result.session)
        try:
            index = self.paginate(request.bot, route, messages, keyboard, revision)
        except Exception as exc:  # noqa: BLE001 - a reply that cannot be shown must not keep the walk from ending
            self.report(exc)
            return None
        return None if index is None else {"revision": revision, "index": index}

    def _bot(self, request: Request, pending: Pending) -> Bot:
        """A walk goes on in the version that it began in; where that is gone, in the one that is there."""
        if pending.bot_version == request.bot.version:
            return request.bot
        try:
            return self.versions.load_version(request.bot, pending.bot_version, request.deadline_ns)
        except NotFound as exc:
            self.report(exc)
            return request.bot


def _saving(
    entry: Entry, request: Request, *, revision: int, route: ReplyRoute | None, held_until_ms: int | None
) -> Entry:
    """The turn that saves a walk before its effect: it says nothing, its reply is that of the turn that ends it."""
    result, session = entry.result, entry.result.session
    effect = result.effect
    assert effect is not None and session is not None  # noqa: S101, PT018 - the caller has checked it
    pending = Pending(
        revision=revision,
        at_ms=entry.now_ms,
        held_until_ms=held_until_ms,
        effect=effect_to_json(effect),
        visit=visit_of(session),
        messages=[plain_message(message, entry.now_ms) for message in result.messages],
        bot_version=request.bot.version,
        route=route,
    )
    return replace(
        entry, result=replace(result, messages=[]), unfinished=replace(entry.unfinished, pending=pending), offer=None
    )
