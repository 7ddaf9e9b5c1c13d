"""The brand line under a bot's answers: when, where, and within what limits."""

import pytest

from shared.channels.text import cut
from shared.errors import InvalidInput
from shared.usage.brand import MAX_BRAND_LINE, checked_brand_line, signed, signed_messages
from shared.usage.limits import DEFAULT_BRAND_LINE, NO_LIMITS, UsageLimits

LINE = DEFAULT_BRAND_LINE


def text(said, **more):
    return {"data": {"type": "text", "text": said}, "meta": None, **more}


def image(**more):
    return {"data": {"type": "media", "media": {"contentType": "image", "uri": "https://a.kr"}, **more}, "meta": None}


def cards(*descriptions):
    return {
        "data": {"type": "cards", "cards": [{"title": "카드", "description": each} for each in descriptions]},
        "meta": None,
    }


def agents(said):
    return text(said) | {"meta": {"persona": {"id": "a", "displayName": "상담원"}}}


def texts(messages):
    return [
        [card["description"] for card in message["data"]["cards"]]
        if "cards" in message["data"]
        else message["data"].get("text")
        for message in messages
    ]


def shown(*messages):
    return texts(signed_messages(messages, lambda said: signed(said, LINE, limit=1_000, cut=cut)))


def test_the_line_is_shown_in_the_month_that_is_over_its_quota_and_in_no_other() -> None:
    over = UsageLimits(quota=1_000, over_month=202611)
    assert over.brand_line_in(202611) == "powered by Malgil"
    assert over.brand_line_in(202612) is None
    assert over.brand_line_in(202610) is None
    assert UsageLimits(quota=1_000).brand_line_in(202611) is None
    assert UsageLimits(quota=None, over_month=202611).brand_line_in(202611) is None
    assert NO_LIMITS.brand_line_in(0) is None


def test_the_line_is_the_last_one_after_a_blank_one() -> None:
    assert signed("안녕하세요", LINE, limit=1_000, cut=cut) == "안녕하세요\n\npowered by Malgil"


def test_where_there_is_no_text_the_line_stands_alone() -> None:
    assert signed("", LINE, limit=76, cut=cut) == LINE


@pytest.mark.parametrize("length", [980, 981, 982, 1_000])
def test_a_text_without_room_is_cut_so_that_the_line_fits(length: int) -> None:
    shown_text = signed("가" * length, LINE, limit=1_000, cut=cut)
    assert len(shown_text) <= 1_000
    body = shown_text.removesuffix(f"\n\n{LINE}")
    assert body == ("가" * length if length <= 981 else "가" * 978 + "...")


def test_the_cut_is_between_characters_as_readers_see_them() -> None:
    family = "👨‍👩‍👧‍👦"
    assert signed(family * 100, LINE, limit=100, cut=cut) == family * 7 + f"...\n\n{LINE}"


def test_the_last_text_or_card_of_the_turn_has_the_line() -> None:
    assert shown(text("하나"), text("둘")) == ["하나", f"둘\n\n{LINE}"]
    assert shown(text("하나"), cards("둘", "셋")) == ["하나", ["둘", f"셋\n\n{LINE}"]]
    assert shown(text("하나"), image()) == [f"하나\n\n{LINE}", None]
    assert shown(image(text="설명")) == [f"설명\n\n{LINE}"]
    assert shown(cards("")) == [[LINE]]


def test_a_turn_without_text_or_card_has_none() -> None:
    assert shown(image()) == [None]
    assert shown() == []


def test_an_agents_message_never_has_the_line() -> None:
    assert shown(agents("안녕하세요")) == ["안녕하세요"]
    assert shown(text("봇"), agents("사람")) == [f"봇\n\n{LINE}", "사람"]


def test_what_is_stored_is_not_touched() -> None:
    stored = [text("하나"), cards("둘")]
    signed_messages(stored, lambda said: said + "!")
    assert texts(stored) == ["하나", ["둘"]]


def test_a_brand_line_is_one_short_line() -> None:
    assert checked_brand_line("  말길로 만들었어요 🙂 ") == "말길로 만들었어요 🙂"
    assert checked_brand_line("가" * MAX_BRAND_LINE)
    for refused in ("", "  ", "두\n줄", "탭\t탭", "\x00", "\ud800", "가" * (MAX_BRAND_LINE + 1)):
        with pytest.raises(InvalidInput, match="brandLine"):
            checked_brand_line(refused)
