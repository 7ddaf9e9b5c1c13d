"""From the stream of the turns table to what is listed and counted: public ids, hourly counters, monthly active users.

A batch is written in four steps, each of which finds what it did before. Whatever stops half way is done again from the
first record, whole, so that nothing is left out and nothing counts twice. A record that cannot be read is set aside
alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.conversation.projection import Active, SeenTurn, sightings, tally
from shared.errors import Conflict, InvalidInput, Unavailable
from shared.services.projection_ports import Counters, IdentityIndex, QuotaNotes, ReadSeenTurn
from shared.services.request import PREVIEW
from shared.services.webhook_ports import SetAside
from shared.usage.calendar import UsageCalendar

JsonObject = dict[str, Any]

TRIES: Final = 6
"""Of counters that others write at the same moment, in one invocation."""
PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Ports. `sleep` takes seconds; `random` gives numbers in [0, 1); `report` tells of faults of ours."""

    read: ReadSeenTurn
    index: IdentityIndex
    counters: Counters
    quotas: QuotaNotes
    calendar: UsageCalendar
    set_aside: SetAside
    report: Callable[[Exception], None]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    def __call__(self, records: Sequence[JsonObject]) -> str | None:
        """Project a batch of one shard. The sequence number from which it must come again; None when all is done."""
        turns: list[tuple[int, SeenTurn]] = []
        failed: list[int] = []
        for index, record in enumerate(records):
            try:
                turns.append((index, self.read(record)))
            except InvalidInput as exc:
                if not self._kept_aside(record["dynamodb"].get("Keys", {}), exc):
                    failed.append(index)
                    break
        try:
            self._write([turn for _, turn in turns if _is_of_a_customer(turn)])
        except (Conflict, Unavailable) as exc:
            self.report(exc)
            failed.append(turns[0][0])
        return str(records[min(failed)]["dynamodb"]["SequenceNumber"]) if failed else None

    def _write(self, turns: Sequence[SeenTurn]) -> None:
        self.index.note([sighting for turn in turns for sighting in sightings(turn)])
        self._until_counted(
            lambda: self.counters.count([tally(turn, self.calendar.hour_of(turn.at_ms)) for turn in turns])
        )
        actives = [
            Active(bot_id=turn.bot_id, log=turn.log, month=turn.first_of_month, at_ms=turn.at_ms)
            for turn in turns
            if turn.first_of_month is not None
        ]
        self._until_counted(lambda: self.counters.note_active(actives))
        # Not only after news: whoever counted before may have died here.
        for bot_id, month in sorted({(active.bot_id, active.month) for active in actives}):
            self._note_quota(bot_id, month)

    def _until_counted(self, write: Callable[[], None]) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                return write()
            except Conflict:
                if attempt == TRIES:
                    raise
            self.sleep(PAUSE_SECONDS * attempt * (1 + self.random()))
        return None

    def _note_quota(self, bot_id: str, month: int) -> None:
        limits = self.quotas.get(bot_id)
        if limits.quota is None or limits.over_month >= month:
            return
        active = self.counters.monthly_active(bot_id, month)
        if active > limits.quota:
            self.quotas.mark_over(bot_id, month, active=active)

    def _kept_aside(self, row: JsonObject, reason: Exception) -> bool:
        self.report(reason)
        try:
            self.set_aside(row, f"not projected: {reason}")
        except Unavailable as exc:
            self.report(exc)
            return False
        return True


def _is_of_a_customer(turn: SeenTurn) -> bool:
    """Not listed and not counted: authors who try a bot out, and what happens to the bot itself, on no platform."""
    return turn.platform not in ("", PREVIEW)
