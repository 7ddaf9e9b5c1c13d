"""Spec engine 5: what nodes make of data that an author, or a template, left odd."""

from typing import Any

import pytest

from shared.bot.model import Bot
from shared.engine import HttpCall, StepResult
from shared.engine.inbound import AgentJoined, Opened, StartAt, UserMessage
from shared.engine.message import MAX_CUSTOM, MAX_LABEL, MAX_PAYLOAD
from shared.engine.nodes.keyboard import MAX_BUTTONS
from shared.engine.session import JsonObject
from tests.factories import a_bot, a_node, a_response
from tests.unit.engine.test_step import ERROR, say, talk, texts

EMPTY = "(메시지 없음)"
PHOTO = UserMessage(data={"type": "media", "media": {"contentType": "image", "uri": "https://example.com/a.jpg"}})


def spoken(message: JsonObject, **data: Any) -> StepResult:
    return talk(a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "response", {"message": message, **data})]), Opened())


def asked(keyboard: JsonObject, *edges: Any) -> Bot:
    """A bot that asks with this keyboard at node 3; node 4 says which button it took."""
    return a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_response(2, "?", 3),
            a_node(3, "keyboard", keyboard, *(edges or (4,))),
            a_response(4, "[{{params.chosen}}]"),
            a_response(5, "다른 길"),
        ]
    )


# ---- response


@pytest.mark.parametrize(
    "place", [{}, {"latitude": 37.5}, {"latitude": None, "longitude": None}, {"latitude": "", "longitude": " "}]
)
def test_a_location_without_coordinates_is_missing_data_and_not_zero_zero(place: JsonObject) -> None:
    assert texts(spoken({"type": "location", "location": {"title": "본점", **place}})) == [ERROR]


def test_cards_that_expand_to_none_are_nothing_to_say() -> None:
    result = spoken({"type": "cards", "cards": [{"title": "{{params.none[i].name}}"}]})
    assert texts(result) == [EMPTY]
    assert any("empty" in note for note in result.trace[-1].notes)


def test_numbers_in_a_card_are_text() -> None:
    result = spoken({"type": "cards", "cards": [{"title": 0, "description": 1.0}]})
    assert result.messages[0]["data"]["cards"] == [{"title": "0", "description": "1"}]


def test_a_button_of_an_old_export_with_an_address_and_no_type_is_a_link() -> None:
    result = spoken({"text": "?", "buttons": [{"label": "집", "uri": "https://example.com"}]})
    assert result.messages[0]["data"]["buttons"] == [{"type": "link", "label": "집", "uri": "https://example.com"}]


@pytest.mark.parametrize("custom", ["x" * (MAX_CUSTOM + 1), {"x": "y" * MAX_CUSTOM}])
def test_custom_meta_over_its_limit_is_left_out_and_noted(custom: Any) -> None:
    result = spoken({"text": "안녕"}, meta={"custom": custom})
    assert result.messages[0]["meta"] is None
    assert any("meta.custom" in note for note in result.trace[-1].notes)


def test_custom_meta_may_be_as_long_as_its_limit() -> None:
    assert spoken({"text": "안녕"}, meta={"custom": "x" * MAX_CUSTOM}).messages[0]["meta"] == {
        "custom": "x" * MAX_CUSTOM
    }


# ---- keyboard


@pytest.mark.parametrize(("limit", "text"), [({"min": 0}, "-1"), ({"max": 0}, "1"), ({"min": 0.0}, "-0.5")])
def test_zero_is_a_limit_of_a_number_keyboard_like_any_other(limit: JsonObject, text: str) -> None:
    data = {"type": "number", "strict": True, "messages": {"failure": {"text": "다시"}}, **limit}
    assert texts(talk(asked(data), Opened(), say(text))) == ["다시"]


def test_a_picture_does_not_press_a_button_whose_label_is_white_space() -> None:
    data = {"type": "buttons", "buttons": [{"label": " ", "params": {"chosen": "빈칸"}}]}
    assert texts(talk(asked(data), Opened(), PHOTO)) == ["[]"]


def test_conditions_on_the_text_do_not_hold_for_a_picture() -> None:
    bot = asked({}, (5, {"message.text": {"contains": ""}}), (5, {"message.text": {"equals": ""}}), 4)
    assert texts(talk(bot, Opened(), PHOTO)) == ["[]"]


def test_conditions_can_ask_what_kind_of_message_came() -> None:
    bot = asked({}, (5, {"message.type": "media", "message.media.contentType": "image"}), 4)
    assert texts(talk(bot, Opened(), PHOTO)) == ["다른 길"]
    assert texts(talk(bot, Opened(), say("글"))) == ["[]"]


def test_a_strict_refusal_that_renders_to_nothing_is_the_empty_message() -> None:
    data = {"type": "number", "strict": True, "messages": {"failure": {"text": "{{params.none}}"}}}
    assert texts(talk(asked(data), Opened(), say("글"))) == [EMPTY]


def test_a_strict_refusal_whose_template_fails_is_the_error_message_and_still_waits() -> None:
    failure = {"text": "{{MASK(1, message)}}"}
    bot = asked({"type": "number", "strict": True, "messages": {"failure": failure}})
    assert texts(talk(bot, Opened(), say("없는 곳"))) == [ERROR]
    assert texts(talk(bot, Opened(), say("없는 곳"), say("5"))) == ["[]"]


def test_a_label_whose_template_fails_is_the_error_message() -> None:
    result = talk(asked({"type": "buttons", "buttons": [{"label": "{{#each}}"}]}), Opened())
    assert texts(result) == ["?", ERROR]
    assert result.keyboard is None


def test_labels_and_payloads_of_a_keyboard_are_bounded_like_those_of_a_message() -> None:
    buttons = [{"label": "가" * 300, "payload": "x" * (MAX_PAYLOAD + 1)}, {"label": "나", "payload": "x" * MAX_PAYLOAD}]
    result = talk(asked({"type": "buttons", "buttons": buttons}), Opened())
    assert result.keyboard is not None
    first, second = result.keyboard["buttons"]
    assert first == {"type": "postback", "label": "가" * MAX_LABEL}
    assert len(second["payload"]) == MAX_PAYLOAD
    assert any("payload" in note for note in result.trace[-1].notes)


def test_buttons_over_fifty_are_left_out_and_noted_every_time() -> None:
    bot = asked({"type": "buttons", "buttons": [{"label": str(number)} for number in range(MAX_BUTTONS + 3)]}, 2)
    for result in (talk(bot, Opened()), talk(bot, Opened(), say("x"))):
        assert result.keyboard is not None
        assert len(result.keyboard["buttons"]) == MAX_BUTTONS
        assert any("3 of 53 buttons" in note for note in result.trace[-1].notes)


@pytest.mark.parametrize("payload", [{"n": 2}, [2], "문자", 5])
def test_a_payload_that_is_no_text_is_known_again_when_it_comes_back(payload: Any) -> None:
    same = {"label": "이것", "payload": "딴것", "params": {"chosen": "아님"}}
    meant = {"label": "이것", "payload": payload, "params": {"chosen": "맞음"}}
    comes_back = str(payload) if payload == 5 else payload
    bot = asked({"type": "buttons", "buttons": [same, meant]})
    assert texts(talk(bot, Opened(), say("이것", payload=comes_back))) == ["[맞음]"]


def test_quick_replies_may_come_from_a_list() -> None:
    buttons = [{"label": "{{params.list[i].name}}", "params": {"chosen": "{{params.list[i].id}}"}}]
    bot = asked({"type": "buttons", "buttons": buttons})
    items = [{"name": "사과", "id": "a"}, {"name": "배", "id": "b"}]
    opened = talk(bot, Opened(), params={"list": items})
    assert opened.keyboard is not None
    assert [button["label"] for button in opened.keyboard["buttons"]] == ["사과", "배"]
    assert texts(talk(bot, Opened(), say("배"), params={"list": items})) == ["[b]"]


def test_a_goto_into_a_keyboard_node_shows_it_and_says_the_empty_message() -> None:
    result = talk(asked({"type": "buttons", "buttons": [{"label": "가"}]}), Opened(), StartAt(flow_id=1, node_id=3))
    assert texts(result) == [EMPTY]
    assert result.keyboard is not None
    assert result.session is not None
    assert result.session.position == (1, 3)


# ---- manual


def a_call(**actions: Any) -> Bot:
    data = {"messages": {"default": {"text": "부를게요", "actions": actions}}}
    return a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "manual", data, 3), a_response(3, "취소했어요")])


@pytest.mark.parametrize(("label", "shown"), [(" 그만 ", "그만"), (5, "5"), ("{{params.none}}", "취소"), (" ", "취소")])
def test_the_word_that_cancels_is_the_label_as_it_is_shown(label: Any, shown: str) -> None:
    bot = a_call(cancel=label)
    asked_for = talk(bot, Opened())
    assert asked_for.keyboard is not None
    assert asked_for.keyboard["buttons"][0]["label"] == shown
    assert texts(talk(bot, Opened(), say(shown))) == ["취소했어요"]


def test_a_second_agent_who_joins_while_a_flow_runs_makes_the_bot_say_nothing() -> None:
    bot = asked({})
    result = talk(bot, Opened(), AgentJoined(agent={"id": "a"}), StartAt(flow_id=1), AgentJoined(agent={"id": "b"}))
    assert result.messages == []


# ---- fetch


@pytest.mark.parametrize("content_type", [[], {"a": 1}, 5, "자바스크립트"])
def test_an_unknown_content_type_of_a_request_is_plain_text(content_type: Any) -> None:
    data = {"uri": "https://example.com", "method": "POST", "body": "x", "contentType": content_type}
    result = talk(a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "fetch", data)]), Opened())
    assert isinstance(result.effect, HttpCall)
    expected = "application/json" if content_type == [] else "text/plain; charset=utf-8"
    assert result.effect.headers["content-type"] == expected
