"""The web chat over real sockets on the real template: authorizer, routes, relay and pushes."""

import itertools
import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from infra.local.cloud import LocalCloud
from shared.channels.web.frames import MAX_FRAME
from shared.engine.inbound import AgentJoined, BotMessage
from shared.errors import Conflict
from shared.ids import log_key
from shared.runtime import wiring, world
from shared.services.request import Request
from tests.integration.local.conftest import eventually
from tests.integration.webchat.conftest import Browser, JsonObject, a_token, a_web_bot, opened

START = {"type": "start"}


def test_a_message_is_answered_on_the_socket_that_it_came_from(cloud: LocalCloud, bot_id: str) -> None:
    with Browser(cloud, bot_id) as kim:
        assert kim.socket is not None
        assert kim.socket.subprotocol == "malgil.v1"
        kim.ask({**START, "params": {"page": "cart"}}, "context")
        client_id = kim.say("장미")
        answer = kim.hear_until(lambda frame: frame.get("clientId") == client_id)
        assert (answer["type"], answer["rev"]) == ("messages", 2)
        assert kim.texts == ["안녕하세요", "> 장미", "들었어요: 장미"]


def test_two_tabs_see_each_others_messages_and_a_stranger_sees_none(cloud: LocalCloud, bot_id: str) -> None:
    with Browser(cloud, bot_id) as first, Browser(cloud, bot_id) as second, Browser(cloud, bot_id, "lee") as stranger:
        first.ask(START, "context")
        first.say("첫째 탭")
        second.hear_until(lambda frame: second.rev == 2)
        second.say("둘째 탭")
        first.hear_until(lambda frame: first.rev == 3)
        second.hear_until(lambda frame: second.rev == 3)
        assert first.texts == second.texts
        assert second.texts[1:] == ["> 첫째 탭", "들었어요: 첫째 탭", "> 둘째 탭", "들었어요: 둘째 탭"]
        stranger.ask({"type": "ping"}, "pong")
        assert [frame["type"] for frame in stranger.frames] == ["context", "pong"]


def test_other_tabs_are_told_that_somebody_types(cloud: LocalCloud, bot_id: str) -> None:
    with Browser(cloud, bot_id) as first, Browser(cloud, bot_id) as second:
        first.send({"type": "typing"})
        assert second.hear() == {"type": "typing", "by": "user"}
        first.ask({"type": "ping"}, "pong")
        assert [frame["type"] for frame in first.frames] == ["context", "pong"]


def test_an_agent_is_told_of_on_open_sockets(cloud: LocalCloud, bot_id: str) -> None:
    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")
        record = wiring.bots().get(bot_id)
        assert record is not None
        assert record.published is not None
        wiring.handle_inbound()(
            Request(
                bot=wiring.runnable_bots().load(record, record.published),
                platform="web",
                user_key="kim",
                inbound=AgentJoined(agent={"id": "lee", "profile": {"displayName": "이상담"}}),
                from_outside=True,
            )
        )
        told = kim.hear_until(lambda frame: frame["type"] == "agent")
        known = {"id": "lee", "displayName": "이상담", "picture": None}
        assert told == {"type": "agent", "state": "in_progress", "agent": known}


def test_reconnecting_and_syncing_loses_nothing(cloud: LocalCloud, bot_id: str) -> None:
    with Browser(cloud, bot_id) as away, Browser(cloud, bot_id) as here:
        away.ask(START, "context")
        away.cut()
        for number in range(5):
            client_id = here.say(str(number))
            here.hear_until(lambda frame, wanted=client_id: frame.get("clientId") == wanted)  # type: ignore[misc]
        away.say("끊긴 동안 쓴 말")
        away.connect()
        away.hear_until(lambda frame: not away.unacknowledged and away.rev == 7)
        here.hear_until(lambda frame: here.rev == 7)
        assert away.texts == here.texts
        assert away.texts[-2:] == ["> 끊긴 동안 쓴 말", "들었어요: 끊긴 동안 쓴 말"]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_socket_that_is_cut_at_random_loses_doubles_and_reorders_nothing(
    cloud: LocalCloud, bot_id: str, seed: int
) -> None:
    chance = random.Random(seed)
    numbers = itertools.count()
    tabs = [Browser(cloud, bot_id, name=f"{seed}{name}") for name in "ab"]
    said: dict[str, list[str]] = {tab.name: [] for tab in tabs}
    for tab in tabs:
        tab.connect()
        tab.hear_until(lambda frame: frame["type"] == "context")  # of its sync: the next one is the start's
    tabs[0].ask(START, "context")
    for _ in range(80):
        tab = chance.choice(tabs)
        roll = chance.random()
        if tab.socket is None:
            tab.connect()
        elif roll < 0.2:
            tab.cut()
        elif roll < 0.55 and not tab.unacknowledged:  # in order: the next message after the last one's answer
            text = f"{tab.name} {next(numbers)}"
            said[tab.name].append(text)
            tab.say(text)
        else:
            tab.hear(chance.choice((0.01, 0.3)))
    settle(tabs)
    log = wiring.turns().newest(bot_id, log_of("kim"))
    assert log is not None
    for tab in tabs:
        assert tab.rev == log.revision
        heard = [text.removeprefix("> ") for text in tab.texts if text.startswith("> ")]
        assert sorted(heard) == sorted(text for texts in said.values() for text in texts)
        assert len({message["id"] for message in tab.seen}) == len(tab.seen)
        assert [message["rev"] for message in tab.seen] == sorted(message["rev"] for message in tab.seen)
        for name, texts in said.items():
            assert [text for text in heard if text.startswith(name)] == texts
    assert tabs[0].texts == tabs[1].texts
    assert all(said.values())


@pytest.mark.parametrize("seed", [1, 2])
def test_races_for_the_log_and_pushes_that_get_lost_or_come_twice_lose_double_and_reorder_nothing(
    cloud: LocalCloud, bot_id: str, seed: int
) -> None:
    """Two owners' systems write to the same log without a pause, so that every conditional put of the visitor's turns
    has rivals; a third of the pushes is lost, and a third comes twice. A client
    that does not ask for what is missing was seen to fail it."""
    chance = random.Random(seed)

    def hears(frame: JsonObject) -> int:
        is_push = frame["type"] == "messages" and "clientId" not in frame
        return chance.choice((0, 1, 2)) if is_push else 1

    tabs = [Browser(cloud, bot_id, name=f"{seed}{name}", hears=hears) for name in "ab"]
    said: dict[str, list[str]] = {tab.name: [] for tab in tabs}
    for tab in tabs:
        tab.connect()
        tab.hear_until(lambda frame: frame["type"] == "context")  # of its sync: the next one is the start's
    tabs[0].ask(START, "context")
    with ThreadPoolExecutor(2) as owners:
        unasked = [owners.submit(keep_telling, bot_id, f"owner {name}", 15) for name in "xy"]
        while len(said[tabs[0].name]) + len(said[tabs[1].name]) < 24 or not all(told.done() for told in unasked):
            tab = chance.choice(tabs)
            if tab.socket is None:
                tab.connect()
            elif not tab.unacknowledged and len(said[tab.name]) < 12:
                text = f"{tab.name} {len(said[tab.name])}"
                said[tab.name].append(text)
                tab.say(text)
            else:
                tab.hear(0.1)
        told = {name: done.result() for name, done in zip("xy", unasked, strict=True)}
    settle(tabs)
    heard = [text.removeprefix("> ") for text in tabs[0].texts if text.startswith("> ")]
    answers = [text for text in tabs[0].texts if text.startswith("들었어요: ")]
    for name, texts in said.items():
        assert [text for text in heard if text.startswith(name)] == texts
    for name, texts in told.items():
        assert [text for text in tabs[0].texts if text.startswith(f"owner {name}")] == texts
    assert answers == [f"들었어요: {text}" for text in heard]
    for tab in tabs:
        assert tab.texts == tabs[0].texts
        assert len({message["id"] for message in tab.seen}) == len(tab.seen)


def keep_telling(bot_id: str, name: str, times: int) -> list[str]:
    """What an owner's system said, unasked and at once; each until it is taken."""
    record = wiring.bots().get(bot_id)
    assert record is not None
    assert record.published is not None
    bot = wiring.runnable_bots().load(record, record.published)
    texts = [f"{name} {number}" for number in range(times)]
    for text in texts:
        request = Request(
            bot=bot,
            platform="web",
            user_key="kim",
            inbound=BotMessage(data={"type": "text", "text": text}),
            from_outside=True,
        )
        taken = False
        while not taken:
            with suppress(Conflict):
                wiring.handle_inbound()(request)
                taken = True
    return texts


def settle(tabs: list[Browser]) -> None:
    """Every tab is connected and has everything."""
    for tab in tabs:
        if tab.socket is None:
            tab.connect()

    def is_settled() -> bool:
        for tab in tabs:
            while tab.hear(0.2) is not None:
                pass
            if tab.socket is None:
                tab.connect()
            tab.send({"type": "ping"})
        return not any(tab.unacknowledged for tab in tabs) and len({tab.rev for tab in tabs}) == 1

    eventually(is_settled, 60)


def log_of(user_key: str) -> str:
    return log_key("web", user_key)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("안녕", "invalid_input"),
        ("[]", "invalid_input"),
        ('{"type": "shout"}', "invalid_input"),
        ('{"type": "$connect"}', "invalid_input"),
        ('{"type": "$default"}', "invalid_input"),
        ('{"type": "message", "data": {"text": "clientId?"}}', "invalid_input"),
        (json.dumps({"type": "message", "clientId": "c", "data": {"text": "가" * 1_001}}), "too_large"),
        (b'{"type": "\xff"}', "invalid_input"),
    ],
)
def test_what_is_no_frame_is_refused_and_the_socket_stays(
    cloud: LocalCloud, bot_id: str, frame: str | bytes, code: str
) -> None:
    with Browser(cloud, bot_id) as kim:
        assert kim.socket is not None
        kim.socket.send(frame)
        refused = kim.hear()
        assert refused is not None
        assert (refused["type"], refused["code"], refused["retryable"]) == ("error", code, False)
        assert kim.ask({"type": "ping"}, "pong") == {"type": "pong", "rev": 0}


def test_a_frame_that_is_too_large_ends_the_socket_and_another_one_goes_on(cloud: LocalCloud, bot_id: str) -> None:
    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")
        assert kim.socket is not None
        kim.socket.send("x" * (MAX_FRAME + 1))
        while kim.hear() is not None:
            pass
        kim.connect()
        kim.say("다시")
        kim.hear_until(lambda frame: not kim.unacknowledged)
        assert kim.texts == ["안녕하세요", "> 다시", "들었어요: 다시"]


def test_only_a_good_token_opens_a_socket(cloud: LocalCloud, bot_id: str) -> None:
    url = cloud.outputs["SocketUrl"]
    good = a_token(bot_id, "kim")
    header, payload, signature = good.split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    hour = 3_600
    bad = [
        f"{header}.{payload}.{signature[::-1]}",
        f"{unsigned}.{payload}.x",
        a_token(bot_id, "kim", world.now_ms() // 1_000 - 2 * hour),
        a_token("nobody-is-this", "kim"),
        "x",
    ]
    for token in bad:
        with pytest.raises(InvalidStatus) as refused:
            opened(url, token)
        assert refused.value.response.status_code == 403
    opened(url, good).close()


def test_a_page_that_may_not_show_the_bot_opens_no_socket(cloud: LocalCloud) -> None:
    bot_id = a_web_bot(origins=("https://shop.example.com",))
    url, token = cloud.outputs["SocketUrl"], a_token(bot_id, "kim")
    for origin in ("https://evil.example.com", "null"):
        with pytest.raises(InvalidStatus) as refused:
            opened(url, token, origin)
        assert refused.value.response.status_code == 403
    for origin in ("https://shop.example.com", cloud.http_url):
        opened(url, token, origin).close()


def test_rows_of_sockets_come_and_go(cloud: LocalCloud, bot_id: str) -> None:
    def rows() -> list[str]:
        return wiring.connections().of(bot_id, log_of("kim"))

    with Browser(cloud, bot_id) as kim:
        assert len(rows()) == 1
        kim.cut()
    eventually(lambda: not rows())


def test_a_socket_that_died_unnoticed_is_forgotten_with_the_next_turn(cloud: LocalCloud, bot_id: str) -> None:
    wiring.connections().add(bot_id, log_of("kim"), "dead=")
    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")
        eventually(lambda: len(wiring.connections().of(bot_id, log_of("kim"))) == 1)


def test_a_bot_that_is_switched_off_says_so_on_open_sockets(cloud: LocalCloud, bot_id: str) -> None:
    with Browser(cloud, bot_id) as kim:
        kim.ask(START, "context")
        wiring.authoring().connect_web(bot_id, enabled=False)

        def refused() -> bool:
            kim.send({"type": "ping"})
            frame = kim.hear()
            return frame is not None and frame.get("code") == "not_found"

        eventually(refused)
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            eventually(lambda: opened(kim.url, kim.token).close())
