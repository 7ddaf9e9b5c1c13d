"""The skill URL from the Lambda event to the stored turn: what KakaoTalk, strangers and broken bots get."""

import base64
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.kakao_skill import app
from shared.ids import log_key
from shared.runtime import observability, wiring, world
from shared.services.authoring import Authoring
from tests.contract.kakao.skill_response import violations
from tests.factories import DATA, a_node, a_response
from tests.integration.conftest import forget_wiring
from tests.integration.phones import Caller, a_connected_bot

ERROR = "요청을 처리하는 중에 오류가 발생했습니다. 잠시 후 다시 시도해 주세요."


@dataclass
class Phone(Caller):
    """Somebody with KakaoTalk open, who sees every bubble of the last answer and can press its buttons."""

    last: dict[str, Any] = field(default_factory=dict)

    def post(
        self, body: bytes | str, *, secret: str | None = "", path_secret: str | None = None, **event: Any
    ) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        if secret is not None:
            headers["x-malgil-secret"] = secret or self.settings.header_secrets[0]
        headers |= event.pop("headers", {})
        raw = (
            {"body": body}
            if isinstance(body, str)
            else {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        )
        return app.handler(
            {
                "pathParameters": {"botId": self.bot_id, "secret": path_secret or self.settings.path_secret},
                "headers": headers,
                "requestContext": {"timeEpoch": world.now_ms()},
                **raw,
                **event,
            },
            None,
        )

    def say(self, utterance: str, extra: Any = None, **more: Any) -> list[str]:
        """What the phone shows, one text a bubble."""
        headers = more.pop("headers", {})
        reply = self.post(json.dumps(self.payload(utterance, extra, **more)), headers=headers)
        assert reply["statusCode"] == 200
        self.last = json.loads(reply["body"])
        assert violations(self.last) == []
        return [shown_text(output) for output in self.last["template"]["outputs"]]

    def press(self, label: str) -> list[str]:
        """Tap a button or quick reply of the last answer."""
        button = next(found for found in every_button(self.last) if found["label"] == label)
        return self.say(button["messageText"], button.get("extra"))


def shown_text(output: dict[str, Any]) -> str:
    (kind, content), *_ = output.items()
    return str(content.get("text") or content.get("description") or content.get("title") or kind)


def every_button(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        here = [value] if "label" in value and "action" in value else []
        return here + [button for item in value.values() for button in every_button(item)]
    return [button for item in value for button in every_button(item)] if isinstance(value, list) else []


def a_published(authoring: Authoring, document: dict[str, Any] | bytes, **connection: Any) -> Phone:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Phone(*a_connected_bot(authoring, raw, **connection))


def a_document(*nodes: dict[str, Any], **preference: Any) -> dict[str, Any]:
    return {
        "title": "봇",
        "flows": [{"id": 1, "nodes": [a_node(1, "entry", {}, 2), *nodes]}],
        "preference": {"entryFlowId": 1, **preference},
    }


ECHO = a_document(
    a_response(2, "들었어요: {{message}}", 3),
    a_node(3, "keyboard", {"type": "buttons", "buttons": [{"label": "하나", "payload": '{"n": 1}'}]}, 2),
)


@pytest.fixture
def echo(authoring: Authoring) -> Phone:
    return a_published(authoring, ECHO)


# ---- the conversation


def test_the_recorded_back_node_conversation(authoring: Authoring) -> None:
    phone = a_published(authoring, (DATA / "closer/bot_back_node_test.json").read_bytes())
    assert phone.say("안녕") == ["0"]
    answers = [phone.press(label) for label in ("진행", "진행", "진행", "뒤로", "뒤로", "스킵(drop)", "뒤로")]
    assert answers == [["1"], ["2"], ["3"], ["(뒤로가기)", "2"], ["(뒤로가기)", "1"], ["2"], ["(뒤로가기)", "0"]]


def test_the_pokemon_flow_with_its_card_buttons(authoring: Authoring) -> None:
    phone = a_published(authoring, (DATA / "closer/flow_postback_pokemon.json").read_bytes())
    phone.say("", block={"id": "welcome", "name": "웰컴 블록"})
    buttons = [button for button in every_button(phone.last) if button["label"] == "너로 정했다!"]
    assert phone.say(buttons[1]["messageText"], buttons[1]["extra"]) == ["파이리를 선택했구나. 탁월한 선택이야!"]


def test_the_state_survives_a_new_process(authoring: Authoring) -> None:
    phone = a_published(authoring, (DATA / "closer/bot_back_node_test.json").read_bytes())
    phone.say("안녕")
    forget_wiring()
    assert phone.press("진행") == ["1"]


def test_a_resent_request_is_answered_from_the_log(echo: Phone) -> None:
    echo.say("안녕")
    first = echo.say("둘", headers={"x-request-id": "r-1"})
    assert echo.say("둘", headers={"x-request-id": "r-1"}) == first
    log = wiring.turns().newest(echo.bot_id, log_key("kakao", echo.user_key))
    assert log is not None
    assert log.revision == 2


def test_what_does_not_fit_is_offered_and_shown_to_the_end(authoring: Authoring) -> None:
    texts = [f"{number}번 안내입니다. " + "가" * 900 for number in range(2, 9)]
    nodes = [a_response(number, text, number + 1) for number, text in zip(range(2, 9), texts, strict=True)]
    phone = a_published(authoring, a_document(*nodes, a_node(9, "keyboard", {}, 2)))
    seen = phone.say("안녕")
    while any(button["label"] == "계속 보기" for button in every_button(phone.last)):
        seen += phone.press("계속 보기")
    assert "".join(seen).replace("\n", "").replace(" ", "") == "".join(texts).replace(" ", "")


def test_the_offer_can_be_taken_by_typing_it_and_is_dropped_by_other_words(authoring: Authoring) -> None:
    nodes = [a_response(number, f"{number}번 " + "가" * 990, number + 1) for number in range(2, 7)]
    phone = a_published(
        authoring, a_document(*nodes, a_node(7, "keyboard", {}, 8), a_response(8, "들었어요: {{message}}", 7))
    )
    phone.say("안녕")
    assert phone.say("계속 보기")[0].startswith("5번")
    assert phone.say("계속 보기") == ["들었어요: 계속 보기"]


def test_a_picture_arrives_as_media(authoring: Authoring) -> None:
    phone = a_published(
        authoring,
        a_document(a_response(2, "{{message.type}} {{message.media.contentType}}", 3), a_node(3, "keyboard", {}, 2)),
    )
    url = "https://talk.kakaocdn.net/dna/x/y/z.png"
    assert phone.say(url, params={"media": {"type": "image", "url": url}}) == ["media image"]


def test_a_mail_button_leads_to_the_mail_page(authoring: Authoring) -> None:
    button = {"type": "link", "label": "메일 보내기", "uri": "mailto:help@example.com"}
    node = a_node(2, "response", {"message": {"text": "메일로 물어보세요", "buttons": [button]}}, 3)
    phone = a_published(authoring, a_document(node, a_node(3, "keyboard", {}, 2)))
    payload = json.dumps(phone.payload("안녕"))
    context = {"timeEpoch": world.now_ms(), "domainName": "bots.example.com"}
    reply = json.loads(phone.post(payload, requestContext=context)["body"])
    assert every_button(reply)[0]["webLinkUrl"] == "https://bots.example.com/mail?to=help%40example.com"


# ---- who may call


@pytest.mark.parametrize(
    ("changes", "status"), [({"secret": None}, 401), ({"secret": "x" * 32}, 403), ({"path_secret": "x" * 32}, 403)]
)
def test_without_both_secrets_nobody_is_answered(echo: Phone, changes: dict[str, Any], status: int) -> None:
    reply = echo.post(json.dumps(echo.payload("안녕")), **changes)
    assert reply["statusCode"] == status
    assert json.loads(reply["body"])["error"]["code"] == "access_denied"


def test_an_unknown_bot_looks_like_a_wrong_secret(echo: Phone) -> None:
    stranger = Phone("no-such-bot", echo.settings)
    assert stranger.post(json.dumps(stranger.payload("안녕")))["statusCode"] == 403


def test_once_the_kakao_bot_id_is_set_other_bots_are_refused(authoring: Authoring) -> None:
    phone = a_published(authoring, ECHO, kakao_bot_id="another")
    assert phone.post(json.dumps(phone.payload("안녕")))["statusCode"] == 403
    phone = a_published(authoring, ECHO, kakao_bot_id="kakao-bot!")
    assert phone.say("안녕") == ["들었어요: 안녕"]


def test_both_header_secrets_hold_while_one_is_rotated(authoring: Authoring, echo: Phone) -> None:
    old = echo.settings.header_secrets[0]
    echo.settings = authoring.connect_kakao(echo.bot_id, rotate=True)
    forget_wiring()
    for secret in (old, echo.settings.header_secrets[0]):
        assert echo.post(json.dumps(echo.payload("안녕")), secret=secret)["statusCode"] == 200


# ---- bad input


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"userRequest": {"utterance": NaN}}',
        b'{"userRequest": ' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
        '{"userRequest": "안녕"}'.encode("cp949"),
        b'{"x": "' + b"x" * (10 * 1024 * 1024) + b'"}',
        b'{"userRequest": 5}',
        b'{"userRequest": {"user": {"id": 5}}}',
        b'{"userRequest": {"user": {}}}',
    ],
    ids=[
        "empty",
        "cut off",
        "list",
        "text",
        "NaN",
        "5000 digits",
        "depth 100000",
        "cp949",
        "10 MB",
        "wrong type",
        "number as id",
        "no id",
    ],
)
def test_a_malformed_body_is_a_clear_400(echo: Phone, body: bytes) -> None:
    reply = echo.post(body)
    assert reply["statusCode"] == 400
    error = json.loads(reply["body"])["error"]
    assert error["code"] == "invalid_input"
    assert len(error["message"]) > 10


def test_broken_base64_is_a_clear_400(echo: Phone) -> None:
    assert echo.post("%%%", isBase64Encoded=True)["statusCode"] == 400


def test_lone_surrogates_and_nul_are_repaired_at_the_door(echo: Phone) -> None:
    body = json.dumps(echo.payload("PLACE")).replace("PLACE", "a\\ud83d\\u0000b")
    reply = echo.post(body)
    assert json.loads(reply["body"])["template"]["outputs"][0]["simpleText"]["text"] == "들었어요: a\ufffdb"


def test_user_text_that_looks_like_a_template_stays_text(echo: Phone) -> None:
    echo.say("안녕")
    assert echo.say("{{bot.title}} {{#if}} {{{{raw}}}} ${7*7}") == [
        "들었어요: {{bot.title}} {{#if}} {{{{raw}}}} ${7*7}"
    ]


@pytest.mark.parametrize(
    "extra",
    [
        5,
        "null",
        [],
        {"malgil": 1, "payload": {"x": 5}},
        {"malgil": 1, "goto": {"flowId": "x"}},
        {"malgil": 1, "more": {"rev": -1, "index": "x"}},
        {"malgil": 1, "more": {"rev": 99, "index": 99}},
        {"other": "bot"},
    ],
)
def test_any_client_extra_is_answered(echo: Phone, extra: Any) -> None:
    echo.say("안녕")
    assert echo.say("둘", extra)


# ---- bots in trouble


def test_an_unpublished_bot_says_so(authoring: Authoring) -> None:
    bot_id = f"draft-{uuid.uuid4().hex[:8]}"
    authoring.import_file(bot_id, json.dumps(ECHO).encode())
    phone = Phone(bot_id, authoring.connect_kakao(bot_id))
    assert phone.say("안녕") == ["이 챗봇은 아직 게시되지 않았습니다."]


def test_a_bot_deleted_while_somebody_talks_says_so(authoring: Authoring, echo: Phone) -> None:
    echo.say("안녕")
    authoring.delete(echo.bot_id)
    forget_wiring()
    assert echo.say("둘") == ["이 챗봇은 더 이상 운영되지 않습니다."]


def test_a_position_that_a_new_version_no_longer_has_goes_to_the_fallback_flow(
    authoring: Authoring, echo: Phone
) -> None:
    echo.say("안녕")
    authoring.import_file(echo.bot_id, json.dumps(a_document(a_response(2, "새 버전이에요"))).encode())
    authoring.publish(echo.bot_id)
    forget_wiring()
    assert echo.say("둘") == ["새 버전이에요"]


@pytest.mark.parametrize(
    "nodes",
    [
        [a_node(2, "parameter", {"set": []}, 3), a_node(3, "parameter", {"set": []}, 2)],
        [a_response(2, '{{MASK(message, "soon")}}')],
    ],
    ids=["a loop without a keyboard", "a template that fails"],
)
def test_a_broken_scenario_answers_with_the_bots_error_message(
    authoring: Authoring, nodes: list[dict[str, Any]]
) -> None:
    phone = a_published(authoring, a_document(*nodes))
    assert phone.say("안녕") == [ERROR]
    assert phone.say("또") == [ERROR]


def test_at_debug_level_the_trace_is_logged_without_what_is_masked(
    authoring: Authoring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    phone = a_published(authoring, a_document(a_response(2, "{{MASK(message)}}", 3), a_node(3, "keyboard", {}, 2)))
    assert phone.say("비밀번호 1234") == ["비밀번호 1234"]
    assert "trace" not in capsys.readouterr().out
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "traced")  # one whose logger no other test has made
    forget_wiring()
    observability.logger.cache_clear()
    phone.say("주민번호 900101")
    logged = capsys.readouterr().out
    observability.logger.cache_clear()
    (line,) = [json.loads(line) for line in logged.splitlines() if '"trace"' in line]
    assert [entry["type"] for entry in line["trace"]] == ["keyboard", "response", "keyboard"]
    assert line["trace"][1]["data"]["message"]["text"] == "***"


# ---- our own faults


class Faulty:
    """A use case that fails in a way nobody foresaw."""

    def __init__(self, inner: Any) -> None:
        self.apologize = inner.apologize

    def __call__(self, request: Any) -> Any:
        raise ZeroDivisionError("a bug")


def test_a_bug_of_ours_is_answered_with_200_and_the_bots_words_and_counted(
    authoring: Authoring,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    phone = a_published(authoring, a_document(a_response(2, "안녕"), systemMessage={"error": "앗, 잠시만요."}))
    phone.say("안녕")
    faulty = Faulty(wiring.handle_skill_call())
    monkeypatch.setattr(wiring, "handle_skill_call", lambda: faulty)
    assert phone.say("둘") == ["앗, 잠시만요."]
    printed = capsys.readouterr().out
    metric = next(json.loads(line) for line in printed.splitlines() if '"OwnFault"' in line and "_aws" in line)
    assert metric["OwnFault"] == 1
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Malgil"
    assert "ZeroDivisionError" in caplog.text


def test_an_unreachable_table_is_answered_in_time_with_words(echo: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    echo.say("안녕")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    published, runnable = wiring.published_bots(), wiring.runnable_bots()
    forget_wiring()
    monkeypatch.setattr(wiring, "published_bots", lambda: published)
    monkeypatch.setattr(wiring, "runnable_bots", lambda: runnable)
    assert echo.say("둘") == [ERROR]


def test_a_call_that_waited_too_long_at_the_gate_is_answered_at_once(echo: Phone) -> None:
    echo.say("안녕")
    late: dict[str, Any] = {"requestContext": {"timeEpoch": world.now_ms() - 5_000}}
    reply = echo.post(json.dumps(echo.payload("둘")), **late)
    assert reply["statusCode"] == 200
    assert json.loads(reply["body"])["template"]["outputs"][0]["simpleText"]["text"] == ERROR
