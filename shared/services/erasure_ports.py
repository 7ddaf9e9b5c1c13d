"""What the erasure of a person needs of the outside world."""

from collections.abc import Sequence
from typing import Protocol

from shared.conversation.erasure import Erasure, ErasureJob, OldTurn
from shared.conversation.turn import Turn
from shared.webhooks.delivery import Delivery, DeliveryKey, DeliveryPage


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

    `turns` gives the next page, the oldest first. `delete_states` is bounded and says how many went: none means that
    there are no more. `expire` gives the turn itself an end.
    """

    def turns(self, bot_id: str, log: str, revision: int) -> Sequence[OldTurn]: ...
    def delete_turns(self, bot_id: str, log: str, revisions: Sequence[int]) -> None: ...
    def delete_states(self, bot_id: str, log: str, revision: int) -> int: ...
    def delete_claims(self, bot_id: str, log: str, revision: int) -> None: ...
    def expire(self, tombstone: Turn, at_ms: int) -> None: ...


class DeliveryLog(Protocol):
    """The delivery log with its events. `rewrite` is False when a delivery is no longer as it was seen."""

    def get(self, key: DeliveryKey) -> Delivery | None: ...
    def page(self, webhook_id: str, day: str, after: str) -> DeliveryPage: ...
    def rewrite(self, before: Delivery, after: Delivery) -> bool: ...


class Holding(Protocol):
    """Any other place that keeps something of a person, such as what they uploaded. Erases a bounded part of what is
    older than the erasure, and says whether it is done."""

    def __call__(self, erasure: Erasure) -> bool: ...
