"""Promises of the skill URL beyond a conversation's happy path: its cost, resends, strangers, broken storage."""

import gzip
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from infra.local.embedded import client
from shared import aws
from shared.ids import log_key
from shared.runtime import wiring
from shared.runtime.settings import BOT_BUCKET, CORE_TABLE, TURNS_TABLE
from shared.services.authoring import Authoring
from shared.storage import keys
from tests.factories import a_node, a_response
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.phones import Caller, a_caller, continue_extra, texts

ERROR = "요청을 처리하는 중에 오류가 발생했습니다. 잠시 후 다시 시도해 주세요."
ERROR_OF_NO_BOT = "오류가 발생했습니다. 잠시 후 다시 시도해 주세요."


def a_document(*nodes: dict[str, Any], **preference: Any) -> dict[str, Any]:
    return {
        "title": "봇",
        "flows": [{"id": 1, "nodes": [a_node(1, "entry", {}, 2), *nodes]}],
        "preference": {"entryFlowId": 1, **preference},
    }


ECHO = a_document(a_response(2, "들었어요: {{message}}", 3), a_node(3, "keyboard", {}, 2))
LONG = a_document(
    *[a_response(number, f"{number}번 " + "가" * 990, number + 1) for number in range(2, 12)],
    a_node(12, "keyboard", {}, 13),
    a_response(13, "들었어요: {{message}}", 12),
)
"""Ten bubbles: three answers and the rest of one."""


@pytest.fixture
def echo(authoring: Authoring) -> Caller:
    return a_caller(authoring, ECHO)


@pytest.fixture
def reader(authoring: Authoring) -> Caller:
    return a_caller(authoring, LONG)


@pytest.fixture
def aws_calls(stack: Stack, authoring: Authoring) -> list[str]:
    """Every call that the function makes to AWS from now on, by whatever client."""
    forget_wiring()
    calls: list[str] = []

    def remember(**call: Any) -> None:
        calls.append(call["model"].name)

    aws.session().register("before-call.*.*", remember)
    return calls


def revisions(caller: Caller) -> int:
    newest = wiring.turns().newest(caller.bot_id, log_key("kakao", caller.user_key))
    return 0 if newest is None else newest.revision


def error_of(reply: dict[str, Any]) -> Any:
    return json.loads(reply["body"])["error"]


# ---- what a turn costs


def test_a_text_turn_is_one_query_and_one_put(echo: Caller, aws_calls: list[str]) -> None:
    echo.say("안녕")
    aws_calls.clear()
    echo.say("둘")
    assert aws_calls == ["Query", "PutItem"]


def test_continue_typed_without_an_offer_costs_no_more_than_any_text(echo: Caller, aws_calls: list[str]) -> None:
    echo.say("안녕")
    aws_calls.clear()
    assert echo.say("계속 보기") == ["들었어요: 계속 보기"]
    assert aws_calls == ["Query", "PutItem"]


@pytest.mark.parametrize("how", ["typed", "tapped"])
def test_the_rest_of_the_newest_answer_is_one_query_and_one_put(reader: Caller, aws_calls: list[str], how: str) -> None:
    extra = continue_extra(reader.call("안녕"))
    aws_calls.clear()
    assert reader.say("계속 보기", extra if how == "tapped" else None)[0].startswith("5번")
    assert aws_calls == ["Query", "PutItem"]


def test_reading_on_costs_one_get_more(reader: Caller, aws_calls: list[str]) -> None:
    reader.say("안녕")
    reader.say("계속 보기")
    aws_calls.clear()
    assert reader.say("계속 보기")[0].startswith("8번")
    assert aws_calls == ["Query", "GetItem", "PutItem"]


def test_a_cold_call_reads_the_settings_and_the_document_once(echo: Caller, aws_calls: list[str]) -> None:
    echo.say("안녕")
    assert aws_calls == ["Query", "GetObject", "Query", "PutItem"]


# ---- resends


def test_a_resent_continue_shows_the_same_part_again_and_writes_nothing(reader: Caller) -> None:
    reader.say("안녕")
    first = reader.say("계속 보기", request_id="r-1")
    assert reader.say("계속 보기", request_id="r-1") == first
    assert revisions(reader) == 2
    assert reader.say("계속 보기", request_id="r-2")[0].startswith("8번")


def test_a_resent_continue_without_an_offer_is_answered_from_the_log(echo: Caller) -> None:
    echo.say("안녕")
    first = echo.say("계속 보기", request_id="r-1")
    assert echo.say("계속 보기", request_id="r-1") == first
    assert revisions(echo) == 2


def test_an_empty_request_id_marks_no_resend(echo: Caller) -> None:
    assert echo.say("하나", request_id="") == ["들었어요: 하나"]
    assert echo.say("둘", request_id="") == ["들었어요: 둘"]


# ---- strangers


@pytest.mark.parametrize("guess", ["nobody", "x" * 65, "x" * 3_000, "../x", "쇼핑", "", "a#b", "\ud83d"])
def test_a_bot_that_is_not_there_answers_word_for_word_like_a_wrong_secret(echo: Caller, guess: str) -> None:
    refusal = echo.call(secret="x" * 32)
    assert refusal["statusCode"] == 403
    assert echo.call(bot_id=guess, secret="x" * 32) == refusal


def test_a_bot_without_kakaotalk_answers_word_for_word_like_a_wrong_secret(authoring: Authoring, echo: Caller) -> None:
    bot_id = f"quiet-{uuid.uuid4().hex[:8]}"
    authoring.import_file(bot_id, json.dumps(ECHO).encode())
    authoring.publish(bot_id)
    assert echo.call(bot_id=bot_id, secret="x" * 32) == echo.call(secret="x" * 32)


def test_a_strangers_guess_costs_one_read_however_often(echo: Caller, aws_calls: list[str]) -> None:
    for _ in range(3):
        echo.call(bot_id="nobody", secret="x" * 32)
    assert aws_calls == ["Query"]


def test_an_id_that_no_bot_can_have_costs_nothing_and_is_no_fault_of_ours(
    echo: Caller, aws_calls: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    echo.call(bot_id="x" * 3_000, secret="x" * 32)
    assert aws_calls == []
    assert "OwnFault" not in capsys.readouterr().out


def test_secrets_are_in_no_log_and_no_answer(
    echo: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    secrets = [echo.settings.path_secret, *echo.settings.header_secrets]
    replies = [echo.call("안녕"), echo.call(secret="x" * 32), echo.call(bot_id="nobody")]
    monkeypatch.setattr(type(wiring.turns()), "newest", lambda *_: 1 / 0)
    replies.append(echo.call("둘"))
    printed = "".join(capsys.readouterr()) + caplog.text
    assert "ZeroDivisionError" in printed
    assert [secret for secret in secrets if secret in printed + json.dumps(replies)] == []


# ---- storage that is not as we left it


def test_a_published_version_whose_document_is_gone_is_answered_with_words_and_counted(
    stack: Stack, authoring: Authoring, echo: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    published = authoring.get(echo.bot_id).published
    assert published is not None
    s3: Any = client("s3", stack.endpoint)
    s3.delete_object(Bucket=stack.environment[BOT_BUCKET], Key=keys.version_object(echo.bot_id, published.content_hash))
    forget_wiring()
    assert echo.say("안녕") == [ERROR_OF_NO_BOT]
    assert '"OwnFault": 1' in capsys.readouterr().out


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no gzip",
        gzip.compress(b"{"),
        gzip.compress(b"[]"),
        gzip.compress(b"[" * 100_000),
        gzip.compress(b'{"x": "' + b" " * 200_000_000 + b'"}', 1),
    ],
    ids=["empty", "no gzip", "cut off", "no object", "depth 100000", "200 MB in 1 MB"],
)
def test_a_damaged_document_is_answered_with_words_and_counted(
    stack: Stack, authoring: Authoring, echo: Caller, capsys: pytest.CaptureFixture[str], body: bytes
) -> None:
    published = authoring.get(echo.bot_id).published
    assert published is not None
    s3: Any = client("s3", stack.endpoint)
    s3.put_object(
        Bucket=stack.environment[BOT_BUCKET], Key=keys.version_object(echo.bot_id, published.content_hash), Body=body
    )
    forget_wiring()
    assert echo.say("안녕") == [ERROR_OF_NO_BOT]
    assert '"OwnFault": 1' in capsys.readouterr().out


@pytest.mark.parametrize(
    "settings", [{}, {"pathSecret": "x"}, {"pathSecret": "x" * 32, "headerSecrets": []}], ids=["empty", "short", "none"]
)
def test_settings_that_cannot_be_read_are_our_fault_and_open_nothing(
    authoring: Authoring, echo: Caller, capsys: pytest.CaptureFixture[str], settings: dict[str, Any]
) -> None:
    record = authoring.get(echo.bot_id)
    authoring.bots.save(replace(record, channels={"kakao": settings}), channel="kakao")
    forget_wiring()
    assert echo.say("안녕") == [ERROR_OF_NO_BOT]
    assert '"OwnFault": 1' in capsys.readouterr().out


def test_a_state_whose_row_is_gone_is_our_fault(
    stack: Stack, authoring: Authoring, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = "".join(uuid.uuid4().hex for _ in range(400))
    caller = a_caller(
        authoring,
        a_document(
            a_node(2, "parameter", {"type": "set", "set": [{"key": "noise", "value": noise}]}, 3),
            a_response(3, "안녕", 4),
            a_node(4, "keyboard", {}, 3),
        ),
    )
    caller.say("안녕")
    partition = keys.log_partition(caller.bot_id, log_key("kakao", caller.user_key))
    dynamodb: Any = client("dynamodb", stack.endpoint)
    rows = dynamodb.query(
        TableName=stack.environment[TURNS_TABLE],
        KeyConditionExpression="pk = :pk AND begins_with(sk, :state)",
        ExpressionAttributeValues={":pk": {"S": partition}, ":state": {"S": keys.STATE_PREFIX}},
    )["Items"]
    assert rows
    for row in rows:
        dynamodb.delete_item(TableName=stack.environment[TURNS_TABLE], Key={"pk": row["pk"], "sk": row["sk"]})
    assert caller.say("둘") == [ERROR]
    assert '"OwnFault": 1' in capsys.readouterr().out


def test_a_function_without_its_settings_still_answers_with_words_and_an_alarm(
    echo: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(CORE_TABLE)
    forget_wiring()
    assert echo.say("안녕") == [ERROR_OF_NO_BOT]
    assert '"OwnFault": 1' in capsys.readouterr().out


# ---- long input


def test_the_longest_text_that_a_call_can_carry_is_answered_whole(echo: Caller) -> None:
    text = "가" * 10_000  # as \\uXXXX in the body: 60 KB
    echo.say("안녕")
    shown = echo.call(text)
    seen = "".join(texts(shown))
    while "계속 보기" in shown["body"]:
        shown = echo.call("계속 보기", continue_extra(shown))
        seen += "".join(texts(shown))
    assert seen.count("가") == len(text)


def test_an_answer_longer_than_the_log_can_read_back_does_not_end_the_conversation(authoring: Authoring) -> None:
    flood = [a_response(number, "가" * 20_000, number + 1) for number in range(4, 50)]
    caller = a_caller(
        authoring,
        a_document(
            a_response(2, "들었어요: {{message}}", 3),
            a_node(3, "keyboard", {}, (4, {"message": {"equals": "다"}}), 2),
            *flood,
            a_node(50, "keyboard", {}, 2),
        ),
    )
    caller.say("안녕")
    assert caller.say("다") == [ERROR]
    assert caller.say("둘") == ["들었어요: 둘"]
