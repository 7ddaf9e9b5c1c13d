"""What a turn says to whoever keeps lists and counts: shown ids, counted happenings. Pure.

The turn itself stays the truth. All of this follows from it, at every read the same.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.conversation.identity import Identity, Sighting
from shared.ids import end_user_id

JsonObject = dict[str, Any]

HOUR_MS: Final = 3_600_000
BEGUN: Final = "bot.conversation.created"
RECEIVED: Final = "bot.message.received"
SENT: Final = "bot.message.sent"
CAME: Final = "bot.end_user.created"
DONE_BY_THE_END_USER: Final = frozenset({CAME, BEGUN, RECEIVED})
RECEIVED_ON: Final = "received_"
"""Before the platform: how many of the received messages came from there."""
COUNTED: Final = {
    RECEIVED: "received",
    SENT: "sent",
    CAME: "new_end_users",
    BEGUN: "conversations",
    "bot.conversation.agent_call_requested": "calls_requested",
    "bot.conversation.agent_call_connected": "calls_connected",
    "bot.conversation.agent_call_cancelled": "calls_cancelled",
    "bot.conversation.agent_call_disconnected": "calls_disconnected",
}
"""Event -> its counter. A message that an agent sent counts as `sent_by_agents` instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTurn:
    """A turn as its record in the stream shows it. `first_contact_ms` is None where the state lies in a row of its own;
    `first_of_month` (yyyymm) stands in the turn with the month's first received message of its end user."""

    bot_id: str
    log: str
    revision: int
    commit: str
    at_ms: int
    platform: str
    user_key: str
    first_contact_ms: int | None = None
    first_of_month: int | None = None
    events: list[JsonObject] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one turn adds to the counters of its bot and hour; `commit` tells the turn from all others."""

    bot_id: str
    hour: str
    commit: str
    at_ms: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """The end user of a log said something in a month (yyyymm)."""

    bot_id: str
    log: str
    month: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCounts:
    """What happened with a bot in an hour, `yyyy-mm-ddThh` of the workspace's time."""

    hour: str
    received: int = 0
    sent: int = 0
    sent_by_agents: int = 0
    new_end_users: int = 0
    conversations: int = 0
    calls_requested: int = 0
    calls_connected: int = 0
    calls_cancelled: int = 0
    calls_disconnected: int = 0
    received_by_platform: Mapping[str, int] = field(default_factory=dict)


def sightings(turn: SeenTurn) -> list[Sighting]:
    """The ids that a turn shows: its end user's, when it was they who did something, and those of conversations that
    it began."""
    names = [event["event"] for event in turn.events]
    if DONE_BY_THE_END_USER.isdisjoint(names):
        return []
    person = end_user_id(turn.bot_id, turn.platform, turn.user_key)
    shown = [_identity(turn, person)]
    shown += [
        _identity(turn, person, event["data"]["conversation"]["id"]) for event in turn.events if event["event"] == BEGUN
    ]
    return [Sighting(identity=identity, at_ms=turn.at_ms) for identity in shown]


def _identity(turn: SeenTurn, person: str, conversation_id: str | None = None) -> Identity:
    first_contact = turn.at_ms if turn.first_contact_ms is None else turn.first_contact_ms
    return Identity(
        kind="end_user" if conversation_id is None else "conversation",
        public_id=conversation_id or person,
        bot_id=turn.bot_id,
        log=turn.log,
        platform=turn.platform,
        user_key=turn.user_key,
        end_user_id=person,
        revision=1 if conversation_id is None else turn.revision,  # the first turn of a log is the first contact
        created_at_ms=first_contact if conversation_id is None else turn.at_ms,
        seen_at_ms=turn.at_ms // HOUR_MS * HOUR_MS if conversation_id is None else turn.at_ms,
    )


def tally(turn: SeenTurn, hour: str) -> Tally:
    """What a turn adds to the counters; possibly nothing."""
    counts: Counter[str] = Counter()
    for event in turn.events:
        name = COUNTED.get(event["event"])
        if name == "sent" and (event["data"]["message"]["meta"] or {}).get("persona") is not None:
            name = "sent_by_agents"
        if name is not None:
            counts[name] += 1
        if name == "received":
            counts[RECEIVED_ON + turn.platform] += 1
    return Tally(bot_id=turn.bot_id, hour=hour, commit=turn.commit, at_ms=turn.at_ms, counts=counts)
