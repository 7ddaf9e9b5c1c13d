"""From turns to the messages of the topic `events`: each carries events of one bot, and nothing overtakes in a log."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from shared.webhooks.fitting import for_topic

JsonObject = dict[str, Any]

Published = Literal["published", "failed", "refused"]
"""What became of a message. failed: may succeed when tried again; refused: the message itself is at fault."""

MAX_EVENTS: Final = 100
MAX_MESSAGE_BYTES: Final = 240 * 1024
"""Below the 256 KB that SNS takes."""
ENVELOPE_BYTES: Final = 256
"""What stands around the events: a bot's id has at most 64 characters."""
MAX_EVENT_BYTES: Final = MAX_MESSAGE_BYTES - ENVELOPE_BYTES
MAX_CALL_ENTRIES: Final = 10
MAX_CALL_BYTES: Final = 256 * 1024
"""SNS PublishBatch: entries, and bytes of all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedTurn:
    """What the stream says of a turn. `sequence_number` is the record's place in its shard, `partition` and `sort` are
    the row's key, `events` JSON objects as they were stored."""

    bot_id: str
    partition: str
    sort: str
    sequence_number: str
    events: list[bytes]


@dataclass(slots=True)
class EventMessage:
    """A message being filled. `turns` are the indices of the turns whose events it holds."""

    bot_id: str
    events: list[bytes] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    size: int = ENVELOPE_BYTES

    def has_room(self, event: bytes) -> bool:
        return len(self.events) < MAX_EVENTS and self.size + len(event) < MAX_MESSAGE_BYTES

    def add(self, event: bytes, turn: int) -> None:
        self.events.append(event)
        self.size += len(event) + 1
        if not self.turns or self.turns[-1] != turn:
            self.turns.append(turn)

    def body(self) -> str:
        """JSON {botId, events}."""
        return (b'{"botId":"' + self.bot_id.encode() + b'","events":[' + b",".join(self.events) + b"]}").decode()


def messages(turns: Iterable[tuple[int, StreamedTurn]]) -> list[EventMessage]:
    """Messages in the order of their first events. The turns come with their indices, in the order of the stream."""
    made: list[EventMessage] = []
    open_messages: dict[str, EventMessage] = {}
    for index, turn in turns:
        for event in turn.events:
            raw = for_topic(event, MAX_EVENT_BYTES)
            message = open_messages.get(turn.bot_id)
            if message is None or not message.has_room(raw):
                message = open_messages[turn.bot_id] = EventMessage(turn.bot_id)
                made.append(message)
            message.add(raw, index)
    return made


def calls(made: Sequence[EventMessage]) -> Iterator[list[EventMessage]]:
    """What goes into one PublishBatch each, in order."""
    call: list[EventMessage] = []
    size = 0
    for message in made:
        if call and (len(call) == MAX_CALL_ENTRIES or size + message.size > MAX_CALL_BYTES):
            yield call
            call, size = [], 0
        call.append(message)
        size += message.size
    if call:
        yield call
