"""One try of a delivery: read, post, write down, and see to what follows.

The row is the truth and a job only asks for a try, so that a job that comes twice or late does no harm. The receiver
may get the same delivery twice, with the same id, when we die between its answer and the row.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.errors import InvalidInput
from shared.services.webhook_ports import Deliveries, DeliveryQueue, Endpoints, PostDelivery
from shared.webhooks import schedule, signature
from shared.webhooks.delivery import KEPT_ATTEMPTS, Attempt, Delivery, DeliveryJob, DeliveryKey, body
from shared.webhooks.endpoint import Disabling, Endpoint

GONE: Final = 410
EARLY_MS: Final = 1_000
"""A job may come so much before its time: clocks differ, and SQS counts whole seconds."""
SUCCESS_LAG_MS: Final = 1_000
"""A success is noted in the endpoint's row unless one was within this time: a busy endpoint would be a hot row."""
MILLISECONDS: Final = 1_000


def parse_delivery_job(text: str) -> DeliveryJob:
    """A message of the queue `deliveries`. Raises InvalidInput."""
    try:
        data: Any = json.loads(text)
        key = DeliveryKey(webhook_id=str(data["webhookId"]), at_ms=int(data["at"]), delivery_id=str(data["deliveryId"]))
        return DeliveryJob(bot_id=str(data["botId"]), key=key, round=int(data["round"]), tried=int(data["tried"]))
    except (ValueError, KeyError, TypeError) as exc:
        raise InvalidInput("a message of the deliveries queue cannot be read") from exc


def send(post: PostDelivery, delivery: Delivery, endpoint: Endpoint, now_ms: int) -> tuple[Attempt, str | None]:
    """Post a delivery, signed: what came of it, and the Retry-After header."""
    sent = body(delivery, endpoint.url)
    headers = signature.headers(
        secrets=endpoint.secrets(now_ms),
        delivery_id=delivery.key.delivery_id,
        timestamp_s=now_ms // MILLISECONDS,
        body=sent,
        closer_user_agent=endpoint.closer_user_agent,
    )
    return post(endpoint.url, headers, sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Ports and the clock."""

    endpoints: Endpoints
    deliveries: Deliveries
    queue: DeliveryQueue
    post: PostDelivery
    now_ms: Callable[[], int]

    def __call__(self, job: DeliveryJob) -> None:
        """Do what the job asks for, if it is still asked for. Raises Unavailable when the job must come again."""
        delivery = self.deliveries.get(job.key)
        if delivery is None or job.round < delivery.round:
            return  # expired, or overtaken by a resend
        if job.round == delivery.round + 1 and delivery.state != "pending":
            begun = replace(
                delivery,
                state="pending",
                round=job.round,
                tried=0,
                waited_s=0,
                first_try_ms=None,
                url_revision=None,
                next_at_ms=None,
            )
            if not self.deliveries.begin_round(begun, now_ms=self.now_ms()):
                return  # another copy of the job was faster
            delivery = begun
        if job.round != delivery.round:
            return
        if job.tried == delivery.tried and delivery.state == "pending":
            self._try(job, delivery)
        elif job.tried == delivery.tried - 1:  # the try was written down; what follows it may not have been done
            self._follow_up(job, delivery)

    def _try(self, job: DeliveryJob, delivery: Delivery) -> None:
        now = self.now_ms()
        if delivery.next_at_ms is not None and now < delivery.next_at_ms - EARLY_MS:
            self._put_off(delivery, now)
            return
        endpoint = self.endpoints.get(job.bot_id, job.key.webhook_id)
        if endpoint is None:
            return  # it was deleted, and its deliveries expire
        if not endpoint.enabled:
            self.deliveries.hold(delivery, now_ms=now)
            return
        attempt, retry_after = send(self.post, delivery, endpoint, now)
        after = self._after(delivery, endpoint, attempt, retry_after)
        if self.deliveries.note_attempt(delivery, after, attempt):
            self._follow_up(job, after, endpoint)

    def _after(self, before: Delivery, endpoint: Endpoint, attempt: Attempt, retry_after: str | None) -> Delivery:
        tried = replace(
            before,
            tried=before.tried + 1,
            attempts=(*before.attempts, attempt)[-KEPT_ATTEMPTS:],
            first_try_ms=attempt.at_ms if before.first_try_ms is None else before.first_try_ms,
            url_revision=endpoint.url_revision if before.url_revision is None else before.url_revision,
        )
        if attempt.is_success:
            return replace(tried, state="delivered", next_at_ms=None)
        now = self.now_ms()
        wait = schedule.next_try(before.waited_s, schedule.retry_after(retry_after, now))
        if attempt.status == GONE or wait is None:
            # 410 speaks for the URL that answered, which may be newer than that of the first try.
            revision = endpoint.url_revision if attempt.status == GONE else tried.url_revision
            return replace(tried, state="failed", next_at_ms=None, url_revision=revision)
        return replace(tried, waited_s=before.waited_s + wait, next_at_ms=now + wait * MILLISECONDS)

    def _follow_up(self, job: DeliveryJob, delivery: Delivery, endpoint: Endpoint | None = None) -> None:
        """What a try that is written down leads to. Each of it may be done twice."""
        if delivery.state == "pending":
            self._put_off(delivery, self.now_ms())
            return
        if delivery.state == "held" or not delivery.attempts:
            return
        endpoint = endpoint or self.endpoints.get(job.bot_id, job.key.webhook_id)
        if endpoint is None:
            return
        last = delivery.attempts[-1]
        if delivery.state == "delivered":
            answered_ms = last.at_ms + last.ms
            if (endpoint.last_success_ms or 0) <= answered_ms - SUCCESS_LAG_MS:
                self.endpoints.note_success(endpoint, answered_ms)
            return
        gone = last.status == GONE
        self.endpoints.disable(
            endpoint,
            Disabling(
                reason="gone" if gone else "tries_failed",
                status=last.status,
                error=last.error,
                delivery_id=job.key.delivery_id,
            ),
            url_revision=delivery.url_revision or 0,
            at_ms=last.at_ms,
            unless_success_since=None if gone else delivery.first_try_ms,
        )

    def _put_off(self, delivery: Delivery, now: int) -> None:
        """Ask for the next try when it is due. SQS waits 15 minutes at most; what comes early is put off again."""
        left = max(0, -((now - (delivery.next_at_ms or now)) // MILLISECONDS))
        job = DeliveryJob(bot_id=delivery.bot_id, key=delivery.key, round=delivery.round, tried=delivery.tried)
        self.queue.send([job], delay_seconds=min(left, schedule.MAX_DELAY_SECONDS))
