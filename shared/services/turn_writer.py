"""Writes turns: one conditional put, whose lost answer is looked up."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.bot.model import Bot
from shared.conversation.record import Occurrence, record_turn
from shared.conversation.turn import NO_STATE, LogState, Turn, TurnConflict
from shared.conversation.unfinished import Unfinished
from shared.engine import StepResult
from shared.engine.session import Session
from shared.errors import Unavailable
from shared.services.ports import Turns
from shared.services.request import PREVIEW, JsonObject, Request
from shared.usage.calendar import SEOUL, UsageCalendar


def nothing_walked(session: Session | None) -> StepResult:
    """The result of a turn without a step."""
    return StepResult(session=session, messages=[], keyboard=None, facts=[], effect=None, trace=[])


def apology(bot: Bot, session: Session | None) -> StepResult:
    """A walk that came to nothing: the bot's error message, in the conversation as it was before."""
    text = bot.system_messages["error"]
    if "{{" in text:  # what it would see may be what is wrong
        text = bot.default_system_message("error")
    if session is not None and session.progress is not None:  # the walk ends here: nobody will go on with it
        session = session.copy()
        session.progress, session.position, session.waiting, session.keyboard = None, None, "nowhere", None
    said = {"data": {"type": "text", "text": text}, "meta": None, "position": None}
    return replace(nothing_walked(session), messages=[said])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a turn adds to the log. `said` and `client_id` are of the message that it hears, if it hears one; the rest
    as in conversation.record.Occurrence."""

    result: StepResult
    now_ms: int
    said: JsonObject | None = None
    client_id: str | None = None
    offer: JsonObject | None = None
    unfinished: Unfinished
    answers: tuple[int, ...] = ()
    gives: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnWriter:
    """The log of a request's end user, to be written to."""

    turns: Turns
    new_id: Callable[[], str]
    calendar: UsageCalendar = SEOUL

    def write(self, request: Request, newest: Turn | None, entry: Entry) -> Turn:
        """Append after `newest`. Raises TurnConflict when somebody was faster, TurnTooLarge, Unavailable when nobody
        knows."""
        before = NO_STATE if newest is None else newest.state
        revision = next_revision(newest)
        turn = self._turn(request, before, revision, entry)
        try:
            self.turns.append(turn, newest, request.deadline_ns)
        except Unavailable:
            found = self.turns.get(request.bot.id, request.log, revision, request.deadline_ns)
            if found is None:
                raise
            if found.commit != turn.commit:
                raise TurnConflict(found) from None
        return turn

    def _turn(self, request: Request, before: LogState, revision: int, entry: Entry) -> Turn:
        happened = Occurrence(
            bot_id=request.bot.id,
            log=request.log,
            platform=request.platform,
            user_key=request.user_key,
            at_ms=entry.now_ms,
            said=entry.said,
            client_id=entry.client_id,
            session=entry.result.session,
            messages=entry.result.messages,
            facts=entry.result.facts,
            bot_version=request.bot.version,
            offer=entry.offer,
            unfinished=entry.unfinished,
            answers=entry.answers,
            gives=entry.gives,
            month=0 if request.platform == PREVIEW else self.calendar.month_of(entry.now_ms),
        )
        return record_turn(before, happened, revision=revision, commit=self.new_id())


def next_revision(newest: Turn | None) -> int:
    return 1 if newest is None else newest.revision + 1
