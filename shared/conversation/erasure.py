"""The erasure of a person: its receipt, and the turn that ends what was before. Pure."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from shared.conversation.identity import Identity
from shared.conversation.turn import LogState, Turn
from shared.webhooks.erasing import DELETED
from shared.webhooks.events import EventLog, Person, end_user_data

JsonObject = dict[str, Any]

DAY_MS: Final = 86_400_000
TOMBSTONE_MS: Final = 2 * DAY_MS
"""How long the tombstone stays when all else is done; the stream holds a turn for a day."""
DELIVERY_MS: Final = 30 * DAY_MS
RECOVERY_MS: Final = 35 * DAY_MS
MARKER_MS: Final = 100 * DAY_MS
"""Of a mark, from the message that made it."""

ErasureState = Literal["accepted", "erased", "done"]
"""accepted: to be done; erased: everything was gone through once; done: also what was under way then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows that are gone, and deliveries that were rewritten. A worker that dies may leave its last page uncounted."""

    turns: int = 0
    states: int = 0
    conversations: int = 0
    deliveries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Something that an erasure does not reach. `until_ms` is None where it is not known yet, or a setting says it."""

    what: str
    korean: str
    english: str
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A receipt: nothing in it tells who the person was.

    `log` and `revision` say where the tombstone is, `sequence` is its event's. `requested_by` is the id of an API key,
    "cli", or "web" for the person themselves. `lock` counts the writes of the row.
    """

    erasure_id: str
    bot_id: str
    end_user_id: str
    log: str
    revision: int
    sequence: int
    requested_by: str
    requested_at_ms: int
    state: ErasureState = "accepted"
    erased_at_ms: int | None = None
    done_at_ms: int | None = None
    counts: Counts = field(default=Counts())
    lock: int = 0

    def stays(self) -> tuple["Kept", ...]:
        """What of the person is still somewhere, and until when it can be; nobody can take it out of there."""
        tombstone_ms = None if self.done_at_ms is None else self.done_at_ms + TOMBSTONE_MS
        backups_ms = None if tombstone_ms is None else tombstone_ms + RECOVERY_MS
        return (
            Kept(
                what="tombstone",
                korean="삭제 이벤트의 원본(사용자 키)",
                english="the stored event that tells of the erasure (user key)",
                until_ms=tombstone_ms,
            ),
            Kept(
                what="deletedEvent",
                korean="웹훅 전송 기록의 bot.end_user.deleted (사용자 키)",
                english="bot.end_user.deleted in the delivery log (user key)",
                until_ms=self.requested_at_ms + DELIVERY_MS,
            ),
            Kept(
                what="deletedEndpoints",
                korean="이미 삭제된 웹훅의 전송 기록",
                english="delivery logs of webhooks that were deleted before",
                until_ms=self.requested_at_ms + DELIVERY_MS,
            ),
            Kept(
                what="pointInTimeRecovery",
                korean="데이터베이스의 시점 복구",
                english="point-in-time recovery of the tables",
                until_ms=backups_ms,
            ),
            Kept(
                what="monthlyMarkers",
                korean="월간 사용자 수의 표시(키의 해시)",
                english="marks of monthly active users (a hash of the key)",
                until_ms=self.requested_at_ms + MARKER_MS,
            ),
            Kept(
                what="logs",
                korean="함수의 로그: LogRetentionDays",
                english="logs of the functions: LogRetentionDays",
                until_ms=None,
            ),
        )

    def to_json(self) -> JsonObject:
        return {
            "endUserId": self.end_user_id,
            "log": self.log,
            "revision": self.revision,
            "sequence": self.sequence,
            "requestedBy": self.requested_by,
            "requestedAt": self.requested_at_ms,
            "state": self.state,
            "erasedAt": self.erased_at_ms,
            "doneAt": self.done_at_ms,
            "counts": asdict(self.counts),
        }

    @classmethod
    def from_json(cls, data: JsonObject, *, bot_id: str, erasure_id: str, lock: int) -> "Erasure":
        return cls(
            erasure_id=erasure_id,
            bot_id=bot_id,
            end_user_id=data["endUserId"],
            log=data["log"],
            revision=data["revision"],
            sequence=data["sequence"],
            requested_by=data["requestedBy"],
            requested_at_ms=data["requestedAt"],
            state=data["state"],
            erased_at_ms=data["erasedAt"],
            done_at_ms=data["doneAt"],
            counts=Counts(**data["counts"]),
            lock=lock,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureJob:
    """Work on an erasure. `last_pass` is the look at what was under way at the first. `from_ms` is the person's first
    contact, before which no delivery can be about them.

    `webhook_id`, `day` and `after` say how far the delivery logs were gone through; empty at the beginning.
    """

    bot_id: str
    erasure_id: str
    from_ms: int
    last_pass: bool = False
    webhook_id: str = ""
    day: str = ""
    after: str = ""

    def to_json(self) -> JsonObject:
        return {
            "botId": self.bot_id,
            "erasureId": self.erasure_id,
            "from": self.from_ms,
            "lastPass": self.last_pass,
            "webhookId": self.webhook_id,
            "day": self.day,
            "after": self.after,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OldTurn:
    """A turn that is to go, with its events; None for one that cannot be read."""

    revision: int
    events: list[JsonObject] | None


CONVERSATION_BEGAN: Final = "bot.conversation.created"


def tombstone(newest: Turn, erasure: Erasure, commit: str) -> Turn:
    """The turn after `newest`: an empty state in which only the count of events goes on, and the event that tells."""
    session = newest.state.session
    messages = [*([newest.inbound] if newest.inbound else []), *newest.messages]
    person = Person(
        bot_id=newest.bot_id,
        end_user_id=erasure.end_user_id,
        platform=newest.platform,
        user_key=newest.user_key,
        first_contact_ms=newest.state.first_contact_ms,
    )
    log = EventLog(newest.bot_id, commit, erasure.requested_at_ms, newest.state.sequence)
    log.add(
        DELETED,
        end_user_data(
            person,
            params={},
            last_message_id=messages[-1]["id"] if messages else None,
            last_conversation_id=None if session is None else session.conversation_id,
            at_ms=erasure.requested_at_ms,
            deleted_at_ms=erasure.requested_at_ms,
        ),
    )
    return Turn(
        bot_id=newest.bot_id,
        log=newest.log,
        revision=erasure.revision,
        commit=commit,
        at_ms=erasure.requested_at_ms,
        platform=newest.platform,
        user_key=newest.user_key,
        events=log.events,
        state=LogState(sequence=log.sequence),
        erases=erasure.erasure_id,
    )


def identity_of(stone: Turn, end_user_id: str) -> Identity:
    """Whom a tombstone is about."""
    return Identity(
        kind="end_user",
        public_id=end_user_id,
        bot_id=stone.bot_id,
        log=stone.log,
        platform=stone.platform,
        user_key=stone.user_key,
        end_user_id=end_user_id,
        revision=stone.revision,
        created_at_ms=stone.at_ms,
        seen_at_ms=stone.at_ms,
    )


def conversations_begun(events: list[JsonObject]) -> list[str]:
    """Ids of the conversations that began in a turn with these events."""
    return [str(event["data"]["conversation"]["id"]) for event in events if event["event"] == CONVERSATION_BEGAN]
