"""The web chat, frame by frame."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.channels.web.frames import MAX_FRAME, frame_bytes
from shared.channels.web.settings import WebSettings
from shared.channels.web.tokens import LEEWAY_S, LIFETIME_S, Claims
from shared.conversation.turn import Turn
from shared.engine.inbound import AgentJoined, AgentMessage, CallCompleted
from shared.errors import Unavailable
from shared.services.web_chat import MAX_SENT
from shared.usage.limits import UsageLimits
from tests.web_world import SHOP, WebWorld, texts

START = {"type": "start"}
ORDER = {"type": "navigate", "flowId": 3, "clientId": "order"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> WebWorld:
    return WebWorld(monkeypatch)


def heard(world: WebWorld) -> Any:
    """What the end user said last."""
    inbound = world.newest().inbound
    assert inbound is not None
    return inbound["data"]


def events(turn: Turn) -> list[str]:
    return [event["event"].removeprefix("bot.") for event in turn.events]


# ---- start


def test_starting_welcomes_somebody_new(world: WebWorld) -> None:
    answer = world.send({**START, "params": {"page": "cart", "none": None}})
    assert (answer["type"], answer["rev"], texts(answer)) == ("context", 1, ["안녕하세요"])
    context = answer["context"]
    assert context["platform"] == "web"
    assert context["userKey"] == "kim"
    assert context["endUserId"] == world.token().end_user_id
    assert context["conversationId"] == world.conversation_id()
    assert context["params"] == {"page": "cart"}
    assert answer["keyboard"]["position"] == [1, 3]
    assert answer["call"] == {"status": "none"}
    assert answer["messages"][0]["rev"] == 1


def test_starting_an_open_conversation_writes_nothing_and_shows_what_was_said_last(world: WebWorld) -> None:
    world.send(START)
    world.say("장미")
    answer = world.send(START)
    assert (answer["rev"], texts(answer)) == (2, ["안녕하세요", "> 장미", "들었어요: 장미"])
    assert len(world.log()) == 2


def test_starting_with_a_revision_shows_what_came_after_it(world: WebWorld) -> None:
    world.send(START)
    world.say("장미")
    assert texts(world.send({**START, "rev": 1})) == ["> 장미", "들었어요: 장미"]
    assert texts(world.send({**START, "rev": 2})) == []


def test_two_tabs_that_start_at_once_are_welcomed_once(world: WebWorld) -> None:
    def other_tab(turn: Turn) -> None:
        world.turns.before_append = lambda turn: None
        world.send(START)

    world.turns.before_append = other_tab
    answer = world.send(START)
    assert (answer["rev"], texts(answer)) == (1, ["안녕하세요"])
    assert len(world.log()) == 1


def test_restarting_ends_the_conversation_and_begins_another(world: WebWorld) -> None:
    first = world.send({**START, "params": {"old": 1}})["context"]["conversationId"]
    answer = world.send({**START, "restart": True, "params": {"new": 1}})
    assert texts(answer) == ["안녕하세요"]
    assert answer["context"]["conversationId"] != first
    assert answer["context"]["params"] == {"new": 1}
    assert events(world.newest())[:2] == ["conversation.deleted", "conversation.created"]
    assert world.newest().events[0]["data"]["conversation"]["id"] == first


def test_a_restart_that_is_sent_again_is_the_same_one(world: WebWorld) -> None:
    world.send(START)
    frame = {**START, "restart": True, "clientId": "again"}
    first = world.send(frame)["context"]["conversationId"]
    assert world.send(frame)["context"]["conversationId"] == first
    assert len(world.log()) == 2


def test_where_nobody_is_welcomed_starting_writes_nothing(world: WebWorld) -> None:
    behavior = {"welcomeOnSessionStart": False}
    world.publish({**SHOP, "preference": {"entryFlowId": 1, "sessionBehavior": behavior}})
    world.set_web(WebSettings(enabled=True))
    answer = world.send(START)
    assert (answer["rev"], answer["context"]["conversationId"], texts(answer)) == (0, None, [])
    assert world.log() == []


def test_where_nobody_is_welcomed_parameters_are_there_before_the_first_message(world: WebWorld) -> None:
    behavior = {"welcomeOnSessionStart": False, "welcomeOnMessageWithoutSession": False}
    world.publish({**SHOP, "preference": {"entryFlowId": 1, "sessionBehavior": behavior}})
    world.set_web(WebSettings(enabled=True))
    assert world.send({**START, "params": {"page": "cart"}})["context"]["params"] == {"page": "cart"}
    assert texts(world.say("장미")) == ["> 장미", "들었어요: 장미"]
    session = world.newest().state.session
    assert session is not None
    assert session.params == {"page": "cart"}


def test_a_restart_where_nobody_is_welcomed_begins_a_silent_conversation(world: WebWorld) -> None:
    world.publish({**SHOP, "preference": {"entryFlowId": 1, "sessionBehavior": {"welcomeOnSessionStart": False}}})
    world.set_web(WebSettings(enabled=True))
    world.say("장미")
    first = world.conversation_id()
    answer = world.send({**START, "restart": True, "params": {"page": "cart"}})
    assert texts(answer) == []
    assert answer["context"]["conversationId"] not in (None, first)
    assert answer["context"]["params"] == {"page": "cart"}


# ---- message


def test_the_answer_to_a_message_is_its_acknowledgement(world: WebWorld) -> None:
    world.send(START)
    answer = world.say("장미", "c-1")
    assert (answer["type"], answer["rev"], answer["since"], answer["clientId"]) == ("messages", 2, 1, "c-1")
    assert texts(answer) == ["> 장미", "들었어요: 장미"]
    assert [message["rev"] for message in answer["messages"]] == [2, 2]
    assert answer["messages"][0]["requestId"] == answer["messages"][0]["id"]
    assert answer["conversationId"] == world.conversation_id()


def test_a_message_that_is_sent_again_is_stored_once_and_answered_the_same(world: WebWorld) -> None:
    world.send(START)
    first = world.say("장미", "c-1")
    world.say("튤립", "c-2")
    assert world.say("장미", "c-1") == first
    assert len(world.log()) == 3


def test_a_pressed_button_carries_its_payload_as_a_value(world: WebWorld) -> None:
    data = {"type": "text", "text": "주문", "payload": '{"item": 3}'}
    world.send({"type": "message", "clientId": "c", "data": data})
    assert heard(world)["payload"] == {"item": 3}


def test_a_reply_that_takes_longer_is_acknowledged_and_comes_as_a_later_turn(world: WebWorld) -> None:
    world.send(START)
    world.ms += 2_000
    ack = world.send(ORDER, budget_ns=1)
    assert ack == {"type": "ack", "clientId": "order", "rev": 2}
    assert world.send(ORDER, budget_ns=1) == ack
    assert world.say("거기 있어요?", "c-9") == {"type": "ack", "clientId": "c-9", "rev": 3}
    world.work()
    later = world.send({"type": "sync", "rev": 1})
    assert texts(later) == ["> 거기 있어요?", "잠시만요", "됐어요: COMPLETED", "됐어요: COMPLETED"]


def test_an_answer_of_two_turns_holds_both(world: WebWorld) -> None:
    world.send(START)
    world.ms += 2_000
    answer = world.send({**ORDER, "data": {"type": "text", "text": "주문하기"}})
    assert (answer["rev"], answer["since"]) == (3, 1)
    assert texts(answer) == ["> 주문하기", "잠시만요", "됐어요: COMPLETED"]
    assert [message["rev"] for message in answer["messages"]] == [2, 3, 3]


def test_the_brand_line_stands_under_the_bots_last_word_and_not_under_the_end_users(world: WebWorld) -> None:
    limits = UsageLimits(quota=1, brand_line="말길로 만들었습니다", over_month=202611)
    world.set_web(WebSettings(enabled=True), limits=limits)
    assert texts(world.say("장미")) == ["> 장미", "안녕하세요\n\n말길로 만들었습니다"]
    assert texts(world.send({"type": "sync", "rev": 0})) == ["> 장미", "안녕하세요\n\n말길로 만들었습니다"]
    world.from_outside(AgentMessage(data={"type": "text", "text": "안녕"}, agent={"id": "lee"}))
    assert texts(world.say("네")) == ["> 네"]


# ---- agents


def test_frames_say_who_is_here(world: WebWorld) -> None:
    world.send(START)
    agent = {"id": "lee", "profile": {"displayName": "이상담", "email": "x@y.z"}}
    world.from_outside(AgentJoined(agent=agent))
    answer = world.say("네")
    known = {"id": "lee", "displayName": "이상담", "picture": None}
    assert answer["call"] == {"status": "in_progress", "agent": known}
    world.from_outside(CallCompleted())
    assert world.send({"type": "sync", "rev": 9})["call"] == {"status": "completed"}


def test_the_bot_goes_nowhere_beside_an_agent_unless_it_is_forced(world: WebWorld) -> None:
    world.send(START)
    world.from_outside(AgentJoined(agent={"id": "lee"}))
    refused = world.send({"type": "navigate", "flowId": 1})
    assert (refused["code"], refused["retryable"]) == ("conflict", False)
    assert texts(world.send({"type": "navigate", "flowId": 1, "force": True})) == ["안녕하세요"]


# ---- parameters


def test_parameters_are_set_and_removed(world: WebWorld) -> None:
    world.send({**START, "params": {"a": 1, "b": 2}})
    answer = world.send({"type": "params", "params": {"a": None, "c": {"d": 3}}})
    assert (answer["type"], answer["rev"], texts(answer)) == ("messages", 2, [])
    assert world.send({"type": "sync", "rev": 2})["context"]["params"] == {"b": 2, "c": {"d": 3}}


def test_parameters_need_a_conversation_and_room(world: WebWorld) -> None:
    assert world.send({"type": "params", "params": {"a": 1}})["code"] == "not_started"
    world.send({**START, "params": {"a": "x" * 30_000}})
    world.send({"type": "params", "params": {"b": "x" * 30_000}})
    refused = world.send({"type": "params", "params": {"c": "x" * 30_000}})
    assert refused["code"] == "invalid_input"
    assert "params" in refused["message"]
    assert len(world.log()) == 2


# ---- sync and history


def test_what_was_missed_comes_in_order_with_what_is_true_now(world: WebWorld) -> None:
    world.send(START)
    for text in ("하나", "둘", "셋"):
        world.say(text)
    answer = world.send({"type": "sync", "rev": 2})
    assert (answer["rev"], "more" in answer) == (4, False)
    assert texts(answer) == ["> 둘", "들었어요: 둘", "> 셋", "들었어요: 셋"]
    assert texts(world.send({"type": "sync", "rev": 4})) == []
    assert texts(world.send({"type": "sync", "rev": 99})) == []


def test_a_long_absence_is_made_up_for_in_parts_that_fit_into_frames(world: WebWorld) -> None:
    world.send(START)
    said = [f"{number}번째 {'말' * 200}" for number in range(40)]
    for text in said:
        world.say(text)
    rev, found = 1, []
    for _ in range(40):
        answer = world.send({"type": "sync", "rev": rev})
        assert len(frame_bytes(answer)) <= MAX_FRAME
        assert answer["rev"] > rev
        rev = answer["rev"]
        found += [text.removeprefix("> ") for text in texts(answer) if text.startswith("> ")]
        if not answer.get("more"):
            break
    assert found == said
    assert rev == 41


def test_what_is_too_large_for_a_frame_is_marked_and_had_over_http(world: WebWorld) -> None:
    world.send(START)
    world.ms += 2_000
    answer = world.send({"type": "navigate", "flowId": 4})
    assert len(frame_bytes(answer)) <= MAX_FRAME
    cut = [message for message in answer["messages"] if message.get("tooLarge")]
    assert cut
    assert len(answer["messages"]) == 19
    assert not any("data" in message for message in cut)
    assert texts(world.chat.missed(world.token(), 1)) == ["가" * 1_000] * 18 + ["끝"]


def test_history_is_read_back_in_pages(world: WebWorld) -> None:
    world.send(START)
    for number in range(12):
        world.say(str(number))
    pages: list[Any] = []
    before = None
    while True:
        page = world.chat.history(world.token(), before, 5)
        assert len(page["items"]) <= 5
        pages.insert(0, [message["data"]["text"] for message in page["items"]])
        before = page["rev"]
        if not page["more"]:
            break
    assert [text for page in pages for text in page] == [
        "안녕하세요",
        *[text for number in range(12) for text in (str(number), f"들었어요: {number}")],
    ]


def test_somebody_who_never_came_has_no_history(world: WebWorld) -> None:
    assert world.chat.history(world.token("nobody")) == {"items": [], "rev": 1, "more": False}
    assert world.send({"type": "sync", "rev": 0}, "nobody")["rev"] == 0


def test_nobody_reads_what_was_said_before_they_were_erased(world: WebWorld) -> None:
    world.send(START)
    world.say("비밀")
    erased = world.newest()
    tombstone = replace(
        erased,
        revision=3,
        commit="00000000-0000-4000-8000-00000000dead",
        inbound=None,
        messages=[],
        events=[],
        erases="e",
        state=replace(erased.state, session=None, first_contact_ms=0, recent=()),
    )
    world.turns.append(tombstone)
    assert texts(world.send({"type": "sync", "rev": 0})) == []
    assert world.chat.history(world.token())["items"] == []
    world.say("다시 왔어요")
    assert texts(world.send({"type": "sync", "rev": 0})) == ["> 다시 왔어요", "안녕하세요"]
    page = world.chat.history(world.token())
    assert [message["rev"] for message in page["items"]] == [4, 4]
    assert page["more"] is False


def test_a_ping_tells_the_newest_revision(world: WebWorld) -> None:
    assert world.send({"type": "ping"}) == {"type": "pong", "rev": 0}
    world.send(START)
    assert world.send({"type": "ping"}) == {"type": "pong", "rev": 1}


# ---- typing, reading


def test_typing_is_told_to_the_other_sockets_and_not_too_often(world: WebWorld) -> None:
    mine = world.sockets.connect(world.token(), "mine")
    other = world.sockets.connect(world.token(), "other")
    stranger = world.sockets.connect(world.token("lee"), "stranger")
    for _ in range(3):
        assert world.send({"type": "typing"}, connection_id=mine) == {}
    world.ms += 2_000
    world.send({"type": "typing"}, connection_id=mine)
    assert world.sockets.sent == {mine: [], other: [{"type": "typing", "by": "user"}] * 2, stranger: []}
    assert world.log() == []


def test_typing_never_fails(world: WebWorld) -> None:
    world.sockets.fails = True
    assert world.send({"type": "typing"}) == {}
    assert len(world.reports) == 1


def test_reading_writes_nothing(world: WebWorld) -> None:
    world.send(START)
    assert world.send({"type": "read", "rev": 1}) == {}
    assert len(world.log()) == 1


# ---- refusals


def test_a_fast_sender_is_stopped_told_when_and_goes_on_then(world: WebWorld) -> None:
    world.send(START)
    world.ms = world.ms // 10_000 * 10_000 + 10_000
    message = {"type": "message", "data": {"type": "text", "text": "빨리"}}
    answers = [world.send({**message, "clientId": str(number)}) for number in range(MAX_SENT + 3)]
    assert [answer["type"] for answer in answers] == ["messages"] * (MAX_SENT + 1) + ["error"] * 2
    stopped = answers[-1]
    assert (stopped["code"], stopped["retryable"], stopped["retryAfterMs"]) == ("rate_limited", True, 10_000)
    assert stopped["clientId"] == str(MAX_SENT + 2)
    assert world.send({**message, "clientId": str(MAX_SENT)})["type"] == "messages"  # a resend costs nothing
    world.ms += stopped["retryAfterMs"]
    assert world.send({**message, "clientId": stopped["clientId"]})["type"] == "messages"


def test_a_slow_sender_is_not_counted(world: WebWorld) -> None:
    for number in range(30):
        world.say(str(number))
    assert world.rates.counts == {}


def test_an_ended_token_is_told_so(world: WebWorld) -> None:
    claims = world.token()
    world.ms += (LIFETIME_S + LEEWAY_S) * 1_000 - 1_000
    assert world.send({"type": "ping"}, claims=claims)["type"] == "pong"
    world.ms += 1_000
    refused = world.send({"type": "message", "clientId": "c", "data": {"text": "안녕"}}, claims=claims)
    assert (refused["type"], refused["code"], refused["clientId"], refused["retryable"]) == (
        "error",
        "expired",
        "c",
        False,
    )


@pytest.mark.parametrize("what", ["off", "deleted", "unpublished", "never"])
def test_a_bot_that_is_not_there_any_more_is_not_found(world: WebWorld, what: str) -> None:
    made: dict[str, dict[str, Any]] = {"deleted": {"deleted_at_ms": 1}, "unpublished": {"published": None}}
    changes = made.get(what, {})
    world.set_web(WebSettings(enabled=what != "off"), **changes)
    claims = Claims.fresh("other" if what == "never" else "shop", "kim", world.ms // 1_000)
    for frame in (START, {"type": "ping"}, {"type": "message", "clientId": "c", "data": {"text": "안녕"}}):
        assert world.send(frame, claims=claims)["code"] == "not_found"
    assert world.log() == []


def test_a_log_that_does_not_answer_may_be_asked_again(world: WebWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise Unavailable("dynamodb did not answer in time")

    monkeypatch.setattr(world.turns, "newest", broken)
    refused = world.say("안녕", "c-1")
    assert (refused["code"], refused["retryable"], refused["clientId"]) == ("unavailable", True, "c-1")
    assert len(world.reports) == 1


def test_a_fault_of_ours_is_a_frame_that_says_nothing_of_it(world: WebWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.turns, "newest", lambda *args: 1 / 0)
    refused = world.say("안녕", "c-1")
    assert (refused["code"], refused["clientId"]) == ("unavailable", "c-1")
    assert "division" not in json.dumps(refused)
    assert isinstance(world.reports[0], ZeroDivisionError)


def test_a_picture_is_looked_at_before_it_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def accept(claims: Claims, uri: str, deadline_ns: int | None = None) -> bool:
        looked.append(uri)
        return uri == "upload-1"

    world = WebWorld(monkeypatch, accept)

    def sent(uri: str) -> dict[str, Any]:
        return world.send({"type": "message", "clientId": uri, "data": {"type": "media", "media": {"uri": uri}}})

    assert sent("upload-1") == sent("upload-1")
    assert looked == ["upload-1"], "a resend is not looked at again"
    assert heard(world)["media"] == {"contentType": "image", "uri": "upload-1"}
    assert sent("https://elsewhere")["code"] == "invalid_input"
    world.set_web(WebSettings(enabled=True, uploads=False))
    assert sent("upload-2")["code"] == "invalid_input"
    assert len(world.log()) == 1


def test_where_nothing_can_be_uploaded_pictures_are_refused(world: WebWorld) -> None:
    frame = {"type": "message", "clientId": "c", "data": {"type": "media", "media": {"uri": "upload-1"}}}
    assert world.send(frame)["code"] == "invalid_input"
