"""Spec engine 5 and 6: what each node type does."""

from typing import Any

import pytest

from shared.bot.model import Bot
from shared.bot.node_types import NODE_TYPES
from shared.engine import EffectFailed, HttpCall, HttpResponse, Session, StepResult, resume, step
from shared.engine.effects import EFFECTS
from shared.engine.inbound import AgentJoined, AgentMessage, CallCompleted, Inbound, Opened, StartAt, UserMessage
from shared.engine.registry import COMPLETERS, EXECUTORS
from shared.engine.session import JsonObject
from tests.factories import a_bot, a_node, a_response, surroundings
from tests.unit.engine.test_step import ERROR, say, talk, texts


def test_every_known_node_type_has_an_executor_and_the_reverse() -> None:
    assert set(EXECUTORS) == set(NODE_TYPES)


def test_every_node_type_with_an_effect_takes_its_answer() -> None:
    assert set(COMPLETERS) == set(EFFECTS)


# ---- response


def a_message_bot(message: JsonObject, **data: Any) -> Bot:
    return a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "response", {"message": message, **data})])


def said(bot: Bot) -> JsonObject:
    data: JsonObject = talk(bot, Opened()).messages[0]["data"]
    return data


def test_a_response_without_a_type_is_text() -> None:
    assert said(a_message_bot({"text": "안녕"})) == {"type": "text", "text": "안녕"}


def test_a_response_carries_its_custom_meta() -> None:
    result = talk(a_message_bot({"text": "안녕"}, meta={"custom": "{{platform}}"}), Opened())
    assert result.messages[0]["meta"] == {"custom": "web"}


def test_a_location_may_name_its_place_label_as_old_bots_do() -> None:
    message = said(
        a_message_bot({"type": "location", "location": {"label": "본점", "latitude": "37.5", "longitude": 127}})
    )
    assert message["location"] == {"title": "본점", "latitude": 37.5, "longitude": 127}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "location", "location": {"latitude": 91, "longitude": 0}},
        {"type": "location"},
        {"type": "media", "media": {}},
        {"type": "cards"},
        {"type": "hologram", "text": "x"},
        {"text": None},
        "text",
        None,
    ],
)
def test_a_message_that_cannot_be_sent_is_the_error_message(message: Any) -> None:
    assert texts(talk(a_message_bot(message), Opened())) == [ERROR]


def test_a_text_that_renders_to_nothing_is_not_sent() -> None:
    assert texts(talk(a_message_bot({"text": "{{params.nothing}}"}), Opened())) == ["(메시지 없음)"]


def test_cards_are_cloned_by_the_list_their_templates_walk() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(
                2,
                "response",
                {
                    "message": {
                        "type": "cards",
                        "cards": [
                            {"title": "{{params.list[i].name}}", "buttons": [{"label": "{{params.list[i].name}} 담기"}]}
                        ],
                    }
                },
            ),
        ]
    )
    items = [{"name": "사과"}, {"name": "배"}]
    session = Session(conversation_id="c", created_at_ms=0, params={"list": items})
    cards = step(bot, session, StartAt(flow_id=1), surroundings()).messages[0]["data"]["cards"]
    assert [(card["title"], card["buttons"][0]["label"]) for card in cards] == [
        ("사과", "사과 담기"),
        ("배", "배 담기"),
    ]


def test_buttons_without_a_label_are_left_out_and_noted() -> None:
    result = talk(a_message_bot({"text": "?", "buttons": [{"label": ""}, {"label": "가"}]}), Opened())
    assert result.messages[0]["data"]["buttons"] == [{"type": "postback", "label": "가"}]
    assert any("label" in note for note in result.trace[-1].notes)


def test_a_payload_over_a_thousand_characters_is_left_out_and_noted() -> None:
    result = talk(
        a_message_bot(
            {"text": "?", "buttons": [{"label": "가", "payload": "x" * 1_001}, {"label": "나", "payload": "x" * 1_000}]}
        ),
        Opened(),
    )
    assert ["payload" in button for button in result.messages[0]["data"]["buttons"]] == [False, True]
    assert any("payload" in note for note in result.trace[-1].notes)


# ---- keyboard


def a_keyboard_bot(data: JsonObject, *edges: Any) -> Bot:
    return a_bot(
        {
            "flows": [
                {
                    "id": 1,
                    "nodes": [
                        a_node(1, "entry", {}, 2),
                        a_response(2, "?", 3),
                        a_node(3, "keyboard", data, *edges),
                        a_response(4, "{{keyboard.value}}|{{params.color}}|{{keyboard.value.latitude}}"),
                    ],
                },
                {"id": 2, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "폴백")]},
            ],
            "preference": {"entryFlowId": 1, "fallbackFlowId": 2},
        }
    )


def answered(data: JsonObject, message: UserMessage, *edges: Any) -> list[str]:
    return texts(talk(a_keyboard_bot(data, *(edges or (4,))), Opened(), message))


def test_params_of_the_chosen_button_join_the_parameters() -> None:
    buttons = [{"label": "빨강", "params": {"color": "red"}}, {"label": "파랑", "params": {"color": "blue"}}]
    assert answered({"type": "buttons", "buttons": buttons}, say("파랑")) == ["|blue|"]


def test_a_payload_tells_buttons_with_the_same_label_apart() -> None:
    buttons = [
        {"label": "이것", "payload": '{"n": 1}', "params": {"color": "red"}},
        {"label": "이것", "payload": '{"n": 2}', "params": {"color": "blue"}},
    ]
    assert answered({"type": "buttons", "buttons": buttons}, say("이것", payload={"n": 2})) == ["|blue|"]


@pytest.mark.parametrize(
    ("settings", "text", "value"),
    [
        ({}, "12", "12"),
        ({}, "-1.5", "-1.5"),
        ({}, "열두 개", ""),
        ({"parse": True}, "사과 1,200개", "1200"),
        ({"parse": True}, "없음", ""),
        ({"parse": True}, "약 .5 킬로", "0.5"),
        ({"parse": True}, "１２개", "12"),
        ({}, "３", "3"),
        ({}, "Infinity", ""),
    ],
)
def test_a_number_keyboard_reads_the_number(settings: JsonObject, text: str, value: str) -> None:
    assert answered({"type": "number", **settings}, say(text)) == [f"{value}||"]


def test_a_location_keyboard_reads_the_place() -> None:
    message = UserMessage(data={"type": "location", "location": {"latitude": 37.5, "longitude": 127}})
    assert answered({"type": "location"}, message)[0].endswith("|37.5")


def test_without_strict_the_type_validates_nothing() -> None:
    assert answered({"type": "buttons", "buttons": [{"label": "가"}]}, say("아무 말")) == ["||"]


FAILURE = {"failure": {"text": "다시 골라 주세요"}}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"type": "buttons", "buttons": [{"label": "가"}]}, "나"),
        ({"type": "number"}, "많이"),
        ({"type": "number", "min": 1, "max": 8}, "9"),
        ({"type": "number", "min": "1", "max": "8"}, "0"),
        ({"type": "number", "integer": True}, "1.5"),
        ({"type": "location"}, "여기요"),
    ],
)
def test_a_strict_keyboard_refuses_what_does_not_fit_and_waits_on(data: JsonObject, text: str) -> None:
    bot = a_keyboard_bot({**data, "strict": True, "messages": FAILURE}, 4)
    refused = talk(bot, Opened(), say(text))
    assert texts(refused) == ["다시 골라 주세요"]
    assert refused.session is not None
    assert refused.session.position == (1, 3)
    assert refused.keyboard is not None


def test_a_strict_keyboard_takes_what_fits() -> None:
    assert answered({"type": "number", "min": 1, "max": 8, "strict": True, "messages": FAILURE}, say("8")) == ["8||"]


def test_labels_of_a_keyboard_are_templates_matched_as_they_were_shown() -> None:
    data = {"type": "buttons", "strict": True, "messages": FAILURE, "buttons": [{"label": "{{message}}!"}]}
    bot = a_keyboard_bot(data, 4)
    assert texts(talk(bot, say("안녕"), say("안녕!"))) == ["||"]


# ---- parameter


def params_after(data: JsonObject, **before: Any) -> JsonObject:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "parameter", data, 3), a_response(3, "네")])
    session = Session(conversation_id="c", created_at_ms=0, params=before)
    result = step(bot, session, StartAt(flow_id=1), surroundings())
    assert result.session is not None
    return result.session.params


def test_a_parameter_is_set_from_a_template() -> None:
    assert params_after({"set": [{"key": "who", "value": "{{platform}}-{{userKey}}"}]}) == {"who": "web-user-1"}


@pytest.mark.parametrize("null", [None, "null"])
def test_null_removes_a_parameter(null: Any) -> None:
    assert params_after({"set": [{"key": "old", "value": null}]}, old="x", kept="y") == {"kept": "y"}


def test_an_item_whose_condition_does_not_hold_is_not_set() -> None:
    items = [
        {"key": "a", "value": "1", "where": {"platform": {"equals": "kakao"}}},
        {"key": "b", "value": "1", "where": {"platform": {"equals": "web"}}},
    ]
    assert params_after({"set": items}) == {"b": "1"}


def test_items_see_the_items_before_them() -> None:
    items = [{"key": "a", "value": "1"}, {"key": "b", "value": "{{a}}2"}]
    assert params_after({"set": items})["b"] in ("2", "12")


def test_values_that_are_no_text_keep_their_type() -> None:
    assert params_after({"set": [{"key": "n", "value": 3}, {"key": "list", "value": [1, "{{platform}}"]}]}) == {
        "n": 3,
        "list": [1, "web"],
    }


@pytest.mark.parametrize("key", ["", "한글", "a b", "a.b", None, 5])
def test_a_key_that_is_no_parameter_name_is_not_set(key: Any) -> None:
    assert params_after({"set": [{"key": key, "value": "x"}]}) == {}


def test_clear_removes_all() -> None:
    assert params_after({"type": "clear"}, a="1", b="2") == {}


# ---- back and backstack


def a_stack_bot(*nodes: JsonObject) -> Bot:
    return a_bot(
        {
            "flows": [
                {
                    "id": 1,
                    "nodes": [
                        a_node(1, "entry", {}, 2),
                        a_response(2, "처음", 3),
                        a_node(
                            3,
                            "keyboard",
                            {},
                            (4, {"message": {"equals": "다음"}}),
                            (9, {"message": {"equals": "뒤로"}}),
                        ),
                        a_response(4, "둘", 5),
                        a_node(5, "keyboard", {}, (9, {"message": {"equals": "뒤로"}})),
                        *nodes,
                    ],
                },
                {"id": 2, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "폴백")]},
            ],
            "preference": {"entryFlowId": 1, "fallbackFlowId": 2},
        }
    )


def test_pop_with_nothing_left_starts_over_at_the_entry_flow() -> None:
    bot = a_stack_bot(a_node(9, "back", {"count": 5}))
    result = talk(bot, Opened(), say("다음"), say("뒤로"))
    assert texts(result) == ["처음"]
    assert result.session is not None
    assert result.session.back_stack == ["1/1"]


def test_back_counts_one_unless_said_otherwise() -> None:
    assert texts(talk(a_stack_bot(a_node(9, "back", {})), Opened(), say("다음"), say("뒤로"))) == ["처음"]


def test_clear_empties_the_stack_and_goes_on() -> None:
    bot = a_stack_bot(a_node(9, "back", {"operation": "clear"}, 10), a_response(10, "비웠어요"))
    result = talk(bot, Opened(), say("뒤로"))
    assert texts(result) == ["비웠어요"]
    assert result.session is not None
    assert result.session.back_stack == []


def test_an_unknown_back_operation_is_the_error_message() -> None:
    assert texts(talk(a_stack_bot(a_node(9, "back", {"operation": "leap"})), Opened(), say("뒤로"))) == [ERROR]


def test_the_stack_keeps_its_newest_fifty_entries() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, "x", 3), a_node(3, "keyboard", {}, 2)])
    session = talk(bot, *[say("x")] * 60).session
    assert session is not None
    assert len(session.back_stack) == 50


def own_stack(operation: str, **data: Any) -> JsonObject:
    return {"operation": operation, **data}


def test_the_old_stack_jumps_to_the_last_place_taken() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "backstack", own_stack("push"), 3),
            a_response(3, "하나", 4),
            a_node(4, "keyboard", {}, 5),
            a_node(5, "backstack", own_stack("pop")),
        ]
    )
    assert texts(talk(bot, Opened(), say("x"))) == ["하나"]


def test_the_old_stack_popped_beyond_its_end_goes_to_the_fallback_flow() -> None:
    bot = a_stack_bot(a_node(9, "backstack", own_stack("pop", count=1)))
    assert texts(talk(bot, Opened(), say("뒤로"))) == ["폴백"]


# ---- fetch


FETCH = {"uri": "https://api.example.com/{{ESCAPE(message)}}", "method": "GET"}


def a_fetch_bot(data: JsonObject) -> Bot:
    ok, failed = {"fetch.status": {"equals": "COMPLETED"}}, {"fetch.status": {"equals": "FAILED"}}
    return a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "fetch", data, (3, ok), (4, failed)),
            a_response(3, "{{fetch.data.name}}|{{fetch.statusCode}}"),
            a_response(4, "{{fetch.error}}|{{fetch.error.name}}|{{fetch.statusCode}}|{{fetch.data.why}}"),
        ]
    )


def fetched(data: JsonObject, answer: Any, inbound: Inbound | None = None) -> tuple[HttpCall, StepResult]:
    bot = a_fetch_bot(data)
    asked = step(bot, None, inbound or say("가 나"), surroundings())
    assert isinstance(asked.effect, HttpCall)
    assert asked.session is not None
    stored = Session.from_json(asked.session.to_json())
    return asked.effect, resume(bot, stored, answer, surroundings())


def response(status: int, body: bytes, content_type: str = "application/json") -> HttpResponse:
    return HttpResponse(status=status, url="https://api.example.com/", content_type=content_type, body=body)


def test_fetch_asks_for_an_effect_and_goes_on_with_the_answer() -> None:
    call, result = fetched(FETCH, response(200, b'{"name": "ok"}'))
    assert (call.method, call.url, call.repeatable) == ("GET", "https://api.example.com/%EA%B0%80%20%EB%82%98", True)
    assert texts(result) == ["ok|200"]
    assert result.effect is None


def test_a_status_that_is_not_2xx_is_a_failure_with_data_and_code() -> None:
    _, result = fetched(FETCH, response(404, b'{"why": "none"}'))
    assert texts(result) == ['404 - {"why":"none"}|StatusCodeError|404|none']


def test_no_answer_at_all_is_a_failure_with_a_name() -> None:
    _, result = fetched(FETCH, EffectFailed(name="TimeoutError", message="The request took too long"))
    assert texts(result) == ["The request took too long|TimeoutError||"]


@pytest.mark.parametrize("body", [b"<html>", b"", b"NaN", b'{"a":' * 100, "안녕".encode("cp949")])
def test_what_is_not_json_is_text(body: bytes) -> None:
    _, result = fetched(FETCH, response(200, body, "text/html; charset=cp949"))
    assert result.session is not None
    assert isinstance(result.session.results["fetch"]["data"], str)


def test_form_rows_are_encoded_and_json_bodies_sent_as_they_are() -> None:
    rows = {
        "uri": "https://a.example.com",
        "method": "POST",
        "contentType": "x-www-form-urlencoded",
        "body": [{"key": "이름", "value": "{{message}}"}],
    }
    call, _ = fetched(rows, response(200, b"{}"))
    assert (call.body, call.headers["content-type"]) == (
        b"%EC%9D%B4%EB%A6%84=%EA%B0%80+%EB%82%98",
        "application/x-www-form-urlencoded",
    )
    text = {
        "uri": "https://a.example.com",
        "method": "post",
        "body": '{"q": {{QUOTE(message)}}}'.replace("}}}", "}} }"),
    }
    call, _ = fetched(text, response(200, b"{}"))
    assert (call.method, call.body, call.headers["content-type"]) == (
        "POST",
        '{"q": "가 나" }'.encode(),
        "application/json",
    )


@pytest.mark.parametrize(
    ("timeout", "allowed"), [(None, 5_000), (800, 800), ("2000", 2_000), (90_000, 30_000), (0, 5_000)]
)
def test_a_request_may_take_what_its_node_allows_whatever_the_deadline(timeout: Any, allowed: int) -> None:
    data = FETCH if timeout is None else {**FETCH, "timeout": timeout}
    result = step(a_fetch_bot(data), None, say("x"), surroundings(deadline_ns=600_000_000))
    assert result.effect is not None
    assert result.effect.timeout_ms == allowed


def test_a_large_result_lives_for_its_turn_and_is_dropped_then() -> None:
    _, result = fetched(FETCH, response(200, b'{"name": "ok", "big": "' + b"x" * 20_000 + b'"}'))
    assert texts(result) == ["ok|200"]
    assert result.session is not None
    assert result.session.results["fetch"] == {
        "status": "COMPLETED",
        "statusCode": 200,
        "uri": "https://api.example.com/%EA%B0%80%20%EB%82%98",
        "dropped": True,
    }
    assert any("too large" in note for note in result.trace[-1].notes)


# ---- manual


MANUAL = {
    "messages": {
        "default": {"text": "부를게요", "actions": {"cancel": "그만"}},
        "kakao": {"text": "눌러 주세요", "actions": {"agentCall": "상담원"}},
    }
}


def a_manual_bot() -> Bot:
    return a_bot(
        {
            "flows": [
                {
                    "id": 1,
                    "nodes": [a_node(1, "entry", {}, 2), a_node(2, "manual", MANUAL, 3), a_response(3, "취소했어요")],
                },
                {"id": 2, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "폴백")]},
                {
                    "id": 3,
                    "nodes": [
                        a_node(1, "entry", {}, 2),
                        a_response(2, "설문이에요", 3),
                        a_node(3, "keyboard", {}, 4),
                        a_response(4, "고마워요"),
                    ],
                },
            ],
            "preference": {"entryFlowId": 1, "fallbackFlowId": 2},
        }
    )


def test_on_kakao_the_call_is_a_button_and_nothing_is_suspended() -> None:
    result = talk(a_manual_bot(), Opened(), platform="kakao")
    assert result.messages[0]["data"] == {
        "type": "text",
        "text": "눌러 주세요",
        "buttons": [{"type": "operator", "label": "상담원"}],
    }
    assert [fact.name for fact in result.facts] == ["conversation.created"]
    assert texts(talk(a_manual_bot(), Opened(), say("그만"), platform="kakao")) == ["폴백"]


def test_elsewhere_the_bot_waits_and_offers_to_cancel() -> None:
    result = talk(a_manual_bot(), Opened())
    assert texts(result) == ["부를게요"]
    assert result.keyboard == {"type": "buttons", "buttons": [{"type": "postback", "label": "그만"}]}
    assert [fact.manual_status for fact in result.facts] == [None, "REQUESTED"]


def test_while_the_call_waits_the_bot_says_nothing() -> None:
    assert talk(a_manual_bot(), Opened(), say("계세요?")).messages == []


def test_the_cancel_text_takes_the_edges() -> None:
    result = talk(a_manual_bot(), Opened(), say("그만"))
    assert texts(result) == ["취소했어요"]
    assert [fact.manual_status for fact in result.facts] == ["CANCELLED"]


def test_once_an_agent_is_there_the_cancel_text_is_an_ordinary_message() -> None:
    result = talk(a_manual_bot(), Opened(), AgentJoined(agent={"id": "a"}), say("그만"))
    assert (result.messages, result.facts) == ([], [])


def test_after_completion_the_next_message_calls_again_where_the_call_began() -> None:
    result = talk(a_manual_bot(), Opened(), AgentJoined(), CallCompleted(), say("하나 더요"))
    assert texts(result) == ["부를게요"]


def test_after_an_agent_barged_in_the_entry_flow_answers() -> None:
    bot = a_bot(
        nodes=[a_node(1, "entry", {}, 2), a_response(2, "처음", 3), a_node(3, "keyboard", {}, 4), a_response(4, "둘")]
    )
    assert texts(talk(bot, Opened(), say("x"), AgentJoined(), CallCompleted(), say("y"))) == ["처음"]


def test_a_flow_that_the_agent_started_runs_until_the_agent_speaks() -> None:
    bot = a_manual_bot()
    started = talk(bot, Opened(), AgentJoined(), StartAt(flow_id=3))
    assert texts(started) == ["설문이에요"]
    assert texts(talk(bot, Opened(), AgentJoined(), StartAt(flow_id=3), say("5점"))) == ["고마워요"]
    spoken = talk(
        bot,
        Opened(),
        AgentJoined(),
        StartAt(flow_id=3),
        AgentMessage(data={"type": "text", "text": "잠시만요"}),
        say("5점"),
    )
    assert spoken.messages == []


def test_an_old_button_tapped_while_an_agent_is_here_does_not_wake_the_bot() -> None:
    tap = StartAt(flow_id=3, message={"type": "text", "text": "설문"})
    assert talk(a_manual_bot(), Opened(), AgentJoined(), tap).messages == []


def test_after_completion_the_flow_that_the_agent_started_goes_on() -> None:
    assert texts(talk(a_manual_bot(), Opened(), AgentJoined(), StartAt(flow_id=3), CallCompleted(), say("5점"))) == [
        "고마워요"
    ]


def test_completing_without_a_call_changes_nothing() -> None:
    result = talk(a_manual_bot(), Opened(), say("그만"), CallCompleted())
    assert (result.messages, result.facts) == ([], [])
