"""What the use cases of every channel are asked, and what they answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from shared.bot.model import Bot
from shared.conversation.turn import Turn
from shared.conversation.unfinished import ReplyRoute
from shared.engine import Session
from shared.engine.inbound import Inbound, said_by_end_user
from shared.engine.trace import TraceEntry
from shared.ids import end_user_id, log_key

JsonObject = dict[str, Any]

PREVIEW: Final = "test"
"""The platform of authors who try out their bots."""

Paginate = Callable[[list[JsonObject], JsonObject | None, int], int | None]
"""(messages, keyboard, revision) -> index at which "계속 보기" goes on, None when everything fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One inbound event. `inbound` None: nothing for the engine, the turn only records what was `said_aside`.

    `client_id` tells resends (None: nothing counts as one). `offer` is the next "계속 보기" of a turn without a step;
    with a step, `paginate` finds it. `route` is there where replies are only given as answers: then waiting for a slow
    effect is said, and what is late is owed. `deadline_ns` is on the monotonic clock. `nobody_waits`: the caller is
    gone, so replies are owed, and an effect that may not get its full time now gets it later. `from_outside`: the end
    user did not ask, so what is said to those who can only be answered is owed, and effects are the worker's. `check`
    is shown the turn that the event will follow, and raises what refuses it.
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
    route: ReplyRoute | None = None
    deadline_ns: int | None = None
    nobody_waits: bool = False
    from_outside: bool = False
    check: Callable[[Turn | None], None] = lambda newest: None

    @property
    def can_be_told_to_wait(self) -> bool:
        return self.route is not None

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
    """The turn that answers the request, after the turns `given` whose replies go out with it. `is_waiting`: the reply
    is not there yet. `is_resend`: it was there already. `trace` is empty then. `heard` is the turn that stored the
    message, where the walk was saved before it went on to `turn`."""

    turn: Turn
    heard: Turn | None = None
    given: tuple[Turn, ...] = ()
    is_waiting: bool = False
    is_resend: bool = False
    trace: list[TraceEntry] = field(default_factory=list)

    @property
    def messages(self) -> list[JsonObject]:
        """All messages of the reply."""
        if self.is_waiting:
            return []
        return [message for turn in (*self.given, self.turn) for message in turn.messages]

    @property
    def keyboard(self) -> JsonObject | None:
        return shown_keyboard(self.turn.state.session)


def shown_keyboard(session: Session | None) -> JsonObject | None:
    """The keyboard that a conversation waits at, with the place of its node; None when there is none."""
    if session is None or session.keyboard is None:
        return None
    return {**session.keyboard, "position": list(session.position or ())}
