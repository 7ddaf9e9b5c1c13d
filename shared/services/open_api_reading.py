"""The open API's reading: bots, flows, people, conversations and what was said. The index only says which log to look
at; what is answered stands in the log."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from shared.bot.record import BotRecord
from shared.channels.open_api.objects import (
    bot_object,
    conversation_object,
    end_user_object,
    flow_object,
    manual_object,
)
from shared.conversation.history import SaidTurn, messages_of
from shared.conversation.identity import Identity, IdentityKind
from shared.conversation.projection import CAME, HOUR_MS
from shared.conversation.turn import Turn
from shared.engine.session import Session
from shared.errors import InvalidInput, NotFound
from shared.ids import BOT_ID, log_key
from shared.services.people_ports import Identities
from shared.services.ports import Bots, ReadableTurns, RunnableBots

JsonObject = dict[str, Any]

PUBLIC_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_QUERIES: Final = 10
"""Of one page of messages: turns that said nothing do not keep a caller waiting for ever."""
MAX_SILENT_TURNS: Final = 50
"""Looked through for an end user's last message: turns of programs may say nothing."""
MAX_OUTSIDE: Final = 50
"""Turns outside a conversation that one page of conversations passes over."""
_PLACE: Final = re.compile(r"([ad])(\d{1,10})\.(\d{1,6})", re.ASCII)
_REVISION: Final = re.compile(r"r(\d{1,10})", re.ASCII)
_FLOW: Final = re.compile(r"f(-?\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list; `cursor` asks for the next one, None after the last. A page may be short, even empty, and still
    have a cursor: one call reads only so much."""

    items: list[JsonObject]
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which turns of a log to read for messages; those of one conversation where it is named."""

    bot_id: str
    log: str
    first: int
    last: int
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOpenApi:
    """Ports and the clock."""

    bots: Bots
    runnable: RunnableBots
    turns: ReadableTurns
    identities: Identities
    now_ms: Callable[[], int]

    # ---- bots

    def list_bots(self, *, limit: int, cursor: str | None, deadline_ns: int) -> Page:
        """In the order of their ids, so that one that changes meanwhile is neither missed nor seen twice."""
        if cursor is not None and not BOT_ID.fullmatch(cursor):
            raise _no_cursor()
        names = sorted(record.bot_id for record in self.bots if cursor is None or record.bot_id > cursor)
        found = [self.bots.get(name, deadline_ns) for name in names[:limit]]
        items = [self._bot_object(record, deadline_ns) for record in found if _is_there(record)]
        return Page(items=items, cursor=names[limit - 1] if len(names) > limit else None)

    def bot(self, bot_id: str, deadline_ns: int) -> JsonObject:
        return self._bot_object(self.record(bot_id, deadline_ns), deadline_ns)

    def list_flows(self, bot_id: str, *, limit: int, cursor: str | None, deadline_ns: int) -> Page:
        """Those of the published version, in its order."""
        record = self.record(bot_id, deadline_ns)
        if record.published is None:
            raise NotFound(f"bot '{bot_id}' is not published", bot=bot_id)
        flows = list(self.runnable.load(record, record.published, deadline_ns).flows.values())
        start = 0
        if cursor is not None:
            last = int(_matched(_FLOW, cursor)[1])
            start = next((index for index, flow in enumerate(flows, start=1) if flow.id == last), 0)
            if not start:
                raise _no_cursor()
        page = flows[start : start + limit]
        has_more = start + limit < len(flows)
        return Page(items=[flow_object(flow) for flow in page], cursor=f"f{page[-1].id}" if has_more else None)

    def record(self, bot_id: str, deadline_ns: int) -> BotRecord:
        """A bot that is there. Raises NotFound."""
        record = self.bots.get(bot_id, deadline_ns) if BOT_ID.fullmatch(bot_id) else None
        if record is None or record.deleted_at_ms is not None:
            raise NotFound("no such bot")
        return record

    def _bot_object(self, record: BotRecord | None, deadline_ns: int) -> JsonObject:
        assert record is not None  # noqa: S101 - the caller has checked it
        version = record.published or record.latest
        preference = {} if version is None else self.runnable.load(record, version, deadline_ns).preference
        return bot_object(record, preference)

    # ---- conversations

    def conversation(self, conversation_id: str, deadline_ns: int) -> JsonObject:
        """As the log's newest turn has it, or, when it is over, as its last turn left it."""
        return conversation_object(
            *self._last_of(self.identity(conversation_id, "conversation", deadline_ns), deadline_ns)
        )

    def manual(self, conversation_id: str, deadline_ns: int) -> JsonObject:
        return manual_object(self._last_of(self.identity(conversation_id, "conversation", deadline_ns), deadline_ns)[1])

    def list_conversations(
        self,
        bot_id: str,
        *,
        limit: int,
        cursor: str | None,
        platform: str | None,
        from_ms: int | None,
        until_ms: int | None,
        deadline_ns: int,
    ) -> Page:
        """Of a bot, the last begun first."""
        self.record(bot_id, deadline_ns)
        page = self.identities.page(
            bot_id,
            "conversation",
            limit=limit,
            cursor=cursor,
            from_ms=from_ms,
            until_ms=until_ms,
            platform=platform,
        )
        found = [self._last_or_none(identity, deadline_ns) for identity in page.items]
        return Page(items=[conversation_object(*last) for last in found if last is not None], cursor=page.cursor)

    def list_conversations_of(
        self,
        person_id: str,
        *,
        bot_id: str | None,
        limit: int,
        cursor: str | None,
        platform: str | None,
        from_ms: int | None,
        until_ms: int | None,
        deadline_ns: int,
    ) -> Page:
        """Of an end user, the last begun first: from the log, where each ends before the next one begins."""
        person = self.identity(person_id, "end_user", deadline_ns)
        if bot_id not in (None, person.bot_id) or platform not in (None, person.platform):
            return Page(items=[])
        items: list[JsonObject] = []
        newest = self._newest(person.bot_id, person.log, deadline_ns)
        if newest is None:
            raise _nothing("end_user")
        revision = newest.revision if cursor is None else int(_matched(_REVISION, cursor)[1])
        for _ in range(limit + MAX_OUTSIDE):
            turn = newest
            if revision != newest.revision:
                found = self.turns.get(person.bot_id, person.log, revision, deadline_ns)
                if found is None or not _is_of(newest, found):
                    return Page(items=items)
                turn = found
            session, first = turn.state.session, turn.revision
            if session is not None:
                if session.created_at_ms < (from_ms or 0):
                    return Page(items=items)
                if until_ms is None or session.created_at_ms < until_ms:
                    items.append(conversation_object(turn, session))
                first = self._beginning(turn, session, deadline_ns)
            revision = first - 1
            if not revision:
                return Page(items=items)
            if len(items) == limit:
                break
        return Page(items=items, cursor=f"r{revision}")

    def _last_of(self, identity: Identity, deadline_ns: int) -> tuple[Turn, Session]:
        last = self._last_or_none(identity, deadline_ns)
        if last is None:
            raise _nothing(identity.kind)
        return last

    def _last_or_none(self, identity: Identity, deadline_ns: int) -> tuple[Turn, Session] | None:
        """The last turn of a conversation with its state; None when the log was erased. In the turns from its beginning
        on it is current up to one turn and then never again, so halving finds that turn in some twenty reads."""
        newest = self._newest(identity.bot_id, identity.log, deadline_ns)
        if newest is None or identity.created_at_ms < newest.state.first_contact_ms:
            return None
        last, over = newest, newest.revision
        if not _is_in(identity.public_id, newest):
            begun = self.turns.get(identity.bot_id, identity.log, identity.revision, deadline_ns)
            if begun is None or not _is_in(identity.public_id, begun):
                return None
            last = begun
            while over - last.revision > 1:
                middle = (last.revision + over) // 2
                turn = self.turns.get(identity.bot_id, identity.log, middle, deadline_ns)
                if turn is None:
                    return None
                if _is_in(identity.public_id, turn):
                    last = turn
                else:
                    over = middle
        session = last.state.session
        return None if session is None else (last, session)

    def _beginning(self, turn: Turn, session: Session, deadline_ns: int) -> int:
        """The revision that a conversation began with, given one of its turns; found by halving where the index is
        behind."""
        known = self.identities.get(session.conversation_id)
        if known is not None and known.log == turn.log and known.bot_id == turn.bot_id:
            return known.revision
        return self._earliest(turn, lambda found: _is_in(session.conversation_id, found), deadline_ns)

    def _earliest(self, turn: Turn, belongs: Callable[[Turn], bool], deadline_ns: int) -> int:
        """The first of the turns that belong together and of which `turn` is one."""
        before, first = 0, turn.revision
        while first - before > 1:
            middle = (before + first) // 2
            found = self.turns.get(turn.bot_id, turn.log, middle, deadline_ns)
            if found is not None and belongs(found):
                first = middle
            else:
                before = middle
        return first

    def _newest(self, bot_id: str, log: str, deadline_ns: int) -> Turn | None:
        """None where nobody ever came, or where they were erased and have not come back."""
        newest = self.turns.newest(bot_id, log, deadline_ns)
        return None if newest is None or is_nobodys(newest) else newest

    # ---- people

    def end_user(self, person_id: str, deadline_ns: int) -> JsonObject:
        person = self.identity(person_id, "end_user", deadline_ns)
        found = self._end_user_or_none(person.bot_id, person.log, deadline_ns)
        if found is None:
            raise _nothing("end_user")
        return found

    def find_end_user(self, bot_id: str, platform: str, user_key: str, deadline_ns: int) -> Page:
        """The person of a user key: their log's name follows from it, so the index need not know them yet."""
        self.record(bot_id, deadline_ns)
        found = self._end_user_or_none(bot_id, log_key(platform, user_key), deadline_ns)
        return Page(items=[] if found is None else [found])

    def list_end_users(
        self,
        bot_id: str,
        *,
        limit: int,
        cursor: str | None,
        platform: str | None,
        from_ms: int | None,
        until_ms: int | None,
        deadline_ns: int,
    ) -> Page:
        """Of a bot, the last seen first: that is known to the hour, and nobody of the first hour is left out."""
        self.record(bot_id, deadline_ns)
        if from_ms is not None:
            from_ms -= from_ms % HOUR_MS
        page = self.identities.page(
            bot_id, "end_user", limit=limit, cursor=cursor, from_ms=from_ms, until_ms=until_ms, platform=platform
        )
        found = [self._end_user_or_none(bot_id, person.log, deadline_ns) for person in page.items]
        return Page(items=[person for person in found if person is not None], cursor=page.cursor)

    def _end_user_or_none(self, bot_id: str, log: str, deadline_ns: int) -> JsonObject | None:
        newest = self._newest(bot_id, log, deadline_ns)
        return None if newest is None else end_user_object(newest, self._last_message_id(newest, deadline_ns))

    def _last_message_id(self, newest: Turn, deadline_ns: int) -> str | None:
        told = messages_of(newest.messages, newest.events, self.now_ms())
        if told or newest.revision == 1:
            return told[-1]["id"] if told else None
        turns = self.turns.said(
            newest.bot_id,
            newest.log,
            first=max(1, newest.revision - MAX_SILENT_TURNS),
            last=newest.revision,
            limit=MAX_SILENT_TURNS,
            deadline_ns=deadline_ns,
        )
        for turn in turns:
            told = messages_of(turn.messages, turn.events, self.now_ms())
            if told:
                return str(told[-1]["id"])
            if any(event["event"] == CAME for event in turn.events):
                return None  # before it stands somebody who was erased
        return None

    # ---- messages

    def list_messages(
        self,
        *,
        conversation_id: str | None,
        person_id: str | None,
        limit: int,
        cursor: str | None,
        newest_first: bool,
        deadline_ns: int,
    ) -> Page:
        """Of a conversation, or of an end user over all of theirs."""
        span = self._span(conversation_id, person_id, deadline_ns)
        revision, skipped = _place(cursor, newest_first=newest_first) if cursor else (None, 0)
        first, last = span.first, span.last
        if revision is not None:
            first, last = (first, min(last, revision)) if newest_first else (max(first, revision), last)
        items: list[JsonObject] = []
        for _ in range(MAX_QUERIES):
            if first > last:
                return Page(items=items)
            turns = self.turns.said(
                span.bot_id,
                span.log,
                first=first,
                last=last,
                limit=limit,
                newest_first=newest_first,
                deadline_ns=deadline_ns,
            )
            if not turns:
                return Page(items=items)
            for turn in turns:
                for index, message in enumerate(self._told(turn, span, newest_first=newest_first)):
                    if turn.revision == revision and index < skipped:
                        continue
                    if len(items) == limit:
                        return Page(items=items, cursor=_cursor(turn.revision, index, newest_first=newest_first))
                    items.append(message)
            read = turns[-1].revision
            first, last = (first, read - 1) if newest_first else (read + 1, last)
        if first > last:
            return Page(items=items)
        return Page(items=items, cursor=_cursor(last if newest_first else first, 0, newest_first=newest_first))

    def _span(self, conversation_id: str | None, person_id: str | None, deadline_ns: int) -> Span:
        if conversation_id is not None:
            conversation = self.identity(conversation_id, "conversation", deadline_ns)
            last, _ = self._last_of(conversation, deadline_ns)
            if person_id not in (None, conversation.end_user_id):
                raise _nothing("conversation")
            return Span(
                bot_id=conversation.bot_id,
                log=conversation.log,
                first=conversation.revision,
                last=last.revision,
                conversation_id=conversation_id,
            )
        assert person_id is not None  # noqa: S101 - the caller has checked that one is given
        person = self.identity(person_id, "end_user", deadline_ns)
        newest = self._newest(person.bot_id, person.log, deadline_ns)
        if newest is None:
            raise _nothing("end_user")
        came = self.turns.get(person.bot_id, person.log, 1, deadline_ns)
        first = 1
        if came is None or not _is_of(newest, came):
            first = self._earliest(newest, lambda found: _is_of(newest, found), deadline_ns)
        return Span(bot_id=person.bot_id, log=person.log, first=first, last=newest.revision)

    def _told(self, turn: SaidTurn, span: Span, *, newest_first: bool) -> Iterator[JsonObject]:
        told = messages_of(turn.messages, turn.events, self.now_ms())
        for message in reversed(told) if newest_first else told:
            if span.conversation_id in (None, message["conversationId"]):
                yield message

    # ---- ids

    def identity(self, public_id: str, kind: IdentityKind, deadline_ns: int) -> Identity:
        """What an id names, of a bot that is there. Raises NotFound."""
        found = self.identities.get(public_id) if PUBLIC_ID.fullmatch(public_id) else None
        if found is None or found.kind != kind:
            raise _nothing(kind)
        self.record(found.bot_id, deadline_ns)
        return found


def _is_there(record: BotRecord | None) -> bool:
    return record is not None and record.deleted_at_ms is None


def is_nobodys(newest: Turn) -> bool:
    """The log's person was erased and has not come back."""
    return not newest.state.first_contact_ms


def _is_of(newest: Turn, turn: Turn) -> bool:
    """Of the same person, and not of one who was erased before they came again."""
    return turn.state.first_contact_ms == newest.state.first_contact_ms


def _is_in(conversation_id: str, turn: Turn) -> bool:
    session = turn.state.session
    return session is not None and session.conversation_id == conversation_id


def _nothing(kind: IdentityKind) -> NotFound:
    return NotFound("no such conversation" if kind == "conversation" else "no such end user")


def _cursor(revision: int, skipped: int, *, newest_first: bool) -> str:
    """Where a page of messages begins: at a turn, after so many of its messages."""
    return f"{'d' if newest_first else 'a'}{revision}.{skipped}"


def _place(cursor: str, *, newest_first: bool) -> tuple[int, int]:
    order, revision, skipped = _matched(_PLACE, cursor).groups()
    if (order == "d") != newest_first:
        raise InvalidInput("query.cursor: it is of a list in the other order")
    return int(revision), int(skipped)


def _matched(form: re.Pattern[str], cursor: str) -> re.Match[str]:
    match = form.fullmatch(cursor)
    if match is None:
        raise _no_cursor()
    return match


def _no_cursor() -> InvalidInput:
    return InvalidInput("query.cursor: not a cursor of this list")
