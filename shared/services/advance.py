"""The moves of a log: hear a message, save a walk that waits for the world, go on with it, hear what waited meanwhile.
Each move is a turn; the front makes them while its caller waits, the worker when nobody does (docs/effects.md).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from shared.bot.model import Bot
from shared.conversation.record import plain_message
from shared.conversation.turn import NO_STATE, Turn, TurnConflict
from shared.conversation.unfinished import Held, Owed, Pending, ReplyRoute, Unfinished
from shared.engine import EffectAnswer, StepResult
from shared.engine.effects import effect_from_json, effect_to_json
from shared.engine.inbound import inbound_from_json, inbound_to_json
from shared.engine.trace import TraceEntry
from shared.errors import Conflict, NotFound, Unavailable
from shared.services.ports import BotVersions, Turns, WorkQueue
from shared.services.request import JsonObject, Request, shown_keyboard
from shared.services.turn_writer import Entry, TurnWriter, next_revision, nothing_walked
from shared.services.walks import RememberedAnswers, Walks, idempotency_key, place_of, script_of, visit_of

RACES: Final = 4
"""Tries against faster writers before a move is given up; a human sends less than one a second."""
MILLISECONDS: Final = 1_000
OPEN_END_MS: Final = 60_000
"""How long a walk without a deadline keeps others away."""
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
        revision, now_ms = next_revision(newest), self.now_ms()
        remembered.start_over()
        result = (
            nothing_walked(before.session)
            if request.inbound is None
            else self.walks.begin(request, before.session, now_ms, revision, remembered)
        )
        entry = Entry(
            result=result,
            now_ms=now_ms,
            said=request.said,
            client_id=request.client_id,
            offer=request.offer,
            unfinished=due.taken_from(before.unfinished),
        )
        if result.effect is not None:
            hold_ms = self._hold_ms(request, result)
            entry = replace(entry, unfinished=before.unfinished)  # it gives no reply yet: what is due stays so
            entry = _saving(entry, request, revision=revision, first=revision, route=request.route, hold_ms=hold_ms)
            return self._saved(request, self.writer.write(request, newest, entry), hold_ms, result.trace)
        if request.inbound is not None or due.turns:
            entry = self._giving(request, entry, due, request.route, revision)
        return Advanced(turn=self.writer.write(request, newest, entry), trace=result.trace)

    def hold(self, request: Request, newest: Turn) -> Turn:
        """Store a message that meets a walk; it is walked after it. Raises TurnConflict."""
        assert request.inbound is not None  # noqa: S101 - the caller has checked it
        unfinished = newest.state.unfinished
        held = Held(
            revision=next_revision(newest),
            inbound=inbound_to_json(request.inbound),
            params=request.params,
            route=request.route,
        )
        entry = Entry(
            result=nothing_walked(newest.state.session),
            now_ms=self.now_ms(),
            said=request.said,
            client_id=request.client_id,
            offer=newest.state.offer,
            unfinished=replace(unfinished, held=(*unfinished.held, held)),
        )
        return self.writer.write(request, newest, entry)

    def hear_held(self, request: Request, newest: Turn) -> Advanced:
        """Walk with the first message that waited; its reply is owed. Raises TurnConflict."""
        unfinished = newest.state.unfinished
        held, rest = unfinished.held[0], unfinished.held[1:]
        request = replace(request, inbound=inbound_from_json(held.inbound), params=held.params)
        revision, now_ms = next_revision(newest), self.now_ms()
        result = self.walks.begin(request, newest.state.session, now_ms, revision, RememberedAnswers())
        entry = Entry(result=result, now_ms=now_ms, unfinished=replace(unfinished, held=rest), answers=(held.revision,))
        if result.effect is not None:
            hold_ms = self._hold_ms(request, result)
            entry = _saving(entry, request, revision=revision, first=held.revision, route=held.route, hold_ms=hold_ms)
            return self._saved(request, self.writer.write(request, newest, entry), hold_ms, result.trace)
        entry = self._owing(request, entry, held.route, revision)
        return Advanced(turn=self.writer.write(request, newest, entry), trace=result.trace)

    def go_on(
        self, request: Request, turn: Turn, *, is_late: bool, due: Due = NOTHING_DUE, answer: EffectAnswer | None = None
    ) -> Advanced:
        """Carry out the effect that a saved walk waits for, and walk on to its end or to an effect that is not for now.

        `is_late`: nobody waits for the reply any more, so it is owed. `answer` is taken for the effect's answer
        instead of carrying it out. Raises TakenOver when somebody else was faster.
        """
        trace: list[TraceEntry] = []
        while True:
            pending, session = turn.state.unfinished.pending, turn.state.session
            assert pending is not None and session is not None  # noqa: S101, PT018 - the caller has checked it
            request = replace(request, bot=self._bot(request, pending))
            started_ns = self.walks.clock_ns()
            if answer is None:
                effect = effect_from_json(pending.effect, script_of(request, session))
                place = place_of(request, session)
                key = idempotency_key(request.log, pending.revision, place, pending.visit)
                answer = self.walks.carry_out(request, effect, place, key)
                if self.walks.deserves_more_time(request, effect, answer, self.walks.clock_ns() - started_ns):
                    return Advanced(turn=turn, is_waiting=True, trace=trace)  # the worker was asked when it was saved
            took_ns = self.walks.clock_ns() - started_ns
            now_ms = self.now_ms()
            result = self.walks.resume(request, session, answer, now_ms)
            answer = None
            result.trace[0].nanoseconds += took_ns
            trace += result.trace
            result = replace(result, messages=pending.messages + result.messages)
            hold_ms = None if result.effect is None else self._hold_ms(request, result)
            turn = self._write_after(
                request, turn, pending, result, now_ms=now_ms, hold_ms=hold_ms, due=None if is_late else due
            )
            if not hold_ms or turn.state.unfinished.pending is None:
                return self._saved(request, turn, 0, trace)

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
        message of the log asks again."""
        try:
            self.queue.send(
                request.bot.id,
                request.platform,
                request.user_key,
                delay_seconds=delay_seconds,
                deadline_ns=request.deadline_ns,
            )
        except Unavailable as exc:
            self.report(exc)

    def load(self, request: Request, revisions: tuple[int, ...]) -> tuple[Turn, ...]:
        """Earlier turns of the log."""
        found = [self.turns.get(request.bot.id, request.log, number, request.deadline_ns) for number in revisions]
        return tuple([turn for turn in found if turn is not None])

    # ---- parts of moves

    def _hold_ms(self, request: Request, result: StepResult) -> int:
        """For how long the walk to be saved is ours, 0 when its effect is not for now. In the first case the worker is
        asked before the walk is saved, to look when that time is over: so no crash of ours can lose it."""
        effect, session = result.effect, result.session
        assert effect is not None and session is not None  # noqa: S101, PT018 - the caller has checked it
        is_for_now = self.walks.is_for_now(request, effect, place_of(request, session))
        if not is_for_now:
            return 0
        hold_ms = math.ceil(max(1, min(self.walks.milliseconds_left(request), OPEN_END_MS)))
        self.nudge(request, delay_seconds=HAND_OVER_SECONDS + math.ceil(hold_ms / MILLISECONDS))
        return hold_ms

    def _saved(self, request: Request, turn: Turn, hold_ms: int, trace: list[TraceEntry]) -> Advanced:
        """Hand a walk that is not for now over to the worker. One that did not fit has become an apology: nothing is
        waited for then."""
        is_waiting = hold_ms == 0 and turn.state.unfinished.pending is not None
        if is_waiting:
            self.nudge(request)
        return Advanced(turn=turn, is_waiting=is_waiting, trace=trace)

    def _write_after(
        self,
        request: Request,
        turn: Turn,
        pending: Pending,
        result: StepResult,
        *,
        now_ms: int,
        hold_ms: int | None,
        due: Due | None,
    ) -> Turn:
        """The turn that ends a saved walk (`hold_ms` None) or saves it anew, whatever was stored in between."""
        answers = tuple(range(pending.first, pending.revision + 1))
        for _ in range(RACES):
            revision = next_revision(turn)
            entry = Entry(result=result, now_ms=now_ms, unfinished=turn.state.unfinished, answers=_heard(turn, answers))
            if hold_ms is not None:
                entry = _saving(
                    entry, request, revision=revision, first=pending.first, route=pending.route, hold_ms=hold_ms
                )
            else:
                entry = replace(entry, unfinished=replace(entry.unfinished, pending=None))
                if due is None:
                    entry = self._owing(request, entry, pending.route, revision)
                else:
                    entry = self._giving(request, entry, due, pending.route, revision)
            try:
                return self.writer.write(request, turn, entry)
            except TurnConflict as exc:
                turn = exc.winner
                now = turn.state.unfinished.pending
                if now is None or now.revision != pending.revision:
                    raise TakenOver(turn) from exc
        raise Conflict("other messages of this conversation were faster every time", log=request.log)

    def _giving(self, request: Request, entry: Entry, due: Due, route: ReplyRoute | None, revision: int) -> Entry:
        """The turn's reply goes out now, after what is due."""
        return replace(
            entry,
            unfinished=due.taken_from(entry.unfinished),
            gives=due.gives,
            offer=self._offer(request, entry, due.turns, route, revision),
        )

    def _owing(self, request: Request, entry: Entry, route: ReplyRoute | None, revision: int) -> Entry:
        """Nobody waits for the turn's reply: it is owed, together with what only waited for a next answer."""
        if route is None:
            return entry
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
        index = self.paginate(request.bot, route, messages, keyboard, revision)
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


def _heard(turn: Turn, revisions: tuple[int, ...]) -> tuple[int, ...]:
    """Of a walk's turns those that heard its own message, not one that waits for it."""
    held = {held.revision for held in turn.state.unfinished.held}
    return tuple([revision for revision in revisions if revision not in held])


def _saving(
    entry: Entry, request: Request, *, revision: int, first: int, route: ReplyRoute | None, hold_ms: int
) -> Entry:
    """The turn that saves a walk before its effect: it says nothing, its reply is that of the turn that ends it."""
    result, session = entry.result, entry.result.session
    effect = result.effect
    assert effect is not None and session is not None  # noqa: S101, PT018 - the caller has checked it
    pending = Pending(
        revision=revision,
        first=first,
        at_ms=entry.now_ms,
        held_until_ms=entry.now_ms + hold_ms,
        effect=effect_to_json(effect),
        visit=visit_of(session),
        messages=[plain_message(message, entry.now_ms) for message in result.messages],
        bot_version=request.bot.version,
        route=route,
    )
    return replace(
        entry, result=replace(result, messages=[]), unfinished=replace(entry.unfinished, pending=pending), offer=None
    )
