"""Spec engine 3 and 4: choosing edges, walking, welcome, falling back, failing."""

from typing import Any

import pytest

from shared.bot.model import Bot
from shared.engine import Session, StepResult, step
from shared.engine.inbound import Inbound, Opened, StartAt, UserMessage
from shared.engine.session import JsonObject
from shared.engine.walk import MAX_NODES
from tests.factories import NOW_MS, a_bot, a_node, a_response, surroundings

ERROR = "요청을 처리하는 중에 오류가 발생했습니다. 잠시 후 다시 시도해 주세요."


def say(text: str, **more: Any) -> UserMessage:
    return UserMessage(data={"type": "text", "text": text, **more})


def texts(result: StepResult) -> list[str]:
    return [message["data"].get("text", "") for message in result.messages]


def talk(bot: Bot, *inbounds: Inbound, **around: Any) -> StepResult:
    """The last of several steps, the state stored and read back between them."""
    session: Session | None = None
    result: StepResult | None = None
    for inbound in inbounds:
        result = step(bot, session, inbound, surroundings(**around))
        session = None if result.session is None else Session.from_json(result.session.to_json())
    assert result is not None
    return result


def two_flows(fallback_nodes: list[JsonObject], nodes: list[JsonObject], **preference: Any) -> Bot:
    return a_bot(
        {
            "title": "시험",
            "flows": [{"id": 1, "nodes": nodes}, {"id": 2, "nodes": fallback_nodes}],
            "preference": {"entryFlowId": 1, "fallbackFlowId": 2, **preference},
        }
    )


ASKING = [
    a_node(1, "entry", {}, 2),
    a_response(2, "이름?", 3),
    a_node(3, "keyboard", {"type": "any"}, (4, {"message": {"equals": "지은"}})),
]
FALLBACK = [a_node(1, "entry", {}, 2), a_response(2, "폴백")]


# ---- edges


def test_the_highest_priority_wins() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, (2, None, 1), (3, None, 5), (4, None, 0)),
            *(a_response(n, str(n)) for n in (2, 3, 4)),
        ]
    )
    assert texts(talk(bot, Opened())) == ["3"]


def test_among_equal_priorities_the_edge_with_more_conditions_wins() -> None:
    one, two = {"platform": {"equals": "web"}}, {"platform": {"equals": "web"}, "userKey": {"exists": True}}
    bot = a_bot(nodes=[a_node(1, "entry", {}, 4, (2, one), (3, two)), *(a_response(n, str(n)) for n in (2, 3, 4))])
    assert texts(talk(bot, Opened())) == ["3"]


def test_among_equals_the_first_in_the_list_wins() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 3, 2), a_response(2, "2"), a_response(3, "3")])
    assert texts(talk(bot, Opened())) == ["3"]


def test_an_absent_priority_counts_as_one() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, (2, None, 0), 3), a_response(2, "2"), a_response(3, "3")])
    assert texts(talk(bot, Opened())) == ["3"]


def test_an_edge_whose_condition_cannot_be_read_never_holds() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, (2, "nonsense", 9), 3), a_response(2, "2"), a_response(3, "3")])
    assert texts(talk(bot, Opened())) == ["3"]


def test_condition_operands_may_hold_templates() -> None:
    condition = {"message.text": {"equals": "{{params.word}}"}}
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "parameter", {"set": [{"key": "word", "value": "열려라"}]}, 3),
            a_response(3, "암호?", 4),
            a_node(4, "keyboard", {}, (5, condition), 6),
            a_response(5, "맞아요"),
            a_response(6, "아니에요"),
        ]
    )
    assert texts(talk(bot, Opened(), say("열려라"))) == ["맞아요"]
    assert texts(talk(bot, Opened(), say("{{params.word}}"))) == ["아니에요"]


# ---- positions


def test_the_walk_stops_at_the_keyboard_and_shows_it() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_response(2, "골라요", 3),
            a_node(3, "keyboard", {"type": "buttons", "buttons": [{"label": "가"}]}),
        ]
    )
    result = talk(bot, Opened())
    assert texts(result) == ["골라요"]
    assert result.keyboard == {"type": "buttons", "buttons": [{"type": "postback", "label": "가"}]}
    assert result.session is not None
    assert result.session.position == (1, 3)


def test_an_answer_that_no_edge_takes_goes_to_the_fallback_flow() -> None:
    assert texts(talk(two_flows(FALLBACK, ASKING), Opened(), say("몰라"))) == ["폴백"]


def test_without_a_fallback_flow_the_entry_flow_answers() -> None:
    bot = a_bot(nodes=[*ASKING, a_response(4, "반가워요")])
    assert texts(talk(bot, Opened(), say("몰라"))) == ["이름?"]


def test_after_the_last_node_the_next_message_goes_to_the_fallback_flow() -> None:
    bot = two_flows(FALLBACK, [*ASKING, a_response(4, "반가워요")])
    assert texts(talk(bot, Opened(), say("지은"), say("그리고?"))) == ["폴백"]


def test_a_position_that_the_bot_no_longer_has_goes_to_the_fallback_flow() -> None:
    before = talk(two_flows(FALLBACK, [*ASKING, a_response(4, "반가워요")]), Opened())
    after = two_flows(FALLBACK, [a_node(1, "entry", {}, 2), a_response(2, "새 봇")])
    assert texts(step(after, before.session, say("지은"), surroundings())) == ["폴백"]


def test_a_keyboard_that_became_another_node_goes_to_the_fallback_flow() -> None:
    before = talk(two_flows(FALLBACK, [*ASKING, a_response(4, "반가워요")]), Opened())
    after = two_flows(FALLBACK, [a_node(1, "entry", {}, 3), a_response(3, "이제 말해요")])
    assert texts(step(after, before.session, say("지은"), surroundings())) == ["폴백"]


@pytest.mark.parametrize("flow_id", [2, "2", 2.0, "{{params.none}}2"])
def test_a_flow_node_reads_text_as_a_number(flow_id: Any) -> None:
    bot = two_flows(FALLBACK, [a_node(1, "entry", {}, 2), a_node(2, "flow", {"flowId": flow_id})])
    assert texts(talk(bot, Opened())) == ["폴백"]


def test_a_flow_node_jumps_to_a_node_of_a_flow() -> None:
    bot = two_flows(
        [*FALLBACK, a_response(3, "가운데")], [a_node(1, "entry", {}, 2), a_node(2, "flow", {"flowId": 2, "nodeId": 3})]
    )
    assert texts(talk(bot, Opened())) == ["가운데"]


def test_a_goto_jumps_whatever_the_position() -> None:
    bot = two_flows(FALLBACK, ASKING)
    assert texts(talk(bot, Opened(), StartAt(flow_id=2))) == ["폴백"]


def test_a_goto_to_nowhere_goes_to_the_fallback_flow() -> None:
    bot = two_flows(FALLBACK, ASKING)
    assert texts(talk(bot, Opened(), StartAt(flow_id=99))) == ["폴백"]
    assert texts(talk(bot, Opened(), StartAt(flow_id=1, node_id=99))) == ["폴백"]


# ---- welcome


def behavior(**switches: Any) -> JsonObject:
    return {"sessionBehavior": switches}


def test_opening_welcomes_somebody_new_and_begins_a_conversation() -> None:
    result = talk(two_flows(FALLBACK, ASKING), Opened())
    assert texts(result) == ["이름?"]
    assert [fact.name for fact in result.facts] == ["conversation.created"]


def test_opening_again_shows_the_last_keyboard_and_nothing_else() -> None:
    result = talk(two_flows(FALLBACK, ASKING), Opened(), Opened())
    assert result.messages == []
    assert result.keyboard == {"type": "any"}
    assert result.facts == []


def test_without_restore_navigation_opening_welcomes_every_time() -> None:
    bot = two_flows(FALLBACK, ASKING, **behavior(restoreNavigation=False))
    assert texts(talk(bot, Opened(), Opened())) == ["이름?"]


def test_a_welcome_switched_off_says_the_empty_message_and_begins_nothing() -> None:
    bot = two_flows(FALLBACK, ASKING, **behavior(welcomeOnSessionStart=False))
    result = talk(bot, Opened())
    assert texts(result) == ["(메시지 없음)"]
    assert result.session is None
    assert result.facts == []


def test_a_first_message_runs_the_entry_flow_and_is_not_consumed() -> None:
    assert texts(talk(two_flows(FALLBACK, [*ASKING, a_response(4, "반가워요")]), say("지은"))) == ["이름?"]


def test_with_that_welcome_off_the_first_message_answers_the_first_keyboard() -> None:
    bot = two_flows(FALLBACK, [*ASKING, a_response(4, "반가워요")], **behavior(welcomeOnMessageWithoutSession=False))
    assert texts(talk(bot, say("지은"))) == ["반가워요"]


def test_a_conversation_ends_after_its_time_of_silence() -> None:
    bot = two_flows(FALLBACK, ASKING, **behavior(sessionTimeoutMinutes=30))
    first = talk(bot, Opened())
    later = step(bot, first.session, say("지은"), surroundings(now_ms=NOW_MS + 31 * 60_000, new_conversation_id="new"))
    assert [fact.name for fact in later.facts] == ["conversation.deleted", "conversation.created"]
    assert later.session is not None
    assert later.session.conversation_id == "new"
    assert texts(later) == ["이름?"]


def test_a_conversation_without_a_time_out_never_ends() -> None:
    bot = two_flows(FALLBACK, [*ASKING, a_response(4, "반가워요")])
    first = talk(bot, Opened())
    years_later = step(bot, first.session, say("지은"), surroundings(now_ms=NOW_MS + 10**11))
    assert texts(years_later) == ["반가워요"]


# ---- nothing to say, failures


def test_a_turn_that_says_nothing_says_the_empty_message() -> None:
    result = talk(a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "keyboard", {})]), Opened())
    assert texts(result) == ["(메시지 없음)"]


def test_the_empty_message_is_the_authors() -> None:
    bot = a_bot(
        nodes=[a_node(1, "entry", {}, 2), a_node(2, "keyboard", {})],
        systemMessage={"empty": "{{platform}}: 할 말이 없네요 ({{error}})"},
    )
    assert texts(talk(bot, Opened())) == ["web: 할 말이 없네요 (no message)"]


def test_an_edge_to_nowhere_sends_the_error_message() -> None:
    assert texts(talk(a_bot(nodes=[a_node(1, "entry", {}, 99)]), Opened())) == [ERROR]


def test_a_flow_node_to_a_missing_flow_sends_the_error_message() -> None:
    assert texts(talk(a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "flow", {"flowId": 99})]), Opened())) == [ERROR]


def test_missing_node_data_sends_the_error_message() -> None:
    assert texts(talk(a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "response", {})]), Opened())) == [ERROR]


def test_an_unknown_node_type_sends_the_error_message() -> None:
    assert texts(talk(a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "teleport", {})]), Opened())) == [ERROR]


@pytest.mark.parametrize("template", ["{{#if}}", "{{#each params.list}}", "{{NOPE(1)}}"])
def test_a_template_that_fails_sends_the_error_message_after_what_was_said(template: str) -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, "먼저", 3), a_response(3, template)])
    assert texts(talk(bot, Opened())) == ["먼저", ERROR]


def test_the_error_message_is_a_template_that_sees_the_error() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 99)], systemMessage={"error": "앗: {{error}}"})
    assert texts(talk(bot, Opened())) == ["앗: no node 99 in flow 1"]


def test_an_error_message_that_fails_itself_is_replaced_by_ours() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 99)], systemMessage={"error": "{{#if}}"})
    assert texts(talk(bot, Opened())) == [ERROR]


def test_after_a_failure_the_keyboard_can_be_answered_again() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_response(2, "골라요", 3),
            a_node(3, "keyboard", {}, (99, {"message": {"equals": "고장"}}), 4),
            a_response(4, "됐어요"),
        ]
    )
    assert texts(talk(bot, Opened(), say("고장"))) == [ERROR]
    assert texts(talk(bot, Opened(), say("고장"), say("다른 답"))) == ["됐어요"]


def test_a_bot_without_any_flow_sends_the_error_message() -> None:
    assert texts(talk(a_bot({"flows": [], "preference": {}}), say("안녕"))) == [ERROR]


def test_a_circle_without_a_keyboard_stops_after_a_hundred_nodes_and_names_itself() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "parameter", {"set": []}, 3),
            a_node(3, "parameter", {"set": []}, 2),
        ]
    )
    result = talk(bot, Opened())
    assert texts(result) == [ERROR]
    assert len(result.trace) == MAX_NODES
    assert "1/2 -> 1/3" in result.trace[-1].notes[-1]


def test_two_flows_that_lead_into_each_other_stop_too() -> None:
    bot = two_flows(
        [a_node(1, "entry", {}, 2), a_node(2, "flow", {"flowId": 1})],
        [a_node(1, "entry", {}, 2), a_node(2, "flow", {"flowId": 2})],
    )
    assert texts(talk(bot, say("x"))) == [ERROR]


def test_a_step_whose_deadline_is_over_answers_with_what_it_has() -> None:
    ticks = iter(range(0, 10_000_000_000, 1_000_000_000))
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_response(2, "하나", 3),
            *(a_response(n, str(n), n + 1) for n in range(3, 30)),
        ]
    )
    result = step(bot, None, Opened(), surroundings(clock_ns=lambda: next(ticks), deadline_ns=6_000_000_000))
    assert texts(result)[0] == "하나"
    assert texts(result)[-1] == ERROR


# ---- the context


def test_user_text_is_never_a_template() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, "{{message}}", 3), a_node(3, "keyboard", {}, 2)])
    assert texts(talk(bot, say("x"), say("{{#if}} {{bot.title}} {{{{raw}}}}"))) == ["{{#if}} {{bot.title}} {{{{raw}}}}"]


def test_templates_see_the_bot_the_person_and_the_message() -> None:
    template = (
        "{{bot.title}}|{{botId}}|{{platform}}|{{userKey}}|{{conversationId}}|{{message.type}}|{{message}}|{{endUserId}}"
    )
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, template)])
    result = talk(bot, say("안녕"), platform="kakao", end_user_id=None, new_conversation_id="conv")
    assert texts(result) == ["시험|bot|kakao|user-1|conv|text|안녕|"]


def test_a_bare_name_is_a_parameter_unless_the_context_has_it() -> None:
    items = [{"key": "name", "value": "지은"}, {"key": "platform", "value": "딴 것"}]
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "parameter", {"set": items}, 3),
            a_response(3, "{{name}} {{platform}}"),
        ]
    )
    assert texts(talk(bot, Opened())) == ["지은 web"]


def test_a_step_never_changes_the_session_it_was_given() -> None:
    bot = a_bot(nodes=[*ASKING, a_node(4, "parameter", {"set": [{"key": "x", "value": "1"}]}, 5), a_response(5, "네")])
    before = talk(bot, Opened()).session
    assert before is not None
    frozen = before.to_json()
    step(bot, before, say("지은"), surroundings())
    assert before.to_json() == frozen


def test_the_same_step_twice_gives_the_same() -> None:
    bot = a_bot(nodes=[*ASKING, a_response(4, "{{RAND(1, 6)}} {{DATE()}}")])
    before = talk(bot, Opened()).session
    first, second = (step(bot, before, say("지은"), surroundings(random=lambda: 0.5)) for _ in range(2))
    assert first.messages == second.messages
    assert first.session is not None
    assert second.session is not None
    assert first.session.to_json() == second.session.to_json()


def test_navigation_counts_visits_in_a_row_and_keeps_the_place_before() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_response(2, "?", 3),
            a_node(3, "keyboard", {}, (4, {"message": {"equals": "끝"}}), 2),
            a_response(4, "끝"),
        ]
    )
    again = talk(bot, Opened(), say("x")).session
    assert again is not None
    assert again.navigation["current"] == {"flowId": 1, "nodeId": 3, "visitCount": 2}
    ended = talk(bot, Opened(), say("x"), say("끝")).session
    assert ended is not None
    assert ended.navigation == {
        "current": {"flowId": 1, "nodeId": 4, "visitCount": 1},
        "prev": {"flowId": 1, "nodeId": 3, "visitCount": 2},
    }
