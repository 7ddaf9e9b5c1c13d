"""Erasing a person: the request, which takes effect at once, and the work, which takes a while.

The request is one transaction of a receipt and a tombstone, the next turn of the person's own log: from then on nobody
meets the old state, and the event of the tombstone is on its way. A job that was sent before it does the rest. Each
part may be done twice or be cut off anywhere: what is gone is not looked for, what is left is found again.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from shared.conversation.erasure import (
    TOMBSTONE_MS,
    Counts,
    Erasure,
    ErasureJob,
    conversations_begun,
    identity_of,
    tombstone,
)
from shared.conversation.turn import Turn
from shared.errors import Conflict, InvalidInput, NotFound, Unavailable
from shared.ids import BOT_ID, log_key
from shared.ids import end_user_id as id_of_end_user
from shared.services.erasure_ports import DeliveryLog, ErasureQueue, Erasures, Holding, OldRows
from shared.services.people_ports import Identities
from shared.services.ports import Turns
from shared.services.webhook_ports import Endpoints
from shared.webhooks.delivery import Delivery
from shared.webhooks.endpoint import Endpoint
from shared.webhooks.erasing import without

UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
RACES: Final = 8
"""Tries against messages of the person that come at the same moment."""
MILLISECONDS: Final = 1_000
DAY_MS: Final = 86_400_000
FIRST_PASS_SECONDS: Final = 90
"""Longer than any function works on one message of a conversation: who read the log before the tombstone is done or
dead when its rows go, and cannot write one of them anew."""
LAST_PASS_SECONDS: Final = 900
"""Events of the person that were under way have become deliveries by then. As long as SQS can wait."""
SETTLED_MS: Final = LAST_PASS_SECONDS * MILLISECONDS
"""So long after the first try of the tombstone's event, deliveries that were sent before it have got their rows too: a
job whose sender dies comes again for ten minutes."""
ARRIVES_WITHIN_MS: Final = 14 * DAY_MS
"""After that no queue holds an event any more."""
NEW_ENDPOINT_MS: Final = 10_000
"""The fan-out may remember a bot's endpoints for so long: a newer one need not get the event of the tombstone."""
ARRIVAL_PAGES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePerson:
    """The request, and the receipt of what became of it."""

    identities: Identities
    turns: Turns
    erasures: Erasures
    queue: ErasureQueue
    now_ms: Callable[[], int]
    new_id: Callable[[], str]

    def request(self, bot_id: str, end_user_id: str, *, requested_by: str) -> Erasure:
        """Erase whom the id names. Somebody who was erased and did not come back has a receipt already, which is
        given. Raises NotFound, also for somebody whose first message is less than half a minute old; Conflict when
        they said something at the same moment every time."""
        identity = self.identities.get(end_user_id) if UUID.fullmatch(end_user_id) else None
        if identity is None or identity.kind != "end_user" or identity.bot_id != bot_id:
            raise NotFound("no such end user", bot=bot_id, end_user=end_user_id)
        return self.request_by_key(bot_id, identity.platform, identity.user_key, requested_by=requested_by)

    def request_by_key(self, bot_id: str, platform: str, user_key: str, *, requested_by: str) -> Erasure:
        """The same for whom a channel knows by this key."""
        log, erasure_id, is_sent = log_key(platform, user_key), self.new_id(), False
        for _ in range(RACES):
            newest = self.turns.newest(bot_id, log)
            if newest is None:
                raise NotFound("no such end user", bot=bot_id)
            if newest.erases is not None:
                return self.receipt(bot_id, newest.erases)
            if not is_sent:  # a job without a receipt does nothing; a receipt without a job would do nothing
                job = ErasureJob(bot_id=bot_id, erasure_id=erasure_id, from_ms=newest.state.first_contact_ms)
                self.queue.send(job, delay_seconds=FIRST_PASS_SECONDS)
                is_sent = True
            erasure = Erasure(
                erasure_id=erasure_id,
                bot_id=bot_id,
                end_user_id=id_of_end_user(bot_id, platform, user_key),
                log=log,
                revision=newest.revision + 1,
                sequence=newest.state.sequence + 1,
                requested_by=requested_by,
                requested_at_ms=self.now_ms(),
            )
            stone = tombstone(newest, erasure, self.new_id())
            try:
                self.erasures.begin(erasure, stone)
            except Conflict:
                continue  # the person was faster, or it is our own first try, whose answer was lost
            # The worker does it too; done now, nothing that the index learns from older turns meanwhile stays in it.
            self.identities.delete(identity_of(stone, erasure.end_user_id), at_ms=stone.at_ms)
            return erasure
        raise Conflict("the end user said something at the same moment every time", bot=bot_id)

    def receipt(self, bot_id: str, erasure_id: str) -> Erasure:
        """Raises NotFound."""
        is_one = BOT_ID.fullmatch(bot_id) and UUID.fullmatch(erasure_id)
        found = self.erasures.get(bot_id, erasure_id) if is_one else None
        if found is None:
            raise NotFound("no such erasure", bot=bot_id, erasure=erasure_id)
        return found


class OutOfTime(Exception):
    """The run ends here; `job` goes on."""

    def __init__(self, job: ErasureJob) -> None:
        super().__init__()
        self.job = job


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseRows:
    """The work. `holdings` are further places that keep something of people; `report` is told of what stops nothing."""

    erasures: Erasures
    queue: ErasureQueue
    turns: Turns
    rows: OldRows
    identities: Identities
    endpoints: Endpoints
    deliveries: DeliveryLog
    now_ms: Callable[[], int]
    clock_ns: Callable[[], int]
    report: Callable[[Exception], None]
    holdings: Sequence[Holding] = ()

    def __call__(self, job: ErasureJob, deadline_ns: int) -> None:
        """Do what can be done until the deadline; the rest is asked for in another job. Raises Unavailable and Conflict
        when the job must come again."""
        erasure = self.erasures.get(job.bot_id, job.erasure_id)
        if erasure is None or erasure.state == "done":
            return  # the request died before it was one, or another copy of the job was faster
        if job.last_pass and not job.webhook_id and not self._has_arrived(erasure):
            self.queue.send(job, delay_seconds=LAST_PASS_SECONDS)
            return
        run = _Run(job=job, clock_ns=self.clock_ns, deadline_ns=deadline_ns)
        try:
            self._erase(run, erasure)
        except OutOfTime as exc:
            self.queue.send(exc.job)
            return
        if job.last_pass:
            self._finish(erasure)
        else:
            self.queue.send(
                replace(job, last_pass=True, webhook_id="", day="", after=""), delay_seconds=LAST_PASS_SECONDS
            )
            self._change(erasure, lambda found: _erased(found, self.now_ms()))

    def _erase(self, run: "_Run", erasure: Erasure) -> None:
        stone = self._tombstone(erasure)
        if stone is not None:  # else it has expired, and what has its revisions now is new
            self._forget_person(erasure, stone)
            self._erase_log(run, erasure)
        for holding in self.holdings:
            while not holding(erasure):
                run.check()
        self._erase_deliveries(run, erasure)

    # ---- the log

    def _tombstone(self, erasure: Erasure) -> Turn | None:
        found = self.turns.get(erasure.bot_id, erasure.log, erasure.revision)
        return found if found is not None and found.erases == erasure.erasure_id else None

    def _erase_log(self, run: "_Run", erasure: Erasure) -> None:
        """The ids that a turn brought go before it: they are found by it alone."""
        place = (erasure.bot_id, erasure.log, erasure.revision)
        while turns := self.rows.turns(*place):
            conversations = 0
            for turn in turns:
                if turn.events is None:
                    self.report(Unavailable("a turn that is erased could not be read", revision=turn.revision))
                for conversation_id in conversations_begun(turn.events or []):
                    conversations += self._forget_conversation(erasure, conversation_id)
            self.rows.delete_turns(erasure.bot_id, erasure.log, [turn.revision for turn in turns])
            self._count(erasure, Counts(turns=len(turns), conversations=conversations))
            run.check()
        while states := self.rows.delete_states(*place):
            self._count(erasure, Counts(states=states))
            run.check()
        self.rows.delete_claims(*place)

    def _forget_conversation(self, erasure: Erasure, conversation_id: str) -> bool:
        identity = self.identities.get(conversation_id)
        if identity is None or (identity.bot_id, identity.log) != (erasure.bot_id, erasure.log):
            return False
        self.identities.delete(identity)
        return True

    def _forget_person(self, erasure: Erasure, stone: Turn) -> None:
        """Unless they came back, and the row is of the time since."""
        found = self.identities.get(erasure.end_user_id)
        if found is None or found.created_at_ms < stone.at_ms:
            self.identities.delete(identity_of(stone, erasure.end_user_id), at_ms=stone.at_ms)

    # ---- the delivery logs

    def _erase_deliveries(self, run: "_Run", erasure: Erasure) -> None:
        job = run.job
        for endpoint in self.endpoints.of_bot(erasure.bot_id):
            if endpoint.webhook_id < job.webhook_id:
                continue
            is_resumed = endpoint.webhook_id == job.webhook_id
            for day in _days(job.from_ms - DAY_MS, self.now_ms() + DAY_MS):
                if is_resumed and day < job.day:
                    continue
                after: str | None = job.after if is_resumed and day == job.day else ""
                while after is not None:
                    run.check(webhook_id=endpoint.webhook_id, day=day, after=after)
                    page = self.deliveries.page(endpoint.webhook_id, day, after)
                    self._count(erasure, Counts(deliveries=sum([self._rewrite(erasure, row) for row in page.items])))
                    after = page.after

    def _rewrite(self, erasure: Erasure, delivery: Delivery | None) -> bool:
        """Take the person's events out of a delivery, whatever the sender does with it meanwhile."""
        for _ in range(RACES):
            after = None if delivery is None else without(delivery, erasure.end_user_id, erasure.sequence)
            if delivery is None or after is None:
                return False
            if self.deliveries.rewrite(delivery, after):
                return True
            delivery = self.deliveries.get(delivery.key)
        raise Conflict("a delivery was changed by others every time")

    def _has_arrived(self, erasure: Erasure) -> bool:
        """Whether every endpoint's log has held the event of the tombstone for a while: what the person's log told
        before it went the same way before it."""
        stone = self._tombstone(erasure)
        now = self.now_ms()
        if stone is None or now >= erasure.requested_at_ms + ARRIVES_WITHIN_MS:
            return True
        event_id = str(stone.events[0]["id"]).encode()
        return all(
            self._holds(endpoint, stone.at_ms, event_id)
            for endpoint in self.endpoints.of_bot(erasure.bot_id)
            if endpoint.created_at_ms < erasure.requested_at_ms - NEW_ENDPOINT_MS
        )

    def _holds(self, endpoint: Endpoint, at_ms: int, event_id: bytes) -> bool:
        """A delivery lies at the time of its newest event, so not before the event."""
        pages = self._pages_from(endpoint.webhook_id, at_ms)
        for _, page in zip(range(ARRIVAL_PAGES), pages, strict=False):
            if any(event_id in delivery.events and _is_settled(delivery, self.now_ms()) for delivery in page):
                return True
        return False

    def _pages_from(self, webhook_id: str, at_ms: int) -> Iterator[Sequence[Delivery]]:
        after: str | None = f"{at_ms:015d}"
        for day in _days(at_ms, self.now_ms() + DAY_MS):
            while after is not None:
                page = self.deliveries.page(webhook_id, day, after)
                yield page.items
                after = page.after
            after = ""

    # ---- the receipt

    def _finish(self, erasure: Erasure) -> None:
        """The tombstone may expire now that it covers nothing any more."""
        stone = self._tombstone(erasure)
        now = self.now_ms()
        if stone is not None:
            self.rows.expire(stone, now + TOMBSTONE_MS)
        self._change(erasure, lambda found: replace(found, state="done", done_at_ms=now))

    def _count(self, erasure: Erasure, more: Counts) -> None:
        if more != Counts():
            self._change(erasure, lambda found: replace(found, counts=_sum(found.counts, more)))

    def _change(self, erasure: Erasure, change: Callable[[Erasure], Erasure]) -> None:
        """Of the receipt as it is now: another copy of the job may write it too."""
        for _ in range(RACES):
            found = self.erasures.get(erasure.bot_id, erasure.erasure_id)
            if found is None or found.state == "done":
                return
            try:
                self.erasures.save(change(found))
            except Conflict:
                continue
            return
        raise Conflict("the receipt was changed by others every time", erasure=erasure.erasure_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run of the worker: it stops between two pages when its time is over."""

    job: ErasureJob
    clock_ns: Callable[[], int]
    deadline_ns: int

    def check(self, **place: str) -> None:
        """Raises OutOfTime."""
        if self.clock_ns() >= self.deadline_ns:
            raise OutOfTime(replace(self.job, **place))  # type: ignore[arg-type]  # texts, all of them


def _is_settled(delivery: Delivery, now_ms: int) -> bool:
    """Whether the delivery was held, or tried long enough ago."""
    return delivery.state == "held" or any(attempt.at_ms <= now_ms - SETTLED_MS for attempt in delivery.attempts)


def _erased(found: Erasure, now_ms: int) -> Erasure:
    return replace(found, state="erased", erased_at_ms=found.erased_at_ms or now_ms)


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        turns=one.turns + other.turns,
        states=one.states + other.states,
        conversations=one.conversations + other.conversations,
        deliveries=one.deliveries + other.deliveries,
    )


def _days(from_ms: int, until_ms: int) -> list[str]:
    """The UTC days that [from, until] touches, as partitions are named."""
    return [
        datetime.fromtimestamp(day * DAY_MS // MILLISECONDS, UTC).strftime("%Y%m%d")
        for day in range(from_ms // DAY_MS, until_ms // DAY_MS + 1)
    ]


def parse_erasure_job(text: str) -> ErasureJob:
    """A message of the queue of erasures. Raises InvalidInput."""
    try:
        data: Any = json.loads(text)
        return ErasureJob(
            bot_id=str(data["botId"]),
            erasure_id=str(data["erasureId"]),
            from_ms=int(data["from"]),
            last_pass=bool(data["lastPass"]),
            webhook_id=str(data["webhookId"]),
            day=str(data["day"]),
            after=str(data["after"]),
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise InvalidInput("a message of the erasures queue cannot be read") from exc
