"""Every public sample of Kakao's protocol is understood: what Kakao posts, and what a skill may answer."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from shared.channels.kakao.parse import parse_skill_call
from shared.engine.inbound import UserMessage
from shared.errors import InvalidInput
from tests.contract.kakao.skill_response import SCHEMA, violations

SAMPLES = Path(__file__).parents[2] / "data" / "kakao"
REQUESTS = sorted(path.name for path in SAMPLES.glob("req_*.json"))
RESPONSES = sorted(path.name for path in SAMPLES.glob("resp_*.json"))
NO_SKILL_CALL = {
    "req_10_param_validation_slotfilling.json": "a parameter validation call",
    "req_16_official_detailparams_excerpt.json": "userRequest: missing",
}
PRODUCTION_USER = "c0d01a32a8225dfc645e72a5abdd3d1f2c3c826ce797800e0bf25aac0652bf175c"
SAID = {
    "req_01_text_fallback_2019.json": "what are you doing/",
    "req_03_params_sysdate_devbot_2019.json": "내일 보여줘",
    "req_04_quickreply_fallback_flow_2025.json": "생각 다 끝났나요?",
    "req_05_callbackurl_fallback_devbot.json": "aaa",
    "req_07_skilltest_params.json": "비틀즈",
    "req_08_skilltest_default_2025.json": "발화 내용",
    "req_09_clientextra_block_button.json": "",
    "req_11_official_knowledge_params.json": "<사용자 발화>",
    "req_12_official_minimal.json": "<사용자 발화>",
    "req_13_skilltest_curl.json": "Can you tell me the Wi-Fi information for Battie?",
    "req_14_secureimage_plugin_test.json": "등록증 사진",
    "req_15_quickreply_clientextra_test.json": "사업자 조회하기",
}
UPLOADS = {"req_02_image_utterance_url_2019.json", "req_06_image_media_flow.json"}
OUTSIDE_THE_LIMITS = {
    "resp_03_basiccard_v1doc_social_profile.json": ["social"],
    "resp_04_listcard_v1doc.json": ["imageUrl"],
    "resp_07_basiccard_with_type_key.json": ["type"],
    "resp_10_itemcard_official.json": [
        "itemList[2].title: 7",
        "itemList[3].title: 8",
        "itemCard.title: ''",
        "itemCard.description: ''",
        "label: 18",
    ],
    "resp_13_textcard_buttonlayout_official.json": ["label: 9"],
}
"""Kakao's own examples break Kakao's own limits, or use keys that its tables no longer know."""


def call(name: str):
    return parse_skill_call((SAMPLES / name).read_bytes())


def test_every_request_sample_is_accounted_for():
    assert set(REQUESTS) == SAID.keys() | UPLOADS | NO_SKILL_CALL.keys()


@pytest.mark.parametrize("name", SAID)
def test_a_request_says_what_the_user_said(name):
    assert call(name).inbound == UserMessage(data={"type": "text", "text": SAID[name]})


@pytest.mark.parametrize("name", sorted(UPLOADS))
def test_an_uploaded_picture_arrives_as_media(name):
    uri = json.loads((SAMPLES / name).read_text())["userRequest"]["utterance"]
    assert call(name).inbound == UserMessage(data={"type": "media", "media": {"contentType": "image", "uri": uri}})


@pytest.mark.parametrize("name", NO_SKILL_CALL)
def test_what_is_no_skill_call_is_refused_with_its_reason(name):
    with pytest.raises(InvalidInput, match=NO_SKILL_CALL[name]):
        call(name)


def test_an_excerpt_of_an_action_is_read_inside_a_call():
    action = json.loads((SAMPLES / "req_16_official_detailparams_excerpt.json").read_text())["action"]
    payload = {"userRequest": {"user": {"id": "u"}, "utterance": "금요일"}, "action": action}
    read = parse_skill_call(json.dumps(payload).encode())
    assert read.inbound == UserMessage(data={"type": "text", "text": "금요일"})


def test_the_production_channel():
    read = call("req_01_text_fallback_2019.json")
    assert (read.bot_id, read.is_development, read.user_key) == ("5cde7e03e82127459ccb0fff", False, PRODUCTION_USER)
    assert read.params == {"kakao:plusfriendUserKey": "Pt5qtfZJhnxp"}


def test_the_development_channel_and_the_callback_url():
    read = call("req_05_callbackurl_fallback_devbot.json")
    assert (read.bot_id, read.is_development) == ("5ae9b76d7409b11ec845b746", True)
    assert read.params == {"kakao:plusfriendUserKey": "aaaaaaaa", "kakao:appUserId": "1234567"}
    assert read.callback_url is not None
    assert read.callback_url.startswith("https://bot-api.kakao.com/v1/bots/5ae9b76d7409b11ec845b746!/callback/")


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in NO_SKILL_CALL])
def test_skill_tests_are_recognised(name):
    assert call(name).is_skill_test == ("skilltest" in name)


@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in NO_SKILL_CALL])
def test_any_part_that_may_be_null_may_also_be_absent(name):
    def without_nulls(value):
        return (
            {key: without_nulls(item) for key, item in value.items() if item is not None}
            if isinstance(value, dict)
            else value
        )

    payload = json.loads((SAMPLES / name).read_text())
    assert parse_skill_call(json.dumps(without_nulls(payload)).encode()) == call(name)


@pytest.mark.parametrize("name", [name for name in RESPONSES if name not in OUTSIDE_THE_LIMITS])
def test_a_response_sample_is_within_the_limits(name):
    assert violations(json.loads((SAMPLES / name).read_text())) == []


@pytest.mark.parametrize("name", OUTSIDE_THE_LIMITS)
def test_a_response_sample_breaks_no_other_limit_than_those_known(name):
    found = violations(json.loads((SAMPLES / name).read_text()))
    assert len(found) == len(OUTSIDE_THE_LIMITS[name])
    assert all(known in violation for known, violation in zip(OUTSIDE_THE_LIMITS[name], found, strict=True))


def card(**more):
    return {"thumbnail": {"imageUrl": "https://a.kr/i.png"}, **more}


def response(*outputs, **template):
    return {"version": "2.0", "template": {"outputs": list(outputs), **template}}


TEXT = {"simpleText": {"text": "t"}}
REPLY = {"label": "예", "action": "message", "messageText": "예"}


@pytest.mark.parametrize(
    "body",
    [
        {"template": {"outputs": [TEXT]}},
        {"version": "2.0"},
        response(),
        response(TEXT, TEXT, TEXT, TEXT),
        response({**TEXT, "simpleImage": {"imageUrl": "https://a.kr/i.png"}}),
        response({"simpleText": {"text": "가" * 1001}}),
        response({"simpleText": {"text": "😀" * 501}}),
        response({"simpleText": {"text": ""}}),
        response({"simpleText": {"text": None}}),
        response({"simpleImage": {"imageUrl": "https://a.kr/나.png"}}),
        response({"simpleImage": {"imageUrl": "https://a.kr/i.png", "altText": "가" * 51}}),
        response({"textCard": {"buttons": [REPLY]}}),
        response({"textCard": {"title": "가" * 51}}),
        response({"textCard": {"title": "가" * 50, "description": "나" * 351}}),
        response({"textCard": {"title": "t", "buttons": []}}),
        response({"textCard": {"title": "t", "buttons": [REPLY] * 4}}),
        response({"textCard": {"title": "t", "buttons": [{**REPLY, "label": "가" * 15}]}}),
        response({"textCard": {"title": "t", "buttons": [{"label": "a", "action": "webLink"}]}}),
        response({"textCard": {"title": "t", "buttons": [{"label": "a", "action": "message"}]}}),
        response({"textCard": {"title": "t", "buttons": [{"label": "a", "action": "phone", "phoneNumber": "tel:1"}]}}),
        response({"textCard": {"title": "t", "buttons": [{"label": "a", "action": "operator", "extra": {}}]}}),
        response({"basicCard": {"title": "t"}}),
        response({"basicCard": card(description="가" * 231)}),
        response({"carousel": {"type": "basicCard", "items": [card()] * 11}}),
        response({"carousel": {"type": "textCard", "items": [{"title": "t", "description": "가" * 129}] * 2}}),
        response({"carousel": {"type": "textCard", "items": [{"textCard": {"title": "t"}}] * 2}}),
        response({"carousel": {"type": "simpleText", "items": [{"text": "t"}] * 2}}),
        response(TEXT, quickReplies=[REPLY] * 11),
        response(TEXT, quickReplies=[{"label": "예", "action": "message"}]),
        response(TEXT, quickReplies=[{**REPLY, "action": "webLink"}]),
        response({"textCard": {"title": "t", "buttons": [{**REPLY, "extra": {"payload": "x" * 31_000}}]}}),
    ],
)
def test_the_schema_refuses_what_kakao_documents_as_wrong(body):
    assert violations(body) != []


def test_the_schema_itself_is_valid():
    Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))
