"""From the stream of the turns table to the topic `events`: the outbox is emptied in the order of each log.

Whatever stops half way is done again from the lowest record that failed, so that an event may be published twice, with
the same id, and never not at all. A record that can never be relayed is set aside alone, so that it stops nobody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import InvalidInput, Unavailable
from shared.services.webhook_ports import EventTopic, ReadStream, SetAside
from shared.webhooks.grouping import EventMessage, StreamedTurn, calls, messages

JsonObject = dict[str, Any]

TRIES: Final = 3
"""Of the entries of a call that SNS did not take, in one invocation; after that the stream brings them again."""
PAUSE_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 5.0
"""What an invocation waits before it gives a batch back. The stream's mapping tries a batch so often and no more
(MaximumRetryAttempts of template.yaml), so the pause is what an outage of hours is lived through with."""


class UnrelayableTurn(InvalidInput):
    """A turn whose events cannot be read or are refused by the topic; its row is in the queue of set-aside records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Ports. `sleep` takes seconds; `report` tells of faults of ours that did not stop anything."""

    read: ReadStream
    topic: EventTopic
    set_aside: SetAside
    report: Callable[[Exception], None]
    sleep: Callable[[float], None]
    push: Callable[[Sequence[JsonObject]], None] = lambda records: None
    """Tells open sockets of records whose events are published. Raises nothing."""

    def __call__(self, records: Sequence[JsonObject]) -> str | None:
        """Relay a batch of one shard. The sequence number from which it must come again; None when all is done."""
        failed = self._relay(records)
        self.push(records if failed is None else records[:failed])
        return None if failed is None else str(records[failed]["dynamodb"]["SequenceNumber"])

    def _relay(self, records: Sequence[JsonObject]) -> int | None:
        """The index of the first record that must come again."""
        turns: list[tuple[int, StreamedTurn]] = []
        for index, record in enumerate(records):
            try:
                turns.append((index, self.read(record)))
            except InvalidInput as exc:
                if not self._kept_aside(record["dynamodb"].get("Keys", {}), exc):
                    unpublished = self._publish(turns)
                    return index if unpublished is None else min(unpublished, index)
        return self._publish(turns)

    def _publish(self, turns: list[tuple[int, StreamedTurn]]) -> int | None:
        """The index of the first turn of which something was not published."""
        rows = dict(turns)
        failed: list[int] = []
        for call in calls(messages(turns)):
            for message in self._unpublished(call, rows):
                failed += message.turns
            if failed:  # what follows would overtake; the stream brings it with the rest
                break
        return min(failed) if failed else None

    def _unpublished(self, call: list[EventMessage], rows: dict[int, StreamedTurn]) -> list[EventMessage]:
        left, stuck = call, list[EventMessage]()
        for attempt in range(TRIES):
            if attempt:
                self.sleep(PAUSE_SECONDS * attempt)
            try:
                outcomes = self.topic.publish(left)
            except Unavailable as exc:
                self.report(exc)
                break
            for message, outcome in zip(left, outcomes, strict=True):
                if outcome == "refused":
                    stuck += self._refused(message, rows)
            left = [message for message, outcome in zip(left, outcomes, strict=True) if outcome == "failed"]
            if not left:
                return stuck
        else:
            self.report(Unavailable("the topic of events did not take messages", messages=len(left)))
        self.sleep(PATIENCE_SECONDS)
        return [*stuck, *left]

    def _refused(self, message: EventMessage, rows: dict[int, StreamedTurn]) -> list[EventMessage]:
        """What of a refused message could be neither published nor set aside. One of its turns is at fault, so each is
        published alone, and only what is refused then is set aside."""
        if len(message.turns) == 1:
            row = rows[message.turns[0]]
            refusal = UnrelayableTurn("the topic of events refuses a message", bot=message.bot_id)
            is_kept = self._kept_aside({"pk": {"S": row.partition}, "sk": {"S": row.sort}}, refusal)
            return [] if is_kept else [message]
        alone = [single for turn in message.turns for single in messages([(turn, rows[turn])])]
        for call in calls(alone):
            if stuck := self._unpublished(call, rows):
                return [*stuck, message]
        return []

    def _kept_aside(self, row: JsonObject, reason: Exception) -> bool:
        self.report(reason)
        try:
            self.set_aside(row, str(reason))
        except Unavailable as exc:
            self.report(exc)
            return False
        return True
