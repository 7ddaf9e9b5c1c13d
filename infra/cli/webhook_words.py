"""Deliveries and their events in words, one line each, in Korean or English."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from rich.cells import cell_len, set_cell_size

from infra.cli.draw import BOT, safe
from infra.cli.language import Language, both
from infra.cli.webhook_check import KEPT_LOGS, Noted, ReceivedEvent, Trust
from shared.webhooks.delivery import Attempt
from shared.webhooks.endpoint import Endpoint
from shared.webhooks.events import TEST_EVENT

JsonObject = dict[str, Any]

TEXT_COLUMNS: Final = 80
"""Of what somebody said: the rest of a long text is in --json."""
SHORT_ID: Final = 8
MILLISECONDS: Final = 1000

EVENTS: Final = {
    "bot.message.received": ("받음", "received"),
    "bot.message.sent": ("보냄", "sent"),
    "bot.conversation.created": ("대화 시작", "conversation begins"),
    "bot.conversation.updated": ("대화 바뀜", "conversation changed"),
    "bot.conversation.deleted": ("대화 끝", "conversation is over"),
    "bot.conversation.agent_call_requested": ("상담 요청", "agent is called"),
    "bot.conversation.agent_call_connected": ("상담 시작", "agent joins"),
    "bot.conversation.agent_call_cancelled": ("상담 취소", "call is cancelled"),
    "bot.conversation.agent_call_disconnected": ("상담 끝", "agent is done"),
    "bot.end_user.created": ("새 사용자", "new end user"),
    "bot.end_user.updated": ("사용자 바뀜", "end user changed"),
    "bot.end_user.deleted": ("사용자 나감", "end user is gone"),
    "bot.updated": ("봇 바뀜", "bot changed"),
    "bot.deleted": ("봇 삭제", "bot is deleted"),
    TEST_EVENT: ("시험", "test"),
}
TRUST: Final[dict[Trust, tuple[str, str]]] = {
    "verified": ("서명 확인", "verified"),
    "unchecked": ("확인하지 않음", "not verified"),
    "no_header": ("확인 실패: 서명 헤더가 없거나 잘못됨", "not verified: its headers are missing or malformed"),
    "wrong_signature": ("확인 실패: 서명이 틀림", "not verified: wrong signature"),
    "too_old": ("확인 실패: 서명이 5분보다 오래됨", "not verified: signed more than 5 minutes ago"),
    "too_new": ("확인 실패: 서명 시각이 5분 넘게 앞섬", "not verified: signed more than 5 minutes from now"),
}
ERRORS: Final = {
    "status": ("2xx가 아닌 답", "an answer that is not 2xx"),
    "redirect": ("다른 주소로 보내는 답", "a redirect"),
    "timeout": ("15초 안에 답이 없음", "no answer within 15 s"),
    "dns": ("이름에 주소가 없음", "the name has no address"),
    "connect": ("접속을 받지 않음", "no connection"),
    "tls": ("인증서나 TLS 오류", "certificate or TLS"),
    "http": ("HTTP가 아니거나 끊김", "not HTTP, or broken off"),
    "too_large": ("답의 헤더가 너무 큼", "headers that are too large"),
    "blocked": ("보낼 수 없는 주소", "an address that may not be called"),
}
"""Classes of failures (docs/webhooks.md)."""


@dataclass(slots=True)
class Words:
    """Remembers the user keys that end users' ids stand for: messages name the id alone."""

    language: Language
    _names: "OrderedDict[str, str]" = field(default_factory=OrderedDict)

    def say(self, korean: str, english: str) -> str:
        return korean if self.language is Language.KOREAN else english

    def trust(self, trust: Trust) -> str:
        return self.say(*TRUST[trust])

    def name(self, end_user_id: str) -> str:
        """Whose log it is, as people know it; the beginning of the id until an event has told more."""
        return self._names.get(end_user_id) or safe(end_user_id[:SHORT_ID])

    def event(self, event: ReceivedEvent) -> str:
        """`11-22 17:03:21.123 bot.message.received ● 받음 kim: 배송 언제 와요?`."""
        when = datetime.fromtimestamp(event.at_ms / MILLISECONDS, UTC)
        head = f"{when:%m-%d %H:%M:%S}.{event.at_ms % MILLISECONDS:03d} {one_line(event.kind)}"
        if event.kind not in EVENTS:
            return head
        who, text = self.name(event.log), _text(event)
        label = self.say(*EVENTS[event.kind])
        agent = _agent(event.data)
        by = f" {self.say('상담원', 'agent')} {one_line(agent)} →" if agent else ""
        return f"{head} {BOT} {label}{by}{f' {who}' if who else ''}{f': {text}' if text else ''}"

    def marks(self, noted: Noted) -> list[str]:
        """What is odd about an event."""
        found = []
        if noted.is_repeat:
            found.append(self.say("이미 받음", "seen before"))
        if noted.is_late:
            found.append(self.say("늦게 옴", "late"))
        if noted.missing is not None:
            found.append(self.say(f"{ranges([noted.missing])}번 빠짐", f"{ranges([noted.missing])} missing before it"))
        return found

    def learn(self, event: ReceivedEvent) -> None:
        """Keep the user key that an event tells. Those of a delivery are learnt before the first is told."""
        for holder in (event.data.get("endUser"), event.data.get("conversation")):
            if event.log and isinstance(holder, dict) and isinstance(holder.get("userKey"), str):
                self._names[event.log] = one_line(holder["userKey"])
                if len(self._names) > KEPT_LOGS:
                    self._names.popitem(last=False)


def one_line(text: Any) -> str:
    """At most TEXT_COLUMNS wide, of which a Korean letter takes two."""
    line = " ".join(safe(text).split())
    return line if cell_len(line) <= TEXT_COLUMNS else f"{set_cell_size(line, TEXT_COLUMNS - 1).rstrip()}…"


def ranges(gaps: Sequence[tuple[int, int]]) -> str:
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in gaps)


def outcome(status: int | None, error: str | None) -> str:
    """What became of a try: the status, and what was wrong."""
    words = both(*ERRORS[error]) if error in ERRORS else error
    return ", ".join([str(part) for part in (status, words) if part is not None])


def why_off(webhook: Endpoint) -> str:
    """Why a webhook is off."""
    disabling = webhook.disabling
    if disabling is None or disabling.reason == "by_owner":
        return both("주인이 껐습니다", "its owner switched it off")
    if disabling.reason == "gone":
        return both("수신 서버가 410(Gone)으로 답했습니다", "the receiver answered 410 Gone")
    last = outcome(disabling.status, disabling.error)
    failed = both("한 전송의 시도가 모두 실패했습니다", "all tries of a delivery failed")
    return f"{failed} ({last}; {disabling.delivery_id})"


def tries(attempts: Sequence[Attempt]) -> str:
    """One word a try, the oldest first: what came of it, and how long it took."""
    return " ".join([f"{attempt.status or attempt.error}:{attempt.ms}ms" for attempt in attempts]) or "-"


def _text(event: ReceivedEvent) -> str:
    """What was said, or where the conversation is."""
    message, conversation = _object(event.data, "message"), _object(event.data, "conversation")
    if message:
        return one_line(_said(_object(message, "data")))
    if conversation:
        current = _object(_object(conversation, "navigation"), "current")
        return one_line(f"{current['flowId']}/{current['nodeId']}") if {"flowId", "nodeId"} <= current.keys() else ""
    return one_line(_object(event.data, "bot").get("title") or _object(event.data, "webhook").get("name") or "")


def _said(data: JsonObject) -> str:
    match data.get("type"):
        case "media":
            media = _object(data, "media")
            return f"[{media.get('contentType')}] {media.get('uri')}"
        case "cards":
            cards = data["cards"] if isinstance(data.get("cards"), list) else []
            titles = [str(card.get("title", "")) for card in cards if isinstance(card, dict)]
            return f"[cards] {', '.join(titles)}"
        case "location":
            return f"[location] {_object(data, 'location').get('title')}"
        case _:
            return str(data.get("text", ""))


def _agent(data: JsonObject) -> str:
    """The agent who said or did it; empty for the bot and for end users."""
    persona = _object(_object(_object(data, "message"), "meta"), "persona")
    agent = _object(data, "agent")
    return str(
        persona.get("displayName")
        or persona.get("id")
        or _object(agent, "profile").get("displayName")
        or agent.get("id")
        or ""
    )


def _object(data: JsonObject, key: str) -> JsonObject:
    value = data.get(key)
    return value if isinstance(value, dict) else {}
