"""Only Kakao, calling for the right bot, gets past the skill URL."""

import json

import pytest

from shared.channels.kakao.parse import parse_skill_call
from shared.channels.kakao.settings import KakaoSettings, authenticate, check_bot_id
from shared.errors import AccessDenied, InvalidInput

PATH = "p" * 22
CURRENT = "c" * 22
PREVIOUS = "o" * 22
SETTINGS = KakaoSettings(path_secret=PATH, header_secrets=(CURRENT, PREVIOUS), kakao_bot_id="5ae9")


def gets_in(settings, path, header):
    try:
        authenticate(settings, path, header)
    except AccessDenied:
        return False
    return True


def is_right_bot(settings, bot_id):
    try:
        check_bot_id(settings, call(bot_id))
    except AccessDenied:
        return False
    return True


def call(bot_id: str | None):
    payload = {"userRequest": {"user": {"id": "u"}, "utterance": "hi"}, "bot": {"id": bot_id}}
    return parse_skill_call(json.dumps(payload).encode())


@pytest.mark.parametrize("header", [CURRENT, PREVIOUS])
def test_the_current_and_the_previous_header_secret_are_accepted(header):
    assert gets_in(SETTINGS, PATH, header)


@pytest.mark.parametrize(
    ("path", "header"),
    [(PATH, None), (PATH, ""), (PATH, "x"), (PATH, CURRENT + "x"), ("", CURRENT), ("x", CURRENT), (PATH, "비밀\ud83d")],
)
def test_a_wrong_or_missing_secret_is_refused(path, header):
    assert not gets_in(SETTINGS, path, header)


def test_without_a_header_secret_nobody_gets_in():
    assert not gets_in(KakaoSettings(path_secret=PATH, header_secrets=()), PATH, "")


def test_an_empty_stored_secret_never_matches():
    assert not gets_in(KakaoSettings(path_secret="", header_secrets=("",)), "", "")


@pytest.mark.parametrize("bot_id", ["5ae9", "5ae9!"])
def test_the_bot_is_accepted_on_its_channel_and_on_its_development_channel(bot_id):
    assert is_right_bot(SETTINGS, bot_id)


@pytest.mark.parametrize("bot_id", ["5ae8", "", None])
def test_another_bot_is_refused_once_the_bot_id_is_set(bot_id):
    assert not is_right_bot(SETTINGS, bot_id)


def test_any_bot_is_accepted_until_the_bot_id_is_set():
    assert is_right_bot(KakaoSettings(path_secret=PATH, header_secrets=(CURRENT,)), "other")


def test_settings_survive_storage():
    settings = KakaoSettings(path_secret=PATH, header_secrets=(CURRENT,), kakao_bot_id="5ae9", welcome_block_id="block")
    assert KakaoSettings.parse(json.loads(json.dumps(settings.to_dict()))) == settings


def test_a_bot_id_copied_from_the_development_channel_is_stored_without_its_mark():
    data = {"pathSecret": PATH, "headerSecrets": [CURRENT], "botId": "5ae9!"}
    assert KakaoSettings.parse(data).kakao_bot_id == "5ae9"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"pathSecret": "short"}, "kakao.pathSecret"),
        ({"pathSecret": None}, "kakao.pathSecret"),
        ({"headerSecrets": []}, "kakao.headerSecrets"),
        ({"headerSecrets": [CURRENT] * 3}, "kakao.headerSecrets"),
        ({"headerSecrets": [CURRENT, "비밀" * 20]}, r"kakao.headerSecrets\[1\]"),
        ({"botId": 5}, "kakao.botId"),
        ({"welcomeBlockId": []}, "kakao.welcomeBlockId"),
    ],
)
def test_malformed_settings_are_refused_with_their_place(change, place):
    with pytest.raises(InvalidInput, match=place):
        KakaoSettings.parse({"pathSecret": PATH, "headerSecrets": [CURRENT], **change})


def test_settings_that_are_no_object_are_refused():
    with pytest.raises(InvalidInput):
        KakaoSettings.parse([])
