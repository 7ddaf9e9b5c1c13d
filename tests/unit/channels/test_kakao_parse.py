"""Skill calls are read leniently, and refused with their place when they cannot be one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.channels.kakao.extra import ButtonOrigin, button_extra, continue_extra
from shared.channels.kakao.parse import ContinueReading, SkillCall, parse_skill_call
from shared.engine.inbound import Opened, StartAt, UserMessage
from shared.errors import InvalidInput

ORIGIN = ButtonOrigin(flow_id=1, node_id=2, revision=3)


def call(utterance="안녕", *, extra=None, intent=None, media=None, welcome_block_id=None, **request) -> SkillCall:
    payload = {
        "intent": intent or {},
        "userRequest": {
            "utterance": utterance,
            "user": {"id": "user-1"},
            "params": {"media": media} if media else {},
            **request,
        },
        "action": {"clientExtra": extra},
    }
    return parse_skill_call(json.dumps(payload).encode(), welcome_block_id=welcome_block_id)


def text(said: str, **more) -> UserMessage:
    return UserMessage(data={"type": "text", "text": said, **more})


def test_typed_text_is_a_message():
    assert call("안녕하세요").inbound == text("안녕하세요")


def test_the_newline_that_the_skill_test_adds_is_no_part_of_the_text():
    assert call("비틀즈\r\n").inbound == text("비틀즈")


@pytest.mark.parametrize("said", ["{{constructor}}", "${7*7}", "\u202egnp.exe", "\u3164", "ㅋ" * 1000, "한\u2028글"])
def test_whatever_the_end_user_types_stays_as_it_is(said):
    assert call(said).inbound == text(said)


def test_nul_and_lone_surrogates_are_repaired():
    assert call("a\x00\ud83db").inbound == text("a\ufffdb")


# Welcome


@pytest.mark.parametrize("said", ["", " ", "\n"])
def test_a_blank_utterance_opens_the_conversation(said):
    assert call(said).inbound == Opened()


@pytest.mark.parametrize("name", ["웰컴 블록", "웰컴블록", "Welcome Block", "welcome"])
def test_a_block_named_welcome_opens_the_conversation(name):
    assert call("처음으로", intent={"name": name}).inbound == Opened()
    assert call("처음으로", block={"name": name}).inbound == Opened()


def test_the_configured_welcome_block_opens_the_conversation():
    assert call("시작하기", intent={"id": "b1", "name": "인사"}, welcome_block_id="b1").inbound == Opened()


def test_another_block_is_not_the_configured_welcome_block():
    assert call("시작하기", block={"id": "b2", "name": "인사"}, welcome_block_id="b1").inbound == text("시작하기")


def test_a_button_of_another_bot_with_a_blank_text_does_not_open_the_conversation():
    assert call("", extra={"alarm_status": "on"}).inbound == text("")


def test_our_own_button_wins_over_the_welcome_block():
    extra = button_extra(payload="x", goto=None, origin=ORIGIN)
    assert call("처음으로", extra=extra, intent={"name": "웰컴 블록"}).inbound == text("처음으로", payload="x")


# Media

UPLOAD = "https://talk.kakaocdn.net/dna/a/b/i_1.png?credential=c&expires=1&signature=s%3D"


@pytest.mark.parametrize(("kind", "content_type"), [("image", "image"), ("video", "video"), ("file", "link")])
def test_an_upload_is_a_media_message(kind, content_type):
    media = {"contentType": content_type, "uri": UPLOAD}
    assert call(UPLOAD, media={"type": kind, "url": UPLOAD}).inbound == UserMessage(
        data={"type": "media", "media": media}
    )


def test_an_upload_with_a_blank_utterance_does_not_open_the_conversation():
    assert call("", media={"type": "image", "url": UPLOAD}).inbound == UserMessage(
        data={"type": "media", "media": {"contentType": "image", "uri": UPLOAD}}
    )


@pytest.mark.parametrize(
    ("said", "content_type"),
    [
        ("http://dn-m.talk.kakao.com/talkm/a/b/i_1.png", "image"),
        (UPLOAD, "image"),
        ("https://talk.kakaocdn.net/dna/a/v_1.MP4?expires=1", "video"),
    ],
)
def test_an_utterance_that_is_only_an_upload_address_is_a_media_message(said, content_type):
    assert call(said).inbound == UserMessage(
        data={"type": "media", "media": {"contentType": content_type, "uri": said}}
    )


@pytest.mark.parametrize(
    "said",
    [
        "https://example.com/a.png",
        "https://talk.kakaocdn.net.example.com/a.png",
        "https://example.com/?u=talk.kakaocdn.net",
        "https://talk.kakaocdn.net@example.com/a.png",
        f"{UPLOAD} 봐 주세요",
        "https://[talk.kakaocdn.net/a.png",
        "ftp://talk.kakaocdn.net/a.png",
    ],
)
def test_other_addresses_are_text(said):
    assert call(said).inbound == text(said)


@pytest.mark.parametrize("media", ["x", ["x"], {"type": "image"}, {"type": "image", "url": "javascript:alert(1)"}])
def test_malformed_media_is_ignored(media):
    assert call("사진", media=media).inbound == text("사진")


# Buttons


@pytest.mark.parametrize(
    ("payload", "parsed"),
    [
        ('{ "flowId": 1 }', {"flowId": 1}),
        ("[1, 2]", [1, 2]),
        ("그냥 글", "그냥 글"),
        ("3", "3"),
        ("{broken", "{broken"),
        ("[" * 200, "[" * 200),
    ],
)
def test_a_payload_comes_back_with_the_tap(payload, parsed):
    extra = button_extra(payload=payload, goto=None, origin=ORIGIN)
    assert call("예", extra=extra).inbound == text("예", payload=parsed)


def test_a_button_without_a_payload_says_its_label():
    assert call("예", extra=button_extra(payload=None, goto=None, origin=ORIGIN)).inbound == text("예")


@pytest.mark.parametrize("node_id", [None, 7])
def test_a_goto_button_jumps_and_says_its_label(node_id):
    extra = button_extra(payload=None, goto=(4, node_id), origin=ORIGIN)
    assert call("처음으로", extra=extra).inbound == StartAt(
        flow_id=4, node_id=node_id, message={"type": "text", "text": "처음으로"}
    )


def test_continue_reading_points_into_the_reply():
    assert call("계속 보기", extra=continue_extra(12, 3)).inbound == ContinueReading(revision=12, index=3)


def test_a_tap_tells_where_its_button_came_from():
    assert call("예", extra=button_extra(payload=None, goto=None, origin=ORIGIN)).tapped == ORIGIN


def test_typed_text_comes_from_no_button():
    assert call("예").tapped is None


@pytest.mark.parametrize(
    "extra",
    [
        None,
        {},
        "null",
        "x",
        [],
        7,
        {"talkcheck_action": "lookup", "payload": "x"},
        {"malgil": 2, "payload": "x"},
        {"malgil": True, "payload": "x"},
        {"malgil": "1", "payload": "x"},
        {"malgil": 1, "payload": {"a": 1}},
        {"malgil": 1, "payload": "x" * 1001},
        {"malgil": 1, "goto": {"flowId": "4"}},
        {"malgil": 1, "goto": {"flowId": -4}},
        {"malgil": 1, "goto": 4},
        {"malgil": 1, "more": {"rev": 1}},
        {"malgil": 1, "more": {"rev": 1.5, "index": 0}},
    ],
)
def test_extra_that_is_not_ours_is_ignored(extra):
    assert call("예", extra=extra).inbound == text("예")


# Identity


def test_the_development_channel_is_told_by_the_mark_on_the_bot_id():
    payload = {"userRequest": {"user": {"id": "u"}}, "bot": {"id": "5ae9!"}}
    read = parse_skill_call(json.dumps(payload).encode())
    assert (read.bot_id, read.is_development) == ("5ae9", True)


def test_identities_of_the_person_become_params():
    properties = {"plusfriendUserKey": "P1", "appUserId": "42", "isFriend": True, "plusfriend_user_key": "P1"}
    read = call(user={"id": "user-1", "properties": properties})
    assert read.params == {"kakao:plusfriendUserKey": "P1", "kakao:appUserId": "42"}


@pytest.mark.parametrize("properties", [None, {}, {"appUserId": 42, "plusfriendUserKey": ""}, {"appUserId": "4" * 91}])
def test_identities_of_a_wrong_form_are_left_out(properties):
    assert call(user={"id": "user-1", "properties": properties}).params == {}


CALLBACK = "https://bot-api.kakao.com/v1/bots/5ae9!/callback/-token_1"


def test_a_callback_url_of_kakao_is_kept():
    assert call(callbackUrl=CALLBACK).callback_url == CALLBACK


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        7,
        "http://bot-api.kakao.com/x",
        "https://kakao.com.example.com/x",
        "https://evilkakao.com/x",
        "https://kakao.com/x",
        "https://bot-api.kakao.com@example.com/x",
        "https://example.com\\.kakao.com/x",
        "https://a@bot-api.kakao.com/x",
        "https://bot-api.kakao.com:8443/x",
        "https://bot-api.kakao.com:port/x",
        "https://bot-api.kakao.com/\r\nx",
        "https://[bot-api.kakao.com/x",
    ],
)
def test_any_other_callback_url_is_ignored(url):
    assert call(callbackUrl=url).callback_url is None


# Refused


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ([], "body: a list instead of an object"),
        (None, "body: null instead of an object"),
        (7, "body: a number instead of an object"),
        ({}, "userRequest: missing"),
        ({"userRequest": "x"}, "userRequest: text instead of an object"),
        ({"userRequest": {}}, "userRequest.user: missing"),
        ({"userRequest": {"user": []}}, "userRequest.user: a list instead of an object"),
        ({"userRequest": {"user": {}}}, "userRequest.user.id: missing"),
        ({"userRequest": {"user": {"id": " "}}}, "userRequest.user.id: missing"),
        ({"userRequest": {"user": {"id": 7}}}, "userRequest.user.id: a number instead of text"),
        ({"userRequest": {"user": {"id": "u" * 91}}}, "userRequest.user.id: longer than 90 characters"),
        ({"userRequest": {"user": {"id": "u"}, "utterance": {}}}, "userRequest.utterance: an object instead of text"),
        ({"userRequest": {"user": {"id": "u"}, "params": []}}, "userRequest.params: a list instead of an object"),
        ({"userRequest": {"user": {"id": "u"}}, "bot": True}, "bot: a boolean instead of an object"),
        ({"userRequest": {"user": {"id": "u"}}, "action": "x"}, "action: text instead of an object"),
    ],
)
def test_what_is_no_skill_call_is_refused_with_its_place(payload, message):
    with pytest.raises(InvalidInput) as refused:
        parse_skill_call(json.dumps(payload).encode())
    assert str(refused.value) == message


USER = b'{"userRequest": {"user": {"id": "u"}, "utterance": %b}}'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Expecting value"),
        (b"<html>", "Expecting value"),
        (USER % b"NaN", "NaN is not a number"),
        (USER % (b"9" * 5_000), "is not a number"),
        (USER % (b"[" * 50_000), "nested deeper than 64"),
        (USER % '"안녕"'.encode("cp949"), "CP949"),
        (USER % b'"\xff"', "not UTF-8"),
        (USER % (b'"' + b"a" * 65_536 + b'"'), "at most 65536"),
    ],
)
def test_a_malformed_body_is_refused(body, message):
    with pytest.raises(InvalidInput, match=message):
        parse_skill_call(body)


KEYS = ["user", "id", "utterance", "params", "media", "type", "url", "malgil", "goto", "flowId", "more", "rev"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=10,
)


@given(json_values, json_values, json_values, json_values)
def test_any_json_is_read_or_refused(request, user, extra, media):
    request = request if isinstance(request, dict) else {}
    payload = {
        "userRequest": {**request, "user": {"id": "u"} if isinstance(user, list) else user, "params": {"media": media}},
        "action": {"clientExtra": extra},
    }
    try:
        read = parse_skill_call(json.dumps(payload).encode())
    except InvalidInput:
        return
    assert read.user_key
