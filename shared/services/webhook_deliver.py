"""One try of a delivery: read, post, write down, and see to what follows.

A new delivery is in its job alone, and its row is put once, after the first try. From then on the row is the truth and
a job only asks for a try, so that a job that comes twice or late does no harm. The receiver may get the same delivery
twice, with the same id, when we die between its answer and the row.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from shared.services.timed_effects import CircuitBreaker
from shared.services.webhook_ports import Deliveries, DeliveryQueue, Endpoints, PostDelivery
from shared.webhooks import schedule, signature
from shared.webhooks.delivery import KEPT_ATTEMPTS, Attempt, Delivery, DeliveryJob, body, next_round
from shared.webhooks.endpoint import Disabling, Endpoint
from shared.webhooks.erasing import without_answers

GONE: Final = 410
SUCCESS_LAG_MS: Final = 1_000
"""A success is noted in the endpoint's row unless one was within this time: a busy endpoint would be a hot row."""
HUNG_SECONDS: Final = 60
"""So long the first tries of an endpoint wait that let others hang; the tries that follow keep their times."""
TIMEOUT: Final = "timeout"
MILLISECONDS: Final = 1_000


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
    """Ports and the clock. `breaker` remembers endpoints that hang: their jobs would keep all senders busy for 15 s
    each, so that everybody else had to wait. None: everybody is always asked."""

    endpoints: Endpoints
    deliveries: Deliveries
    queue: DeliveryQueue
    post: PostDelivery
    now_ms: Callable[[], int]
    breaker: CircuitBreaker | None = None

    def __call__(self, job: DeliveryJob) -> None:
        """Do what the job asks for, if it is still asked for. Raises Unavailable when the job must come again."""
        delivery = self.deliveries.get(job.key)
        if delivery is None:
            if job.delivery is not None:
                self._try(job, job.delivery, is_stored=False)
            return  # else it has expired
        if job.round < delivery.round:
            return  # overtaken by a resend
        if delivery.state == "erased":
            return  # nothing is left to be sent
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
            if self.deliveries.begin_round(begun, now_ms=self.now_ms()):
                delivery = begun
            else:  # another copy of the job was faster; or it was this one, and the table's answer was lost
                delivery = self.deliveries.get(job.key) or delivery
        if job.round != delivery.round:
            return
        if job.tried == delivery.tried and delivery.state == "pending":
            self._try(job, delivery, is_stored=True)
        elif job.tried == delivery.tried - 1:  # the try was written down; what follows it may not have been done
            self._follow_up(job, delivery)

    def _try(self, job: DeliveryJob, delivery: Delivery, *, is_stored: bool) -> None:
        now = self.now_ms()
        endpoint = self.endpoints.get(job.bot_id, job.key.webhook_id)
        if endpoint is None:
            return  # it was deleted, and its deliveries expire
        circuit = (endpoint.webhook_id, endpoint.url)
        hangs = delivery.tried == 0 and self.breaker is not None and self.breaker.is_open(circuit)
        if not is_stored and (hangs or not endpoint.enabled):
            self.deliveries.put(delivery, now_ms=now)  # what has to wait has a row, so that an erasure finds it
        if not endpoint.enabled:
            self._hold(delivery, now)
            return
        if hangs:
            self.queue.send([job.without_events()], delay_seconds=HUNG_SECONDS)
            return
        attempt, retry_after = send(self.post, delivery, endpoint, now)
        if self.breaker is not None:
            self.breaker.note(circuit, timed_out=attempt.error == TIMEOUT)
        after = self._after(delivery, endpoint, attempt, retry_after)
        is_put = not is_stored and self.deliveries.put(after, now_ms=self.now_ms())
        noted = after if is_put else self._note(delivery, after, attempt)
        if noted is not None:
            self._follow_up(job, noted, endpoint)
            return
        if attempt.is_success:  # whatever another copy of the job wrote down first
            self._note_success(endpoint, attempt)
        stored = self.deliveries.get(job.key)
        if stored is not None and (stored.round, stored.tried) == (job.round, job.tried + 1):
            # Another copy was faster; or it was this one, and the table's answer was lost. Nobody may see to it else.
            self._follow_up(job, stored)

    def _note(self, before: Delivery, after: Delivery, attempt: Attempt) -> Delivery | None:
        """Write a try down; None when another copy of its job did. When events were erased during the try, what they
        were answered with is not written."""
        while not self.deliveries.note_attempt(before, after, attempt):
            now = self.deliveries.get(before.key)
            if now is None or now.erasures == before.erasures or now.state == "erased":
                return None
            after = without_answers(replace(after, events=now.events, count=now.count, erasures=now.erasures))
            before, attempt = replace(before, erasures=now.erasures), after.attempts[-1]
        return after

    def _hold(self, delivery: Delivery, now: int) -> None:
        """Keep it for its owner, who may have switched the endpoint on and asked for what is held in the meantime."""
        self.deliveries.hold(delivery, now_ms=now)
        endpoint = self.endpoints.get(delivery.bot_id, delivery.key.webhook_id)
        if endpoint is not None and endpoint.enabled:
            self.queue.send([next_round(delivery)])

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
        if delivery.state in ("held", "erased") or not delivery.attempts:
            return
        last = delivery.attempts[-1]
        if endpoint is None:
            endpoint = self.endpoints.get(job.bot_id, job.key.webhook_id)
            if endpoint is None or (delivery.state == "failed" and endpoint.updated_at_ms > last.at_ms + last.ms):
                return  # its owner did something about it since
        if delivery.state == "delivered":
            self._note_success(endpoint, last)
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

    def _note_success(self, endpoint: Endpoint, attempt: Attempt) -> None:
        answered_ms = attempt.at_ms + attempt.ms
        if (endpoint.last_success_ms or 0) <= answered_ms - SUCCESS_LAG_MS:
            self.endpoints.note_success(endpoint, answered_ms)

    def _put_off(self, delivery: Delivery, now: int) -> None:
        """Ask for the next try when it is due. SQS waits 15 minutes at most, and so does every wait of the schedule."""
        left = max(0, -((now - (delivery.next_at_ms or now)) // MILLISECONDS))
        job = DeliveryJob(bot_id=delivery.bot_id, key=delivery.key, round=delivery.round, tried=delivery.tried)
        self.queue.send([job], delay_seconds=min(left, schedule.MAX_DELAY_SECONDS))
