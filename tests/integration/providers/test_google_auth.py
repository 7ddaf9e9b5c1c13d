"""Tokens of Google: what is asked, how long a token is kept, and what a refusal says."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from shared.providers.calls import Calls
from shared.providers.fault import ProviderFault
from shared.providers.google_auth import GoogleTokens
from tests.integration.providers.conftest import (
    ACCOUNT,
    REFRESH_TOKEN,
    attempt,
    clock,
    saying,
    saying_json,
)

TOKEN = "1/8xbJqaOZXSUZbHLl5EOtu1pxz3fmmetKx9W8CV4t79M"
SCOPE = "https://www.googleapis.com/auth/spreadsheets"


@pytest.fixture
def tokens(provider, now):
    return GoogleTokens(now, token_url=provider.url("oauth2.googleapis.com") + "/token")


@pytest.fixture
def send(provider, credentials, tokens):
    def call(name="google", scope=SCOPE):
        calls = Calls(provider.client, attempt(), clock, "Google")
        credential = credentials.get("shop", name, calls)
        url = provider.url("sheets.googleapis.com") + "/v4/spreadsheets/1"
        return tokens.send(calls, credential, scope=scope, method="GET", url=url)

    return call


def decoded(segment: str) -> Any:
    return json.loads(unpadded(segment))


def unpadded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def test_a_service_account_signs_who_it_is_and_gets_a_token(provider, send, key, now):
    provider.script += [saying("google_token.json"), saying_json({})]
    assert send().status == 200
    asked, used = provider.requests
    assert (asked.method, asked.path) == ("POST", "/token")
    assert asked.header("host") == f"oauth2.googleapis.com:{provider.server.port}"
    assert asked.header("content-type") == "application/x-www-form-urlencoded"
    form = parse_qs(asked.body.decode(), strict_parsing=True)
    assert form.keys() == {"grant_type", "assertion"}
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    header, claims, signature = form["assertion"][0].split(".")
    assert decoded(header) == {"alg": "RS256", "typ": "JWT", "kid": "3b9f0c1d2e"}
    issued_at = now.ms // 1000
    assert decoded(claims) == {
        "iss": ACCOUNT,
        "scope": SCOPE,
        "aud": "https://oauth2.googleapis.com/token",
        "iat": issued_at,
        "exp": issued_at + 3600,
    }
    # Raises when it is another's signature.
    key.public_key().verify(unpadded(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), SHA256())
    assert used.header("authorization") == f"Bearer {TOKEN}"


def test_a_refresh_token_gets_a_token(provider, send):
    provider.script += [saying("google_token_refreshed.json"), saying_json({})]
    assert send("owner").status == 200
    assert parse_qs(provider.requests[0].body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": [REFRESH_TOKEN],
        "client_id": ["id.apps.googleusercontent.com"],
        "client_secret": ["GOCSPX-secret"],
    }
    assert provider.requests[1].header("authorization") == "Bearer 1/fFAGRNJru1FTz70BzhT3Zg"


def test_a_token_is_kept_until_a_minute_before_its_end(provider, send, now):
    provider.script += [saying("google_token.json"), saying_json({}), saying_json({})]
    send()
    now.ms += 3_539_999
    send()
    assert len(provider.requests) == 3
    now.ms += 1
    provider.script += [saying("google_token.json"), saying_json({})]
    send()
    assert provider.asked()[3:] == ["POST /token", "GET /v4/spreadsheets/1"]


def test_no_token_is_kept_for_more_than_an_hour(provider, send, now):
    provider.script += [saying_json({"access_token": "abc", "expires_in": 10**9}), saying_json({})]
    send()
    now.ms += 3_600_000
    provider.script += [saying("google_token.json"), saying_json({})]
    send()
    assert len(provider.requests) == 4


def test_a_token_without_an_end_is_used_once(provider, send):
    for _ in range(2):
        provider.script += [saying_json({"access_token": "abc"}), saying_json({})]
        send()
    assert provider.asked() == ["POST /token", "GET /v4/spreadsheets/1"] * 2


def test_each_scope_has_its_own_token(provider, send):
    provider.script += [saying("google_token.json"), saying_json({})] * 2
    send()
    send(scope="https://www.googleapis.com/auth/dialogflow")
    assert provider.asked().count("POST /token") == 2


def test_a_changed_credential_gets_a_new_token(provider, send, secrets, service_account, now):
    provider.script += [saying("google_token.json"), saying_json({})] * 2
    send()
    secrets.put("google", {**service_account, "private_key_id": "other"})
    now.ms += 5 * 60_000
    send()
    assert provider.asked().count("POST /token") == 2


def test_a_token_that_is_no_longer_taken_is_replaced_once(provider, send):
    unauthenticated = saying("google_unauthenticated.json", 401)
    provider.script += [saying("google_token.json"), unauthenticated]
    provider.script += [saying("google_token_refreshed.json"), saying_json({})]
    assert send().status == 200
    assert [request.header("authorization") for request in provider.requests] == [
        None,
        f"Bearer {TOKEN}",
        None,
        "Bearer 1/fFAGRNJru1FTz70BzhT3Zg",
    ]


def test_a_new_token_that_is_refused_too_is_the_credentials_fault(provider, send):
    unauthenticated = saying("google_unauthenticated.json", 401)
    provider.script += [saying("google_token.json"), unauthenticated] * 2
    with pytest.raises(ProviderFault, match=r"status 401 .*credential 'google'") as fault:
        send()
    assert fault.value.name == "CredentialError"
    assert len(provider.requests) == 4


def test_an_account_without_rights_is_told_whom_to_share_with(provider, send):
    provider.script += [saying("google_token.json"), saying("google_permission_denied.json", 403)]
    with pytest.raises(ProviderFault) as fault:
        send()
    assert fault.value.name == "CredentialError"
    assert fault.value.message == (
        "Google: status 403 (The caller does not have permission), with credential 'google'; "
        f"what it is for must be shared with {ACCOUNT}"
    )


@pytest.mark.parametrize(
    ("name", "file", "words"),
    [
        ("owner", "google_token_revoked.json", "invalid_grant: Token has been expired or revoked."),
        ("google", "google_token_bad_signature.json", "invalid_grant: Invalid JWT Signature."),
    ],
)
def test_a_revoked_credential_is_told_in_googles_words(provider, send, name, file, words):
    provider.script += [saying(file, 400)]
    with pytest.raises(ProviderFault) as fault:
        send(name)
    assert (fault.value.name, fault.value.message) == (
        "CredentialError",
        f"Google refuses credential '{name}' ({words})",
    )
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "a\r\nX: b"},
        {"access_token": "토큰"},
        [],
        "x",
    ],
)
def test_an_answer_without_a_token_is_the_providers_fault(provider, send, answer):
    provider.script += [saying_json(answer)]
    with pytest.raises(ProviderFault) as fault:
        send()
    assert fault.value.name == "ProviderError"
    assert len(provider.requests) == 1


def pem_of(key, *, public=False):
    if public:
        return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def test_a_key_in_its_older_form_signs_too(provider, send, secrets, service_account, key):
    secrets.put("google", {**service_account, "private_key": pem_of(key)})
    provider.script += [saying("google_token.json"), saying_json({})]
    assert send().status == 200


@pytest.mark.parametrize("pem", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_told_without_being_shown(provider, send, secrets, service_account, pem):
    secrets.put("google", {**service_account, "private_key": pem})
    with pytest.raises(ProviderFault, match="private_key") as fault:
        send()
    assert fault.value.name == "CredentialError"
    assert provider.requests == []


def test_a_public_key_is_no_key_to_sign_with(provider, send, secrets, service_account, key):
    secrets.put("google", {**service_account, "private_key": pem_of(key, public=True)})
    with pytest.raises(ProviderFault, match="is not an RSA key in PEM"):
        send()
    assert provider.requests == []


@pytest.mark.parametrize("value", [{}, {"refresh_token": "x"}, {"client_email": "a@b"}, {"client_email": 1}])
def test_a_credential_for_something_else_is_told(provider, send, secrets, value):
    secrets.put("google", value)
    with pytest.raises(ProviderFault, match="credential 'google' has no") as fault:
        send()
    assert fault.value.name == "CredentialError"
    assert provider.requests == []
