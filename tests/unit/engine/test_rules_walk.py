"""Spec engine 2, 4 and 6: walks that an author, a lost node or a slow world made difficult."""

import json
from typing import Any

import pytest

from shared.bot.model import Bot
from shared.engine import Effect, EffectFailed, HttpCall, HttpResponse, Session, StepResult, Surroundings, resume, step
from shared.engine.inbound import AgentJoined, AgentMessage, CallCompleted, Inbound, Opened, StartAt, UserMessage
from shared.engine.session import JsonObject
from shared.engine.walk import KEPT_LIMIT, MAX_NODES, PARAMS_LIMIT, RESULT_LIMIT
from tests.factories import NOW_MS, a_bot, a_node, a_response, surroundings
from tests.unit.engine.test_step import ASKING, ERROR, FALLBACK, behavior, say, talk, texts, two_flows

EMPTY = "(메시지 없음)"


def stored(result: StepResult) -> Session:
    """The session as the next step finds it."""
    assert result.session is not None
    return Session.from_json(json.loads(json.dumps(result.session.to_json())))


def answer_with(body: bytes, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, url="", content_type="application/json", body=body)


def carried_through(
    bot: Bot, inbound: Inbound, *answers: HttpResponse | EffectFailed, session: Session | None = None, **around: Any
) -> tuple[list[str], StepResult, list[Effect]]:
    """A whole turn with its requests answered: what was said in all, the last result, what was asked."""
    result = step(bot, session, inbound, surroundings(**around))
    said, asked = texts(result), []
    for answer in answers:
        assert result.effect is not None
        asked.append(result.effect)
        result = resume(bot, stored(result), answer, surroundings(**around))
        said += texts(result)
    assert result.effect is None
    return said, result, asked


def a_fetch(node_id: int, *edges: Any, uri: str = "https://example.com") -> JsonObject:
    return a_node(node_id, "fetch", {"uri": uri}, *edges)


# ---- the context: one key per executed node type


def test_every_node_type_that_ran_leaves_its_status() -> None:
    bot = a_bot(
        {
            "flows": [
                {
                    "id": 1,
                    "nodes": [
                        a_node(1, "entry", {}, 2),
                        a_node(2, "backstack", {"operation": "push"}, 3),
                        a_node(3, "parameter", {"set": []}, 4),
                        a_node(4, "flow", {"flowId": 2}),
                    ],
                },
                {"id": 2, "nodes": [a_node(1, "entry", {}, 2), a_response(2, "{{flow.status}}|{{response.status}}")]},
            ],
            "preference": {"entryFlowId": 1},
        }
    )
    result = talk(bot, Opened())
    assert texts(result) == ["COMPLETED|"]
    assert result.session is not None
    assert set(result.session.results) == {"entry", "backstack", "parameter", "flow", "response"}


def test_a_node_that_failed_leaves_its_error_until_its_type_runs_well_again() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_response(2, "?", 3),
            a_node(3, "keyboard", {}, (4, {"message": "고장"}), (5, {"message": "왜"}), 6),
            a_node(4, "response", {}),
            a_node(5, "parameter", {"set": [{"key": "why", "value": "{{response.status}} {{response.error}}"}]}, 6),
            a_response(6, "{{params.why}}|{{response.status}}", 3),
        ]
    )
    assert texts(talk(bot, Opened(), say("고장"))) == [ERROR]
    after = talk(bot, Opened(), say("고장"), say("왜"))
    assert texts(after) == ["FAILED node 4 has no message|FAILED"]
    assert texts(talk(bot, Opened(), say("고장"), say("왜"), say("왜"))) == ["COMPLETED |COMPLETED"]


def test_an_unknown_node_type_cannot_take_a_word_of_the_context() -> None:
    bot = a_bot(
        nodes=[a_node(1, "entry", {}, 2), a_node(2, "params", {})], systemMessage={"error": "{{params.who}} {{error}}"}
    )
    result = talk(bot, Opened(), params={"who": "지은"})
    assert texts(result) == ["지은 unknown node type 'params'"]
    assert result.session is not None
    assert "params" not in result.session.results


@pytest.mark.parametrize("name", ["message", "error", "platform", "bot"])
def test_parameters_with_names_of_context_words_are_found_behind_params(name: str) -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_response(2, f"{{{{params.{name}}}}}")])
    assert texts(talk(bot, Opened(), params={name: "mine"})) == ["mine"]


def test_a_parameter_named_like_a_node_type_shows_until_that_type_has_run() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, (3, {"fetch": "mine"})),
            a_response(3, "{{fetch}}", 4),
            a_fetch(4, 5),
            a_response(5, "{{fetch.status}} {{params.fetch}}"),
        ]
    )
    said, _, _ = carried_through(bot, Opened(), answer_with(b"1"), params={"fetch": "mine"})
    assert said == ["mine", "COMPLETED mine"]


def test_the_last_failure_of_the_turn_is_known_behind_a_request_too() -> None:
    bot = a_bot(
        nodes=[a_node(1, "entry", {}, 2), a_node(2, "nlp", {}, 3), a_fetch(3, 4), a_response(4, "{{error.name}}")]
    )
    said, _, _ = carried_through(bot, Opened(), answer_with(b"{}"))
    assert said == ["NotConfiguredError"]


def test_a_failure_of_an_earlier_turn_is_not_the_error_of_this_one() -> None:
    bot = a_bot(nodes=[*ASKING, a_response(4, "[{{error}}]")])
    failed = a_bot(nodes=[*ASKING, a_node(4, "response", {})])
    before = talk(failed, Opened(), say("지은"))
    assert texts(before) == [ERROR]
    assert texts(step(bot, stored(before), say("지은"), surroundings())) == ["[]"]


def test_errors_print_as_their_message_after_they_were_stored_too() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_fetch(2, 3),
            a_response(3, "하나", 4),
            a_node(4, "keyboard", {}, (5, {"fetch.error": "못 갔어요"})),
            a_response(5, "{{fetch.error}}|{{fetch.error.name}}"),
        ]
    )
    _, first, _ = carried_through(bot, Opened(), EffectFailed(name="Dns", message="못 갔어요"))
    assert texts(step(bot, stored(first), say("왜"), surroundings())) == ["못 갔어요|Dns"]


# ---- what the state may hold


def test_parameters_have_a_bound_and_the_node_over_it_fails_loudly() -> None:
    double = [{"key": "again", "value": "{{params.log}}"}]
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "parameter", {"set": double}, 3), a_response(3, "네")])
    session = Session(conversation_id="c", created_at_ms=0, params={"log": "가" * 15_000})
    result = step(bot, session, StartAt(flow_id=1), surroundings())
    assert texts(result) == [ERROR]
    assert result.trace[-1].error is not None
    assert result.trace[-1].error["name"] == "ParametersTooLarge"
    assert "with again" in result.trace[-1].error["message"]
    assert stored(result).params == session.params


def test_parameters_over_the_bound_can_still_be_removed_and_cleared() -> None:
    remove = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "parameter", {"set": [{"key": "old", "value": None}]}, 3),
            a_response(3, "네"),
        ]
    )
    huge = Session(conversation_id="c", created_at_ms=0, params={"old": "", "log": "x" * PARAMS_LIMIT * 2})
    assert stored(step(remove, huge, StartAt(flow_id=1), surroundings())).params.keys() == {"log"}
    clear = a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "parameter", {"type": "clear"}, 3), a_response(3, "네")])
    assert stored(step(clear, huge, StartAt(flow_id=1), surroundings())).params == {}


def test_a_button_whose_parameters_do_not_fit_is_the_error_message_and_another_can_be_pressed() -> None:
    big = {"label": "큰 것", "params": {f"k{n}": "x" * 30_000 for n in range(3)}}
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_response(2, "?", 3),
            a_node(3, "keyboard", {"type": "buttons", "buttons": [big, {"label": "작은 것"}]}, 4),
            a_response(4, "네"),
        ]
    )
    assert texts(talk(bot, Opened(), say("큰 것"))) == [ERROR]
    assert texts(talk(bot, Opened(), say("큰 것"), say("작은 것"))) == ["네"]


def test_of_a_result_that_is_too_large_the_status_and_the_error_stay() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_fetch(2, 3, uri="https://example.com/" + "x" * KEPT_LIMIT),
            a_response(3, "{{fetch.data.why}}", 4),
            a_node(4, "keyboard", {}, (5, {"fetch.status": "FAILED"})),
            a_response(5, "{{fetch.statusCode}} {{fetch.error.name}} [{{fetch.data}}]"),
        ]
    )
    body = b'{"why": "busy", "page": "' + b"x" * RESULT_LIMIT + b'"}'
    said, first, _ = carried_through(bot, Opened(), answer_with(body, 500))
    assert said == ["busy"]
    kept = stored(first).results["fetch"]
    assert set(kept) == {"status", "statusCode", "error", "dropped"}
    second = step(bot, stored(first), say("x"), surroundings())
    assert texts(second) == ["500 StatusCodeError []"]
    assert not any("too large" in note for entry in second.trace for note in entry.notes)


def test_a_large_result_lives_through_the_requests_of_its_turn() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_fetch(2, 3), a_response(3, "{{nlp.answer.[0]}}")])
    session = Session(conversation_id="c", created_at_ms=0, results={"nlp": {"status": "", "answer": "길" * 20_000}})
    said, result, _ = carried_through(bot, StartAt(flow_id=1), answer_with(b"{}"), session=session)
    assert said == ["길"]
    assert stored(result).results["nlp"] == {"status": "", "dropped": True}


# ---- silent walks (4.4)


QUIET = behavior(welcomeOnMessageWithoutSession=False)


def test_a_silent_walk_that_meets_no_keyboard_ends_in_the_fallback_flow() -> None:
    bot = two_flows(FALLBACK, [a_node(1, "entry", {}, 2), a_response(2, "어서 오세요")], **QUIET)
    assert texts(talk(bot, say("안녕"))) == ["폴백"]


def test_a_silent_walk_runs_requests_and_sets_parameters_before_the_answer() -> None:
    bot = two_flows(
        FALLBACK,
        [
            a_node(1, "entry", {}, 2),
            a_fetch(2, 3),
            a_fetch(3, 4, uri="https://example.com/{{fetch.data.n}}"),
            a_response(4, "{{fetch.data.n}}개", 5),
            a_node(5, "keyboard", {}, (6, {"message": "지은"})),
            a_response(6, "{{fetch.data.n}} {{message}}"),
        ],
        **QUIET,
    )
    said, result, asked = carried_through(bot, say("지은"), answer_with(b'{"n": 1}'), answer_with(b'{"n": 2}'))
    assert said == ["2 지은"]
    assert [effect.url for effect in asked if isinstance(effect, HttpCall)] == [
        "https://example.com",
        "https://example.com/1",
    ]
    assert result.session is not None
    assert result.session.position == (1, 6)


def test_a_silent_walk_that_fails_says_the_error_message_once() -> None:
    bot = two_flows(FALLBACK, [a_node(1, "entry", {}, 2), a_node(2, "response", {})], **QUIET)
    assert texts(talk(bot, say("안녕"))) == [ERROR]
    assert texts(talk(bot, say("안녕"), say("계세요"))) == ["폴백"]


def test_a_silent_walk_that_calls_an_agent_leaves_the_message_to_the_agent() -> None:
    bot = two_flows(FALLBACK, [a_node(1, "entry", {}, 2), a_node(2, "manual", {})], **QUIET)
    result = talk(bot, say("사람이요"))
    assert result.messages == []
    assert result.session is not None
    assert result.session.call["status"] == "waiting"


# ---- requests in one walk


def test_two_requests_in_one_walk_are_two_steps_and_the_second_sees_the_first() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_fetch(2, 3),
            a_response(3, "{{fetch.data.n}}", 4),
            a_fetch(4, 5, uri="https://example.com/{{fetch.data.n}}"),
            a_response(5, "{{fetch.data.n}}"),
        ]
    )
    said, _, asked = carried_through(bot, Opened(), answer_with(b'{"n": 1}'), answer_with(b'{"n": 2}'))
    assert said == ["1", "2"]
    assert isinstance(asked[1], HttpCall)
    assert asked[1].url == "https://example.com/1"


def test_what_failed_behind_a_request_leaves_the_keyboard_that_was_answered() -> None:
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_response(2, "?", 3),
            a_node(3, "keyboard", {"type": "buttons", "buttons": [{"label": "가"}]}, 4),
            a_fetch(4, 5),
            a_node(5, "response", {}),
        ]
    )
    opened = talk(bot, Opened())
    said, result, _ = carried_through(bot, say("가"), answer_with(b"{}"), session=stored(opened))
    assert said == [ERROR]
    assert stored(result).position == (1, 3)
    assert result.keyboard == opened.keyboard


def test_the_hundred_nodes_of_a_step_count_on_behind_requests() -> None:
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_fetch(2, 3), a_node(3, "parameter", {"set": []}, 2)])
    result = step(bot, None, Opened(), surroundings())
    requests = 0
    while result.effect is not None:
        requests += 1
        result = resume(bot, stored(result), answer_with(b"{}"), surroundings())
    assert texts(result) == [ERROR]
    assert requests == (MAX_NODES - 1 + 1) // 2


def test_a_walk_whose_node_is_gone_behind_a_request_falls_back() -> None:
    bot = two_flows(FALLBACK, [a_node(1, "entry", {}, 2), a_fetch(2, 3), a_response(3, "네")])
    other = two_flows(FALLBACK, [a_node(1, "entry", {})])
    asked = step(bot, None, Opened(), surroundings())
    assert texts(resume(other, stored(asked), answer_with(b"{}"), surroundings())) == ["폴백"]


# ---- opening again, expiry and agents


def test_opening_again_while_an_agent_is_there_does_not_wake_the_bot() -> None:
    bot = two_flows(FALLBACK, ASKING, **behavior(restoreNavigation=False))
    result = talk(bot, Opened(), AgentJoined(), Opened())
    assert result.messages == []
    assert result.session is not None
    assert result.session.call["status"] == "in_progress"


def test_opening_again_after_an_agent_is_done_shows_no_keyboard_and_says_nothing() -> None:
    result = talk(two_flows(FALLBACK, ASKING), Opened(), AgentJoined(), CallCompleted(), Opened())
    assert (result.messages, result.keyboard) == ([], None)


def test_a_conversation_with_an_agent_does_not_expire_even_while_the_agents_flow_runs() -> None:
    bot = two_flows(FALLBACK, [*ASKING, a_response(4, "반가워요")], **behavior(sessionTimeoutMinutes=1))
    session = stored(talk(bot, Opened(), AgentJoined(), StartAt(flow_id=1)))
    later = step(bot, session, say("지은"), surroundings(now_ms=NOW_MS + 10**9))
    assert [fact.name for fact in later.facts] == []
    assert texts(later) == ["반가워요"]


def test_an_agents_message_stops_the_flow_and_nothing_expires_or_answers() -> None:
    bot = two_flows(FALLBACK, ASKING)
    spoken = AgentMessage(data={"type": "text", "text": "제가 할게요"})
    assert talk(bot, Opened(), AgentJoined(), StartAt(flow_id=1), spoken, say("지은")).messages == []


# ---- back


def a_back_bot(**back: Any) -> Bot:
    return a_bot(
        {
            "flows": [
                {"id": 1, "nodes": [*ASKING, a_response(4, "둘", 5), a_node(5, "keyboard", {})]},
                {"id": 2, "nodes": [a_node(1, "entry", {}, 2), a_node(2, "back", back, 3), a_response(3, "갔어요")]},
            ],
            "preference": {"entryFlowId": 1, "fallbackFlowId": 2},
        }
    )


def test_back_to_a_place_that_is_gone_goes_to_the_fallback_flow() -> None:
    before = stored(talk(a_back_bot(), Opened(), say("지은")))
    before.back_stack[0] = "1/99"
    plain = [a_node(1, "entry", {}, (2, {"message": "뒤로"}), 3), a_node(2, "back", {}), a_response(3, "폴백")]
    bot = two_flows(plain, [*ASKING, a_response(4, "둘", 5), a_node(5, "keyboard", {}, (6, {"message": "뒤로"}))])
    assert texts(step(bot, before, say("뒤로"), surroundings())) == [ERROR], "the fallback flow goes back for ever"
    ending = [a_node(1, "entry", {}, 3), a_response(3, "폴백")]
    nodes = [
        *ASKING,
        a_response(4, "둘", 5),
        a_node(5, "keyboard", {}, (6, {"message": "뒤로"})),
        a_node(6, "back", {}),
    ]
    assert texts(step(two_flows(ending, nodes), before, say("뒤로"), surroundings())) == ["폴백"]


@pytest.mark.parametrize(
    ("count", "said"), [(0, ["둘"]), ("0", ["둘"]), (1, ["이름?"]), (1.9, ["이름?"]), (999, ["이름?"])]
)
def test_pop_takes_as_many_as_asked(count: Any, said: list[str]) -> None:
    assert texts(talk(a_back_bot(count=count), Opened(), say("지은"), say("뒤로"))) == said


@pytest.mark.parametrize("count", [-1, "많이", {}, None, ""])
def test_a_count_that_is_none_is_one(count: Any) -> None:
    assert texts(talk(a_back_bot(count=count), Opened(), say("지은"), say("뒤로"))) == ["이름?"]


def test_a_full_stack_pops_as_any_other() -> None:
    before = stored(talk(a_back_bot(), *[say("지은")] * 2))
    before.back_stack[:] = ["1/1"] * 48 + ["1/2", "1/4"]
    result = step(a_back_bot(), before, say("뒤로"), surroundings())
    assert texts(result) == ["이름?"]
    assert stored(result).back_stack == ["1/1"] * 47 + ["1/2"]


# ---- nothing to say, nothing to run


@pytest.mark.parametrize("flow", [{"id": 1, "nodes": []}, {"id": 1}, {"id": 1, "data": {"entry": 9}, "nodes": []}])
def test_a_flow_without_entry_is_an_error_that_the_trace_shows(flow: JsonObject) -> None:
    result = talk(a_bot({"flows": [flow], "preference": {"entryFlowId": 1}}), Opened())
    assert texts(result) == [ERROR]
    assert result.trace[0].to_json()["error"]["name"] == "FlowNotFound"
    assert "no flow" in result.trace[0].to_json()["error"]["message"]


@pytest.mark.parametrize("ids", [(1.0, "1", 2.0), ("1", 1.0, "2")])
def test_ids_may_be_numbers_written_as_floats_or_text(ids: tuple[Any, Any, Any]) -> None:
    flow, entry, node = ids
    bot = a_bot(
        {
            "flows": [
                {
                    "id": flow,
                    "data": {"entry": entry},
                    "nodes": [a_node(1, "entry", {}, node), {**a_response(2, "네"), "id": node}],
                }
            ],
            "preference": {"entryFlowId": flow},
        }
    )
    result = talk(bot, Opened())
    assert texts(result) == ["네"]
    assert result.session is not None
    assert result.session.position == (1, 2)


@pytest.mark.parametrize("key", ["empty", "error"])
@pytest.mark.parametrize("text", ["{{params.none}}", " ", "{{#if}}"])
def test_a_system_message_that_comes_to_nothing_is_ours(key: str, text: str) -> None:
    edges = (99,) if key == "error" else ()
    result = talk(a_bot(nodes=[a_node(1, "entry", {}, *edges)], systemMessage={key: text}), Opened())
    assert texts(result) == [ERROR if key == "error" else EMPTY]


def test_a_welcome_without_a_keyboard_leaves_the_next_message_to_the_fallback_flow() -> None:
    bot = two_flows(FALLBACK, [a_node(1, "entry", {}, 2), a_response(2, "어서 오세요")])
    assert texts(talk(bot, Opened(), say("안녕"))) == ["폴백"]


# ---- deadlines


class Clock:
    """A clock that the requests move on."""

    def __init__(self) -> None:
        self.now_ns = 0

    def around(self, deadline_ns: int) -> Surroundings:
        return surroundings(clock_ns=lambda: self.now_ns, deadline_ns=deadline_ns)


def test_a_deadline_reached_during_a_request_ends_the_walk_with_the_error_message() -> None:
    bot = a_bot(
        nodes=[a_node(1, "entry", {}, 2), a_response(2, "잠시만요", 3), a_fetch(3, 4), a_response(4, "늦은 답")]
    )
    clock = Clock()
    asked = step(bot, None, Opened(), clock.around(4_000_000_000))
    clock.now_ns = 4_000_000_001
    late = resume(bot, stored(asked), answer_with(b"{}"), clock.around(4_000_000_000))
    assert texts(asked) + texts(late) == ["잠시만요", ERROR]
    assert stored(late).results["fetch"]["status"] == "COMPLETED"


# ---- the trace


def test_the_trace_has_id_time_data_changes_messages_and_error_of_every_node() -> None:
    ticks = iter(range(0, 10**12, 1_000_000))
    items = [{"key": "who", "value": "{{userKey}}"}]
    bot = a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, "parameter", {"set": items}, 3),
            a_response(3, "{{params.who}}", 4),
            a_node(4, "keyboard", {}, (99, {"message": {"equals": "고장"}})),
        ]
    )
    opened = step(bot, None, Opened(), surroundings(clock_ns=lambda: next(ticks)))
    _, parameter, response, _ = [entry.to_json() for entry in opened.trace]
    assert parameter["data"] == {"set": [{"key": "who", "value": "user-1"}]}
    assert parameter["changes"] == {"params.who": "user-1", "parameter": {"status": "COMPLETED"}}
    assert (parameter["flowId"], parameter["nodeId"], parameter["type"]) == (1, 2, "parameter")
    assert response["messages"] == [{"type": "text", "text": "user-1"}]
    answered = step(bot, stored(opened), say("고장"), surroundings(clock_ns=lambda: next(ticks)))
    (keyboard,) = [entry.to_json() for entry in answered.trace]
    assert keyboard["edge"] == 0
    assert keyboard["error"] == {"name": "NodeNotFound", "message": "no node 99 in flow 1"}
    assert keyboard["messages"] == [{"type": "text", "text": ERROR}]
    assert all(entry.nanoseconds > 0 for entry in [*opened.trace, *answered.trace])


def test_a_removed_parameter_is_a_change_to_null_in_the_trace() -> None:
    items = [{"key": "old", "value": None}]
    bot = a_bot(nodes=[a_node(1, "entry", {}, 2), a_node(2, "parameter", {"set": items}, 3), a_response(3, "네")])
    result = talk(bot, Opened(), params={"old": "x"})
    assert result.trace[1].to_json()["changes"]["params.old"] is None


def test_the_message_is_the_last_one_said_through_openings_and_starts_from_outside() -> None:
    bot = two_flows([a_node(1, "entry", {}, 2), a_response(2, "{{message}}|{{message.payload.n}}")], ASKING)
    tap = UserMessage(data={"type": "text", "text": "하나", "payload": {"n": 1}})
    assert texts(talk(bot, Opened(), tap, Opened(), StartAt(flow_id=2))) == ["하나|1"]


@pytest.mark.parametrize(
    ("where", "note"),
    [
        ({"message": {"sounds_like": "하나"}}, "sounds_like"),
        ({"message": {"regex": "(a+)+$"}}, "time"),
        ({"message": {"regex": "("}}, "unterminated"),
    ],
)
def test_a_condition_that_could_not_be_judged_does_not_hold_and_the_trace_says_so(where: JsonObject, note: str) -> None:
    nodes = [a_node(1, "entry", {}, 2), a_response(2, "?", 3), a_node(3, "keyboard", {}, (4, where), 5)]
    bot = a_bot(nodes=[*nodes, a_response(4, "맞아요"), a_response(5, "몰라요")])
    result = talk(bot, Opened(), say("a" * 1_999 + "b"))
    assert texts(result) == ["몰라요"]
    assert any(note in said for said in result.trace[0].notes)


def test_an_agent_who_speaks_takes_the_keyboard_of_the_stopped_flow_away() -> None:
    bot = two_flows(FALLBACK, ASKING)
    started = talk(bot, Opened(), AgentJoined(), StartAt(flow_id=1))
    assert started.keyboard is not None
    spoken = AgentMessage(data={"type": "text", "text": "제가 할게요"})
    assert talk(bot, Opened(), AgentJoined(), StartAt(flow_id=1), spoken).keyboard is None
