"""Sending again, by hand: one delivery, what was held while an endpoint was off, and a time range out of the log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from shared.errors import Conflict, NotFound
from shared.services.webhook_ports import Deliveries, DeliveryQueue, Endpoints, StoredTurns
from shared.webhooks.delivery import Delivery, DeliveryJob, DeliveryKey, batches, in_order, make
from shared.webhooks.endpoint import Endpoint
from shared.webhooks.fitting import fitted_if_needed
from shared.webhooks.grouping import MAX_EVENT_BYTES

JsonObject = dict[str, Any]

HELD_DAYS: Final = 14
DAY_MS: Final = 86_400_000
SLACK_DAYS: Final = 2
"""A delivery lies under the day of its newest event, which may be before the day on which it was held."""


class EndpointDisabled(Conflict):
    """The endpoint is off: switch it on before sending to it."""

    code = "endpoint_disabled"
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The use cases. Each only asks: the sender does it, and a second request for the same does no harm."""

    endpoints: Endpoints
    deliveries: Deliveries
    queue: DeliveryQueue
    turns: StoredTurns
    now_ms: Callable[[], int]

    def resend(self, bot_id: str, key: DeliveryKey) -> None:
        """Send a delivery again, under its id. Raises NotFound, EndpointDisabled; Conflict while it is being tried."""
        self._enabled(bot_id, key.webhook_id)
        delivery = self.deliveries.get(key)
        if delivery is None or delivery.bot_id != bot_id or delivery.state == "erased":
            raise NotFound("no such delivery", delivery=key.delivery_id)
        if delivery.state == "pending":
            raise Conflict("the delivery is being tried already", delivery=key.delivery_id)
        self.queue.send([_next_round(delivery)])

    def held(self, bot_id: str, webhook_id: str) -> list[Delivery]:
        """What was held in the last 14 days, the oldest first, without its events."""
        now = self.now_ms()
        found = [
            delivery
            for day in _days(now - (HELD_DAYS + SLACK_DAYS) * DAY_MS, now)
            for delivery in self.deliveries.of_day(webhook_id, day)
            if delivery.state == "held" and delivery.bot_id == bot_id
        ]
        return sorted(found, key=lambda delivery: delivery.key.at_ms)

    def send_held(self, bot_id: str, webhook_id: str) -> int:
        """Send all that was held; how many deliveries that is. Raises NotFound, EndpointDisabled."""
        self._enabled(bot_id, webhook_id)
        found = self.held(bot_id, webhook_id)
        self.queue.send([_next_round(delivery) for delivery in found])
        return len(found)

    def resend_range(self, bot_id: str, webhook_id: str, *, from_ms: int, until_ms: int) -> int:
        """Send every delivery whose newest event is of [from, until) again, under its id; how many. The delivery log
        goes back 30 days. Raises NotFound, EndpointDisabled."""
        self._enabled(bot_id, webhook_id)
        found = [
            delivery
            for day in _days(from_ms, until_ms)
            for delivery in self.deliveries.of_day(webhook_id, day)
            if from_ms <= delivery.key.at_ms < until_ms
            and delivery.state not in ("pending", "erased")
            and delivery.bot_id == bot_id
        ]
        self.queue.send([_next_round(delivery) for delivery in sorted(found, key=lambda found: found.key.at_ms)])
        return len(found)

    def replay_log(self, bot_id: str, webhook_id: str, log: str, *, from_ms: int, until_ms: int, replay_id: str) -> int:
        """Make new deliveries of the events that a log told in [from, until); how many. The events keep their ids.

        `replay_id` names the request: the same one again makes the same deliveries. Raises NotFound, EndpointDisabled.
        """
        endpoint = self._enabled(bot_id, webhook_id)
        events = [
            fitted_if_needed(event, MAX_EVENT_BYTES)
            for event in self._events(bot_id, log)
            if from_ms <= event["timestamp"] < until_ms
        ]
        now = self.now_ms()
        jobs = []
        for batch in batches(in_order(events)):
            # The newest event's time, not now: the same request again must find the same rows.
            delivery = make(bot_id, endpoint.webhook_id, batch, replay_id=replay_id)
            self.deliveries.put(delivery, now_ms=now)
            jobs.append(DeliveryJob(bot_id=bot_id, key=delivery.key))
        self.queue.send(jobs)
        return len(jobs)

    def _events(self, bot_id: str, log: str) -> Iterator[JsonObject]:
        newest = self.turns.newest(bot_id, log)
        for revision in range(1, 1 + (0 if newest is None else newest.revision)):
            turn = self.turns.get(bot_id, log, revision)
            if turn is not None:
                yield from turn.events

    def _enabled(self, bot_id: str, webhook_id: str) -> Endpoint:
        endpoint = self.endpoints.get(bot_id, webhook_id)
        if endpoint is None:
            raise NotFound("no such webhook", webhook=webhook_id)
        if not endpoint.enabled:
            raise EndpointDisabled("the webhook is switched off", webhook=webhook_id)
        return endpoint


def _days(from_ms: int, until_ms: int) -> list[str]:
    """The UTC days that [from, until] touches, as partitions are named."""
    first, last = from_ms // DAY_MS, until_ms // DAY_MS
    return [datetime.fromtimestamp(day * DAY_MS // 1000, UTC).strftime("%Y%m%d") for day in range(first, last + 1)]


def _next_round(delivery: Delivery) -> DeliveryJob:
    return DeliveryJob(bot_id=delivery.bot_id, key=delivery.key, round=delivery.round + 1)
