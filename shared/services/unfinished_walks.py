"""The worker's use case: whatever a log still has to do, without anybody waiting for it (docs/effects.md).

A job only says "look at this log": what is to be done follows from its newest turn, so that a job that comes twice,
late or in vain does no harm.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shared.channels.kakao.callback import SECONDS as CALLBACK_SECONDS
from shared.channels.kakao.wire import serialize
from shared.conversation.turn import Turn, TurnConflict
from shared.conversation.unfinished import CLOCK_SLACK_MS, Owed, Pending
from shared.errors import Conflict, InvalidInput
from shared.ids import BOT_ID
from shared.json_input import parse_json
from shared.services import kakao_reply
from shared.services.advance import Advance, TakenOver
from shared.services.inbound import ReplyUnknown, callback_claim
from shared.services.ports import Claims, PostOutcome, PostReply, RunnableBots, Turns
from shared.services.published_bots import PublishedBots
from shared.services.request import Request, shown_keyboard
from shared.services.timed_effects import NANOSECONDS
from shared.usage.calendar import SEOUL, UsageCalendar

MAX_JOB_BYTES: Final = 4_096
MOVES: Final = 50
"""Moves of one log in one job; what is left is for the next one."""
MOVE_MS: Final = 35_000
"""What a move may take: the longest effect, or a post that is tried again, and writing."""
POST_MS: Final = 10_000
LEAST_POST_MS: Final = 1_000
TOO_EARLY_SECONDS: Final = 1.0
POSTS: Final = 3
MILLISECONDS: Final = 1_000


class WalkedByOther(Conflict):
    """Another worker has the walk; come back when its time is over."""


class ReplyRefused(InvalidInput):
    """Kakao did not take a reply that was posted to a callback; it goes out with the next answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkJob:
    """Which log to look at."""

    bot_id: str
    platform: str
    user_key: str


def parse_walk_job(body: str) -> WalkJob:
    """A message of the worker's queue. Raises InvalidInput with the place of what is wrong."""
    data = parse_json(body.encode("utf-8", "surrogatepass"), max_bytes=MAX_JOB_BYTES)
    if not isinstance(data, dict):
        raise InvalidInput("job: an object is expected")
    values: dict[str, Any] = {name: data.get(name) for name in ("botId", "platform", "userKey")}
    for name, value in values.items():
        if not isinstance(value, str) or not value:
            raise InvalidInput(f"job.{name}: text is expected")
    if not BOT_ID.fullmatch(values["botId"]):
        raise InvalidInput("job.botId: not a bot's id")
    return WalkJob(bot_id=values["botId"], platform=values["platform"], user_key=values["userKey"])


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishWalks:
    """Ports and the sources of time. `sleep` takes seconds."""

    published: PublishedBots
    runnable: RunnableBots
    turns: Turns
    advance: Advance
    claims: Claims
    post: PostReply
    now_ms: Callable[[], int]
    clock_ns: Callable[[], int]
    sleep: Callable[[float], None]
    report: Callable[[Exception], None]
    calendar: UsageCalendar = SEOUL
    report_trace: Callable[[Any, str], None] = lambda trace, bot_id: None

    def __call__(self, job: WalkJob, deadline_ns: int) -> None:
        """Do what is to be done. Raises WalkedByOther, and whatever the storage raises: the job comes again then."""
        request = self._request(job, deadline_ns)
        if request is None:
            return
        for _ in range(MOVES):
            newest = self.turns.newest(job.bot_id, request.log, deadline_ns)
            try:
                if newest is None or not self._move(request, newest):
                    return
            except (TurnConflict, TakenOver):
                pass  # look again at what the others have done
            if self._left_ms(request) < MOVE_MS:
                break
        self.advance.nudge(request)

    def _request(self, job: WalkJob, deadline_ns: int) -> Request | None:
        """None for a bot that is gone: nobody talks to it any more."""
        record = self.published.get(job.bot_id, deadline_ns)
        version = None if record is None else record.published or record.latest
        if record is None or version is None:
            return None
        bot = self.runnable.load(record, version, deadline_ns)
        return Request(
            bot=bot,
            platform=job.platform,
            user_key=job.user_key,
            inbound=None,
            deadline_ns=deadline_ns,
            nobody_waits=True,
        )

    def _move(self, request: Request, newest: Turn) -> bool:
        """One move; False when there is nothing to do now."""
        unfinished = newest.state.unfinished
        for owed in unfinished.owed:
            if owed.route.may_be_posted(self.now_ms() + LEAST_POST_MS):
                if self._post(request, newest, owed):
                    return True
            elif owed.route.callback_url is not None and not owed.route.may_be_posted(self.now_ms() - CLOCK_SLACK_MS):
                self._keep_for_next_answer(request, newest, owed)
                return True
        if unfinished.pending is not None:
            return self._go_on(request, newest, unfinished.pending)
        if unfinished.held:
            heard = self.advance.hear_held(request, newest)
            self.report_trace(heard.trace, request.bot.id)
            if heard.turn.state.unfinished.pending is not None and not heard.is_waiting:
                more = self.advance.go_on(request, heard.turn)
                self.report_trace(more.trace, request.bot.id)
            return not heard.is_waiting
        return False

    def _go_on(self, request: Request, newest: Turn, pending: Pending) -> bool:
        early_ms = pending.free_from_ms - self.now_ms()
        if early_ms > 0:
            self.advance.nudge(request, delay_seconds=math.ceil(early_ms / MILLISECONDS))
            return False
        now_ms = self.now_ms()
        until_ms = now_ms + self._left_ms(request) + CLOCK_SLACK_MS
        name = f"walk/{pending.revision}"
        if not self.claims.take(
            request.bot.id, request.log, name, now_ms=now_ms, until_ms=until_ms, deadline_ns=request.deadline_ns
        ):
            raise WalkedByOther("another worker carries this walk on", log=request.log, revision=pending.revision)
        advanced = self.advance.go_on(request, newest)
        self.report_trace(advanced.trace, request.bot.id)
        return not advanced.is_waiting

    def _post(self, request: Request, newest: Turn, owed: Owed) -> bool:
        """Post a reply, once; an outcome that nobody knows counts as given. False when another worker is at it: what
        became of it is theirs to note, or that of who comes when its minute is over."""
        url = owed.route.callback_url
        assert url is not None  # noqa: S101 - the caller has checked it
        body = self._body(request, newest, owed)
        if not self.claims.take(
            request.bot.id,
            request.log,
            callback_claim(owed.revision),
            now_ms=self.now_ms(),
            until_ms=owed.route.until_ms + CALLBACK_SECONDS * MILLISECONDS,
            deadline_ns=request.deadline_ns,
        ):
            return False
        outcome = self._posted(url, body, owed, request)
        if outcome == "unknown":
            self.report(ReplyUnknown("a reply was posted and its outcome is unknown", revision=owed.revision))
        elif outcome != "given":
            self.report(ReplyRefused("the callback refused the reply", revision=owed.revision, outcome=outcome))
        self.advance.settle(request, newest, owed.revision, is_given=outcome in ("given", "unknown"))
        return True

    def _keep_for_next_answer(self, request: Request, newest: Turn, owed: Owed) -> None:
        """Its callback's minute is over; was it posted by somebody who died?"""
        claim = callback_claim(owed.revision)
        was_posted = self.claims.is_taken(request.bot.id, request.log, claim, request.deadline_ns)
        if was_posted:
            self.report(ReplyUnknown("a reply was posted and its outcome is unknown", revision=owed.revision))
        self.advance.settle(request, newest, owed.revision, is_given=was_posted)

    def _posted(self, url: str, body: bytes, owed: Owed, request: Request) -> PostOutcome:
        outcome: PostOutcome = "refused"
        for _ in range(POSTS):
            left_ms = min(owed.route.until_ms - self.now_ms(), self._left_ms(request), POST_MS)
            if left_ms < LEAST_POST_MS:
                break
            outcome = self.post(url, body, left_ms)
            if outcome != "too_early":
                break
            self.sleep(TOO_EARLY_SECONDS)
        return outcome

    def _body(self, request: Request, newest: Turn, owed: Owed) -> bytes:
        turns = self.advance.load(request, owed.revisions)
        messages = [message for turn in turns for message in turn.messages]
        keyboard = shown_keyboard(turns[-1].state.session if turns else newest.state.session)
        reply = kakao_reply.render(
            request.bot,
            owed.route.base_url,
            messages,
            keyboard,
            revision=owed.revision,
            brand_line=self.published.brand_line(request.bot.id, self.calendar.month_of(self.now_ms())),
        )
        return serialize(reply.body).encode("utf-8", "replace")

    def _left_ms(self, request: Request) -> int:
        assert request.deadline_ns is not None  # noqa: S101 - a worker's request has one
        return (request.deadline_ns - self.clock_ns()) // NANOSECONDS
