"""The use case of the web channel: one frame of a client in, the frame that answers it out (docs/web-chat.md).

A frame that writes costs a query and a put beside the bot's settings, which are kept for 5 s; whoever sends faster than
once a second is counted, too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from shared.bot.model import Bot
from shared.channels.web import frames
from shared.channels.web.frames import MAX_FRAME, ClientFrame
from shared.channels.web.settings import WEB, WebSettings
from shared.channels.web.tokens import LEEWAY_S, Claims, TokenExpired
from shared.conversation.history import SaidTurn
from shared.conversation.turn import Turn, TurnTooLarge
from shared.engine.inbound import Inbound, Opened, ParametersChanged, Restarted, StartAt, UserMessage
from shared.engine.session import Session
from shared.engine.step import has_expired, opening_walks
from shared.engine.trace import TraceEntry
from shared.engine.walk import PARAMS_LIMIT, params_size
from shared.errors import Conflict, InvalidInput, MalgilError, NotFound, RateLimited, Unavailable
from shared.services.inbound import HandleInbound
from shared.services.ports import ReadableTurns, RunnableBots
from shared.services.published_bots import PublishedBots
from shared.services.request import Handled, Request, shown_keyboard
from shared.services.web_ports import AcceptUpload, RateCounters
from shared.services.web_push import PushFrames
from shared.services.web_turns import call_of, context_of, messages_frame, web_messages
from shared.usage.calendar import UsageCalendar

JsonObject = dict[str, Any]

MAX_SENT: Final = 10
WINDOW_MS: Final = 10_000
"""An end user may send so much in so long. Windows begin at fixed times, so that twice as much may meet at a border."""
FAST_MS: Final = 1_000
"""Whoever keeps this far behind the log's newest turn cannot send too much, and is not counted."""
TYPING_MS: Final = 2_000
"""Others are told at most so often that somebody types."""
MAX_TYPISTS: Final = 1_000
MAX_PAGE: Final = 100
"""Messages of a page of history."""
PAGE_TURNS: Final = 30
"""Turns that one answer reads."""
MAX_HTTP_ANSWER: Final = 1024 * 1024
"""Bytes of an answer over HTTP: for what is too large for a frame."""
MILLISECONDS: Final = 1_000


class NotStarted(Conflict):
    """There is no conversation yet, or no more."""

    code = "not_started"
    retryable = False


class WithAgent(Conflict):
    """An agent was called or is here, and the frame does not insist."""

    retryable = False


class _AlreadyOpen(Exception):
    """Another tab was faster."""

    def __init__(self, newest: Turn) -> None:
        super().__init__("the conversation is open")
        self.newest = newest


def no_uploads(claims: Claims, uri: str, deadline_ns: int | None = None) -> bool:
    """Of an installation where nothing can be uploaded."""
    del claims, uri, deadline_ns
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """Who sends, to which bot, until when."""

    claims: Claims
    bot: Bot
    deadline_ns: int | None
    most: int = MAX_FRAME
    connection_id: str | None = None
    takes_uploads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebChat:
    """Ports and the clock. `report` is told of faults of ours."""

    published: PublishedBots
    runnable: RunnableBots
    turns: ReadableTurns
    handle_inbound: HandleInbound
    rates: RateCounters
    push: PushFrames
    calendar: UsageCalendar
    now_ms: Callable[[], int]
    report: Callable[[Exception], None]
    report_trace: Callable[[list[TraceEntry], str], None]
    accept_upload: AcceptUpload = no_uploads
    typed: dict[str, int] = field(default_factory=dict)
    """When others were last told that somebody types, by log."""

    def handle(
        self, claims: Claims, frame: str | bytes, deadline_ns: int | None, *, connection_id: str | None = None
    ) -> JsonObject:
        """The answer to a client's frame as it came; {} where there is nothing to say. Raises nothing: what is wrong is
        a frame, too. `connection_id` is the sender's socket, None over HTTP."""
        parsed, client_id = frames.parse_frame(frame)
        try:
            if isinstance(parsed, InvalidInput):
                raise parsed
            visit = self._visit(claims, deadline_ns, connection_id=connection_id)
            return frames.fitting(self._answer(visit, parsed))
        except TurnTooLarge as fault:
            return frames.error_frame(fault, client_id, code=frames.TooLarge.code)
        except MalgilError as fault:
            if isinstance(fault, Unavailable):
                self.report(fault)
            return frames.error_frame(fault, client_id)
        except Exception as fault:  # noqa: BLE001 - else API Gateway answers, and its words name no clientId
            self.report(fault)
            return frames.error_frame(Unavailable("something went wrong here"), client_id)

    def missed(self, claims: Claims, rev: int, deadline_ns: int | None = None) -> JsonObject:
        """The context frame for whoever asks over HTTP: complete messages, as many as an answer there may hold. Raises
        what is wrong."""
        visit = self._visit(claims, deadline_ns, most=MAX_HTTP_ANSWER)
        return self._context(visit, self._newest(visit), rev)

    def history(
        self, claims: Claims, before: int | None = None, limit: int = PAGE_TURNS, deadline_ns: int | None = None
    ) -> JsonObject:
        """Messages before a revision, None: the newest; oldest first. `rev` is what to ask for next while there is
        `more`; a page may be short, even empty, and still have more. Raises what is wrong."""
        if not 0 < limit <= MAX_PAGE:
            raise InvalidInput(f"query.limit: a number from 1 to {MAX_PAGE} is expected")
        visit = self._visit(claims, deadline_ns, most=MAX_HTTP_ANSWER)
        newest = self._newest(visit)
        last = 0 if newest is None else newest.revision if before is None else min(before - 1, newest.revision)
        turns, more = self._page(visit, newest, last, limit)
        items = [message for messages in turns.values() for message in messages]
        return {"items": items, "rev": min(turns, default=1), "more": more}

    # ---- frames

    def _visit(
        self,
        claims: Claims,
        deadline_ns: int | None,
        *,
        most: int = MAX_FRAME,
        connection_id: str | None = None,
    ) -> _Visit:
        if self.now_ms() >= (claims.expires_at_s + LEEWAY_S) * MILLISECONDS:
            raise TokenExpired("the token has expired")
        record = self.published.get(claims.bot_id, deadline_ns)
        if record is None or record.published is None or record.deleted_at_ms is not None:
            raise NotFound("no such bot", bot=claims.bot_id)
        settings = WebSettings.of(record.channels)
        if not settings.enabled:
            raise NotFound("the web chat of this bot is off", bot=claims.bot_id)
        bot = self.runnable.load(record, record.published, deadline_ns)
        return _Visit(
            claims=claims,
            bot=bot,
            deadline_ns=deadline_ns,
            most=most,
            connection_id=connection_id,
            takes_uploads=settings.uploads,
        )

    def _answer(self, visit: _Visit, frame: ClientFrame) -> JsonObject:
        match frame:
            case frames.Start():
                return self._start(visit, frame)
            case frames.Say(client_id=client_id, data=data):
                return self._say(visit, client_id, data)
            case frames.Navigate():
                return self._navigate(visit, frame)
            case frames.SetParams():
                return self._set_params(visit, frame)
            case frames.Sync(rev=rev):
                return self._context(visit, self._newest(visit), rev)
            case frames.Ping():
                newest = self._newest(visit)
                return {"type": "pong", "rev": 0 if newest is None else newest.revision}
            case frames.Typing():
                self._tell_typing(visit)
                return {}
            case frames.Read():
                return {}

    def _start(self, visit: _Visit, frame: frames.Start) -> JsonObject:
        _check_size(frame.params)
        newest = self._newest(visit)
        inbound = self._opening(visit, frame, newest)
        if inbound is None:
            return self._context(visit, newest, frame.rev)

        def check(found: Turn | None) -> None:
            if found is not None and self._opening(visit, frame, found) is None:
                raise _AlreadyOpen(found)

        # A parameter that is set is one of the conversation's; what is None is none.
        given = {key: value for key, value in frame.params.items() if value is not None}
        params = {} if isinstance(inbound, ParametersChanged) else given
        try:
            handled = self._write(visit, inbound, frame.client_id, newest, params=params, check=check)
        except _AlreadyOpen as opened:
            return self._context(visit, opened.newest, frame.rev)
        first = handled.turn if handled.heard is None else handled.heard
        return self._context(visit, handled.turn, first.revision - 1 if frame.rev is None else frame.rev)

    def _opening(self, visit: _Visit, frame: frames.Start, newest: Turn | None) -> Inbound | None:
        """What starting does after `newest`; None: nothing, the conversation is open."""
        session = self._conversation(visit, newest)
        if frame.restart:
            return Restarted()
        if opening_walks(visit.bot, session, self.now_ms()):
            return Opened()
        if session is None and frame.params:  # nothing is said at the beginning, but what was given must be there
            return ParametersChanged(params=frame.params)
        return None

    def _say(self, visit: _Visit, client_id: str, data: JsonObject) -> JsonObject:
        newest = self._newest(visit)
        is_new = newest is None or newest.state.revision_of(client_id) is None
        if is_new and "media" in data:
            uri = data["media"]["uri"]
            if not (visit.takes_uploads and self.accept_upload(visit.claims, uri, visit.deadline_ns)):
                raise InvalidInput("data.media.uri: it is no upload of this web chat")
        return self._written(visit, self._write(visit, UserMessage(data=data), client_id, newest), client_id)

    def _navigate(self, visit: _Visit, frame: frames.Navigate) -> JsonObject:
        inbound = StartAt(flow_id=frame.flow_id, node_id=frame.node_id, message=frame.data)

        def check(newest: Turn | None) -> None:
            session = self._conversation(visit, newest)
            if session is not None and session.is_with_agent and not frame.force and frame.data is None:
                raise WithAgent("an agent was called or is here: the bot keeps quiet")

        handled = self._write(visit, inbound, frame.client_id, self._newest(visit), check=check)
        return self._written(visit, handled, frame.client_id)

    def _set_params(self, visit: _Visit, frame: frames.SetParams) -> JsonObject:
        def check(newest: Turn | None) -> None:
            session = self._conversation(visit, newest)
            if session is None:
                raise NotStarted("there is no conversation yet: send start, with the parameters")
            _check_size({**session.params, **frame.params})

        inbound = ParametersChanged(params=frame.params)
        handled = self._write(visit, inbound, frame.client_id, self._newest(visit), check=check)
        return self._written(visit, handled, frame.client_id)

    def _tell_typing(self, visit: _Visit) -> None:
        log, now_ms = visit.claims.log, self.now_ms()
        if now_ms - self.typed.get(log, 0) < TYPING_MS:
            return
        if len(self.typed) >= MAX_TYPISTS:
            self.typed.clear()
        self.typed[log] = now_ms
        self.push(
            visit.claims.bot_id,
            log,
            [{"type": "typing", "by": "user"}],
            but=visit.connection_id,
            deadline_ns=visit.deadline_ns,
        )

    # ---- parts

    def _newest(self, visit: _Visit) -> Turn | None:
        return self.turns.newest(visit.claims.bot_id, visit.claims.log, visit.deadline_ns)

    def _conversation(self, visit: _Visit, newest: Turn | None) -> Session | None:
        """The conversation that a turn would go on with."""
        session = None if newest is None else newest.state.session
        return None if session is None or has_expired(visit.bot, session, self.now_ms()) else session

    def _write(
        self,
        visit: _Visit,
        inbound: Inbound,
        client_id: str | None,
        newest: Turn | None,
        *,
        params: JsonObject | None = None,
        check: Callable[[Turn | None], None] = lambda newest: None,
    ) -> Handled:
        is_counted = False

        def check_all(found: Turn | None) -> None:
            nonlocal is_counted
            check(found)
            if not is_counted and found is not None and self.now_ms() - found.at_ms < FAST_MS:
                is_counted = True
                self._count(visit)

        handled = self.handle_inbound(
            Request(
                bot=visit.bot,
                platform=WEB,
                user_key=visit.claims.user_key,
                inbound=inbound,
                client_id=client_id,
                params=params or {},
                deadline_ns=visit.deadline_ns,
                check=check_all,
            ),
            newest,
        )
        self.report_trace(handled.trace, visit.bot.id)
        return handled

    def _count(self, visit: _Visit) -> None:
        now_ms = self.now_ms()
        window = now_ms // WINDOW_MS
        expires_s = (window + 2) * WINDOW_MS // MILLISECONDS
        name = f"sent {visit.claims.bot_id} {visit.claims.log}"
        if self.rates.add(name, window, 1, expires_at_s=expires_s, deadline_ns=visit.deadline_ns) > MAX_SENT:
            raise RateLimited(
                f"at most {MAX_SENT} messages in {WINDOW_MS // MILLISECONDS} s are taken",
                retry_after_ms=(window + 1) * WINDOW_MS - now_ms,
            )

    def _written(self, visit: _Visit, handled: Handled, client_id: str | None) -> JsonObject:
        turn = handled.turn
        if handled.is_waiting:
            revision = turn.state.revision_of(client_id) or turn.revision
            return {"type": "ack", **({} if client_id is None else {"clientId": client_id}), "rev": revision}
        return messages_frame(
            turn, self.now_ms(), brand_line=self._brand_line(visit), heard=handled.heard, client_id=client_id
        )

    def _brand_line(self, visit: _Visit) -> str | None:
        return self.published.brand_line(visit.bot.id, self.calendar.month_of(self.now_ms()))

    def _context(self, visit: _Visit, newest: Turn | None, after: int | None) -> JsonObject:
        """The conversation as it is, and what was said after a revision, oldest first, as much as fits; None: what was
        said last."""
        claims = visit.claims
        session = None if newest is None else newest.state.session
        frame: JsonObject = {
            "type": "context",
            "context": context_of(claims.bot_id, claims.user_key, claims.end_user_id, newest),
            "rev": 0 if newest is None else newest.revision,
            "messages": [],
            "keyboard": shown_keyboard(session),
            "call": call_of(session),
        }
        if newest is None:
            return frame
        visit = replace(visit, most=max(0, visit.most - len(frames.frame_bytes(frame)) - len('"more":true,')))
        if after is None:
            turns, _ = self._page(visit, newest, newest.revision, PAGE_TURNS)
            return {**frame, "messages": [message for said in turns.values() for message in said]}
        turns = self._after(visit, newest, after)
        count = frames.fitting_turns(turns.values(), visit.most)
        kept = list(turns)[: max(count, 1)]  # a turn that is too large alone is cut, not waited for
        messages = [message for revision in kept for message in turns[revision]]
        revision = kept[-1] if kept else newest.revision
        return {
            **frame,
            "rev": revision,
            "messages": messages,
            **({"more": True} if revision < newest.revision else {}),
        }

    def _after(self, visit: _Visit, newest: Turn, after: int) -> dict[int, list[JsonObject]]:
        """What was said after a revision, in one read."""
        if after >= newest.revision:
            return {}
        if after == newest.revision - 1:
            return {newest.revision: self._shown(visit, newest, newest)}
        found = self.turns.said(
            visit.claims.bot_id,
            visit.claims.log,
            first=after + 1,
            last=newest.revision,
            limit=PAGE_TURNS,
            newest_first=False,
            deadline_ns=visit.deadline_ns,
        )
        return {turn.revision: self._shown(visit, newest, turn) for turn in found}

    def _page(
        self, visit: _Visit, newest: Turn | None, last: int, limit: int
    ) -> tuple[dict[int, list[JsonObject]], bool]:
        """What was said up to a revision, oldest first, in one read, and whether there is more before it."""
        if newest is None or last < 1 or not newest.state.first_contact_ms:
            return {}, False
        found = self.turns.said(
            visit.claims.bot_id,
            visit.claims.log,
            first=1,
            last=last,
            limit=PAGE_TURNS,
            newest_first=True,
            deadline_ns=visit.deadline_ns,
        )
        theirs = [turn for turn in found if turn.at_ms >= newest.state.first_contact_ms]
        shown = {turn.revision: self._shown(visit, newest, turn) for turn in theirs}
        count = frames.fitting_turns(shown.values(), visit.most)
        kept: list[int] = []
        messages = 0
        for revision in list(shown)[: max(count, 1)]:
            messages += len(shown[revision])
            if kept and messages > limit:
                break
            kept.append(revision)
        more = bool(kept) and (len(kept) < len(theirs) or (len(theirs) == len(found) and kept[-1] > 1))
        return {revision: shown[revision] for revision in reversed(kept)}, more

    def _shown(self, visit: _Visit, newest: Turn, turn: Turn | SaidTurn) -> list[JsonObject]:
        """What of a turn its end user may see: nothing of somebody who was erased before they came."""
        first_contact_ms = newest.state.first_contact_ms
        if not first_contact_ms or turn.at_ms < first_contact_ms:
            return []
        return web_messages(turn, self.now_ms(), self._brand_line(visit))


def _check_size(params: JsonObject) -> None:
    size = params_size({key: value for key, value in params.items() if value is not None})
    if size > PARAMS_LIMIT:
        raise InvalidInput(f"params: the parameters would take {size} bytes; at most {PARAMS_LIMIT} are kept")
