"""Sending again, by hand: one delivery, what was held while an endpoint was off, and a time range out of the delivery
log or out of the logs of turns.

What may be much is done in parts: each does a bounded piece of work and gives a cursor to go on with, None at the end.
A part that is asked for twice does no harm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import Conflict, InvalidInput, NotFound
from shared.services.log_replay import Range, after_chunk, after_logs, beginning, from_text, read_chunk, to_text
from shared.services.people_ports import Identities
from shared.services.webhook_log import DAY_MS, from_cursor, read_part, to_cursor
from shared.services.webhook_ports import Deliveries, DeliveryQueue, Endpoints, StoredTurns
from shared.webhooks.delivery import Delivery, DeliveryJob, DeliveryKey, LogPart, Place, batches, in_order, make
from shared.webhooks.endpoint import Endpoint
from shared.webhooks.fitting import fitted_if_needed
from shared.webhooks.grouping import MAX_EVENT_BYTES

JsonObject = dict[str, Any]

HELD_DAYS: Final = 14
SLACK_DAYS: Final = 2
"""A delivery lies under the day of its newest event, which may be before the day on which it was held."""
JOBS_A_PART: Final = 500
READS_A_PART: Final = 400
"""Of turns: a few seconds."""
AFTER_A_TRY_SECONDS: Final = 60
MAX_REPLAY_ID: Final = 64


class EndpointDisabled(Conflict):
    """The endpoint is off: switch it on before sending to it."""

    code = "endpoint_disabled"
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedPage:
    """How many deliveries a part asked for, and the cursor of the next part. A replay of all logs counts those that it
    made, so that what it meets twice counts once."""

    deliveries: int
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCount:
    """`is_all` is False when there are more than were counted."""

    count: int
    is_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The use cases. Each only asks: the sender does it, and a second request for the same does no harm. All raise
    NotFound, and EndpointDisabled unless they only look."""

    endpoints: Endpoints
    deliveries: Deliveries
    queue: DeliveryQueue
    turns: StoredTurns
    identities: Identities
    now_ms: Callable[[], int]

    # ---- the delivery log

    def resend(self, bot_id: str, key: DeliveryKey) -> None:
        """Send a delivery again, under its id. Raises Conflict while it is being tried, and for a test."""
        self._enabled(bot_id, key.webhook_id)
        delivery = self.deliveries.get(key)
        if delivery is None or delivery.bot_id != bot_id:
            raise NotFound("no such delivery", delivery=key.delivery_id)
        if delivery.is_test:
            raise Conflict("a test is not sent again: send another one", delivery=key.delivery_id)
        if delivery.state == "pending":
            raise Conflict("the delivery is being tried already", delivery=key.delivery_id)
        self.queue.send([_next_round(delivery)])

    def held(self, bot_id: str, webhook_id: str) -> HeldCount:
        """How much was held in the last 14 days, on or off."""
        if self.endpoints.get(bot_id, webhook_id) is None:
            raise NotFound("no such webhook", webhook=webhook_id)
        part = self._held_part(bot_id, webhook_id, None)
        return HeldCount(count=len(part.items), is_all=part.place is None)

    def send_held(self, bot_id: str, webhook_id: str) -> int:
        """Send all that was held, the oldest first; how many deliveries that is."""
        return _all(lambda cursor: self.send_held_part(bot_id, webhook_id, cursor))

    def send_held_part(self, bot_id: str, webhook_id: str, cursor: str | None = None) -> ReplayedPage:
        self._enabled(bot_id, webhook_id)
        return self._asked(self._held_part(bot_id, webhook_id, from_cursor(cursor)))

    def resend_range(self, bot_id: str, webhook_id: str, *, from_ms: int, until_ms: int) -> int:
        """Send every delivery whose newest event is of [from, until) again, under its id; how many. The delivery log
        goes back 30 days. Tests, and what is being tried, are left out."""
        return _all(
            lambda cursor: self.resend_range_part(bot_id, webhook_id, from_ms=from_ms, until_ms=until_ms, cursor=cursor)
        )

    def resend_range_part(
        self, bot_id: str, webhook_id: str, *, from_ms: int, until_ms: int, cursor: str | None = None
    ) -> ReplayedPage:
        self._enabled(bot_id, webhook_id)
        return self._asked(
            read_part(
                self.deliveries,
                webhook_id,
                from_ms=from_ms,
                until_ms=until_ms,
                newest_first=False,
                limit=JOBS_A_PART,
                after=from_cursor(cursor),
                wanted=lambda found: found.bot_id == bot_id and found.state != "pending" and not found.is_test,
            )
        )

    def _held_part(self, bot_id: str, webhook_id: str, after: Place | None) -> LogPart:
        now = self.now_ms()
        return read_part(
            self.deliveries,
            webhook_id,
            from_ms=now - (HELD_DAYS + SLACK_DAYS) * DAY_MS,
            until_ms=now + DAY_MS,
            newest_first=False,
            limit=JOBS_A_PART,
            after=after,
            wanted=lambda found: found.bot_id == bot_id and found.state == "held",
        )

    def _asked(self, part: LogPart) -> ReplayedPage:
        self.queue.send([_next_round(delivery) for delivery in part.items])
        return ReplayedPage(deliveries=len(part.items), cursor=to_cursor(part.place))

    # ---- the logs of turns

    def replay_log(self, bot_id: str, webhook_id: str, log: str, *, from_ms: int, until_ms: int, replay_id: str) -> int:
        """Make new deliveries of the events that a log told in [from, until); how many. The events keep their ids.

        `replay_id` names the request: the same one again makes the same deliveries.
        """
        endpoint = self._enabled(bot_id, webhook_id)
        wanted, made, chunk, is_more = Range(from_ms=from_ms, until_ms=until_ms), 0, None, True
        while is_more:
            part = read_chunk(self.turns, bot_id, log, wanted, chunk)
            made += len(self._deliver(endpoint, part.events, replay_id))
            chunk, is_more = part.following, part.following is not None
        return made

    def replay_range(
        self, bot_id: str, webhook_id: str, *, from_ms: int, until_ms: int, replay_id: str, cursor: str | None = None
    ) -> ReplayedPage:
        """The same for all logs of the bot: its own, and those of the end users that were seen since `from`. It is for
        events that got lost on their way: the logs have them all.

        Raises InvalidInput for a cursor that is none.
        """
        if not 1 <= len(replay_id) <= MAX_REPLAY_ID:
            raise InvalidInput(f"replayId: 1 to {MAX_REPLAY_ID} characters are expected")
        endpoint = self._enabled(bot_id, webhook_id)
        wanted = Range(from_ms=from_ms, until_ms=until_ms)
        position = beginning(wanted, self.now_ms()) if cursor is None else from_text(cursor)
        made = reads = 0
        while reads < READS_A_PART:
            if position.logs:
                part = read_chunk(self.turns, bot_id, position.logs[0], wanted, position.chunk)
                made += sum(self._deliver(endpoint, part.events, replay_id))
                reads += part.reads
                position = after_chunk(position, part.following)
                continue
            following = after_logs(position, self.identities, bot_id, self.now_ms())
            if following is None:
                return ReplayedPage(deliveries=made)
            position = following
            reads += 1
        return ReplayedPage(deliveries=made, cursor=to_text(position))

    def _deliver(self, endpoint: Endpoint, events: list[JsonObject], replay_id: str) -> list[bool]:
        """Deliveries of the events, each under the time of its newest: the same request must find the same rows.
        Whether each is new. The others are asked for again, lest they never were, when a try that is under way is over.
        """
        if not events:
            return []
        fitting = [fitted_if_needed(event, MAX_EVENT_BYTES) for event in events]
        made = [
            make(endpoint.bot_id, endpoint.webhook_id, batch, replay_id=replay_id)
            for batch in batches(in_order(fitting))
        ]
        now = self.now_ms()
        are_new = [self.deliveries.put(delivery, now_ms=now) for delivery in made]
        for is_new, delay_seconds in ((True, 0), (False, AFTER_A_TRY_SECONDS)):
            jobs = [
                DeliveryJob(bot_id=endpoint.bot_id, key=delivery.key)
                for delivery, was_new in zip(made, are_new, strict=True)
                if was_new == is_new
            ]
            self.queue.send(jobs, delay_seconds=delay_seconds)
        return are_new

    def _enabled(self, bot_id: str, webhook_id: str) -> Endpoint:
        endpoint = self.endpoints.get(bot_id, webhook_id)
        if endpoint is None:
            raise NotFound("no such webhook", webhook=webhook_id)
        if not endpoint.enabled:
            raise EndpointDisabled("the webhook is switched off", webhook=webhook_id)
        return endpoint


def _all(part_after: Callable[[str | None], ReplayedPage]) -> int:
    """Every part, one after the other."""
    part = part_after(None)
    count = part.deliveries
    while part.cursor is not None:
        part = part_after(part.cursor)
        count += part.deliveries
    return count


def _next_round(delivery: Delivery) -> DeliveryJob:
    return DeliveryJob(bot_id=delivery.bot_id, key=delivery.key, round=delivery.round + 1)
