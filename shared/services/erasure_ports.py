"""What the erasure of a person needs of the outside world."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.conversation.erasure import Erasure
from shared.conversation.turn import Turn
from shared.webhooks.delivery import Delivery, DeliveryKey, DeliveryPage

JsonObject = dict[str, Any]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OldTurn:
    """A turn that is to go, with its events; None for one that cannot be read."""

    revision: int
    events: list[JsonObject] | None


class Erasures(Protocol):
    """Receipts. `begin` stores one together with the tombstone, or raises Conflict; `save` raises Conflict when the
    receipt was changed since it was read."""

    def begin(self, erasure: Erasure, tombstone: Turn) -> None: ...
    def get(self, bot_id: str, erasure_id: str) -> Erasure | None: ...
    def save(self, erasure: Erasure) -> None: ...


class ErasureQueue(Protocol):
    """Raises Unavailable unless the job was taken."""

    def send(self, job: ErasureJob, *, delay_seconds: int = 0) -> None: ...


class OldRows(Protocol):
    """The rows of a log that are older than its turn `revision`; what is newer is never touched.

    `turns` gives the next page, the oldest first. `delete_states` and `delete_claims` are bounded and say how many went:
    none means that there are no more. `expire` gives the turn itself an end.
    """

    def turns(self, bot_id: str, log: str, revision: int) -> Sequence[OldTurn]: ...
    def delete_turns(self, bot_id: str, log: str, revisions: Sequence[int]) -> None: ...
    def delete_states(self, bot_id: str, log: str, revision: int) -> int: ...
    def delete_claims(self, bot_id: str, log: str, revision: int) -> int: ...
    def expire(self, tombstone: Turn, at_ms: int) -> None: ...


class DeliveryLog(Protocol):
    """The delivery log with its events. `rewrite` is False when a delivery is no longer as it was seen."""

    def get(self, key: DeliveryKey) -> Delivery | None: ...
    def of_day(self, webhook_id: str, day: str) -> Iterator[Delivery]: ...
    def page(self, webhook_id: str, day: str, after: str) -> DeliveryPage: ...
    def rewrite(self, before: Delivery, after: Delivery) -> bool: ...


class Holding(Protocol):
    """Any other place that keeps something of a person, such as what they uploaded. Erases a bounded part of what is
    older than the erasure, and says whether it is done."""

    def __call__(self, erasure: Erasure) -> bool: ...
