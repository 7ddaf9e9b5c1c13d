"""Bots, flows, people, conversations and messages, read from the logs."""

import uuid
from dataclasses import replace

import pytest

from shared.conversation.turn import LogState
from shared.engine.inbound import AgentJoined, BotMessage, CallRequested, ParametersChanged
from shared.ids import end_user_id
from tests.factories import NOW_MS, a_node, a_response
from tests.open_api_world import GREETING, OpenApiWorld

KIM = end_user_id("shop", "web", "kim")


def texts(page):
    return [message["data"]["text"] for message in page["items"]]


def expiring(world: OpenApiWorld) -> None:
    preference = {**GREETING["preference"], "sessionBehavior": {"sessionTimeoutMinutes": 1}}
    world.publish({**GREETING, "preference": preference})


def three_conversations(world: OpenApiWorld, messages: int = 3) -> list[str]:
    """Of one person, each ended by silence; their ids, the oldest first."""
    expiring(world)
    ids = []
    for number in range(3):
        for _ in range(messages):
            world.says(f"말 {number}")
        ids.append(world.conversation_id())
        world.ms += 60_001
    return ids


# ---- bots


def test_a_bot_is_the_object_of_its_events(world):
    bot = world.get("/openapi/bot/shop")
    assert (bot["id"], bot["title"], bot["description"]) == ("shop", "꽃집", "꽃을 팝니다")
    assert bot["preference"] == GREETING["preference"]
    (event,) = world.turns.newest("shop", "_sys").events
    assert bot == event["data"]["bot"]


def test_bots_are_listed_page_by_page_without_those_that_were_deleted(world):
    for name in ("a", "b", "c"):
        world.publish(bot_id=name)
    world.authoring.delete("b")
    first = world.get("/openapi/bot", limit=2)
    second = world.get("/openapi/bot", limit=2, cursor=first["cursor"])
    assert [bot["id"] for bot in first["items"] + second["items"]] == ["a", "c", "shop"]
    assert second["cursor"] is None


def test_a_draft_is_listed_and_has_no_flows(world):
    world.authoring.import_file("draft", b'{"title": "\xec\xb4\x88\xec\x95\x88", "flows": []}')
    assert world.get("/openapi/bot/draft")["title"] == "초안"
    assert world.refused("GET", "/openapi/bot/draft/flow")[:2] == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["/openapi/bot/none", "/openapi/bot/%00", "/openapi/bot/none/flow", "/openapi/bot/gone"]
)
def test_a_bot_that_is_not_there_is_not_found(world, path):
    world.publish(bot_id="gone")
    world.authoring.delete("gone")
    assert world.refused("GET", path)[:2] == (404, "not_found")


def test_flows_are_those_of_the_published_version_with_their_nodes(world):
    world.authoring.import_file("shop", b'{"title": "x", "flows": []}')
    first = world.get("/openapi/bot/shop/flow", limit=2)
    assert [(flow["id"], flow["title"]) for flow in first["items"]] == [(1, "인사"), (2, "상담")]
    assert first["items"][0]["data"] == {"entry": 1}
    assert first["items"][0]["nodes"][1] == {"id": 2, "type": "response", "label": None}
    second = world.get("/openapi/bot/shop/flow", limit=2, cursor=first["cursor"])
    assert [flow["id"] for flow in second["items"]] == [3]
    assert second["cursor"] is None


# ---- conversations


def test_the_current_conversation_is_as_its_newest_turn_left_it(world):
    world.says("안녕")
    world.ms += 5
    world.hear(ParametersChanged(params={"grade": "vip"}))
    found = world.get(f"/openapi/conversation/{world.conversation_id()}")
    events = [event for event in world.log()[-1].events if event["event"] == "bot.conversation.updated"]
    assert found == events[-1]["data"]["conversation"]
    assert found["params"] == {"grade": "vip"}


def test_a_conversation_that_is_over_is_as_its_last_turn_left_it(world):
    ids = three_conversations(world)
    ends = [turn.at_ms for turn in world.log()[2::3]]
    for conversation_id, end in zip(ids, ends, strict=True):
        found = world.get(f"/openapi/conversation/{conversation_id}")
        assert found["id"] == conversation_id
        assert found["updatedAt"].endswith(f"{end % 1000:03d}Z")
        assert found["navigation"]["current"]["nodeId"] == 3


def test_the_end_of_a_conversation_in_a_long_log_is_found_in_few_reads(world):
    expiring(world)
    world.says("안녕")
    old = world.conversation_id()
    for _ in range(6):
        world.says("더")
    world.ms += 60_001
    for _ in range(200):
        world.says("나중")
    known = world.identities.get(old)
    world.identities._all = lambda: {old: known}
    reads, get = [], world.turns.get

    def count(*key):
        reads.append(key)
        return get(*key)

    world.turns.get = count
    assert world.get(f"/openapi/conversation/{old}")["id"] == old
    assert len(reads) < 12


def test_conversations_of_a_bot_are_listed_the_last_begun_first(world):
    ids = three_conversations(world)
    world.says("안녕", platform="kakao", user_key="lee")
    found = world.get("/openapi/bot/shop/conversation", platform="web", limit=2)
    assert [item["id"] for item in found["items"]] == [ids[2], ids[1]]
    rest = world.get("/openapi/conversations", botId="shop", platform="web", limit=2, cursor=found["cursor"])
    assert ([item["id"] for item in rest["items"]], rest["cursor"]) == ([ids[0]], None)
    everywhere = world.get("/openapi/conversations", botId="shop")
    assert [item["platform"] for item in everywhere["items"]] == ["kakao", "web", "web", "web"]


@pytest.mark.parametrize("is_behind", [False, True])
def test_conversations_of_an_end_user_are_read_from_the_log_even_where_the_index_is_behind(world, is_behind):
    ids = three_conversations(world)
    if is_behind:
        known = world.identities.get(KIM)
        world.identities._all = lambda: {KIM: known}
    first = world.get("/openapi/conversations", endUserId=KIM, limit=2)
    assert [item["id"] for item in first["items"]] == [ids[2], ids[1]]
    second = world.get("/openapi/conversations", endUserId=KIM, limit=2, cursor=first["cursor"])
    assert ([item["id"] for item in second["items"]], second["cursor"]) == ([ids[0]], None)


def test_conversations_of_an_end_user_are_filtered_by_when_they_began(world):
    ids = three_conversations(world)
    begun = [world.get(f"/openapi/conversation/{each}")["createdAt"] for each in ids]
    of = {"endUserId": KIM}
    assert [item["id"] for item in world.get("/openapi/conversations", **of, **{"from": begun[1]})["items"]] == ids[
        :0:-1
    ]
    assert [item["id"] for item in world.get("/openapi/conversations", **of, until=begun[1])["items"]] == ids[:1]
    assert world.get("/openapi/conversations", **of, platform="kakao")["items"] == []
    assert world.get("/openapi/conversations", **of, botId="other")["items"] == []


def test_a_list_of_conversations_needs_a_bot_or_a_person(world):
    assert "botId or endUserId" in world.refused("GET", "/openapi/conversations")[2]


def test_the_call_for_an_agent_is_told_with_who_took_it(world):
    world.says("안녕")
    path = f"/openapi/conversation/{world.conversation_id()}/manual"
    assert world.get(path) == {"conversationId": world.conversation_id(), "status": None, "agent": None}
    world.hear(CallRequested())
    assert world.get(path)["status"] == "REQUESTED"
    world.hear(AgentJoined(agent={"id": "park", "profile": {"displayName": "박상담"}}))
    assert world.get(path)["status"] == "CONNECTED"
    assert world.get(path)["agent"] == {"id": "park", "profile": {"displayName": "박상담", "picture": None}}


# ---- people


def test_an_end_user_is_as_the_newest_turn_left_them(world):
    world.says("안녕")
    world.ms += 1
    world.says("둘")
    said = world.log()[-1].messages[-1]["id"]
    world.ms += 1
    world.hear(ParametersChanged(params={"a": 1}))
    found = world.get(f"/openapi/enduser/{KIM}")
    assert (found["id"], found["botId"], found["platform"], found["userKey"]) == (KIM, "shop", "web", "kim")
    assert (found["params"], found["lastMessageId"]) == ({"a": 1}, said)
    assert found["lastConversation"]["id"] == found["lastConversationId"] == world.conversation_id()
    assert (found["createdAt"], found["updatedAt"]) == ("2026-11-21T00:00:00.123Z", "2026-11-21T00:00:00.125Z")


def test_end_users_are_listed_by_when_they_were_seen_and_found_by_their_key_at_once(world):
    for key in ("kim", "lee", "park"):
        world.says("안녕", user_key=key)
        world.ms += 3_600_000
    listed = world.get("/openapi/endusers", botId="shop", limit=2)
    assert [person["userKey"] for person in listed["items"]] == ["park", "lee"]
    more = world.get("/openapi/endusers", botId="shop", limit=2, cursor=listed["cursor"])
    assert [person["userKey"] for person in more["items"]] == ["kim"]
    seen = world.get(
        "/openapi/endusers", botId="shop", **{"from": NOW_MS + 3_600_000, "until": NOW_MS + 7_200_000 - 124}
    )
    assert [person["userKey"] for person in seen["items"]] == ["lee"]
    world.identities.behind.add(world.log(user_key="kim")[0].log)
    found = world.get("/openapi/endusers", botId="shop", platform="web", userKey="kim")
    assert [person["id"] for person in found["items"]] == [KIM]
    assert world.get("/openapi/endusers", botId="shop", platform="web", userKey="nobody")["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"botId": "shop", "userKey": "kim"},
        {"botId": "shop", "platform": "web", "userKey": "kim", "cursor": "1"},
        {"botId": "shop", "platform": "web", "userKey": "kim", "from": "1"},
    ],
)
def test_a_search_for_people_says_what_it_needs(world, query):
    assert world.refused("GET", "/openapi/endusers", query=query)[:2] == (400, "invalid_input")


# ---- messages


def test_messages_are_those_of_the_events(world):
    world.says("안녕")
    world.says("둘")
    told = [
        event["data"]["message"]
        for turn in world.log()
        for event in turn.events
        if event["event"].startswith("bot.message")
    ]
    path = f"/openapi/conversation/{world.conversation_id()}/message"
    assert world.get(path, order="asc")["items"] == told
    assert world.get(path)["items"] == told[::-1]
    assert world.get("/openapi/messages", endUserId=KIM)["items"] == told[::-1]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_of_messages_leave_nothing_out_and_repeat_nothing(world, order, limit):
    for number in range(5):
        world.says(str(number))
        world.hear(ParametersChanged(params={"n": number}))  # says nothing
    path = f"/openapi/conversation/{world.conversation_id()}/message"
    found, cursor = [], None
    for _ in range(30):
        query = {"order": order, "limit": limit, **({"cursor": cursor} if cursor else {})}
        page = world.get(path, **query)
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert cursor is None
    expected = ["0", "안녕하세요", *[text for n in range(1, 5) for text in (str(n), f"들었어요: {n}")]]
    assert texts({"items": found}) == (expected if order == "asc" else expected[::-1])


def test_a_long_silence_of_programs_gives_a_page_that_is_empty_but_goes_on(world):
    world.says("안녕")
    for number in range(30):
        world.hear(ParametersChanged(params={"n": number}))
    page = world.get("/openapi/messages", endUserId=KIM, limit=2)
    assert page["items"] == []
    page = world.get("/openapi/messages", endUserId=KIM, limit=2, cursor=page["cursor"])
    assert texts(page) == ["안녕하세요", "안녕"]


def test_a_conversations_messages_are_its_own(world):
    ids = three_conversations(world, messages=2)
    for number, conversation_id in enumerate(ids):
        page = world.get("/openapi/messages", conversationId=conversation_id)
        assert {message["conversationId"] for message in page["items"]} == {conversation_id}
        assert [text for text in texts(page) if text.startswith("말")] == [f"말 {number}"] * 2
    assert len(world.get("/openapi/messages", endUserId=KIM)["items"]) == 12


def test_what_is_masked_after_a_while_is_shown_until_then_and_hidden_afterwards(world):
    world.publish(
        {
            "title": "봇",
            "flows": [
                {
                    "id": 1,
                    "nodes": [
                        a_node(1, "entry", {}, 2),
                        a_response(2, "{{MASK('1234')}} {{MASK('5678', '10m')}}", 3),
                        a_node(3, "keyboard", {}, 2),
                    ],
                }
            ],
            "preference": {"entryFlowId": 1},
        }
    )
    world.says("안녕")
    path = f"/openapi/conversation/{world.conversation_id()}/message"
    before = texts(world.get(path))[0]
    world.ms += 3_600_000_000
    after = texts(world.get(path))[0]
    assert "1234" not in before
    assert "5678" in before
    assert after == "*** ***"


def test_messages_of_a_whole_bot_are_refused_with_what_to_give(world):
    status, _, message = world.refused("GET", "/openapi/messages", query={"botId": "shop"})
    assert status == 400
    assert "conversationId or endUserId" in message


# ---- ids


def test_an_id_of_something_else_names_nothing(world):
    world.says("안녕")
    conversation_id, nobody = world.conversation_id(), str(uuid.uuid4())
    for address in (
        *(f"/openapi/conversation/{each}" for each in (KIM, nobody, "x", "shop")),
        *(f"/openapi/conversation/{each}/message" for each in (KIM, nobody)),
        *(f"/openapi/conversation/{each}/manual" for each in (KIM, nobody)),
        *(f"/openapi/enduser/{each}" for each in (conversation_id, nobody, "x")),
        f"/openapi/conversations?endUserId={nobody}",
        f"/openapi/messages?endUserId={conversation_id}",
        f"/openapi/messages?conversationId={conversation_id}&endUserId={nobody}",
        "/openapi/conversations?botId=none",
        "/openapi/endusers?botId=none",
    ):
        path, _, query = address.partition("?")
        assert world.refused("GET", path, query=query)[:2] == (404, "not_found"), address


def test_people_of_a_deleted_bot_are_not_shown(world):
    world.says("안녕")
    conversation_id = world.conversation_id()
    world.authoring.delete("shop")
    for path in (f"/openapi/conversation/{conversation_id}", f"/openapi/enduser/{KIM}"):
        assert world.refused("GET", path)[0] == 404


def test_somebody_who_was_erased_while_the_index_still_knows_them_is_not_found(world):
    world.says("안녕")
    conversation_id, known = world.conversation_id(), world.identities._all()
    world.turns.rows = {key: row for key, row in world.turns.rows.items() if key[1] == "_sys"}
    world.identities._all = lambda: known
    for path in (f"/openapi/conversation/{conversation_id}", f"/openapi/enduser/{KIM}"):
        assert world.refused("GET", path)[0] == 404
    assert world.get("/openapi/conversations", botId="shop")["items"] == []
    assert world.get("/openapi/endusers", botId="shop")["items"] == []
    assert world.refused("GET", "/openapi/messages", query={"endUserId": KIM})[0] == 404
    body = {"endUserId": KIM, "message": {"text": "안녕"}}
    assert world.refused("POST", "/openapi/message", body)[0] == 404
    assert world.log() == []


def erase(world: OpenApiWorld) -> None:
    """A tombstone is the next turn of the log; what is below it goes later."""
    newest = world.log()[-1]
    state = LogState(sequence=newest.state.sequence + 1)
    commit = "00000000-0000-4000-8000-00000000dead"
    world.turns.append(
        replace(newest, revision=newest.revision + 1, commit=commit, state=state, events=[], messages=[], inbound=None)
    )
    world.ms += 1


def test_nothing_of_somebody_who_was_erased_is_shown_even_while_their_rows_are_there(world):
    world.says("비밀")
    conversation_id = world.conversation_id()
    erase(world)
    for path in (f"/openapi/conversation/{conversation_id}", f"/openapi/enduser/{KIM}"):
        assert world.refused("GET", path)[0] == 404
    for path in ("/openapi/messages", "/openapi/conversations"):
        assert world.refused("GET", path, query={"endUserId": KIM})[0] == 404
    assert world.get("/openapi/endusers", botId="shop", platform="web", userKey="kim")["items"] == []
    news = {"message": {"text": "소식"}}
    assert world.refused("POST", "/openapi/message", {**news, "endUserId": KIM})[0] == 404
    assert world.refused("POST", f"/openapi/conversation/{conversation_id}/message", news)[0] == 404
    assert len(world.log()) == 2


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_somebody_who_comes_back_after_they_were_erased_is_new(world, order):
    for _ in range(5):
        world.says("비밀")
    old = world.conversation_id()
    erase(world)
    world.hear(ParametersChanged(params={"a": 1}))
    found = world.get(f"/openapi/enduser/{KIM}")
    assert (found["lastMessageId"], found["createdAt"]) == (None, "2026-11-21T00:00:00.124Z")
    world.says("다시")
    page = world.get("/openapi/messages", endUserId=KIM, order=order)
    assert sorted(texts(page)) == ["다시", "안녕하세요"]
    assert [item["id"] for item in world.get("/openapi/conversations", endUserId=KIM)["items"]] == [
        world.conversation_id()
    ]
    assert world.refused("GET", f"/openapi/conversation/{old}")[0] == 404
    assert old not in [item["id"] for item in world.get("/openapi/conversations", botId="shop")["items"]]


def test_a_cursor_of_another_list_or_order_is_refused(world):
    world.says("안녕")
    messages = f"/openapi/conversation/{world.conversation_id()}/message"
    cursor = world.get(messages, limit=1)["cursor"]
    for path, query in (
        (messages, {"cursor": "x"}),
        (messages, {"cursor": cursor, "order": "asc"}),
        (messages, {"cursor": "d99999999999.0"}),
        ("/openapi/bot", {"cursor": "가"}),
        ("/openapi/bot/shop/flow", {"cursor": "f9"}),
        ("/openapi/bot/shop/flow", {"cursor": "9"}),
        ("/openapi/conversations", {"endUserId": KIM, "cursor": cursor}),
        ("/openapi/conversations", {"botId": "shop", "cursor": cursor}),
        ("/openapi/endusers", {"botId": "shop", "cursor": cursor}),
    ):
        assert world.refused("GET", path, query=query)[:2] == (400, "invalid_input"), (path, query)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=1e1",
        "limit=" + "9" * 5_000,
        "botID=shop",
        "limit=1&limit=2",
        "order=up",
        "limit=NaN",
    ],
)
def test_a_query_that_means_nothing_is_refused(world, query):
    world.says("안녕")
    path = f"/openapi/conversation/{world.conversation_id()}/message"
    assert world.refused("GET", path, query=query)[:2] == (400, "invalid_input")


def test_what_a_bot_says_from_outside_is_in_the_history(world):
    world.says("안녕")
    world.hear(BotMessage(data={"type": "text", "text": "소식"}))
    assert texts(world.get("/openapi/messages", endUserId=KIM, limit=1)) == ["소식"]
