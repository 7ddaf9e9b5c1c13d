"""The brand line in KakaoTalk's bubbles: under the last text or card of a bot's turn, inside every limit."""

from shared.channels.kakao import limits
from shared.channels.kakao.render import SkillReply
from tests.contract.kakao.skill_response import violations
from tests.unit.channels.test_kakao_render import IMAGE, cards, choices, image, message, postback, reply, text

LINE = "powered by Malgil"
END = f"\n\n{LINE}"


def outputs(*messages, **options):
    return reply(*messages, brand_line=LINE, **options).body["template"]["outputs"]


def agents(said):
    return text(said) | {"meta": {"persona": {"id": "a", "displayName": "상담원"}}}


def test_without_a_line_nothing_is_added():
    plain = reply(text("안녕하세요"), brand_line=None)
    assert plain.body["template"]["outputs"] == [{"simpleText": {"text": "안녕하세요"}}]


def test_the_last_text_has_it():
    assert outputs(text("하나"), text("둘")) == [
        {"simpleText": {"text": "하나"}},
        {"simpleText": {"text": f"둘{END}"}},
    ]


def test_a_text_with_buttons_has_it_above_the_buttons():
    [output] = outputs(text("골라 주세요", postback("예")))
    assert output["textCard"]["description"] == f"골라 주세요{END}"
    assert [button["label"] for button in output["textCard"]["buttons"]] == ["예"]


def test_a_card_has_it_in_its_description():
    [output] = outputs(cards({"title": "신발", "description": "편해요", "media": {"uri": IMAGE}}))
    assert output["basicCard"]["title"] == "신발"
    assert output["basicCard"]["description"] == f"편해요{END}"


def test_a_card_without_a_description_gets_one():
    assert outputs(cards({"title": "신발"}))[0]["textCard"] == {"title": "신발", "description": LINE}
    [output] = outputs(image(buttons=[postback("자세히")]))
    assert output["basicCard"]["description"] == LINE


def test_the_last_card_of_a_carousel_has_it():
    [output] = outputs(cards({"title": "하나", "description": "가"}, {"title": "둘", "description": "나"}))
    assert [item["description"] for item in output["carousel"]["items"]] == ["가", f"나{END}"]


def test_a_text_before_a_picture_has_it():
    assert outputs(text("보세요"), image()) == [
        {"simpleText": {"text": f"보세요{END}"}},
        {"simpleImage": {"imageUrl": IMAGE, "altText": "이미지"}},
    ]


def test_a_picture_alone_has_none():
    assert outputs(image()) == reply(image()).body["template"]["outputs"]


def test_a_reply_without_messages_has_none():
    assert outputs() == reply().body["template"]["outputs"]


def test_an_agents_message_has_none():
    assert outputs(agents("안녕하세요")) == [{"simpleText": {"text": "안녕하세요"}}]
    assert outputs(text("봇"), agents("사람")) == [
        {"simpleText": {"text": f"봇{END}"}},
        {"simpleText": {"text": "사람"}},
    ]


def test_an_agents_message_is_not_joined_with_a_bots():
    shown = outputs(text("하나"), text("둘"), text("셋"), agents("사람"))
    assert [output["simpleText"]["text"] for output in shown] == ["하나", f"둘\n\n셋{END}", "사람"]


def test_texts_that_are_joined_have_it_once_at_their_end():
    shown = outputs(text("하나"), text("둘"), text("셋"), text("넷"))
    assert "".join(output["simpleText"]["text"] for output in shown).count(LINE) == 1
    assert shown[-1]["simpleText"]["text"].endswith(f"넷{END}")


def test_choices_that_go_on_as_cards_have_it_in_the_last_card():
    shown = outputs(text("고르세요"), keyboard=choices(13))
    assert shown[0] == {"simpleText": {"text": "고르세요"}}
    assert shown[-1]["textCard"]["description"] == LINE


def test_a_text_of_a_thousand_characters_is_cut_between_two_characters():
    said = "가" * 970 + "👨‍👩‍👧‍👦" * 2 + "나" * 8
    assert len(said) < limits.TEXT
    rendered = reply(text(said), brand_line=LINE)
    [output] = rendered.body["template"]["outputs"]
    assert output == {"simpleText": {"text": "가" * 970 + f"...{END}"}}
    assert "a text was cut to leave room for the brand line" in rendered.notes


def test_a_text_that_leaves_just_enough_room_is_whole():
    said = "가" * (limits.TEXT - len(END))
    rendered = reply(text(said), brand_line=LINE)
    assert rendered.body["template"]["outputs"] == [{"simpleText": {"text": said + END}}]
    assert rendered.notes == []


def test_every_kind_of_card_keeps_its_limit():
    picture = {"media": {"uri": IMAGE}}
    for said in (
        [cards({"title": "가" * 50, "description": "나" * 350})],
        [cards({"title": "가", "description": "나" * 230, **picture})],
        [cards({"title": "가", "description": "나" * 128}, {"title": "다", "description": "라" * 128})],
        [cards({"description": "나" * 76, **picture}, {"description": "라" * 76, **picture})],
    ):
        rendered = reply(*said, brand_line=LINE)
        assert violations(rendered.body) == []
        assert str(rendered.body).count(LINE) == 1
        assert "..." in str(rendered.body)


def test_of_a_continued_reply_the_page_with_the_end_has_it_and_the_others_have_not():
    said = [text("가" * 999) for _ in range(8)]
    pages: list[SkillReply] = []
    index: int | None = 0
    while index is not None:
        page = reply(*said, start_index=index, brand_line=LINE)
        pages.append(page)
        index = page.next_index
    assert [str(page.body).count(LINE) for page in pages] == [0, 0, 1]
    assert [page.next_index for page in pages] == [3, 6, None]


def test_a_picture_on_a_page_of_its_own_leaves_the_line_with_the_text_of_the_page_before():
    said = [text("하나"), image(), text("둘"), image(uri=f"{IMAGE}?2")]
    first = reply(*said, brand_line=LINE)
    rest = reply(*said, start_index=first.next_index, brand_line=LINE)
    assert str(first.body).count(LINE) == 1
    assert LINE not in str(rest.body)


def test_a_reply_that_fills_the_body_keeps_to_kakaos_limit():
    button = {"type": "link", "label": "열기", "uri": "https://a.kr/" + "q" * 3_000}
    said = [message({"type": "text", "text": "가" * 400, "buttons": [button] * 3}) for _ in range(3)]
    rendered = reply(*said, brand_line="말" * 40)
    assert violations(rendered.body) == []
