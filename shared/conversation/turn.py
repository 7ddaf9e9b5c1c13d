"""A turn: what one put into an end user's log holds. State, messages and complete events, together or not at all.

The log is the history, the lock, the duplicate check and the outbox (docs/architecture.md).
"""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from shared.conversation.unfinished import NOTHING, Unfinished
from shared.engine.session import Session
from shared.errors import Conflict, InvalidInput

JsonObject = dict[str, Any]

RECENT_CLIENT_IDS: Final = 32
"""Client ids kept to answer resends from the log: more than the web chat's tabs queue while the network is gone."""
RECENT_OF_KAKAO: Final = 8
"""KakaoTalk asks again within seconds or not at all, and its turns should stay small."""
CLIENT_MARK: Final = 8
"""Characters that stand for a client id: 48 bits of its hash. Whole ids would be a sixth of what a turn stores, and
two ids of one log that are the same here are one in 10**13."""


def client_mark(client_id: str) -> str:
    """What a log remembers of a client id."""
    return base64.urlsafe_b64encode(hashlib.sha256(client_id.encode("utf-8", "surrogatepass")).digest())[
        :CLIENT_MARK
    ].decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """The state of an end user's log after a turn.

    `session` is the conversation, None while none has begun. `first_contact_ms` is when the end user came, 0 after they
    were erased and have not come back; `sequence` the number of events so far; `recent` the marks of the newest client
    ids with their revisions, oldest first; `offer` what "계속 보기" would show next {revision, index}; `unfinished`
    what is still to be done; `active_month` (yyyymm) the month in which the end user was last counted as active, 0:
    never.
    """

    session: Session | None = None
    first_contact_ms: int = 0
    sequence: int = 0
    recent: tuple[tuple[str, int], ...] = ()
    offer: JsonObject | None = None
    unfinished: Unfinished = NOTHING
    active_month: int = 0

    def revision_of(self, client_id: str | None) -> int | None:
        """The revision that answered this client id already; None when it is new."""
        if client_id is None:
            return None
        mark = client_mark(client_id)
        return next((revision for known, revision in self.recent if known == mark), None)

    def recent_with(
        self, client_id: str | None, revision: int, answers: tuple[int, ...] = (), *, platform: str
    ) -> tuple[tuple[str, int], ...]:
        """`recent` after a turn that heard this client id, and that answers what the turns `answers` heard."""
        recent = self.recent
        if answers:
            recent = tuple([(mark, revision if known in answers else known) for mark, known in recent])
        if client_id is None:
            return recent
        most = RECENT_OF_KAKAO if platform == "kakao" else RECENT_CLIENT_IDS
        return (*recent, (client_mark(client_id), revision))[-most:]

    def to_json(self) -> JsonObject:
        return {
            "session": None if self.session is None else self.session.to_json(),
            "firstContactAt": self.first_contact_ms,
            "sequence": self.sequence,
            "recent": " ".join([f"{mark}{revision}" for mark, revision in self.recent]),
            **({"month": self.active_month} if self.active_month else {}),
            **({"offer": self.offer} if self.offer else {}),
            **self.unfinished.to_json(),
        }

    @classmethod
    def from_json(cls, data: JsonObject) -> "LogState":
        session = data["session"]
        return cls(
            session=None if session is None else Session.from_json(session),
            first_contact_ms=data["firstContactAt"],
            sequence=data["sequence"],
            recent=tuple([(known[:CLIENT_MARK], int(known[CLIENT_MARK:])) for known in data["recent"].split()]),
            offer=data.get("offer"),
            unfinished=Unfinished.from_json(data),
            active_month=data.get("month", 0),
        )


NO_STATE: Final = LogState()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a log.

    `commit` is random and names this very put. `inbound` {id, data, requestId?} is what the end user said; `messages`
    [{id, data, meta, masks?, metaMasks?}] what was answered, in clear; `events` complete events of docs/events.md,
    masked as they may leave now. `bot_version` is the version that ran. `state_row` names the row of a large state.
    `gives` are earlier turns whose replies go out with this one's, before it. `first_of_month` (yyyymm): this turn
    holds the first message that was received of this person in that month. `erases` names the erasure of everything
    before this turn.
    """

    bot_id: str
    log: str
    revision: int
    commit: str
    at_ms: int
    state: LogState
    platform: str = ""
    user_key: str = ""
    bot_version: str = ""
    inbound: JsonObject | None = None
    messages: list[JsonObject] = field(default_factory=list)
    events: list[JsonObject] = field(default_factory=list)
    first_of_month: int | None = None
    gives: tuple[int, ...] = ()
    erases: str | None = None
    state_row: str | None = None

    def body(self) -> JsonObject:
        """What is stored of it besides its key."""
        return {
            "state": self.state.to_json(),
            "platform": self.platform,
            "userKey": self.user_key,
            "botVersion": self.bot_version,
            "inbound": self.inbound,
            "messages": self.messages,
            **({"erases": self.erases} if self.erases else {}),
            **({} if self.first_of_month is None else {"firstOfMonth": self.first_of_month}),
            "events": self.events,
            **({"gives": list(self.gives)} if self.gives else {}),
        }

    @classmethod
    def from_body(cls, body: JsonObject, *, bot_id: str, log: str, revision: int, commit: str, at_ms: int) -> "Turn":
        return cls(
            bot_id=bot_id,
            log=log,
            revision=revision,
            commit=commit,
            at_ms=at_ms,
            state=LogState.from_json(body["state"]),
            platform=body["platform"],
            user_key=body["userKey"],
            bot_version=body["botVersion"],
            inbound=body["inbound"],
            messages=body["messages"],
            events=body["events"],
            first_of_month=body.get("firstOfMonth"),
            gives=tuple(body.get("gives", ())),
            erases=body.get("erases"),
        )


class TurnConflict(Conflict):
    """Somebody else wrote this revision first; `winner` is their turn."""

    def __init__(self, winner: Turn) -> None:
        super().__init__("another message was faster", revision=winner.revision)
        self.winner = winner


class TurnTooLarge(InvalidInput):
    """The turn does not fit into a row."""

    code = "turn_too_large"
