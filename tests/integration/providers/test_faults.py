"""Providers that answer nonsense, or not at all: every one fails with a stable name, in time, and without a secret."""

import gc
import json
import logging
import ssl
import traceback

import pytest
import trustme

from shared.engine.effects import EffectFailed, IntentQuery, SheetRow, SmallTalk
from shared.net.effects import ERROR_NAMES
from shared.providers.dialogflow_cx import DialogflowCx
from shared.providers.dialogflow_es import DialogflowEs
from shared.providers.fault import NAMES
from shared.providers.google_auth import GoogleTokens
from shared.providers.google_sheets import SheetCarrier
from shared.providers.http_nlp import ask_over_http
from shared.providers.intents import IntentCarrier
from shared.providers.openai_chat import OpenAiChat
from shared.providers.small_talk import SmallTalkCarrier
from shared.providers.watson import ask_watson
from tests.integration.net.conftest import client_for, server_context
from tests.integration.providers.conftest import (
    API_KEY,
    REFRESH_TOKEN,
    WATSON_KEY,
    attempt,
    clock,
    saying,
)
from tests.integration.providers.conftest import (
    NAMES as HOSTS,
)
from tests.loopback_server import LoopbackServer, answering, response
from tests.loopback_server import saying as saying_bytes

PROVIDERS = ("dialogflow", "dialogflow_cx", "watson", "http", "openai", "sheets", "token")
"""`token`: Google's token endpoint is the one that misbehaves."""


def carriers(client, url, credentials, now):
    """Each provider's carrier with an effect for it."""
    tokens = GoogleTokens(now, token_url=url("oauth2.googleapis.com") + "/token")
    google = url("{region}dialogflow.googleapis.com")
    intents = IntentCarrier(
        client,
        credentials,
        clock,
        providers={
            "dialogflow": lambda: DialogflowEs(tokens, url=google),
            "dialogflow_cx": lambda: DialogflowCx(tokens, url=google),
            "watson": lambda: ask_watson,
            "http": lambda: ask_over_http,
        },
    )
    small_talk = SmallTalkCarrier(
        client, credentials, clock, providers={"openai": lambda: OpenAiChat(url=url("api.openai.com") + "/v1")}
    )
    sheets = SheetCarrier(client, credentials, tokens, clock, url=url("sheets.googleapis.com"))

    def query(provider, credential, **settings):
        return IntentQuery(
            provider=provider,
            settings=settings,
            text="안녕",
            session_id="log-1",
            language="ko",
            credential=credential,
            timeout_ms=5_000,
        )

    row = SheetRow(
        spreadsheet_id="1", sheet_name="s", columns=["a"], values=["b"], credential="google", timeout_ms=5_000
    )
    talk = SmallTalk(
        provider="openai",
        settings={"model": "m"},
        instructions="",
        text="안녕",
        max_tokens=10,
        credential="openai",
        timeout_ms=5_000,
    )
    return {
        "dialogflow": (intents, query("dialogflow", "google", projectId="p")),
        "dialogflow_cx": (intents, query("dialogflow_cx", "google", projectId="p", agentId="a")),
        "watson": (
            intents,
            query("watson", "watson", url=url("api.us-south.assistant.watson.cloud.ibm.com"), assistantId="a"),
        ),
        "http": (intents, query("http", "openai", uri=url("nlp.shop.example") + "/")),
        "openai": (small_talk, talk),
        "sheets": (sheets, row),
        "token": (sheets, row),
    }


@pytest.fixture(params=PROVIDERS)
def carry(request, provider, credentials, now):
    """Carries out an effect of each provider; the script of a test begins where the provider itself is asked."""
    carrier, effect = carriers(provider.client, provider.url, credentials, now)[request.param]
    if request.param in {"dialogflow", "dialogflow_cx", "sheets"}:
        provider.script.append(saying("google_token.json"))
    before = len(provider.script)

    def run(*script, timeout_ms=5_000):
        provider.script += script
        answer = carrier(effect, attempt(timeout_ms))
        assert isinstance(answer, EffectFailed)
        assert answer.name in NAMES | set(ERROR_NAMES.values())
        return answer, len(provider.requests) - before

    return run


HTML = b"<!DOCTYPE html><html><title>502 Bad Gateway</title></html>"
HUGE = b'{"x": "' + b"x" * 600_000 + b'"}'
DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("script", "name"),
    [
        (answering(200, HTML, [("Content-Type", "text/html")]), "ProviderError"),
        (answering(200, b""), "ProviderError"),
        (answering(200, b'{"x": NaN}'), "ProviderError"),
        (answering(200, b"\xff\xfe"), "ProviderError"),
        (answering(200, DEEP), "ProviderError"),
        (answering(200, b"null"), "ProviderError"),
        (answering(200, b'"ok"'), "ProviderError"),
        (answering(200, HUGE), "TooLargeError"),
        (answering(500, HTML), "StatusCodeError"),
        (answering(503, b""), "StatusCodeError"),
        (answering(429, b'{"error": 7}'), "StatusCodeError"),
        (answering(302, b"", [("Location", "https://169.254.169.254/")]), "StatusCodeError"),
        (saying_bytes(b"SSH-2.0-OpenSSH\r\n"), "HttpError"),
        (saying_bytes(response(200, b"{}")[:-1]), "HttpError"),
    ],
    ids=[
        "html",
        "empty",
        "nan",
        "not utf-8",
        "deep",
        "null",
        "text",
        "huge",
        "500",
        "503",
        "429",
        "redirect",
        "not http",
        "broken off",
    ],
)
def test_nonsense_has_a_name(carry, script, name):
    answer, requests = carry(script)
    assert answer.name == name
    assert len(answer.message) < 400
    assert requests == 1, "nothing is tried again"


def test_a_provider_that_does_not_answer_ends_in_time(carry):
    assert carry(lambda connection, _: connection.hang(), timeout_ms=700)[0].name == "TimeoutError"


def test_a_provider_that_drips_ends_in_time(carry):
    def drip(connection, _request):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        connection.drip([b"{"] * 1_000)

    assert carry(drip, timeout_ms=700)[0].name == "TimeoutError"


def test_a_refused_credential_has_a_name(carry, request):
    scripts = [answering(401, b"{}")]
    if request.node.callspec.params["carry"] in {"dialogflow", "dialogflow_cx", "sheets"}:
        scripts += [saying("google_token.json"), answering(401, b"{}")]
    assert carry(*scripts)[0].name == "CredentialError"


@pytest.mark.parametrize("which", PROVIDERS)
def test_a_server_with_another_name_gets_no_secret(authority, trusting, credentials, now, which):
    with LoopbackServer(answering(), tls=server_context(authority.issue_cert("b.example"))) as server:
        client = client_for(server, *HOSTS, ssl_context=trusting)
        carrier, effect = carriers(client, lambda name: f"https://{name}:{server.port}", credentials, now)[which]
        assert carrier(effect, attempt()).name == "TlsError"
        assert server.requests == []


@pytest.mark.parametrize("which", PROVIDERS)
def test_an_unknown_authority_gets_no_secret(trusting, credentials, now, which):
    with LoopbackServer(answering(), tls=server_context(trustme.CA().issue_cert(*HOSTS))) as server:
        client = client_for(server, *HOSTS, ssl_context=trusting)
        carrier, effect = carriers(client, lambda name: f"https://{name}:{server.port}", credentials, now)[which]
        assert carrier(effect, attempt()).name == "TlsError"
        assert server.requests == []


@pytest.mark.parametrize("which", PROVIDERS)
def test_a_name_that_leads_inside_is_blocked(provider, credentials, now, which):
    client = client_for(provider.server, "a.example", answers={host: ["10.0.0.1"] for host in HOSTS})
    carrier, effect = carriers(client, lambda name: f"https://{name}", credentials, now)[which]
    assert carrier(effect, attempt()).name == "BlockedAddressError"
    assert provider.requests == []


@pytest.mark.parametrize("which", PROVIDERS)
def test_a_name_without_an_address_is_told(provider, credentials, now, which):
    client = client_for(provider.server, "a.example")
    carrier, effect = carriers(client, lambda name: f"https://{name}", credentials, now)[which]
    assert carrier(effect, attempt()).name == "DnsError"


def test_no_secret_is_ever_said(provider, credentials, service_account, now, caplog):
    """Whatever a provider echoes: answers, logs and every exception behind them are searched."""
    caplog.set_level(logging.DEBUG)
    key_lines = [line for line in service_account["private_key"].splitlines() if "PRIVATE KEY" not in line]
    token = "1/8xbJqaOZXSUZbHLl5EOtu1pxz3fmmetKx9W8CV4t79M"
    secrets = [API_KEY, WATSON_KEY, REFRESH_TOKEN, "GOCSPX-secret", token, *key_lines]
    said = []

    def echo(status):
        def script(connection, request):
            everything = f"{request.headers} {request.body.decode('latin-1')} {' '.join(secrets)}"
            body = json.dumps({"error": {"message": everything}, "error_description": everything}).encode()
            connection.send(response(status, body))

        return script

    for which in PROVIDERS:
        for status in (200, 400, 401, 403, 500):
            carrier, effect = carriers(provider.client, provider.url, credentials, now)[which]
            provider.script[:] = [] if which in {"watson", "http", "openai", "token"} else [saying("google_token.json")]
            provider.script += [echo(status)] * 4
            answer = carrier(effect, attempt())
            assert isinstance(answer, EffectFailed) or (which, status) == ("http", 200)
            said += [repr(answer), str(answer.describe()), repr(effect), str(effect.describe()), repr(carrier)]
    chained = [item for item in gc.get_objects() if isinstance(item, BaseException)]
    said += ["".join(traceback.format_exception(item)) for item in chained]
    said += [record.getMessage() for record in caplog.records]
    own = [text for text in said if any(secret in text for secret in secrets)]
    assert own == []


def test_a_context_of_the_test_trusts_nobody_else(trusting):
    assert trusting.verify_mode == ssl.CERT_REQUIRED
