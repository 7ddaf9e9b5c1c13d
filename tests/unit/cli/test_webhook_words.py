"""How deliveries and their events are told."""

from typing import Any

import pytest

from infra.cli.language import Language
from infra.cli.webhook_check import Noted, ReceivedEvent, read_delivery
from infra.cli.webhook_words import ERRORS, EVENTS, Words, one_line, outcome, tries, why_off
from shared.webhooks.delivery import Attempt
from shared.webhooks.endpoint import Disabling
from shared.webhooks.events import Person, agent_meta, bot_data, conversation_data, end_user_data, message_data
from tests.contract.test_docs import event_names, first_cells
from tests.factories import NOW_MS
from tests.unit.cli.test_webhook_check import a_delivery_of
from tests.webhook_world import BOT, an_endpoint, an_event

PERSON = Person(
    bot_id=BOT,
    end_user_id="00000000-0000-5000-8000-000000000001",
    platform="web",
    user_key="kim",
    first_contact_ms=NOW_MS,
)
AGENT = {"id": "a1", "profile": {"displayName": "이상담"}}


def read(kind: str, data: dict[str, Any]) -> ReceivedEvent:
    return read_delivery(a_delivery_of({**an_event(), "event": kind, "data": data})).events[0]


def message(said: dict[str, Any], *, is_user: bool = True, meta: dict[str, Any] | None = None) -> dict[str, Any]:
    return message_data(
        PERSON, message_id="m", conversation_id="c", is_user=is_user, data=said, meta=meta, at_ms=NOW_MS
    )


def conversation(**more: Any) -> dict[str, Any]:
    given = {"conversation_id": "c", "params": {}, "navigation": {}, "created_at_ms": NOW_MS, "at_ms": NOW_MS}
    return conversation_data(PERSON, **{**given, **more})


END_USER = end_user_data(PERSON, params={}, last_message_id=None, last_conversation_id=None, at_ms=NOW_MS)


def told(kind: str, data: dict[str, Any], language: Language = Language.KOREAN) -> str:
    """The line behind time and type, once it is known who the end user is."""
    words = Words(language)
    words.learn(read("bot.end_user.created", END_USER))
    return words.event(read(kind, data)).partition(f"{kind} ")[2]


def test_every_event_and_every_class_of_failures_has_words() -> None:
    assert event_names() <= EVENTS.keys()
    assert {"timeout", "blocked"} <= ERRORS.keys() <= first_cells("webhooks.md")


@pytest.mark.parametrize(
    ("kind", "data", "line"),
    [
        ("bot.message.received", message({"type": "text", "text": "배송 언제 와요?"}), "● 받음 kim: 배송 언제 와요?"),
        ("bot.message.sent", message({"type": "text", "text": "내일요"}, is_user=False), "● 보냄 kim: 내일요"),
        (
            "bot.message.sent",
            message({"type": "text", "text": "네"}, is_user=False, meta=agent_meta(AGENT)),
            "● 보냄 상담원 이상담 → kim: 네",
        ),
        (
            "bot.message.received",
            message({"type": "media", "media": {"contentType": "image", "uri": "https://a.example/1.png"}}),
            "● 받음 kim: [image] https://a.example/1.png",
        ),
        (
            "bot.message.sent",
            message({"type": "cards", "cards": [{"title": "이불"}, {"title": "머그"}]}),
            "● 보냄 kim: [cards] 이불, 머그",
        ),
        (
            "bot.message.received",
            message({"type": "location", "location": {"title": "역"}}),
            "● 받음 kim: [location] 역",
        ),
        (
            "bot.conversation.updated",
            conversation(navigation={"current": {"flowId": 1, "nodeId": 4, "visitCount": 1}, "prev": None}),
            "● 대화 바뀜 kim: 1/4",
        ),
        ("bot.conversation.agent_call_connected", conversation(agent=AGENT), "● 상담 시작 상담원 이상담 → kim"),
        ("bot.end_user.updated", END_USER, "● 사용자 바뀜 kim"),
        (
            "bot.updated",
            bot_data(
                bot_id=BOT, profile={"title": "말길상점"}, preference={}, integration={}, created_at_ms=0, at_ms=0
            ),
            "● 봇 바뀜: 말길상점",
        ),
    ],
)
def test_an_event_is_one_line(kind: str, data: dict[str, Any], line: str) -> None:
    assert told(kind, data) == line


def test_the_line_begins_with_time_and_type() -> None:
    line = Words(Language.ENGLISH).event(read("bot.message.received", message({"type": "text", "text": "hi"})))
    assert line == "11-21 00:00:00.124 bot.message.received ● received 00000000: hi"


def test_who_is_not_known_yet_is_told_by_the_beginning_of_the_id() -> None:
    line = Words(Language.KOREAN).event(read("bot.message.received", message({"type": "text", "text": "안녕"})))
    assert line.endswith("● 받음 00000000: 안녕")


def test_an_event_of_another_kind_is_told_by_its_type_alone() -> None:
    assert Words(Language.KOREAN).event(read("bot.party", {})).endswith(" bot.party")


@pytest.mark.parametrize("data", [{}, {"message": []}, {"message": {"data": {"type": "cards", "cards": 3}}}])
def test_data_of_any_shape_is_told(data: dict[str, Any]) -> None:
    assert "● " in Words(Language.KOREAN).event(read("bot.message.sent", data))


def test_what_somebody_said_cannot_move_the_cursor_or_make_lines() -> None:
    line = told("bot.message.received", message({"type": "text", "text": "a\x1b[2J\nb\x9b1m\x07"}))
    assert line == "● 받음 kim: a[2J b1m"


def test_a_long_text_is_cut_where_korean_letters_count_twice() -> None:
    assert one_line("가" * 40) == "가" * 40
    assert one_line("가" * 41) == "가" * 39 + "…"
    assert one_line("a" * 81) == "a" * 79 + "…"


def test_what_is_odd_about_an_event_is_marked() -> None:
    korean, english = Words(Language.KOREAN), Words(Language.ENGLISH)
    assert korean.marks(Noted()) == []
    assert korean.marks(Noted(missing=(4, 6))) == ["4-6번 빠짐"]
    assert english.marks(Noted(missing=(4, 4))) == ["4 missing before it"]
    assert english.marks(Noted(is_repeat=True)) == ["seen before"]
    assert korean.marks(Noted(is_late=True)) == ["늦게 옴"]


@pytest.mark.parametrize(
    ("disabling", "why"),
    [
        (Disabling(reason="by_owner"), "주인이 껐습니다 / its owner switched it off"),
        (Disabling(reason="gone", status=410), "수신 서버가 410(Gone)으로 답했습니다 / the receiver answered 410 Gone"),
        (
            Disabling(reason="tries_failed", status=500, error="status", delivery_id="d"),
            (
                "한 전송의 시도가 모두 실패했습니다 / all tries of a delivery failed "
                "(500, 2xx가 아닌 답 / an answer that is not 2xx; d)"
            ),
        ),
        (
            Disabling(reason="tries_failed", error="timeout", delivery_id="d"),
            (
                "한 전송의 시도가 모두 실패했습니다 / all tries of a delivery failed "
                "(15초 안에 답이 없음 / no answer within 15 s; d)"
            ),
        ),
    ],
)
def test_why_a_webhook_is_off_is_told_in_words(disabling: Disabling, why: str) -> None:
    assert why_off(an_endpoint(enabled=False, disabling=disabling)) == why


def test_tries_are_told_in_order() -> None:
    attempts = (Attempt(at_ms=0, ms=15_001, error="timeout"), Attempt(at_ms=1, ms=12, status=200))
    assert tries(attempts) == "timeout:15001ms 200:12ms"
    assert tries(()) == "-"
    assert outcome(200, None) == "200"
