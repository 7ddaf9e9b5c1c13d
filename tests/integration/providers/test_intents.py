"""Intents: what each provider is asked in its own words, and the one result that comes of it."""

import base64

import pytest

from shared.engine.effects import Answered, EffectFailed, IntentQuery
from shared.providers.dialogflow_cx import DialogflowCx
from shared.providers.dialogflow_es import DialogflowEs
from shared.providers.google_auth import GoogleTokens
from shared.providers.http_nlp import ask_over_http
from shared.providers.intents import IntentCarrier
from shared.providers.watson import ask_watson
from tests.integration.providers.conftest import API_KEY, WATSON_KEY, attempt, clock, saying, saying_json

SETTINGS = {
    "dialogflow": {"projectId": "malgil-shop"},
    "dialogflow_cx": {"projectId": "malgil-shop", "agentId": "133b0350-f2d2", "location": "asia-northeast1"},
    "watson": {"assistantId": "a1", "environmentId": "e1", "version": "2021-06-14"},
    "http": {},
}
CREDENTIALS = {"dialogflow": "google", "dialogflow_cx": "google", "watson": "watson", "http": ""}
NAMES = [*SETTINGS]


@pytest.fixture
def ask(provider, credentials, now):
    tokens = GoogleTokens(now, token_url=provider.url("oauth2.googleapis.com") + "/token")
    url = provider.url("{region}dialogflow.googleapis.com")
    carrier = IntentCarrier(
        provider.client,
        credentials,
        clock,
        providers={
            "dialogflow": lambda: DialogflowEs(tokens, url=url),
            "dialogflow_cx": lambda: DialogflowCx(tokens, url=url),
            "watson": lambda: ask_watson,
            "http": lambda: ask_over_http,
        },
    )
    own = {
        "watson": {"url": provider.url("api.us-south.assistant.watson.cloud.ibm.com") + "/instances/1/"},
        "http": {"uri": provider.url("nlp.shop.example") + "/understand"},
    }

    def query(name, text="영업시간 알려 줘", *, timeout_ms=5_000, credential=None, session_id="log-1", **settings):
        chosen = {**SETTINGS.get(name, {}), **own.get(name, {}), **settings}
        effect = IntentQuery(
            provider=name,
            settings={key: value for key, value in chosen.items() if value is not None},
            text=text,
            session_id=session_id,
            language="ko",
            credential=CREDENTIALS.get(name, "") if credential is None else credential,
            timeout_ms=timeout_ms,
        )
        return carrier(effect, attempt(timeout_ms))

    return query


@pytest.fixture
def token(provider):
    provider.script.append(saying("google_token.json"))


def failed(answer, name, words=""):
    assert isinstance(answer, EffectFailed), answer
    assert answer.name == name, answer
    assert words in answer.message


# ---- Dialogflow ES


def test_dialogflow_es_is_asked_and_understood(provider, ask, token):
    provider.script.append(saying("dialogflow_es.json"))
    answer = ask("dialogflow", "내일 7시에 두 명 예약해 줘")
    assert answer == Answered(
        result={
            "intent": "reserve",
            "entities": [
                {"entity": "date-time", "value": "2026-11-23T19:00:00+09:00", "score": None},
                {"entity": "number", "value": 2, "score": None},
            ],
            "answer": "내일 저녁 7시, 두 분으로 예약할까요?",
            "score": 0.8731437,
        }
    )
    request = provider.requests[1]
    assert provider.asked()[1] == "POST /v2/projects/malgil-shop/agent/sessions/log-1:detectIntent"
    assert request.header("host") == f"dialogflow.googleapis.com:{provider.server.port}"
    assert request.header("authorization").startswith("Bearer ")
    assert provider.body() == {"queryInput": {"text": {"text": "내일 7시에 두 명 예약해 줘", "languageCode": "ko"}}}


def test_a_fallback_intent_is_no_intent(provider, ask, token):
    provider.script.append(saying("dialogflow_es_fallback.json"))
    answer = ask("dialogflow", "sky")
    assert answer.result == {"intent": None, "entities": [], "answer": "다시 말씀해 주세요.", "score": 1}


@pytest.mark.parametrize("intent", [{"displayName": "Fallback", "isFallback": True}, {"displayName": "Fallback"}])
def test_an_older_agents_fallback_is_known_by_its_action(provider, ask, token, intent):
    provider.script.append(saying_json({"queryResult": {"intent": intent, "action": "input.unknown"}}))
    assert ask("dialogflow").result["intent"] is None


@pytest.mark.parametrize(
    ("settings", "path", "host"),
    [
        ({"environmentId": "draft", "location": "global"}, "agent/sessions", "dialogflow"),
        ({"environmentId": "live"}, "agent/environments/live/users/-/sessions", "dialogflow"),
        ({"location": "asia-northeast1"}, "locations/asia-northeast1/agent/sessions", "asia-northeast1-dialogflow"),
    ],
)
def test_dialogflow_es_has_regions_and_environments(provider, ask, settings, path, host):
    provider.script.append(saying("google_token.json"))
    provider.script.append(saying("dialogflow_es.json"))
    assert isinstance(ask("dialogflow", **settings), Answered)
    assert provider.asked()[1] == f"POST /v2/projects/malgil-shop/{path}/log-1:detectIntent"
    assert provider.requests[1].header("host") == f"{host}.googleapis.com:{provider.server.port}"
    assert provider.body()["queryInput"]["text"]["languageCode"] == "ko"


@pytest.mark.parametrize("session_id", ["a/b:detectIntent?", "x" * 37, "로그", ""])
def test_a_session_of_another_form_becomes_its_hash(provider, ask, token, session_id):
    provider.script.append(saying("dialogflow_es.json"))
    ask("dialogflow", session_id=session_id)
    session = provider.requests[1].path.removesuffix(":detectIntent").rpartition("/")[2]
    assert len(session) == 36
    assert session.isalnum()


def test_a_long_text_is_cut_to_what_dialogflow_takes(provider, ask, token):
    provider.script.append(saying("dialogflow_es.json"))
    ask("dialogflow", "가" * 300)
    assert provider.body()["queryInput"]["text"]["text"] == "가" * 256


# ---- Dialogflow CX


def test_dialogflow_cx_is_asked_and_understood(provider, ask, token):
    provider.script.append(saying("dialogflow_cx.json"))
    answer = ask("dialogflow_cx")
    assert answer == Answered(
        result={
            "intent": "store.hours",
            "entities": [{"entity": "branch", "value": {"original": "강남점", "resolved": "gangnam"}, "score": None}],
            "answer": "10시부터 22시까지 엽니다.\n월요일은 쉽니다.",
            "score": 0.9,
        }
    )
    assert provider.asked()[1] == (
        "POST /v3/projects/malgil-shop/locations/asia-northeast1/agents/133b0350-f2d2/sessions/log-1:detectIntent"
    )
    assert provider.requests[1].header("host") == (f"asia-northeast1-dialogflow.googleapis.com:{provider.server.port}")
    assert provider.body() == {"queryInput": {"text": {"text": "영업시간 알려 줘"}, "languageCode": "ko"}}


def test_no_match_is_no_intent(provider, ask, token):
    provider.script.append(saying("dialogflow_cx_no_match.json"))
    result = ask("dialogflow-cx", **SETTINGS["dialogflow_cx"], credential="google").result
    assert (result["intent"], result["answer"]) == (None, "무슨 말씀이신지 모르겠어요.")


def test_dialogflow_cx_has_environments_and_a_global_host(provider, ask, token):
    provider.script.append(saying("dialogflow_cx.json"))
    ask("dialogflow_cx", location=None, environmentId="live")
    assert provider.asked()[1] == (
        "POST /v3/projects/malgil-shop/locations/global/agents/133b0350-f2d2/environments/live/sessions/log-1"
        ":detectIntent"
    )
    assert provider.requests[1].header("host") == f"dialogflow.googleapis.com:{provider.server.port}"


@pytest.mark.parametrize("name", ["dialogflow", "dialogflow_cx"])
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("projectId", "a/b"),
        ("projectId", "..%2f"),
        ("location", "evil.example/"),
        ("location", "Asia"),
        ("environmentId", "a:b/c"),
        ("projectId", 7),
    ],
)
def test_a_setting_cannot_change_the_address(provider, ask, name, setting, value):
    failed(ask(name, **{setting: value}), "InvalidRequestError", f"nlp: {setting}")
    assert provider.requests == []


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("dialogflow", "projectId"),
        ("dialogflow_cx", "projectId"),
        ("dialogflow_cx", "agentId"),
        ("watson", "url"),
        ("http", "uri"),
    ],
)
def test_a_missing_setting_is_named(provider, ask, name, setting):
    failed(ask(name, **{setting: None}), "NotConfiguredError", f"nlp: {setting} is not set")
    assert provider.requests == []


@pytest.mark.parametrize("name", ["dialogflow", "dialogflow_cx", "watson"])
def test_a_missing_credential_is_named(provider, ask, name):
    failed(ask(name, credential=""), "NotConfiguredError", "no credential is set")
    failed(ask(name, credential="nobody"), "CredentialError", "`malgil secret set shop nobody`")
    assert provider.requests == []


# ---- Watson


def test_watson_is_asked_and_understood(provider, ask):
    provider.script.append(saying("watson_message.json"))
    answer = ask("watson", "안녕\n하세요\t!")
    assert answer == Answered(
        result={
            "intent": "General_Greetings",
            "entities": [{"entity": "size", "value": "large", "score": 1}],
            "answer": "안녕하세요!\n무엇을 도와드릴까요?",
            "score": 0.97,
        }
    )
    (request,) = provider.requests
    assert provider.asked() == ["POST /instances/1/v2/assistants/e1/message?version=2021-06-14"]
    basic = base64.b64encode(f"apikey:{WATSON_KEY}".encode()).decode()
    assert request.header("authorization") == f"Basic {basic}"
    assert provider.body() == {"input": {"message_type": "text", "text": "안녕 하세요 !"}, "user_id": "log-1"}


def test_classic_watson_is_addressed_by_the_assistant(provider, ask):
    provider.script.append(saying("watson_nothing.json"))
    result = ask("watson", environmentId=None, version=None).result
    assert provider.asked() == ["POST /instances/1/v2/assistants/a1/message?version=2024-08-25"]
    assert result == {"intent": None, "entities": [], "answer": "죄송합니다. 다시 말씀해 주세요.", "score": None}


def test_a_key_that_watson_refuses_is_the_credentials_fault(provider, ask):
    provider.script.append(saying("watson_unauthorized.json", 401))
    failed(ask("watson"), "CredentialError", "watson: status 401 (Unauthorized)")


@pytest.mark.parametrize("url", ["http://api.ibm.example", "ftp://x", "x"])
def test_a_key_only_goes_over_https(provider, ask, url):
    failed(ask("watson", url=url), "InvalidRequestError", "https")
    failed(ask("http", uri=url, credential="openai"), "InvalidRequestError", "https")
    assert provider.requests == []


# ---- any service


def test_a_service_of_ones_own_is_asked_and_understood(provider, ask):
    provider.script.append(
        saying_json(
            {
                "result": {
                    "intents": [{"name": "hours", "p": 0.8}],
                    "slots": [{"name": "branch", "value": "강남", "confidence": 0.7}],
                    "reply": "10시부터요.",
                }
            }
        )
    )
    mapping = {
        "intent": "result.intents.0.name",
        "score": "result.intents.0.p",
        "entities": "result.slots",
        "answer": "result.reply",
    }
    answer = ask("http", headers={"X-Shop": "1"}, mapping=mapping, credential="openai")
    assert answer == Answered(
        result={
            "intent": "hours",
            "entities": [{"entity": "branch", "value": "강남", "score": 0.7}],
            "answer": "10시부터요.",
            "score": 0.8,
        }
    )
    (request,) = provider.requests
    assert provider.asked() == ["POST /understand"]
    assert request.header("authorization") == f"Bearer {API_KEY}"
    assert request.header("x-shop") == "1"
    assert provider.body() == {"text": "영업시간 알려 줘", "sessionId": "log-1", "language": "ko"}


def test_without_a_mapping_the_fields_have_our_names(provider, ask):
    provider.script.append(saying_json({"intent": "hours", "entities": {"branch": "강남"}, "score": 1}))
    assert ask("http").result == {
        "intent": "hours",
        "entities": [{"entity": "branch", "value": "강남", "score": None}],
        "answer": None,
        "score": 1,
    }


def test_what_is_not_there_is_missing(provider, ask):
    provider.script.append(saying_json([]))
    result = ask("http", mapping={"intent": "0.name", "answer": "9999999999.x", "score": "a..b"}).result
    assert result == {"intent": None, "entities": [], "answer": None, "score": None}


def test_method_headers_and_body_are_the_authors(provider, ask, secrets):
    secrets.put("own", {"headers": {"X-Api-Key": "key-of-the-service"}})
    provider.script += [saying_json({})] * 3
    rows = [{"key": "Content-Type", "value": "text/plain"}]
    ask("http", method="put", body="말: 안녕", headers=rows, credential="own")
    ask("http", body={"q": ["안녕"]})
    ask("http", method="GET")
    first, second, third = provider.requests
    assert (first.method, first.body.decode(), first.header("content-type")) == ("PUT", "말: 안녕", "text/plain")
    assert (first.header("x-api-key"), first.header("authorization")) == ("key-of-the-service", None)
    assert provider.body(1) == {"q": ["안녕"]}
    assert (third.method, third.body) == ("GET", b"")
    assert second.header("content-type") == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "settings",
    [
        {"headers": "X: 1"},
        {"headers": {"X": 1}},
        {"headers": {"Host": "evil.example"}},
        {"headers": {"X": "a\r\nY: b"}},
        {"mapping": "intent"},
        {"mapping": {"intent": 1}},
        {"method": "TRACE"},
    ],
)
def test_settings_that_cannot_be_sent_are_refused(provider, ask, settings):
    answer = ask("http", **settings)
    assert answer.name in {"InvalidRequestError", "BlockedAddressError"}
    assert provider.requests == []


# ---- all of them


@pytest.mark.parametrize("name", ["", "lex", "luis"])
def test_a_provider_that_is_not_there_is_told(ask, name):
    failed(ask(name, credential="google"), "NotConfiguredError", "only dialogflow, dialogflow_cx, http, watson")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "answer",
    [
        {"queryResult": "x", "output": "x", "intent": {}},
        {"queryResult": {"match": [], "intent": "x", "parameters": 1}, "output": {"intents": {}}, "entities": "x"},
        {
            "queryResult": {"intentDetectionConfidence": "high", "match": {"confidence": True}},
            "output": {"intents": [{"intent": 1}]},
            "score": "high",
        },
        {
            "queryResult": {"intent": {"displayName": 7}, "match": {"intent": {"displayName": 7}}},
            "output": [],
            "answer": 5,
        },
    ],
    ids=["texts", "types", "numbers", "names"],
)
def test_answers_of_other_types_are_refused_with_their_place(provider, ask, name, answer):
    if name.startswith("dialogflow"):
        provider.script.append(saying("google_token.json"))
    provider.script.append(saying_json(answer))
    failed(ask(name), "ProviderError", "answer")
