"""The use case of KakaoTalk's skill URL: authenticate, hear, answer inside Kakao's limits."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from shared.bot.model import Bot
from shared.bot.record import BotRecord
from shared.channels.kakao.callback import SECONDS as CALLBACK_SECONDS
from shared.channels.kakao.parse import ContinueReading, SkillCall, parse_skill_call
from shared.channels.kakao.render import error_reply
from shared.channels.kakao.settings import REFUSAL, KakaoSettings, authenticate, check_bot_id
from shared.conversation.turn import Turn
from shared.conversation.unfinished import ReplyRoute
from shared.engine.inbound import Inbound, UserMessage
from shared.engine.trace import TraceEntry
from shared.errors import AccessDenied, InvalidInput, Unavailable
from shared.ids import BOT_ID
from shared.services import kakao_reply
from shared.services.inbound import HandleInbound
from shared.services.ports import RunnableBots, Turns
from shared.services.published_bots import PublishedBots
from shared.services.request import Handled, Request, shown_keyboard
from shared.usage.calendar import SEOUL, UsageCalendar

JsonObject = dict[str, Any]

PLATFORM: Final = "kakao"
NOT_PUBLISHED: Final = "이 챗봇은 아직 게시되지 않았습니다."
DELETED: Final = "이 챗봇은 더 이상 운영되지 않습니다."
NOTHING_LEFT: Final = "더 볼 내용이 없습니다."
CONTINUE_TEXT: Final = "계속 보기"
CALLBACK_MS: Final = (CALLBACK_SECONDS - 5) * 1_000
"""From the call on; the last seconds of Kakao's minute are the way there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillRequest:
    """A POST to the skill URL, as the handler found it."""

    bot_id: str
    path_secret: str
    header_secret: str | None
    body: bytes
    request_id: str | None
    deadline_ns: int
    base_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleSkillCall:
    """Answers skill calls."""

    published: PublishedBots
    runnable: RunnableBots
    turns: Turns
    handle_inbound: HandleInbound
    now_ms: Callable[[], int]
    calendar: UsageCalendar = SEOUL
    local_targets: AbstractSet[tuple[str, int]] = frozenset()
    report_trace: Callable[[list[TraceEntry], str], None] = lambda trace, bot_id: None

    def __call__(self, request: SkillRequest) -> JsonObject:
        """The skill response. Raises AccessDenied, InvalidInput for bodies that are no skill call, and whatever the
        storage raises: the caller answers those with `apologize`."""
        record = self._record(request)
        settings = _settings(record)
        authenticate(settings, request.path_secret, request.header_secret)
        call = parse_skill_call(
            request.body, welcome_block_id=settings.welcome_block_id, local_targets=self.local_targets
        )
        check_bot_id(settings, call)
        if record.deleted_at_ms is not None:
            return error_reply(DELETED)
        if record.published is None:
            return error_reply(NOT_PUBLISHED)
        bot = self.runnable.load(record, record.published, request.deadline_ns)
        if not _may_continue(call):
            return self._converse(bot, call, request)
        newest = self.turns.newest(bot.id, _log(bot, call), request.deadline_ns)
        if isinstance(call.inbound, ContinueReading):
            if newest is None:
                return error_reply(NOTHING_LEFT)
            if call.inbound.index == 0:  # of the waiting text: a rest never begins at the first bubble
                return self._fetch_result(bot, call, newest, request)
            return self._continue(bot, call, call.inbound, newest, request)
        if newest is not None and _has_more(newest):
            return self._fetch_result(bot, call, newest, request)
        offer = self._offer(bot, call, newest, request)
        if offer is None:
            return self._converse(bot, call, request, newest)
        return self._continue(bot, call, offer, newest, request)

    def apologize(self, bot_id: str) -> JsonObject:
        """What the end user sees when the fault is ours: the bot's error message, as far as memory has it."""
        bot = self.runnable.kept(self.published.known(bot_id))
        text = "" if bot is None else bot.system_messages["error"]
        return error_reply("" if "{{" in text else text)  # templates have nothing to say about our faults

    def _record(self, request: SkillRequest) -> BotRecord:
        """Strangers learn nothing: what is no bot, or not on KakaoTalk, is refused as a wrong secret is."""
        record = self.published.get(request.bot_id, request.deadline_ns) if BOT_ID.fullmatch(request.bot_id) else None
        if record is None or PLATFORM not in record.channels:
            raise AccessDenied(REFUSAL)
        return record

    def _converse(self, bot: Bot, call: SkillCall, request: SkillRequest, newest: Turn | None = None) -> JsonObject:
        inbound = call.inbound
        assert not isinstance(inbound, ContinueReading)  # noqa: S101 - the caller has told them apart

        return self._answer(bot, call, request, inbound, newest)

    def _answer(
        self,
        bot: Bot,
        call: SkillCall,
        request: SkillRequest,
        inbound: Inbound | None,
        newest: Turn | None,
        *,
        offer: JsonObject | None = None,
    ) -> JsonObject:
        handled = self.handle_inbound(
            Request(
                bot=bot,
                platform=PLATFORM,
                user_key=call.user_key,
                inbound=inbound,
                said_aside=None if inbound is not None else {"type": "text", "text": CONTINUE_TEXT},
                client_id=request.request_id,
                params=dict(call.params),
                offer=offer,
                route=self._route(call, request, inbound),
                deadline_ns=request.deadline_ns,
            ),
            newest,
        )
        self.report_trace(handled.trace, bot.id)
        return self._rendered(bot, call, request, inbound, handled)

    def _rendered(
        self, bot: Bot, call: SkillCall, request: SkillRequest, inbound: Inbound | None, handled: Handled
    ) -> JsonObject:
        revision = handled.turn.revision
        has_nothing = inbound is None and not handled.given
        is_on_its_way = has_nothing and bool(handled.turn.state.unfinished.owed)  # to the callback of an earlier call
        if handled.is_waiting or is_on_its_way:
            by_callback = call.callback_url is not None and inbound is not None and not handled.is_resend
            return kakao_reply.waiting(bot, revision=revision, by_callback=by_callback)
        if has_nothing:
            return error_reply(NOTHING_LEFT)
        messages, keyboard = handled.messages, handled.keyboard
        brand_line = self._brand_line(bot)
        return kakao_reply.render(
            bot, request.base_url, messages, keyboard, revision=revision, brand_line=brand_line
        ).body

    def _brand_line(self, bot: Bot) -> str | None:
        return self.published.brand_line(bot.id, self.calendar.month_of(self.now_ms()))

    def _route(self, call: SkillCall, request: SkillRequest, inbound: Inbound | None) -> ReplyRoute:
        """Kakao's end users can only be answered: what is late goes to the callback, or with the next answer."""
        if call.callback_url is None or inbound is None:
            return ReplyRoute(base_url=request.base_url)
        until_ms = self.now_ms() + CALLBACK_MS
        return ReplyRoute(base_url=request.base_url, callback_url=call.callback_url, until_ms=until_ms)

    def _fetch_result(self, bot: Bot, call: SkillCall, newest: Turn, request: SkillRequest) -> JsonObject:
        """ "계속 보기" for a reply that is owed or still made: it only fetches the result."""
        return self._answer(bot, call, request, None, newest, offer=newest.state.offer)

    def _offer(self, bot: Bot, call: SkillCall, newest: Turn | None, request: SkillRequest) -> ContinueReading | None:
        """What "계속 보기" typed by hand goes on with, if something is on offer; a resend of it means what was on offer
        before it was said."""
        if newest is None:
            return None
        answered = newest.state.revision_of(request.request_id)
        if answered is None:
            before: Turn | None = newest
        else:
            then = self._turn(bot, call, answered, newest, request)
            fetched = then is not None and then.gives
            before = None if fetched else self._turn(bot, call, answered - 1, newest, request)
        offer = None if before is None else before.state.offer
        return None if offer is None else ContinueReading(revision=offer["revision"], index=offer["index"])

    def _turn(
        self, bot: Bot, call: SkillCall, revision: int, newest: Turn | None, request: SkillRequest
    ) -> Turn | None:
        """A turn of the log, read only when it is not the newest."""
        if newest is None or revision == newest.revision:
            return newest
        return self.turns.get(bot.id, _log(bot, call), revision, request.deadline_ns)

    def _continue(
        self, bot: Bot, call: SkillCall, reading: ContinueReading, newest: Turn | None, request: SkillRequest
    ) -> JsonObject:
        """Show the rest of an earlier answer: a turn without an engine step (docs/kakao.md)."""
        earlier = self._turn(bot, call, reading.revision, newest, request)
        if earlier is None or not (earlier.messages or earlier.gives):
            return error_reply(NOTHING_LEFT)
        keyboard = shown_keyboard(earlier.state.session)
        given = self.handle_inbound.advance.load(_bare(bot, call, request), earlier.gives)
        messages = [message for turn in (*given, earlier) for message in turn.messages]
        reply = kakao_reply.render(
            bot,
            request.base_url,
            messages,
            keyboard,
            revision=earlier.revision,
            start_index=reading.index,
            brand_line=self._brand_line(bot),
        )
        offer = None if reply.next_index is None else {"revision": earlier.revision, "index": reply.next_index}
        self.handle_inbound(
            Request(
                bot=bot,
                platform=PLATFORM,
                user_key=call.user_key,
                inbound=None,
                said_aside={"type": "text", "text": CONTINUE_TEXT},
                client_id=request.request_id,
                offer=offer,
                deadline_ns=request.deadline_ns,
            ),
            newest,
        )
        return reply.body


def _settings(record: BotRecord) -> KakaoSettings:
    try:
        return KakaoSettings.parse(record.channels[PLATFORM])
    except InvalidInput as exc:  # ours, not the caller's
        raise Unavailable("the Kakao settings of the bot cannot be read", bot=record.bot_id) from exc


def _may_continue(call: SkillCall) -> bool:
    inbound = call.inbound
    return isinstance(inbound, ContinueReading) or (
        isinstance(inbound, UserMessage) and inbound.data.get("text") == CONTINUE_TEXT
    )


def _log(bot: Bot, call: SkillCall) -> str:
    return Request(bot=bot, platform=PLATFORM, user_key=call.user_key, inbound=None).log


def _bare(bot: Bot, call: SkillCall, request: SkillRequest) -> Request:
    return Request(bot=bot, platform=PLATFORM, user_key=call.user_key, inbound=None, deadline_ns=request.deadline_ns)


def _has_more(newest: Turn) -> bool:
    """A reply is owed or still made."""
    unfinished = newest.state.unfinished
    return unfinished.is_walking or bool(unfinished.owed)
