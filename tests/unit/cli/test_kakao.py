"""`malgil kakao` against a scripted skill server on loopback."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.channels.kakao.parse import parse_skill_call
from shared.engine.inbound import Opened, StartAt, UserMessage
from tests.loopback_server import LoopbackServer, Script, answering
from tests.unit.cli.conftest import Malgil

EXTRA = {"malgil": 1, "goto": {"flowId": 2}, "rev": 7}
BUTTONS = [
    {"label": "고르기", "action": "message", "messageText": "전체 라벨", "extra": EXTRA},
    {"label": "누리집", "action": "webLink", "webLinkUrl": "https://example.com/"},
    {"label": "다른 블록", "action": "block", "blockId": "abc"},
    {"label": "상담", "action": "operator"},
]
ANSWER = {
    "version": "2.0",
    "template": {
        "outputs": [
            {"simpleText": {"text": "안녕하세요\n반갑습니다"}},
            {"textCard": {"title": "카드 제목", "description": "카드 설명", "buttons": BUTTONS[:3]}},
            {
                "carousel": {
                    "type": "basicCard",
                    "items": [
                        {"title": "첫째", "thumbnail": {"imageUrl": "https://a.example/1.png"}},
                        {"title": "둘째"},
                    ],
                }
            },
        ],
        "quickReplies": [{"label": "빠른 답", "action": "message", "messageText": "빠른 답", "extra": {"x": 1}}],
    },
}

Talk = Callable[..., tuple[str, list[Any]]]


def script(body: Any = ANSWER) -> Script:
    return answering(200, json.dumps(body, ensure_ascii=False).encode())


@pytest.fixture
def talk(malgil: Malgil) -> Talk:
    """(what was shown, the calls that arrived) for lines typed."""

    def run(typed: str = "", answer: Script | None = None, *options: str) -> tuple[str, list[Any]]:
        with LoopbackServer(answer or script()) as server:
            url = f"http://127.0.0.1:{server.port}/kakao/bot/path-secret"
            result = malgil("kakao", "--url", url, "--secret", "header-secret", *options, typed=typed)
        assert result.exit_code == 0, result.output
        return result.stdout, server.requests

    return run


def inbound(request: Any) -> Any:
    return parse_skill_call(request.body).inbound


def test_the_welcome_block_is_called_first(talk: Talk) -> None:
    _, requests = talk()
    assert [inbound(request) for request in requests] == [Opened()]


def test_a_call_proves_itself_by_the_header(talk: Talk) -> None:
    _, requests = talk()
    assert requests[0].header("x-malgil-secret") == "header-secret"
    assert requests[0].path == "/kakao/bot/path-secret"


def test_what_is_typed_is_an_utterance_to_the_fallback_block(talk: Talk) -> None:
    _, requests = talk("오늘 날씨\n")
    assert json.loads(requests[1].body)["userRequest"]["block"]["name"] == "폴백 블록"
    assert inbound(requests[1]) == UserMessage(data={"type": "text", "text": "오늘 날씨"})


def test_each_call_has_its_own_request_id(talk: Talk) -> None:
    _, requests = talk("a\na\n")
    assert len({request.header("x-request-id") for request in requests}) == 3


def test_all_calls_of_a_phone_come_from_one_user(talk: Talk) -> None:
    _, requests = talk("a\n", None, "--user", "somebody")
    assert {parse_skill_call(request.body).user_key for request in requests} == {"somebody"}


def test_two_phones_are_two_users(talk: Talk) -> None:
    users = {parse_skill_call(talk()[1][0].body).user_key for _ in range(2)}
    assert len(users) == 2


def test_a_tap_says_the_message_text_and_brings_back_the_extra(talk: Talk) -> None:
    _, requests = talk("1\n")
    tapped = json.loads(requests[1].body)
    assert tapped["action"]["clientExtra"] == EXTRA
    assert tapped["flow"]["trigger"]["type"] == "CARD_BUTTON_MESSAGE"
    assert inbound(requests[1]) == StartAt(flow_id=2, message={"type": "text", "text": "전체 라벨"})


def test_a_quick_reply_is_tapped_as_one(talk: Talk) -> None:
    _, requests = talk("4\n")
    tapped = json.loads(requests[1].body)
    assert tapped["flow"]["trigger"]["type"] == "QUICKREPLY_BUTTON_MESSAGE"
    assert tapped["action"]["clientExtra"] == {"x": 1}


@pytest.mark.parametrize("number", ["2", "3"])
def test_links_and_other_blocks_do_not_call_the_skill(talk: Talk, number: str) -> None:
    _, requests = talk(f"{number}\n")
    assert len(requests) == 1


def test_a_picture_arrives_as_media(talk: Talk) -> None:
    _, requests = talk("/photo https://talk.kakaocdn.net/dna/a.png\n")
    media = {"contentType": "image", "uri": "https://talk.kakaocdn.net/dna/a.png"}
    assert inbound(requests[1]) == UserMessage(data={"type": "media", "media": media})


def test_bubbles_are_drawn_with_numbers_to_press(talk: Talk) -> None:
    shown, _ = talk()
    for text in ("● 안녕하세요\n  반갑습니다", "카드 제목", "카드 설명", "[1] 고르기", "첫째", "둘째", "[4] 빠른 답"):
        assert text in shown


def test_bytes_of_the_answer_are_told(talk: Talk) -> None:
    shown, _ = talk()
    assert f"{len(json.dumps(ANSWER, ensure_ascii=False).encode())} bytes" in shown


def test_a_folded_text_is_warned_of(talk: Talk) -> None:
    body = {"version": "2.0", "template": {"outputs": [{"simpleText": {"text": "가" * 501}}]}}
    shown, _ = talk("", script(body))
    assert "! outputs[0].simpleText.text: 501 characters" in shown


def test_an_answer_that_kakao_may_refuse_is_marked(talk: Talk) -> None:
    shown, _ = talk("", script({"template": {"outputs": [{"simpleText": {"text": "a"}}]}}))
    assert "✗ version" in shown


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (401, "the secret header is missing"),
        (403, "URL, header value or Kakao bot id is wrong"),
        (404, "there is no such path"),
        (302, "redirects are not followed"),
        (502, "the skill server's fault"),
        (204, "nothing but 200"),
    ],
)
def test_a_status_is_shown_with_what_it_means(talk: Talk, status: int, meaning: str) -> None:
    shown, _ = talk("", answering(status))
    assert f"✗ HTTP {status}" in shown
    assert meaning in shown


def test_an_answer_that_is_not_json_is_shown(talk: Talk) -> None:
    shown, _ = talk("", answering(200, b"<html>oops\x1b[2J"))
    assert "the answer is not JSON" in shown
    assert "<html>oops[2J" in shown


@pytest.mark.parametrize("body", [[], {"version": "2.0", "template": 3}, {"template": {"outputs": [1, {"a": 2}, {}]}}])
def test_nonsense_is_told_and_the_talk_goes_on(talk: Talk, body: Any) -> None:
    shown, requests = talk("hello\n", script(body))
    assert shown.count("✗") >= 2
    assert len(requests) == 2


def test_the_last_answer_is_shown_raw(talk: Talk) -> None:
    shown, _ = talk("/raw\n")
    raw = shown.partition("> /raw\n")[2]
    assert json.loads(raw) == ANSWER


def test_a_server_that_is_not_there_is_told(malgil: Malgil) -> None:
    with LoopbackServer(script()) as server:
        port = server.port
    result = malgil("kakao", "--url", f"http://127.0.0.1:{port}/")
    assert "the skill server cannot be reached" in result.stdout


def test_neither_bot_nor_url_is_told_in_one_line(malgil: Malgil) -> None:
    result = malgil("kakao")
    assert result.stderr == "malgil: name a bot, or give its --url and --secret\n"
    assert result.exit_code == 1
