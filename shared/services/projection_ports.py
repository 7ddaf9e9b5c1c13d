"""What the projector needs of the outside world: whatever it writes may be written again."""

from collections.abc import Iterable
from typing import Any, Protocol

from shared.conversation.identity import Sighting
from shared.conversation.projection import Active, SeenTurn, Tally
from shared.usage.limits import UsageLimits

JsonObject = dict[str, Any]


class ReadSeenTurn(Protocol):
    """A turn from a record of the stream. Raises InvalidInput for one that cannot be read."""

    def __call__(self, record: JsonObject) -> SeenTurn: ...


class IdentityIndex(Protocol):
    """Brings the index of public ids up to what turns showed. Raises Unavailable."""

    def note(self, sightings: Iterable[Sighting]) -> None: ...


class Counters(Protocol):
    """Adds each turn and each active end user once, however often they are told. Raises Conflict when another writer
    of the same counters was faster, Unavailable; both may be tried again."""

    def count(self, tallies: Iterable[Tally]) -> None: ...
    def note_active(self, actives: Iterable[Active]) -> None: ...
    def monthly_active(self, bot_id: str, month: int) -> int: ...


class QuotaNotes(Protocol):
    """A bot's quota, and the note that a month went over it. Raises Unavailable."""

    def get(self, bot_id: str) -> UsageLimits: ...
    def mark_over(self, bot_id: str, month: int, *, active: int) -> bool: ...
