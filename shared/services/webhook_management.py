"""What the owner of a bot does with its webhooks: register, change, switch, test, and read the delivery log."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from shared.errors import Conflict, InvalidInput, NotFound
from shared.ids import BOT_ID
from shared.services.ports import Bots
from shared.services.webhook_deliver import send
from shared.services.webhook_log import DAY_MS, MAX_AT_MS, from_cursor, read_part, to_cursor
from shared.services.webhook_ports import Deliveries, ManagedEndpoints, PostDelivery, RefuseTarget
from shared.webhooks import signature
from shared.webhooks.delivery import Delivery, DeliveryKey, DeliveryState, batches, make
from shared.webhooks.endpoint import Endpoint, checked, switched, with_new_secret, with_url
from shared.webhooks.events import trial_event

MAX_ENDPOINTS: Final = 50
"""Of a bot: each event makes a delivery for each of them. Two owners at once may exceed it by one, which harms
nobody."""
LOG_DAYS: Final = 30
MAX_PAGE: Final = 100

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """Newest first, without their events. A page may be short, even empty, before the last one: `cursor` decides."""

    items: tuple[Delivery, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageWebhooks:
    """The use cases. All raise NotFound for a bot or a webhook that is not there; what changes an endpoint raises
    Conflict when somebody else, or a disabling, was faster: read it again and decide anew."""

    bots: Bots
    endpoints: ManagedEndpoints
    log: Deliveries
    post: PostDelivery
    refuse_target: RefuseTarget
    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    random_bytes: Callable[[int], bytes]

    # ---- endpoints

    def list(self, bot_id: str) -> list[Endpoint]:
        """All of a bot, those that are off too, the oldest first."""
        self._require_bot(bot_id)
        return sorted(self.endpoints.of_bot(bot_id), key=lambda found: (found.created_at_ms, found.webhook_id))

    def get(self, bot_id: str, webhook_id: str) -> Endpoint:
        self._require_bot(bot_id)
        found = self.endpoints.get(bot_id, webhook_id) if _UUID.fullmatch(webhook_id) else None
        if found is None:
            raise NotFound("no such webhook", webhook=webhook_id[:64])
        return found

    def create(self, bot_id: str, *, name: str, url: str, closer_user_agent: bool = False) -> Endpoint:
        """Register an endpoint, which is on. Raises InvalidInput, BlockedAddress; Conflict when there are too many."""
        self._require_bot(bot_id)
        now = self.now_ms()
        endpoint = checked(
            Endpoint(
                webhook_id=self.new_id(),
                bot_id=bot_id,
                name=name,
                url=url.strip(),
                secret=self._new_secret(),
                created_at_ms=now,
                updated_at_ms=now,
                closer_user_agent=closer_user_agent,
            )
        )
        self.refuse_target(endpoint.url)
        if len(self.endpoints.of_bot(bot_id)) >= MAX_ENDPOINTS:
            raise Conflict(
                f"the bot has {MAX_ENDPOINTS} webhooks, the most that it may have, because each event is sent to all "
                "of them: delete one that is not needed"
            )
        self.endpoints.create(endpoint)
        return endpoint

    def change(
        self,
        bot_id: str,
        webhook_id: str,
        *,
        name: str | None = None,
        url: str | None = None,
        closer_user_agent: bool | None = None,
    ) -> Endpoint:
        """Change what is given. Raises InvalidInput, BlockedAddress."""
        before = self.get(bot_id, webhook_id)
        after = before
        if name is not None:
            after = replace(after, name=name)
        if closer_user_agent is not None:
            after = replace(after, closer_user_agent=closer_user_agent)
        if url is not None:
            after = with_url(after, url.strip())
        after = checked(after)
        if after.url != before.url:
            self.refuse_target(after.url)
        return self._store(before, after)

    def delete(self, bot_id: str, webhook_id: str) -> None:
        """Raises NotFound for one that is gone. Its delivery log expires, what was held is not sent."""
        self.get(bot_id, webhook_id)
        self.endpoints.delete(bot_id, webhook_id)

    def enable(self, bot_id: str, webhook_id: str) -> Endpoint:
        """Send again from now on; what was held waits to be asked for."""
        return self._switch(bot_id, webhook_id, enabled=True)

    def disable(self, bot_id: str, webhook_id: str) -> Endpoint:
        """Hold events from now on. One that is off already keeps its reason."""
        return self._switch(bot_id, webhook_id, enabled=False)

    def rotate_secret(self, bot_id: str, webhook_id: str) -> Endpoint:
        """A new secret; the one before signs too for a day."""
        before = self.get(bot_id, webhook_id)
        return self._store(before, with_new_secret(before, self._new_secret(), self.now_ms()))

    # ---- deliveries

    def test(self, bot_id: str, webhook_id: str) -> Delivery:
        """Send one event now, on or off, and write down what came of it. It is never tried again, and a failure
        switches nothing off."""
        endpoint = self.get(bot_id, webhook_id)
        now = self.now_ms()
        event = trial_event(event_id=self.new_id(), bot_id=bot_id, webhook_id=webhook_id, name=endpoint.name, at_ms=now)
        (batch,) = batches([event])
        delivery = replace(make(bot_id, webhook_id, batch), is_test=True)
        attempt, _ = send(self.post, delivery, endpoint, now)
        state: Literal["delivered", "failed"] = "delivered" if attempt.is_success else "failed"
        tried = replace(
            delivery,
            state=state,
            tried=1,
            first_try_ms=attempt.at_ms,
            url_revision=endpoint.url_revision,
            attempts=(attempt,),
        )
        self.log.put(tried, now_ms=now)
        return tried

    def deliveries(
        self,
        bot_id: str,
        webhook_id: str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        state: DeliveryState | None = None,
        from_ms: int | None = None,
        until_ms: int | None = None,
    ) -> DeliveryPage:
        """The delivery log of [from, until) by the time of the newest event; without `from`, of the last 30 days.
        Raises InvalidInput."""
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInput(f"limit: 1 to {MAX_PAGE} are expected")
        self.get(bot_id, webhook_id)
        now = self.now_ms()
        part = read_part(
            self.log,
            webhook_id,
            from_ms=now - LOG_DAYS * DAY_MS if from_ms is None else from_ms,
            until_ms=now + DAY_MS if until_ms is None else until_ms,
            newest_first=True,
            limit=limit,
            after=from_cursor(cursor),
            wanted=lambda found: found.bot_id == bot_id and state in (None, found.state),
        )
        return DeliveryPage(items=tuple(part.items), cursor=to_cursor(part.place))

    def delivery(self, bot_id: str, webhook_id: str, delivery_id: str, at_ms: int | None = None) -> Delivery:
        """A delivery with its events. `at_ms` is its time as the log shows it; without it only the newest few thousand
        are looked through."""
        self.get(bot_id, webhook_id)
        unknown = NotFound("no such delivery", delivery=delivery_id[:64])
        if not _UUID.fullmatch(delivery_id):
            raise unknown
        if at_ms is None:
            now = self.now_ms()
            part = read_part(
                self.log,
                webhook_id,
                from_ms=now - LOG_DAYS * DAY_MS,
                until_ms=now + DAY_MS,
                newest_first=True,
                limit=1,
                wanted=lambda found: found.key.delivery_id == delivery_id,
            )
            if not part.items:
                if part.place is None:
                    raise unknown
                raise NotFound("not among the newest deliveries: say its time too, as `at`", delivery=delivery_id)
            at_ms = part.items[0].key.at_ms
        if not 0 <= at_ms <= MAX_AT_MS:
            raise unknown
        found = self.log.get(DeliveryKey(webhook_id=webhook_id, at_ms=at_ms, delivery_id=delivery_id))
        if found is None or found.bot_id != bot_id:
            raise unknown
        return found

    # ---- parts of these

    def _require_bot(self, bot_id: str) -> None:
        record = self.bots.get(bot_id) if BOT_ID.fullmatch(bot_id) else None
        if record is None or record.deleted_at_ms is not None:
            raise NotFound(f"no bot '{bot_id[:64]}'")

    def _switch(self, bot_id: str, webhook_id: str, *, enabled: bool) -> Endpoint:
        before = self.get(bot_id, webhook_id)
        if before.enabled == enabled:
            return before
        return self._store(before, switched(before, enabled=enabled, now_ms=self.now_ms()))

    def _store(self, before: Endpoint, after: Endpoint) -> Endpoint:
        """Unless nothing is different. The time of a change always grows: it tells whether somebody was faster."""
        if after == before:
            return before
        stored = replace(after, updated_at_ms=max(self.now_ms(), before.updated_at_ms + 1))
        self.endpoints.change(before, stored)
        return stored

    def _new_secret(self) -> str:
        return signature.new_secret(self.random_bytes(signature.SECRET_BYTES))
