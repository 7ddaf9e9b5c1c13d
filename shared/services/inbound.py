"""The use case of every channel: one inbound event in, the turn that answers it out.

Lost races are run again on the winner's state; a resend is answered from the log; a message that meets a walk that
waits for the world is stored and waits too; what was owed goes out with the next answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.conversation.turn import NO_STATE, Turn, TurnConflict
from shared.conversation.unfinished import CLOCK_SLACK_MS, Owed
from shared.engine import EffectFailed
from shared.engine.effects import TIMEOUT
from shared.errors import Conflict, Unavailable
from shared.services.advance import GIVE_UP_MS, NOTHING_DUE, RACES, Advance, Advanced, Due, TakenOver
from shared.services.ports import Claims, Turns
from shared.services.request import Handled, Request
from shared.services.walks import RememberedAnswers


class ReplyUnknown(Unavailable):
    """A reply was posted to a callback and nobody knows whether it arrived; it counts as given."""


def callback_claim(revision: int) -> str:
    """Name of the claim to post the reply of a turn."""
    return f"callback/{revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleInbound:
    """Ports and the sources of time."""

    turns: Turns
    advance: Advance
    claims: Claims
    now_ms: Callable[[], int]
    report: Callable[[Exception], None]

    def __call__(self, request: Request, newest: Turn | None = None) -> Handled:
        """Raises Conflict when others were faster every time, Unavailable when the log could not be reached, and what
        the request's own check raises.

        `newest` is the log's newest turn if the caller has just read it.
        """
        remembered = RememberedAnswers()
        if newest is None:
            newest = self.turns.newest(request.bot.id, request.log, request.deadline_ns)
        for _ in range(RACES):
            before = NO_STATE if newest is None else newest.state
            known = before.revision_of(request.client_id)
            if known is not None and newest is not None:
                return self._again(request, newest, known)
            request.check(newest)
            try:
                if newest is not None and before.unfinished.is_walking:
                    if not self._is_given_up(newest):
                        return self._wait(request, newest)
                    newest = self._give_up(request, newest)
                    continue
                due = self.due(request, newest)
                advanced = self.advance.hear(request, newest, remembered, due)
            except TurnConflict as exc:
                newest = exc.winner
                continue
            except TakenOver as exc:
                newest = exc.newest
                continue
            return self._finish(request, advanced, due)
        raise Conflict("other messages of this conversation were faster every time", log=request.log)

    def due(self, request: Request, newest: Turn | None) -> Due:
        """Owed replies that go out with the next answer: all but those that are being posted."""
        if newest is None or request.route is None or request.from_outside or not newest.state.unfinished.owed:
            return NOTHING_DUE
        given: list[Owed] = []
        settled: set[int] = set()
        for owed in newest.state.unfinished.owed:
            if owed.route.may_be_posted(self.now_ms() - CLOCK_SLACK_MS):
                continue
            settled.add(owed.revision)
            if self._was_posted(request, owed):
                self.report(ReplyUnknown("a reply was posted and its outcome is unknown", revision=owed.revision))
            else:
                given.append(owed)
        turns = self.advance.load(request, tuple([number for owed in given for number in owed.revisions]))
        return Due(turns=turns, settled=frozenset(settled))

    def _was_posted(self, request: Request, owed: Owed) -> bool:
        return owed.route.callback_url is not None and self.claims.is_taken(
            request.bot.id, request.log, callback_claim(owed.revision), request.deadline_ns
        )

    def _again(self, request: Request, newest: Turn, known: int) -> Handled:
        """Answer a resend from the log."""
        unfinished = newest.state.unfinished
        is_owed = any(known in owed.revisions for owed in unfinished.owed)
        if is_owed or unfinished.waits_for(known):  # given out only once, by whoever settles it
            return Handled(turn=newest, is_waiting=True, is_resend=True)
        turn = newest
        if known != newest.revision:
            found = self.turns.get(request.bot.id, request.log, known, request.deadline_ns)
            if found is None:
                raise Unavailable("the turn of a resend is gone", revision=known)
            turn = found
        return Handled(turn=turn, given=self.advance.load(request, turn.gives), is_resend=True)

    def _wait(self, request: Request, newest: Turn) -> Handled:
        """A walk is under way: the message waits for its turn."""
        turn = newest if request.inbound is None else self.advance.hold(request, newest)
        pending = turn.state.unfinished.pending
        if pending is None or pending.free_from_ms < self.now_ms():
            self.advance.nudge(request)
        return Handled(turn=turn, is_waiting=True)

    def _is_given_up(self, newest: Turn) -> bool:
        pending = newest.state.unfinished.pending
        return pending is not None and self.now_ms() > pending.at_ms + GIVE_UP_MS

    def _give_up(self, request: Request, newest: Turn) -> Turn:
        failed = EffectFailed(name=TIMEOUT, message="nobody could finish this in time")
        return self.advance.go_on(replace(request, nobody_waits=True), newest, answer=failed).turn

    def _finish(self, request: Request, advanced: Advanced, due: Due) -> Handled:
        """Go on with a walk that was saved for an effect that is for now."""
        turn = advanced.turn
        if turn.state.unfinished.pending is None or advanced.is_waiting:
            given = () if advanced.is_waiting else due.turns
            return Handled(turn=turn, given=given, is_waiting=advanced.is_waiting, trace=advanced.trace)
        try:
            more = self.advance.go_on(request, turn, due=due)
        except TakenOver as exc:
            return Handled(turn=exc.newest, is_waiting=True, trace=advanced.trace)
        trace = advanced.trace + more.trace
        if more.is_waiting:
            return Handled(turn=more.turn, is_waiting=True, trace=trace)
        if more.turn.state.unfinished.held:
            self.advance.nudge(request)
        return Handled(turn=more.turn, heard=turn, given=due.turns, trace=trace)
