"""Small talk: what a language model is asked, and what comes back of it."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from shared.engine.effects import Answered, EffectFailed, SmallTalk
from shared.errors import Unavailable
from shared.providers.bedrock_chat import BedrockChat
from shared.providers.openai_chat import OpenAiChat
from shared.providers.small_talk import SmallTalkCarrier
from tests.integration.providers.conftest import DATA, attempt, clock, saying, saying_json
from tests.loopback_server import LoopbackServer, answering

INSTRUCTIONS = "너는 꽃집의 상냥한 직원이다."


@pytest.fixture
def carrier_for(provider, credentials):
    def make(**providers):
        chosen = {"openai": lambda: OpenAiChat(url=provider.url("api.openai.com") + "/v1"), **providers}
        return SmallTalkCarrier(provider.client, credentials, clock, providers=chosen)

    return make


def talk(name="openai", credential="openai", timeout_ms=5_000, **changed: Any):
    given = {"instructions": INSTRUCTIONS, "text": "오늘 어때?", "max_tokens": 120, "settings": {"model": "gpt-5.4"}}
    return SmallTalk(provider=name, credential=credential, timeout_ms=timeout_ms, **{**given, **changed})


def failed(answer, name, words=""):
    assert isinstance(answer, EffectFailed), answer
    assert answer.name == name, answer
    assert words in answer.message


# ---- OpenAI and what speaks like it


def test_a_model_is_asked_and_answers(provider, carrier_for):
    provider.script.append(saying("openai_chat.json"))
    answer = carrier_for()(talk(), attempt())
    assert answer == Answered(
        result={"answer": "Hello! How can I assist you today?", "usage": {"input": 19, "output": 10}}
    )
    (request,) = provider.requests
    assert provider.asked() == ["POST /v1/chat/completions"]
    assert request.header("authorization") == "Bearer sk-proj-0123456789abcdef"
    assert request.header("content-type") == "application/json; charset=utf-8"
    assert provider.body() == {
        "model": "gpt-5.4",
        "messages": [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": "오늘 어때?"}],
        "max_tokens": 120,
    }


def test_a_server_of_ones_own_needs_no_credential(provider, carrier_for):
    provider.script.append(saying_json({"choices": [{"message": {"content": "좋아요!"}}]}))
    settings = {"model": "local", "uri": provider.url("nlp.shop.example") + "/v1/"}
    answer = carrier_for()(talk(credential="", settings=settings, instructions=""), attempt())
    assert answer == Answered(result={"answer": "좋아요!", "usage": {"input": None, "output": None}})
    assert provider.asked() == ["POST /v1/chat/completions"]
    assert provider.requests[0].header("authorization") is None
    assert provider.body()["messages"] == [{"role": "user", "content": "오늘 어때?"}]


def test_newer_models_have_another_name_for_the_limit(provider, carrier_for):
    provider.script.append(saying("openai_chat.json"))
    carrier_for()(talk(settings={"model": "o5", "limitField": "max_completion_tokens"}), attempt())
    assert provider.body()["max_completion_tokens"] == 120
    assert "max_tokens" not in provider.body()


@pytest.mark.parametrize(
    ("changed", "name", "words"),
    [
        ({"settings": {}}, "NotConfiguredError", "chitchat: model is not set"),
        ({"credential": ""}, "NotConfiguredError", "no credential is set"),
        ({"credential": "nobody"}, "CredentialError", "malgil secret set shop nobody"),
        ({"credential": "google"}, "CredentialError", "has no"),
        ({"name": "clippy"}, "NotConfiguredError", "only bedrock, openai"),
        ({"max_tokens": 0}, "InvalidRequestError", "max_tokens"),
        ({"max_tokens": 5_000}, "InvalidRequestError", "max_tokens"),
        ({"text": "  "}, "InvalidRequestError", "no text"),
        ({"settings": {"model": "m", "uri": "http://nlp.shop.example"}}, "InvalidRequestError", "https"),
        ({"settings": {"model": "m", "uri": "https://127.0.0.1/v1"}}, "BlockedAddressError", "private IP"),
        ({"settings": {"model": "m", "limitField": "stop"}}, "InvalidRequestError", "limitField"),
        ({"settings": {"model": 7}}, "InvalidRequestError", "model is not text"),
    ],
)
def test_what_cannot_be_asked_is_not(provider, carrier_for, changed, name, words):
    failed(carrier_for(bedrock=BedrockChat)(talk(**changed), attempt()), name, words)
    assert provider.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"choices": []},
        {"choices": [{"message": {"content": None}}]},
        {"choices": [{"message": {"content": " \n"}}]},
        {"choices": [{"message": {"content": ["x"]}}]},
        {"choices": "x"},
        {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "many"}},
    ],
)
def test_an_answer_without_text_is_the_providers_fault(provider, carrier_for, answer):
    provider.script.append(saying_json(answer))
    failed(carrier_for()(talk(), attempt()), "ProviderError", "openai")


def test_a_long_text_is_cut_before_it_is_paid_for(provider, carrier_for):
    provider.script.append(saying("openai_chat.json"))
    carrier_for()(talk(text="가" * 20_000), attempt())
    assert len(provider.body()["messages"][1]["content"]) == 8_000


def test_a_key_that_is_refused_is_not_shown(provider, carrier_for):
    provider.script.append(saying("openai_bad_key.json", 401))
    answer = carrier_for()(talk(), attempt())
    failed(answer, "CredentialError", "Incorrect API key provided: ***.")
    assert "sk-proj" not in answer.message


# ---- Bedrock


@pytest.fixture
def bedrock():
    """Bedrock's runtime as a local server; the SDK is the real one."""
    with LoopbackServer(answering()) as server:

        def make_client(service, read_timeout, tries, region):
            made.append((service, read_timeout, tries, region))
            config = Config(read_timeout=read_timeout, connect_timeout=0.5, retries={"total_max_attempts": tries})
            session = botocore.session.Session()
            session.set_credentials("local", "local")
            return session.create_client(
                service,
                region_name=region or "ap-northeast-2",
                endpoint_url=f"http://127.0.0.1:{server.port}",
                config=config,
            )

        made: list[tuple[Any, ...]] = []
        server.made = made  # type: ignore[attr-defined]
        server.make_client = make_client  # type: ignore[attr-defined]
        yield server


def ask_bedrock(bedrock, carrier_for, timeout_ms=5_000, **settings):
    carrier = carrier_for(bedrock=lambda: BedrockChat(make_client=bedrock.make_client))
    effect = talk("bedrock", "", settings={"model": "amazon.nova-micro-v1:0", **settings})
    return carrier(effect, attempt(timeout_ms))


JSON_HEADERS = [("Content-Type", "application/json")]


def test_bedrock_is_asked_and_answers(bedrock, carrier_for):
    bedrock.script = answering(200, (DATA / "bedrock_converse.json").read_bytes(), JSON_HEADERS)
    answer = ask_bedrock(bedrock, carrier_for, region="us-east-1")
    assert answer == Answered(result={"answer": "<text generated by the model>", "usage": {"input": 30, "output": 628}})
    (request,) = bedrock.requests
    assert (request.method, request.path) == ("POST", "/model/amazon.nova-micro-v1%3A0/converse")
    assert "/us-east-1/bedrock/aws4_request" in request.header("authorization")
    assert json.loads(request.body) == {
        "messages": [{"role": "user", "content": [{"text": "오늘 어때?"}]}],
        "system": [{"text": INSTRUCTIONS}],
        "inferenceConfig": {"maxTokens": 120},
    }
    assert bedrock.made == [("bedrock-runtime", 3.0, 1, "us-east-1")]


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        ("AccessDeniedException", 403, "NotConfiguredError"),
        ("ModelTimeoutException", 408, "TimeoutError"),
        ("ThrottlingException", 429, "ProviderError"),
        ("InternalServerException", 500, "ProviderError"),
    ],
)
def test_bedrocks_refusals_have_names(bedrock, carrier_for, code, status, name):
    headers = [*JSON_HEADERS, ("x-amzn-ErrorType", code)]
    bedrock.script = answering(status, (DATA / "bedrock_denied.json").read_bytes(), headers)
    answer = ask_bedrock(bedrock, carrier_for)
    failed(answer, name, "You don't have access to the model")
    assert ("BedrockModelArn" in answer.message) == (code == "AccessDeniedException")
    assert len(bedrock.requests) == 1


def test_a_hanging_bedrock_ends_with_the_effects_time(bedrock, carrier_for):
    bedrock.script = lambda connection, _: connection.hang()
    failed(ask_bedrock(bedrock, carrier_for, timeout_ms=600), "TimeoutError", "did not answer in time")
    assert bedrock.made == [("bedrock-runtime", 0.25, 1, None)]


def test_with_no_time_left_bedrock_is_not_asked(bedrock, carrier_for):
    failed(ask_bedrock(bedrock, carrier_for, timeout_ms=100), "TimeoutError")
    assert bedrock.requests == []


@pytest.mark.parametrize(("setting", "value"), [("model", "../x y"), ("region", "evil.example")])
def test_bedrocks_settings_have_a_form(bedrock, carrier_for, setting, value):
    failed(ask_bedrock(bedrock, carrier_for, **{setting: value}), "InvalidRequestError", setting)
    assert bedrock.requests == []


def test_an_sdk_without_credentials_is_our_own_fault(carrier_for):
    class Client:
        def converse(self, **_):
            raise NoCredentialsError

    carrier = carrier_for(bedrock=lambda: BedrockChat(make_client=lambda *_: Client()))
    with pytest.raises(Unavailable):
        carrier(talk("bedrock", "", settings={"model": "m"}), attempt())
