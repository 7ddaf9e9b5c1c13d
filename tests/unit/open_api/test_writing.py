"""Each writing call is one turn of the log: said once, in order, to the conversation that was meant."""

from typing import Any

import pytest

from shared.conversation.turn import Turn
from shared.engine.inbound import Opened
from shared.engine.walk import PARAMS_LIMIT
from shared.ids import end_user_id
from shared.services.advance import MAX_WAITING, Advance
from tests.open_api_world import GREETING, OpenApiWorld

NEWS = {"message": {"type": "text", "text": "배송이 시작됐어요"}}
PROFILE = {"displayName": "박상담", "picture": "https://a.example/p.png"}
AGENT = {"id": "park", "profile": PROFILE}


def talking(world: OpenApiWorld, platform: str = "web") -> str:
    """The path of a conversation that has begun."""
    world.says("안녕", platform)
    return f"/openapi/conversation/{world.conversation_id(platform)}"


def names(turn: Turn) -> list[str]:
    return [event["event"] for event in turn.events]


# ---- parameters


def test_parameters_are_set_and_removed_in_one_turn_with_its_events(world):
    path = talking(world)
    assert world.ok("PUT", path, {"params": {"grade": "vip", "age": 3}})["params"] == {"grade": "vip", "age": 3}
    changed = world.ok("PUT", path, {"params": {"age": None}})
    assert changed["params"] == {"grade": "vip"}
    assert changed == world.get(path)
    assert len(world.log()) == 3
    assert names(world.log()[1]) == ["bot.conversation.updated", "bot.end_user.updated"]


def test_parameters_that_take_too_much_together_are_refused_and_nothing_is_written(world):
    path = talking(world)
    world.ok("PUT", path, {"params": {"a": "x" * (PARAMS_LIMIT // 2)}})
    refusal = world.refused("PUT", path, {"params": {"b": "x" * (PARAMS_LIMIT // 2)}})
    assert refusal[:2] == (400, "invalid_input")
    assert len(world.log()) == 2
    assert world.ok("PUT", path, {"params": {"a": None}})["params"] == {}


# ---- calls for an agent


@pytest.mark.parametrize(
    ("request_", "connect", "complete"),
    [("request", "connect", "complete"), ("REQUESTED", "CONNECTED", "DISCONNECTED")],
)
def test_a_call_goes_its_way_in_our_words_and_in_closers(world, request_, connect, complete):
    path = talking(world) + "/manual"
    assert world.ok("PUT", path, {"status": request_})["status"] == "REQUESTED"
    assert world.says("여보세요") == []
    connected = world.ok("PUT", path, {"status": connect, "agent": AGENT})
    assert (connected["status"], connected["agent"]) == ("CONNECTED", AGENT)
    assert world.ok("PUT", path, {"status": complete}) == {**connected, "status": "DISCONNECTED", "agent": None}
    assert world.get(path)["status"] == "DISCONNECTED"
    assert world.says("네") == ["안녕하세요"]
    told = [name.rpartition("agent_call_")[2] for turn in world.log() for name in names(turn) if "agent_call" in name]
    assert told == ["requested", "connected", "disconnected"]


def test_a_call_that_nobody_takes_is_cancelled_and_the_bot_goes_on(world):
    path = talking(world) + "/manual"
    world.ok("PUT", path, {"status": "request"})
    assert world.ok("PUT", path, {"status": "cancel"})["status"] == "CANCELLED"
    assert world.says("네") == ["들었어요: 네"]


def test_what_does_not_apply_changes_nothing(world):
    path = talking(world) + "/manual"
    for status in ("cancel", "complete"):
        assert world.ok("PUT", path, {"status": status})["status"] is None
    world.ok("PUT", path, {"status": "connect", "agent": AGENT})
    assert world.ok("PUT", path, {"status": "request"})["status"] == "CONNECTED"
    assert world.ok("PUT", path, {"status": "connect", "agent": {"id": "other"}})["agent"] == AGENT


# ---- messages


def test_a_message_of_the_bot_is_told_in_its_event(world):
    path = talking(world)
    status, message = world.call("POST", f"{path}/message", {**NEWS, "meta": {"custom": {"a": 1}}})
    assert status == 201
    (event,) = world.log()[-1].events
    assert (event["event"], event["data"]["message"]) == ("bot.message.sent", message)
    assert (message["isUser"], message["data"], message["meta"]) == (False, NEWS["message"], {"custom": {"a": 1}})
    assert "requestId" not in message
    assert world.says("네") == ["들었어요: 네"]


@pytest.mark.parametrize(
    ("speaker", "persona"),
    [
        ({"agent": AGENT}, {"id": "park", **PROFILE}),
        (
            {"sender": {"userKey": "park", "platform": "closer-chat"}},
            {"id": "park", "displayName": None, "picture": None},
        ),
        ({"sender": {"userKey": "park"}}, {"id": "park", "displayName": None, "picture": None}),
    ],
)
def test_a_message_of_an_agent_takes_the_conversation_over(world, speaker, persona):
    path = talking(world)
    message = world.ok("POST", f"{path}/message", {**NEWS, **speaker})
    assert message["meta"] == {"sender": {"userKey": "park", "platform": "closer-chat"}, "persona": persona}
    assert message["requestId"] == message["id"]
    assert world.get(f"{path}/manual")["status"] == "CONNECTED"
    assert world.says("네") == []


MESSAGES: list[dict[str, Any]] = [
    {"type": "text", "text": "가" * 1_000, "buttons": [{"type": "link", "label": "전화", "uri": "tel:02-123-4567"}]},
    {"type": "media", "media": {"contentType": "video", "uri": "https://a.example/v.mp4"}},
    {
        "type": "cards",
        "cards": [
            {
                "title": "장미",
                "description": "한 송이",
                "media": {"contentType": "image", "uri": "http://a.example/1.png", "altText": "장미"},
                "buttons": [
                    {"type": "goto", "label": "주문", "flowId": 3, "nodeId": 1},
                    {"type": "postback", "label": "더", "payload": "more"},
                ],
            }
        ],
    },
    {"type": "location", "location": {"title": "가게", "latitude": 37.5, "longitude": -127}},
]


@pytest.mark.parametrize("message", MESSAGES, ids=[message["type"] for message in MESSAGES])
def test_every_kind_of_message_is_said_as_it_was_given(world, message):
    path = talking(world)
    assert world.ok("POST", f"{path}/message", {"message": message})["data"] == message
    assert world.get(f"{path}/message", limit=1)["items"][0]["data"] == message


def test_templates_in_a_message_are_only_text(world):
    path = talking(world)
    text = "{{params.secret}} {{#if}} ${7*7}"
    assert world.ok("POST", f"{path}/message", {"message": {"text": text}})["data"]["text"] == text


def test_a_message_goes_to_an_end_user_by_id_or_by_key(world):
    talking(world)
    by_id = world.ok("POST", "/openapi/message", {**NEWS, "endUserId": end_user_id("shop", "web", "kim")})
    by_key = world.ok("POST", "/openapi/message", {**NEWS, "botId": "shop", "platform": "web", "userKey": "kim"})
    assert by_id["conversationId"] == by_key["conversationId"] == world.conversation_id()
    assert len(world.log()) == 3


def test_a_message_to_somebody_who_never_came_begins_their_conversation(world):
    message = world.ok("POST", "/openapi/message", {**NEWS, "botId": "shop", "platform": "web", "userKey": "new"})
    assert message["endUserId"] == end_user_id("shop", "web", "new")
    (turn,) = world.log(user_key="new")
    assert names(turn)[:3] == ["bot.end_user.created", "bot.conversation.created", "bot.message.sent"]
    assert [text["data"]["text"] for text in world.hear(Opened(), user_key="new").messages] == ["안녕하세요"]


def test_nobody_is_written_to_by_an_id_that_nobody_has(world):
    body = {**NEWS, "endUserId": end_user_id("shop", "web", "nobody")}
    assert world.refused("POST", "/openapi/message", body)[:2] == (404, "not_found")


# ---- navigation


def test_a_conversation_goes_on_at_a_flow_or_node(world):
    path = talking(world)
    moved = world.ok("PUT", f"{path}/navigation", {"flowId": 2})
    assert [message["data"]["type"] for message in moved["messages"]] == ["text"]
    assert moved["conversation"]["navigation"]["current"]["flowId"] == 2
    assert moved["conversation"]["context"]["manual"] == {"status": "REQUESTED"}
    (message,) = world.ok("PUT", f"{path}/navigation", {"flowId": 1, "nodeId": 2})["messages"]
    assert message == world.get(f"{path}/message", limit=1)["items"][0]


@pytest.mark.parametrize(("place", "named"), [({"flowId": 9}, "flowId"), ({"flowId": 1, "nodeId": 99}, "nodeId")])
def test_a_place_that_the_bot_has_not_is_refused(world, place, named):
    path = talking(world)
    assert f"body.{named}" in world.refused("PUT", f"{path}/navigation", place)[2]
    assert len(world.log()) == 1


def test_a_walk_that_needs_the_world_is_finished_by_the_worker(world):
    path = talking(world)
    assert world.call("PUT", f"{path}/navigation", {"flowId": 3}) == (202, {"pending": True})
    assert world.company.calls == []
    assert world.queue.jobs == [("shop", "web", "kim")]
    world.work()
    assert len(world.company.calls) == 1
    texts = [message["data"]["text"] for message in world.get(f"{path}/message", limit=2)["items"]]
    assert texts == ["됐어요: COMPLETED", "잠시만요"]


def test_what_meets_a_walk_waits_for_it_and_happens_in_order(world):
    path = talking(world)
    world.call("PUT", f"{path}/navigation", {"flowId": 3})
    assert world.call("POST", f"{path}/message", NEWS, idempotency_key="n") == (202, {"pending": True})
    assert world.call("PUT", path, {"params": {"a": 1}}) == (202, {"pending": True})
    assert world.call("PUT", f"{path}/manual", {"status": "request"}) == (202, {"pending": True})
    assert world.call("POST", f"{path}/message", NEWS, idempotency_key="n") == (202, {"pending": True})
    world.work()
    texts = [message["data"]["text"] for message in world.get(f"{path}/message", order="asc")["items"]]
    assert texts == ["안녕", "안녕하세요", "잠시만요", "됐어요: COMPLETED", NEWS["message"]["text"]]
    assert world.get(path)["params"] == {"a": 1}
    assert world.get(f"{path}/manual")["status"] == "REQUESTED"
    status, message = world.call("POST", f"{path}/message", NEWS, idempotency_key="n")
    assert (status, message["data"]) == (201, NEWS["message"])


def test_when_the_queue_does_not_answer_the_end_users_next_message_finishes_the_walk(world):
    path = talking(world)
    world.call("PUT", f"{path}/navigation", {"flowId": 3})
    world.queue.jobs.clear()
    world.says("아직인가요")
    assert world.queue.jobs == [("shop", "web", "kim")]


# ---- resends and races


@pytest.mark.parametrize(
    ("method", "part", "body"),
    [
        ("PUT", "", {"params": {"a": 1}}),
        ("PUT", "/manual", {"status": "request"}),
        ("POST", "/message", NEWS),
        ("PUT", "/navigation", {"flowId": 1}),
    ],
)
def test_a_call_that_comes_again_is_answered_as_the_first_time(world, method, part, body):
    path = talking(world) + part
    first = world.call(method, path, body, idempotency_key="k")
    world.says("그사이")
    assert world.call(method, path, body, idempotency_key="k") == first
    assert len(world.log()) == 3
    world.call(method, path, body)
    assert len(world.log()) == 4


def test_one_key_on_two_kinds_of_calls_names_two_calls(world):
    path = talking(world)
    world.ok("PUT", path, {"params": {"a": 1}}, idempotency_key="k")
    world.ok("POST", f"{path}/message", NEWS, idempotency_key="k")
    assert len(world.log()) == 3


def test_two_writers_at_once_are_both_heard(world):
    path = talking(world)

    def slip_in(turn):
        world.turns.before_append = lambda turn: None
        world.says("먼저요")

    world.turns.before_append = slip_in
    changed = world.ok("PUT", path, {"params": {"a": 1}})
    assert changed["params"] == {"a": 1}
    assert [turn.inbound["data"]["text"] if turn.inbound else None for turn in world.log()] == ["안녕", "먼저요", None]


def test_a_conversation_that_ends_between_read_and_write_is_over(world):
    preference = {**GREETING["preference"], "sessionBehavior": {"sessionTimeoutMinutes": 1}}
    world.publish({**GREETING, "preference": preference})
    path = talking(world)
    world.ms += 59_999

    def slip_in(turn):
        world.turns.before_append = lambda turn: None
        world.ms += 2
        world.says("돌아왔어요")

    world.turns.before_append = slip_in
    assert world.refused("PUT", path, {"params": {"a": 1}})[:2] == (409, "conversation_over")
    assert len(world.log()) == 2


CALLS = [
    ("PUT", "", {"params": {"a": 1}}),
    ("PUT", "/manual", {"status": "request"}),
    ("POST", "/message", NEWS),
    ("PUT", "/navigation", {"flowId": 1}),
]


@pytest.mark.parametrize(("method", "part", "body"), CALLS)
@pytest.mark.parametrize("came_back", [False, True])
def test_a_conversation_that_is_over_is_not_written_to(world, method, part, body, came_back):
    preference = {**GREETING["preference"], "sessionBehavior": {"sessionTimeoutMinutes": 1}}
    world.publish({**GREETING, "preference": preference})
    path = talking(world)
    world.ms += 60_001
    if came_back:
        world.says("다시 왔어요")
    turns = len(world.log())
    assert world.refused(method, path + part, body)[:2] == (409, "conversation_over")
    assert len(world.log()) == turns


@pytest.mark.parametrize(("method", "part", "body"), CALLS)
def test_a_bot_that_was_deleted_meanwhile_is_not_written_to(world, method, part, body):
    path = talking(world)
    world.authoring.delete("shop")
    world.ms += 5_000
    assert world.refused(method, path + part, body)[:2] == (404, "not_found")
    assert len(world.log()) == 1


# ---- KakaoTalk, where nobody can be written to


def test_what_is_said_on_kakaotalk_goes_out_once_with_the_next_answer_in_order(world):
    path = talking(world, "kakao")
    for number in range(3):
        body = {"message": {"text": f"소식 {number}"}}
        assert world.call("POST", f"{path}/message", body, idempotency_key=f"k{number}")[0] == 201
    assert world.call("POST", f"{path}/message", {"message": {"text": "소식 2"}}, idempotency_key="k2")[0] == 201
    assert world.says("네", "kakao") == ["소식 0", "소식 1", "소식 2", "들었어요: 네"]
    assert world.says("또", "kakao") == ["들었어요: 또"]


def test_what_is_owed_already_is_not_read_when_more_is_said(world, monkeypatch):
    path = talking(world, "kakao")
    world.ok("POST", f"{path}/message", NEWS)
    read: list[int] = []
    load = Advance.load

    def count(advance, request, revisions):
        read.extend(revisions)
        return load(advance, request, revisions)

    monkeypatch.setattr(Advance, "load", count)
    world.ok("POST", f"{path}/message", NEWS)
    assert read == []


def test_what_says_nothing_is_not_owed(world):
    path = talking(world, "kakao")
    world.ok("PUT", path, {"params": {"a": 1}})
    world.ok("PUT", f"{path}/manual", {"status": "request"})
    world.ok("PUT", f"{path}/manual", {"status": "cancel"})
    assert world.log("kakao")[-1].state.unfinished.owed == ()
    assert world.says("네", "kakao") == ["들었어요: 네"]


def test_an_agent_on_kakaotalk_is_heard_with_the_end_users_next_words(world):
    path = talking(world, "kakao")
    world.ok("POST", f"{path}/message", {**NEWS, "agent": AGENT})
    assert world.says("네", "kakao") == [NEWS["message"]["text"]]
    assert world.says("감사합니다", "kakao") == []


def test_a_walk_started_on_kakaotalk_is_finished_by_the_worker_and_goes_out_with_the_next_answer(world):
    path = talking(world, "kakao")
    assert world.call("PUT", f"{path}/navigation", {"flowId": 3})[0] == 202
    world.work("kakao")
    assert len(world.company.calls) == 1
    assert world.says("네", "kakao") == ["잠시만요", "됐어요: COMPLETED", "됐어요: COMPLETED"]


def test_the_rest_of_an_answer_stays_on_offer_while_something_is_done_from_outside(world):
    world.next_index = 3
    path = talking(world, "kakao")
    for method, part, body in (("PUT", "", {"params": {"a": 1}}), ("POST", "/message", NEWS)):
        world.ok(method, path + part, body)
        assert world.log("kakao")[-1].state.offer == {"revision": 1, "index": 3}


def test_somebody_on_kakaotalk_who_does_not_come_back_is_written_to_only_so_often(world):
    path = talking(world, "kakao")
    for _ in range(MAX_WAITING):
        world.ok("POST", f"{path}/message", NEWS)
    assert world.refused("POST", f"{path}/message", NEWS)[:2] == (409, "conflict")
    assert world.ok("PUT", path, {"params": {"a": 1}})["params"] == {"a": 1}
    assert len(world.says("네", "kakao")) == MAX_WAITING + 1
    assert world.call("POST", f"{path}/message", NEWS)[0] == 201
