"""What the path of events to customers' endpoints needs of the outside world."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from shared.conversation.turn import Turn
from shared.webhooks.delivery import Attempt, Delivery, DeliveryJob, DeliveryKey, LogPart, Place
from shared.webhooks.endpoint import Disabling, Endpoint
from shared.webhooks.grouping import EventMessage, Published, StreamedTurn

JsonObject = dict[str, Any]


class ReadStream(Protocol):
    """A turn from a record of the stream. Raises InvalidInput for one that cannot be read."""

    def __call__(self, record: JsonObject) -> StreamedTurn: ...


class EventTopic(Protocol):
    """Publishes up to ten messages in one call. Raises Unavailable when none of them may have been taken."""

    def publish(self, messages: Sequence[EventMessage]) -> list[Published]: ...


class SetAside(Protocol):
    """Keeps the key of a row that can never be relayed, for people to look at. Raises Unavailable."""

    def __call__(self, row: JsonObject, reason: str) -> None: ...


class Endpoints(Protocol):
    """The endpoints of bots. `disable` and `note_success` are no errors when their condition does not hold."""

    def of_bot(self, bot_id: str) -> list[Endpoint]: ...
    def get(self, bot_id: str, webhook_id: str) -> Endpoint | None: ...
    def note_success(self, endpoint: Endpoint, at_ms: int) -> None: ...
    def disable(
        self,
        endpoint: Endpoint,
        disabling: Disabling,
        *,
        url_revision: int,
        at_ms: int,
        unless_success_since: int | None,
    ) -> bool: ...


class ManagedEndpoints(Endpoints, Protocol):
    """Endpoints as their owner changes them. `create` and `change` raise InvalidInput, and Conflict when somebody was
    faster; `delete` of what is gone is no error."""

    def create(self, endpoint: Endpoint) -> None: ...
    def change(self, before: Endpoint, after: Endpoint) -> None: ...
    def delete(self, bot_id: str, webhook_id: str) -> None: ...


class RefuseTarget(Protocol):
    """Raises BlockedAddress for a URL that no delivery would be sent to."""

    def __call__(self, url: str) -> None: ...


class Deliveries(Protocol):
    """The delivery log. Every write has a condition; False says that it did not hold.

    `part_of_day` reads up to `limit` rows of the partition `day` that lie between two places, without these.
    """

    def put(self, delivery: Delivery, *, now_ms: int) -> bool: ...
    def get(self, key: DeliveryKey) -> Delivery | None: ...
    def begin_round(self, delivery: Delivery, *, now_ms: int) -> bool: ...
    def hold(self, delivery: Delivery, *, now_ms: int) -> bool: ...
    def note_attempt(self, before: Delivery, after: Delivery, attempt: Attempt) -> bool: ...
    def part_of_day(
        self, webhook_id: str, day: str, *, first: Place, last: Place, newest_first: bool, limit: int
    ) -> LogPart: ...


class DeliveryQueue(Protocol):
    """Jobs for the sender. Raises Unavailable unless every one was taken."""

    def send(self, jobs: Iterable[DeliveryJob], *, delay_seconds: int = 0) -> None: ...


class PostDelivery(Protocol):
    """Posts a body to a customer's URL and says what came of it; never raises for the receiver's faults.

    The second value is the Retry-After header.
    """

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> tuple[Attempt, str | None]: ...


class StoredTurns(Protocol):
    """Logs for a replay: turns of one log, and which logs a bot has."""

    def newest(self, bot_id: str, log: str, deadline_ns: int | None = None) -> Turn | None: ...
    def get(self, bot_id: str, log: str, revision: int, deadline_ns: int | None = None) -> Turn | None: ...
