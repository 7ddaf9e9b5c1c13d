"""Faults between the skill URL and its log: nothing lost, nothing doubled, and always words for the end user."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.conversation.turn import Turn
from shared.ids import log_key
from shared.runtime import wiring
from shared.services.authoring import Authoring
from shared.storage.turns import DynamoTurns
from tests.factories import a_node, a_response
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.phones import Caller, a_caller
from tests.integration.storage.faults import Crash, FaultyClient
from tests.integration.test_promises_skill import ECHO, ERROR, a_document


@pytest.fixture
def client() -> FaultyClient:
    return FaultyClient()


@pytest.fixture
def authoring(stack: Stack, client: FaultyClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authoring]:
    forget_wiring()
    turns = DynamoTurns(stack.turns_table, client)
    monkeypatch.setattr(wiring, "turns", lambda: turns)
    yield wiring.authoring()
    monkeypatch.undo()
    forget_wiring()


@pytest.fixture
def echo(authoring: Authoring) -> Caller:
    caller = a_caller(authoring, ECHO)
    caller.say("안녕")
    return caller


def log_of(caller: Caller) -> list[Turn]:
    turns, log = wiring.turns(), log_key("kakao", caller.user_key)
    newest = turns.newest(caller.bot_id, log)
    assert newest is not None
    found = [turns.get(caller.bot_id, log, revision) for revision in range(1, newest.revision + 1)]
    return [turn for turn in found if turn is not None]


def said(caller: Caller) -> list[str]:
    return [turn.inbound["data"]["text"] for turn in log_of(caller) if turn.inbound is not None]


@pytest.mark.parametrize("operation", ["query", "put_item"])
@pytest.mark.parametrize("fault", ["throttled", "server_fault", "lost_request", "lost_answer"])
def test_one_fault_is_not_noticed(echo: Caller, client: FaultyClient, operation: str, fault: str) -> None:
    client.faults[operation] = [fault]
    assert echo.say("둘") == ["들었어요: 둘"]
    assert said(echo) == ["안녕", "둘"]


@pytest.mark.parametrize("operation", ["query", "put_item"])
@pytest.mark.parametrize("fault", ["throttled", "server_fault", "lost_request"])
def test_lasting_faults_are_answered_with_the_bots_words_and_leave_no_turn(
    echo: Caller, client: FaultyClient, operation: str, fault: str
) -> None:
    client.faults[operation] = [fault] * 2
    assert echo.say("둘") == [ERROR]
    assert said(echo) == ["안녕"]
    assert echo.say("셋") == ["들었어요: 셋"]


def test_a_put_that_arrived_though_both_answers_were_lost_is_answered(echo: Caller, client: FaultyClient) -> None:
    client.faults["put_item"] = ["lost_answer", "lost_request"]
    assert echo.say("둘") == ["들었어요: 둘"]
    assert said(echo) == ["안녕", "둘"]


@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
def test_a_resend_after_a_crash_gives_one_turn_and_its_answer(echo: Caller, client: FaultyClient, moment: str) -> None:
    client.faults["put_item"] = [moment]
    with pytest.raises(Crash):
        echo.say("둘", request_id="r-1")
    assert echo.say("둘", request_id="r-1") == ["들었어요: 둘"]
    assert said(echo) == ["안녕", "둘"]


def test_two_messages_at_once_are_both_answered_on_each_others_state(
    authoring: Authoring, client: FaultyClient
) -> None:
    count = {"key": "count", "value": "{{params.count}}x"}
    counter = a_document(
        a_node(2, "parameter", {"type": "set", "set": [count]}, 3),
        a_response(3, "{{params.count}}", 4),
        a_node(4, "keyboard", {}, 2),
    )
    caller = a_caller(authoring, counter)
    assert caller.say("하나") == ["x"]
    faster: list[list[str]] = []
    client.between = lambda: faster.append(caller.say("둘"))
    assert caller.say("셋") == ["xxx"]
    assert faster == [["xx"]]
    assert said(caller) == ["하나", "둘", "셋"]


def test_the_same_request_twice_at_once_is_one_turn(echo: Caller, client: FaultyClient) -> None:
    twin: list[list[str]] = []
    client.between = lambda: twin.append(echo.say("둘", request_id="r-1"))
    assert echo.say("둘", request_id="r-1") == ["들었어요: 둘"]
    assert twin == [["들었어요: 둘"]]
    assert said(echo) == ["안녕", "둘"]


def test_of_twenty_messages_at_once_each_is_answered_or_told_that_it_was_not_heard(echo: Caller) -> None:
    texts = [f"{number}번째" for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(echo.say, texts))
    heard = [text for text, answer in zip(texts, answers, strict=True) if answer == [f"들었어요: {text}"]]
    assert heard
    assert [answer for text, answer in zip(texts, answers, strict=True) if text not in heard] == [[ERROR]] * (
        20 - len(heard)
    )
    assert sorted(said(echo)[1:]) == sorted(heard)
    assert [turn.revision for turn in log_of(echo)] == list(range(1, len(heard) + 2))


@pytest.mark.parametrize("text", ["😀" * 5_000, "👨‍👩‍👧‍👦" * 800, "e\u0301" * 4_000, "\u202eabc\u2028가\u3164"])
def test_text_is_never_cut_into_something_that_cannot_be_written(echo: Caller, text: str) -> None:
    reply = echo.call(text)
    assert reply["statusCode"] == 200
    json.loads(reply["body"].encode())
    assert said(echo)[-1] == text
