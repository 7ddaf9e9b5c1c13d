"""Every kind of message has its best bubble, inside every limit, and nothing is dropped in silence."""

import json

import pytest

from shared.channels.kakao.parse import parse_skill_call
from shared.channels.kakao.render import (
    SkillReply,
    callback_reply,
    error_reply,
    render_reply,
    serialize,
    waiting_reply,
)
from shared.engine.inbound import StartAt, UserMessage
from tests.contract.kakao.skill_response import violations

IMAGE = "https://a.kr/i.png"


def message(data, position=(1, 2)):
    return {"data": data, "meta": None, "position": list(position)}


def text(said, *buttons):
    return message({"type": "text", "text": said, "buttons": list(buttons)})


def image(uri=IMAGE, **more):
    return message({"type": "media", "media": {"contentType": "image", "uri": uri}, **more})


def cards(*items, **more):
    return message({"type": "cards", "cards": list(items), **more})


def choices(count):
    return {"type": "buttons", "buttons": [{"type": "postback", "label": f"{n}번"} for n in range(1, count + 1)]}


def postback(label, payload=None):
    return {"type": "postback", "label": label} | ({} if payload is None else {"payload": payload})


def link(label, uri):
    return {"type": "link", "label": label, "uri": uri}


def reply(*messages, keyboard=None, start_index=0, **options) -> SkillReply:
    options = {"revision": 7, "system_messages": {}, **options}
    rendered = render_reply(list(messages), keyboard, start_index=start_index, **options)
    assert violations(rendered.body) == []
    return rendered


def outputs(*messages, **options):
    return reply(*messages, **options).body["template"]["outputs"]


def kinds(*messages, **options):
    return [next(iter(output)) for output in outputs(*messages, **options)]


def labels(buttons):
    return [button["label"] for button in buttons]


# Text


def test_a_text_is_a_simple_text():
    assert outputs(text("안녕하세요")) == [{"simpleText": {"text": "안녕하세요"}}]


def test_a_text_with_buttons_is_a_text_card():
    [output] = outputs(text("골라 주세요", postback("예"), postback("아니오")))
    assert output["textCard"]["description"] == "골라 주세요"
    assert labels(output["textCard"]["buttons"]) == ["예", "아니오"]


def test_the_buttons_of_a_long_text_stand_under_its_last_sentences():
    said = "설명입니다. " * 70 + "어떻게 할까요?"
    first, second = outputs(text(said, postback("예")))
    assert first["simpleText"]["text"].endswith("설명입니다.")
    assert second["textCard"]["description"].endswith("어떻게 할까요?")
    assert len(second["textCard"]["description"]) > 380


def test_further_buttons_go_on_in_cards_with_the_additional_choice_title():
    shown = outputs(
        text("골라", *[postback(f"{n}") for n in range(7)]), system_messages={"additionalChoice": "더 고르기"}
    )
    assert [output["textCard"].get("title") for output in shown] == [None, "더 고르기", "더 고르기"]
    assert [labels(output["textCard"]["buttons"]) for output in shown] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_buttons_without_a_text_still_have_a_card():
    [output] = outputs(text(" ", postback("예")))
    assert output["textCard"]["title"] == "(추가 선택지)"


def test_a_text_over_a_bubble_is_split_at_a_sentence_end():
    rendered = reply(text("가나다라마바사아자. " * 110))
    first, second = rendered.body["template"]["outputs"]
    assert rendered.notes == ["a text over 1000 characters is split into 2 bubbles"]
    assert first["simpleText"]["text"].endswith("자.")
    assert 900 < len(first["simpleText"]["text"]) <= 1000
    assert second["simpleText"]["text"].startswith("가나다")


def test_no_message_at_all_says_the_empty_message():
    assert outputs() == [{"simpleText": {"text": "(메시지 없음)"}}]
    assert outputs(text(" \n"), system_messages={"empty": "할 말이 없어요"}) == [
        {"simpleText": {"text": "할 말이 없어요"}}
    ]


def test_a_blank_system_message_is_replaced():
    assert outputs(system_messages={"empty": " "}) == [{"simpleText": {"text": "(메시지 없음)"}}]


def test_a_message_of_an_unknown_type_shows_its_text():
    assert outputs(message({"type": "poll", "text": "투표"})) == [{"simpleText": {"text": "투표"}}]


def test_text_that_is_marked_as_masked_is_shown_in_clear():
    class Marked(str):
        __slots__ = ()

        def __str__(self):
            return "***"

    assert outputs(text(Marked("010-1234-5678"))) == [{"simpleText": {"text": "010-1234-5678"}}]


# Media


def test_an_image_is_a_simple_image():
    assert outputs(image()) == [{"simpleImage": {"imageUrl": IMAGE, "altText": "이미지"}}]


def test_the_alternative_text_of_an_image_is_cut_and_noted():
    media = {"contentType": "image", "uri": IMAGE, "altText": "보물 " * 30}
    rendered = reply(message({"type": "media", "media": media}))
    assert len(rendered.body["template"]["outputs"][0]["simpleImage"]["altText"]) <= 50
    assert "alternative text" in rendered.notes[0]


def test_an_image_with_buttons_is_a_basic_card():
    [output] = outputs(image(buttons=[postback("자세히")]))
    assert output["basicCard"]["thumbnail"]["imageUrl"] == IMAGE
    assert labels(output["basicCard"]["buttons"]) == ["자세히"]


def test_an_image_with_text_and_buttons_is_an_image_and_a_text_card():
    assert kinds(image(text="보세요", buttons=[postback("자세히")])) == ["simpleImage", "textCard"]


@pytest.mark.parametrize(
    ("content_type", "name", "label"),
    [("video", "동영상", "동영상 보기"), ("audio", "오디오", "오디오 듣기"), ("link", "링크", "링크 열기")],
)
def test_other_media_is_a_card_with_a_link(content_type, name, label):
    [output] = outputs(message({"type": "media", "media": {"contentType": content_type, "uri": "https://a.kr/m"}}))
    button = {"label": label, "action": "webLink", "webLinkUrl": "https://a.kr/m"}
    assert output == {"textCard": {"description": name, "buttons": [button]}}


def test_media_without_a_web_address_says_that_it_is_not_supported():
    rendered = reply(image("data:image/png;base64,AA"), system_messages={"unsupportedMedia": "볼 수 없어요"})
    assert rendered.body["template"]["outputs"] == [{"simpleText": {"text": "볼 수 없어요"}}]
    assert rendered.notes == ["media was left out: not a web address: data:image/png;base64,AA"]


# Location


def test_a_location_is_a_card_with_a_map_link():
    location = {"title": "본점", "latitude": 37.5, "longitude": 127}
    [output] = outputs(message({"type": "location", "location": location, "buttons": [postback("예약")]}))
    assert output["textCard"]["title"] == "본점"
    assert output["textCard"]["buttons"][0] == {
        "label": "지도 보기",
        "action": "webLink",
        "webLinkUrl": "https://map.kakao.com/link/map/%EB%B3%B8%EC%A0%90,37.5,127",
    }
    assert labels(output["textCard"]["buttons"]) == ["지도 보기", "예약"]


def test_the_older_label_of_a_location_is_its_title():
    [output] = outputs(message({"type": "location", "location": {"label": "본점", "latitude": 1, "longitude": 2}}))
    assert output["textCard"]["title"] == "본점"


def test_a_location_without_coordinates_is_its_name():
    rendered = reply(message({"type": "location", "location": {"title": "본점"}}))
    assert rendered.body["template"]["outputs"] == [{"simpleText": {"text": "본점"}}]
    assert rendered.notes == ['location "본점" is shown without a map: no coordinates']


# Cards


def test_one_card_with_an_image_is_a_basic_card():
    card = {"title": "이상해씨", "description": "씨~씨~", "media": {"uri": IMAGE, "s3": {}}, "uri": "https://a.kr/1"}
    assert outputs(cards(card)) == [
        {
            "basicCard": {
                "title": "이상해씨",
                "description": "씨~씨~",
                "thumbnail": {"imageUrl": IMAGE, "link": {"web": "https://a.kr/1"}},
            }
        }
    ]


def test_one_card_without_an_image_is_a_text_card_and_its_address_a_button():
    [output] = outputs(cards({"title": "안내", "uri": "https://a.kr/1"}))
    button = {"label": "링크 열기", "action": "webLink", "webLinkUrl": "https://a.kr/1"}
    assert output == {"textCard": {"title": "안내", "buttons": [button]}}


def test_several_cards_are_a_carousel():
    [output] = outputs(cards(*[{"title": f"{n}", "media": {"contentType": "image", "uri": IMAGE}} for n in range(10)]))
    assert output["carousel"]["type"] == "basicCard"
    assert [item["title"] for item in output["carousel"]["items"]] == [str(n) for n in range(10)]


def test_cards_with_and_without_images_are_shown_in_their_order_by_kind():
    picture = {"title": "p", "media": {"uri": IMAGE}}
    shown = outputs(cards({"title": "a"}, {"title": "b"}, picture, {"title": "c"}))
    assert [next(iter(output)) for output in shown] == ["carousel", "basicCard", "textCard"]


def test_a_long_description_of_one_card_goes_on_as_text():
    first, second = outputs(cards({"title": "안내", "description": "설명입니다. " * 60, "media": {"uri": IMAGE}}))
    assert len(first["basicCard"]["description"]) <= 230
    assert second["simpleText"]["text"].startswith("설명입니다.")


def test_a_long_description_in_a_carousel_goes_on_in_a_further_card_with_the_same_picture():
    long = {
        "title": "긴 카드",
        "description": "설명입니다. " * 15,
        "media": {"uri": IMAGE},
        "buttons": [postback("예")],
    }
    [output] = outputs(cards(long, {"title": "끝", "media": {"uri": IMAGE}}))
    items = output["carousel"]["items"]
    assert [item.get("title") for item in items] == ["긴 카드", None, "끝"]
    assert [item["thumbnail"]["imageUrl"] for item in items] == [IMAGE] * 3
    assert "".join("".join(item.get("description", "") for item in items).split()) == "설명입니다." * 15
    assert ["buttons" in item for item in items] == [True, False, False]


def test_a_long_title_goes_on_in_the_description():
    [output] = outputs(cards({"title": "제목 " * 20, "description": "설명"}))
    assert len(output["textCard"]["title"]) <= 50
    assert output["textCard"]["description"] == "제목 제목 제목\n설명"


def test_further_buttons_of_a_carousel_card_go_on_in_a_further_card():
    [output] = outputs(cards({"title": "a", "buttons": [postback(f"{n}") for n in range(5)]}, {"title": "b"}))
    items = output["carousel"]["items"]
    assert [item["title"] for item in items] == ["a", "(추가 선택지)", "b"]
    assert [labels(item.get("buttons", [])) for item in items] == [["0", "1", "2"], ["3", "4"], []]


def test_a_card_without_any_content_is_left_out_with_a_note():
    rendered = reply(cards({}, {"title": "a"}))
    assert rendered.body["template"]["outputs"] == [{"textCard": {"title": "a"}}]
    assert rendered.notes == ["a card without any content was left out"]


def test_a_video_in_a_card_is_a_link_button():
    [output] = outputs(cards({"title": "a", "media": {"contentType": "video", "uri": "https://a.kr/v"}}))
    assert labels(output["textCard"]["buttons"]) == ["동영상 보기"]


# Buttons


def button_of(button, **options):
    return outputs(text("t", button), **options)[0]["textCard"]["buttons"][0]


def test_a_postback_says_its_whole_label_and_carries_its_payload():
    assert button_of(postback("이 버튼은 이름이 아주 깁니다", '{"a": 1}')) == {
        "label": "이 버튼은 이름이 아...",
        "action": "message",
        "messageText": "이 버튼은 이름이 아주 깁니다",
        "extra": {"malgil": 1, "payload": '{"a": 1}', "flow": 1, "node": 2, "rev": 7},
    }


def test_the_longest_label_of_a_bot_is_said_whole():
    assert button_of(postback("😀" * 255))["messageText"] == "😀" * 255


def test_a_label_is_said_as_the_bot_wrote_it():
    assert button_of(postback(" 예  그래요 "))["messageText"] == " 예  그래요 "


@pytest.mark.parametrize(("flow_id", "node_id"), [(3, 4), ("3", "4"), (" 3 ", 4)])
def test_a_goto_button_carries_its_target(flow_id, node_id):
    button = button_of({"type": "goto", "label": "가기", "flowId": flow_id, "nodeId": node_id})
    assert button["extra"]["goto"] == {"flowId": 3, "nodeId": 4}


def test_a_goto_button_without_a_node_leads_to_the_flow():
    assert button_of({"type": "goto", "label": "가기", "flowId": 3})["extra"]["goto"] == {"flowId": 3}


def test_a_goto_button_without_a_flow_says_its_label_with_a_note():
    rendered = reply(text("t", {"type": "goto", "label": "가기", "flowId": "{{x}}"}))
    button = rendered.body["template"]["outputs"][0]["textCard"]["buttons"][0]
    assert "goto" not in button["extra"]
    assert rendered.notes == ['button "가기": its flow is no number, so its tap only says the label']


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://a.kr/나", {"action": "webLink", "webLinkUrl": "https://a.kr/%EB%82%98"}),
        ("tel:02-123-4567", {"action": "phone", "phoneNumber": "02-123-4567"}),
        ("mailto:a@b.kr", {"action": "webLink", "webLinkUrl": "https://r.kr/?to=a%40b.kr"}),
    ],
)
def test_a_link_button_opens_its_address(uri, expected):
    assert button_of(link("열기", uri), mail_redirect_url="https://r.kr/?to=") == {"label": "열기", **expected}


def test_a_button_with_an_address_and_no_type_is_a_link():
    assert button_of({"label": "열기", "uri": "https://a.kr/"})["action"] == "webLink"


def test_without_a_redirect_page_a_mail_address_is_text():
    assert outputs(text("문의", link("메일", "mailto:a@b.kr"))) == [{"simpleText": {"text": "문의\n메일: a@b.kr"}}]


def test_a_link_that_leads_nowhere_safe_is_left_out_with_a_note():
    rendered = reply(text("t", link("열기", "javascript:alert(1)")))
    assert rendered.body["template"]["outputs"] == [{"simpleText": {"text": "t"}}]
    assert rendered.notes == ['button "열기" was left out: not a web, phone or mail address: javascript:alert(1)']


def test_the_cut_label_of_a_link_is_noted():
    assert reply(text("t", link("홈페이지를 새 창에서 열어 보기", "https://a.kr"))).notes == [
        'button "홈페이지를 새 창에서...": label cut to 14 characters'
    ]


def test_an_agent_call_is_an_operator_button():
    assert button_of({"type": "operator", "label": "상담원 연결"}) == {"label": "상담원 연결", "action": "operator"}


def test_a_button_without_a_label_has_one_all_the_same():
    assert button_of(postback(" ", "p"))["messageText"] == "선택"


def test_a_payload_over_the_limit_is_left_out_with_a_note():
    rendered = reply(text("t", postback("예", "가" * 1001)))
    assert "payload" not in rendered.body["template"]["outputs"][0]["textCard"]["buttons"][0]["extra"]
    assert rendered.notes == ['button "예": payload over 1000 characters was left out']


def test_the_longest_payload_of_a_bot_is_carried_whole():
    assert button_of(postback("예", "😀" * 1000))["extra"]["payload"] == "😀" * 1000


def test_a_payload_that_is_data_is_carried_as_its_json():
    assert button_of(postback("예", {"a": [1.0, "나"]}))["extra"]["payload"] == '{"a":[1,"나"]}'


def test_a_button_that_is_no_object_is_left_out_with_a_note():
    assert reply(text("t", "x")).notes == ["a button that is no object was left out: 'x'"]


def tap(button):
    request = {"user": {"id": "u"}, "utterance": button["messageText"]}
    return parse_skill_call(json.dumps({"userRequest": request, "action": {"clientExtra": button["extra"]}}).encode())


def test_a_tapped_postback_brings_back_label_payload_and_origin():
    call = tap(button_of(postback("이 버튼은 이름이 아주 깁니다", '{"a": 1}')))
    assert call.inbound == UserMessage(
        data={"type": "text", "text": "이 버튼은 이름이 아주 깁니다", "payload": {"a": 1}}
    )
    assert call.tapped is not None
    assert (call.tapped.flow_id, call.tapped.node_id, call.tapped.revision) == (1, 2, 7)


def test_a_tapped_goto_button_brings_back_its_target():
    call = tap(button_of({"type": "goto", "label": "가기", "flowId": 3, "nodeId": 4}))
    assert call.inbound == StartAt(flow_id=3, node_id=4, message={"type": "text", "text": "가기"})


# Quick replies


def quick_replies(rendered):
    return rendered.body["template"].get("quickReplies", [])


def test_the_keyboard_becomes_quick_replies():
    keyboard = {"type": "buttons", "buttons": [postback("진행", "go"), postback("뒤로")], "position": [5, 6]}
    assert quick_replies(reply(text("t"), keyboard=keyboard)) == [
        {
            "label": "진행",
            "action": "message",
            "messageText": "진행",
            "extra": {"malgil": 1, "payload": "go", "flow": 5, "node": 6, "rev": 7},
        },
        {
            "label": "뒤로",
            "action": "message",
            "messageText": "뒤로",
            "extra": {"malgil": 1, "flow": 5, "node": 6, "rev": 7},
        },
    ]


def test_without_a_keyboard_there_are_no_quick_replies():
    assert "quickReplies" not in reply(text("t")).body["template"]


def test_a_keyboard_without_a_message_still_has_a_bubble():
    rendered = reply(keyboard=choices(1))
    assert rendered.body["template"]["outputs"] == [{"simpleText": {"text": "(메시지 없음)"}}]
    assert labels(quick_replies(rendered)) == ["1번"]


def test_choices_beyond_ten_go_on_as_button_cards():
    rendered = reply(text("t"), keyboard=choices(14))
    assert labels(quick_replies(rendered)) == [f"{n}번" for n in range(1, 11)]
    cards_of_buttons = rendered.body["template"]["outputs"][1:]
    assert [labels(output["textCard"]["buttons"]) for output in cards_of_buttons] == [
        ["11번", "12번", "13번"],
        ["14번"],
    ]
    assert rendered.notes == ["4 of 14 choices go on as button cards"]


def test_a_choice_that_is_there_twice_is_shown_once():
    rendered = reply(text("t"), keyboard={"buttons": [postback("예"), postback("예")]})
    assert labels(quick_replies(rendered)) == ["예"]
    assert rendered.notes == ['quick reply "예" is there twice; it is shown once']


def test_choices_with_one_label_and_different_payloads_are_both_shown():
    rendered = reply(text("t"), keyboard={"buttons": [postback("예", "1"), postback("예", "2")]})
    assert labels(quick_replies(rendered)) == ["예", "예"]


# What does not fit


def test_three_messages_are_not_merged():
    assert kinds(text("a"), text("b"), text("c")) == ["simpleText"] * 3


def test_the_smallest_neighbours_are_merged_until_three_outputs_suffice():
    assert outputs(text("첫 번째 글입니다"), text("둘"), text("셋"), text("네 번째 글입니다")) == [
        {"simpleText": {"text": "첫 번째 글입니다"}},
        {"simpleText": {"text": "둘\n\n셋"}},
        {"simpleText": {"text": "네 번째 글입니다"}},
    ]


def test_texts_are_not_merged_over_other_bubbles():
    rendered = reply(text("a"), image(), text("b"), image())
    assert rendered.next_index == 3


def test_cards_of_one_kind_are_merged_into_a_carousel():
    shown = outputs(*[cards({"title": f"{n}", "description": "d"}) for n in range(5)], image(), text("끝"))
    assert [item["title"] for item in shown[0]["carousel"]["items"]] == ["0", "1", "2", "3", "4"]
    assert [next(iter(output)) for output in shown] == ["carousel", "simpleImage", "simpleText"]


def test_a_card_with_a_text_too_long_for_a_carousel_is_not_merged():
    long = cards({"title": "긴 카드", "description": "가" * 129})
    assert reply(long, long, long, long).next_index == 3


def test_images_are_merged_into_a_carousel_that_keeps_their_ratio():
    shown = outputs(text("a"), image(), image("https://a.kr/2.png"), text("b"), cards({"title": "c"}), text("d"))
    assert shown[1]["carousel"]["items"] == [
        {"thumbnail": {"imageUrl": IMAGE, "altText": "이미지", "fixedRatio": True}},
        {"thumbnail": {"imageUrl": "https://a.kr/2.png", "altText": "이미지", "fixedRatio": True}},
    ]


def test_a_carousel_grows_to_ten_cards():
    shown = outputs(*[cards({"title": f"{n}"}) for n in range(13)])
    assert sum(len(output["carousel"]["items"]) if "carousel" in output else 1 for output in shown) == 13


def test_what_does_not_fit_is_offered_with_continue_reading():
    messages = [text(f"{n} " + "가" * 990) for n in range(5)]
    rendered = reply(*messages, keyboard=choices(10))
    assert rendered.next_index == 3
    assert labels(quick_replies(rendered)) == [f"{n}번" for n in range(1, 10)] + ["계속 보기"]
    assert quick_replies(rendered)[-1] == {
        "label": "계속 보기",
        "action": "message",
        "messageText": "계속 보기",
        "extra": {"malgil": 1, "more": {"rev": 7, "index": 3}},
    }
    assert rendered.notes == ['3 of 5 bubbles fit; the rest is offered with "계속 보기"']


def test_the_last_page_has_all_quick_replies_again():
    rendered = reply(*[text(f"{n} " + "가" * 990) for n in range(5)], keyboard=choices(10), start_index=3)
    assert rendered.next_index is None
    assert labels(quick_replies(rendered)) == [f"{n}번" for n in range(1, 11)]
    assert [output["simpleText"]["text"][0] for output in rendered.body["template"]["outputs"]] == ["3", "4"]


def test_an_index_beyond_the_reply_says_the_empty_message():
    assert outputs(text("t"), start_index=9) == [{"simpleText": {"text": "(메시지 없음)"}}]


def heavy_card(n):
    buttons = [link(f"{n}-{m}", f"https://a.kr/{n}-{m}?" + "q" * 1200) for m in range(3)]
    return {"title": f"{n}", "media": {"uri": IMAGE}, "buttons": buttons}


def test_a_carousel_over_thirty_kilobytes_is_continued():
    carousel = cards(*[heavy_card(n) for n in range(10)])
    first = reply(text("카드"), carousel)
    assert first.next_index is not None
    second = reply(text("카드"), carousel, start_index=first.next_index)
    assert second.next_index is None
    titles = [
        item["title"]
        for rendered in (first, second)
        for output in rendered.body["template"]["outputs"]
        for item in output.get("carousel", {}).get("items", [])
    ]
    assert titles == [str(n) for n in range(10)]
    assert len(serialize(first.body).encode()) > 25_000


def test_heavy_quick_replies_go_on_as_cards():
    keyboard = {"buttons": [postback(f"{n}", "가" * 1000) for n in range(10)]}
    rendered = reply(text("t"), keyboard=keyboard)
    assert labels(quick_replies(rendered)) == ["0", "1"] + ([] if rendered.next_index is None else ["계속 보기"])


def test_the_heaviest_card_fits_beside_the_heaviest_quick_replies():
    card = {
        "title": "제목" * 25,
        "description": '"' * 230,
        "media": {"uri": "https://a.kr/" + "i" * 4_000, "altText": '"' * 50},
        "uri": "https://a.kr/" + "u" * 4_000,
        "buttons": [postback('"' * 255 + f"{n}", "\x01" * 1000) for n in range(9)],
    }
    keyboard = {"buttons": [postback('"' * 254 + f"{n}", "가" * 500) for n in range(50)]}
    pages = 0
    index: int | None = 0
    while index is not None:
        rendered = reply(cards(card), keyboard=keyboard, start_index=index)
        index, pages = rendered.next_index, pages + 1
    assert pages > 1


def test_the_same_reply_is_rendered_the_same_twice():
    messages = [text("글 " * 700), cards(*[heavy_card(n) for n in range(4)])]
    assert reply(*messages, keyboard=choices(20)) == reply(*messages, keyboard=choices(20))


# Other answers


def test_an_error_is_said_in_words():
    assert error_reply("잠시 후 다시") == {
        "version": "2.0",
        "template": {"outputs": [{"simpleText": {"text": "잠시 후 다시"}}]},
    }


@pytest.mark.parametrize("said", ["", " ", "가" * 3_000])
def test_an_error_reply_is_always_valid(said):
    assert violations(error_reply(said)) == []


def test_a_waiting_reply_offers_to_fetch_the_answer():
    body = waiting_reply("찾고 있어요", revision=9)
    assert violations(body) == []
    assert body["template"]["quickReplies"][0]["extra"] == {"malgil": 1, "more": {"rev": 9, "index": 0}}


def test_a_callback_acknowledgement_has_no_template():
    body = callback_reply("찾고 있어요")
    assert violations(body) == []
    assert body == {"version": "2.0", "useCallback": True, "data": {"text": "찾고 있어요"}}


def test_a_response_is_written_as_compact_utf8():
    assert serialize({"글": ["가", 1]}) == '{"글":["가",1]}'
