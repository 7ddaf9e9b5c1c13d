"""From the topic's messages to deliveries: one for each endpoint of the bot and each hundred events.

A delivery's id follows from its endpoint and its events: a batch that comes again makes the same deliveries. It travels
in its job, and the sender writes its row; only what is held for an endpoint that is off gets its row here.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from shared.errors import InvalidInput
from shared.ids import BOT_ID
from shared.services.webhook_ports import Deliveries, DeliveryQueue, Endpoints
from shared.webhooks.delivery import Delivery, DeliveryJob, batches, first_try, in_order, make, next_round
from shared.webhooks.endpoint import Endpoint

JsonObject = dict[str, Any]

FRESH_NS: Final = 5_000_000_000
"""How long endpoints are remembered, for events that happened before they were read."""
CLOCKS_DIFFER_MS: Final = 2_000
"""By so much the time of an event may be behind that of the read, although it happened later."""
MAX_REMEMBERED: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsOfBot:
    """A message of the topic. `message_id` is SQS's."""

    message_id: str
    bot_id: str
    events: list[JsonObject]


def parse_message(message_id: str, text: str) -> EventsOfBot:
    """A message as the relay wrote it. Raises InvalidInput."""
    try:
        data = json.loads(text)
        bot_id, events = data["botId"], data["events"]
        well_formed = bool(BOT_ID.fullmatch(bot_id)) and all(
            isinstance(event["id"], str)
            and isinstance(event["timestamp"], int)
            and isinstance(event["sequence"], int)
            and isinstance(event["data"], dict)
            for event in events
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise InvalidInput("a message of the events queue cannot be read", record=message_id) from exc
    if not well_formed:
        raise InvalidInput("a message of the events queue holds something else than events", record=message_id)
    return EventsOfBot(message_id=message_id, bot_id=bot_id, events=events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fanout:
    """Ports and sources of time."""

    endpoints: Endpoints
    deliveries: Deliveries
    queue: DeliveryQueue
    now_ms: Callable[[], int]
    clock_ns: Callable[[], int]
    report: Callable[[Exception], None]
    _remembered: dict[str, tuple[int, int, list[Endpoint]]] = field(default_factory=dict)
    """Bot -> when they were read, by both clocks, and its endpoints."""

    def __call__(self, messages: Sequence[EventsOfBot]) -> set[str]:
        """Make the deliveries. Ids of the messages that must come again; other bots are not held up by them."""
        of_bots: dict[str, list[EventsOfBot]] = {}
        for message in messages:
            of_bots.setdefault(message.bot_id, []).append(message)
        failed: set[str] = set()
        waiting: set[str] = set()
        jobs: list[DeliveryJob] = []
        for bot_id, found in of_bots.items():
            ids = {message.message_id for message in found}
            try:
                jobs += self._deliveries(bot_id, [event for message in found for event in message.events])
                waiting |= ids
            except Exception as exc:  # noqa: BLE001 - they come again, and other bots are not held up
                self.report(exc)
                failed |= ids
        try:
            if jobs:  # of all bots together: SQS bills ten as one
                self.queue.send(jobs)
        except Exception as exc:  # noqa: BLE001 - all of it comes again, and makes the same jobs
            self.report(exc)
            failed |= waiting
        return failed

    def _deliveries(self, bot_id: str, events: list[JsonObject]) -> list[DeliveryJob]:
        """A bot's deliveries, in their jobs."""
        if not events:
            return []
        endpoints = self._endpoints(bot_id, max(event["timestamp"] for event in events))
        if not endpoints:
            return []
        cut = batches(in_order(events))
        jobs: list[DeliveryJob] = []
        for endpoint in endpoints:
            for batch in cut:
                delivery = make(bot_id, endpoint.webhook_id, batch)
                jobs += [first_try(delivery)] if endpoint.enabled else self._held(delivery, endpoint)
        return jobs

    def _held(self, delivery: Delivery, endpoint: Endpoint) -> list[DeliveryJob]:
        """Put the row of a delivery whose endpoint is off, unless it is there: somebody was faster, or it was us, who
        died before the look at the owner's switch."""
        held = replace(delivery, state="held")
        self.deliveries.put(held, now_ms=self.now_ms())
        # Whoever switched it on and asked for what is held may have done so before this row was there.
        now = self.endpoints.get(endpoint.bot_id, endpoint.webhook_id)
        return [next_round(held)] if now is not None and now.enabled else []

    def _endpoints(self, bot_id: str, newest_ms: int) -> list[Endpoint]:
        """At least all that there were when the newest event happened; one that is off is looked at again, lest events
        are held for nothing."""
        now_ns, now_ms = self.clock_ns(), self.now_ms()
        read_ns, read_ms, endpoints = self._remembered.get(bot_id, (now_ns - FRESH_NS, 0, []))
        is_fresh = now_ns - read_ns < FRESH_NS and newest_ms < read_ms - CLOCKS_DIFFER_MS
        if not is_fresh or any(not endpoint.enabled for endpoint in endpoints):
            endpoints = self.endpoints.of_bot(bot_id)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[bot_id] = (now_ns, now_ms, endpoints)
        return endpoints
