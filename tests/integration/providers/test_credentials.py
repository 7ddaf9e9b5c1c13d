"""Credentials by name: whose they are, how long they are remembered, and what is said when there is none."""

import time

import pytest

from shared.errors import InvalidInput, Unavailable
from shared.providers.calls import Deadline
from shared.providers.credentials import Credentials, secret_id
from shared.providers.fault import ProviderFault
from tests.integration.providers.conftest import API_KEY, PREFIX, attempt, clock, refusal


def deadline(timeout_ms=5_000):
    return Deadline(attempt(timeout_ms), clock, "somebody")


def test_a_credential_is_found_under_its_bot_and_name(credentials, secrets):
    assert credentials.get("shop", "openai", deadline()).text("apiKey") == API_KEY
    assert secrets.calls == ["malgil/test/shop/openai"]


def test_another_bot_does_not_see_it(credentials):
    with pytest.raises(ProviderFault, match="there is no credential 'openai'"):
        credentials.get("other", "openai", deadline())


def test_it_is_remembered_for_five_minutes(credentials, secrets, now):
    credentials.get("shop", "openai", deadline())
    now.ms += 299_999
    credentials.get("shop", "openai", deadline())
    assert len(secrets.calls) == 1
    now.ms += 1
    secrets.put("openai", {"apiKey": "another"})
    assert credentials.get("shop", "openai", deadline()).text("apiKey") == "another"


def test_a_missing_one_is_asked_for_again_each_time(credentials, secrets):
    for _ in range(2):
        with pytest.raises(ProviderFault):
            credentials.get("shop", "new", deadline())
    secrets.put("new", {"apiKey": "x"})
    assert credentials.get("shop", "new", deadline()).text("apiKey") == "x"


def test_not_too_many_are_remembered(credentials, secrets):
    for number in range(300):
        secrets.put(f"c{number}", {"apiKey": "x"})
        credentials.get("shop", f"c{number}", deadline())
    assert len(credentials._kept) == 256
    credentials.get("shop", "c299", deadline())
    assert len(secrets.calls) == 300


def test_a_missing_one_is_told_with_its_remedy(credentials):
    with pytest.raises(ProviderFault) as fault:
        credentials.get("shop", "naver", deadline())
    assert (fault.value.name, fault.value.message) == (
        "CredentialError",
        "there is no credential 'naver': set it with `malgil secret set shop naver`",
    )


@pytest.mark.parametrize("name", ["", "a/b", "../other/openai", "a b", "가", "x" * 65, "a\n"])
def test_a_name_cannot_lead_elsewhere(credentials, secrets, name):
    with pytest.raises(ProviderFault, match="is not the name of a credential") as fault:
        credentials.get("shop", name, deadline())
    assert fault.value.name == "CredentialError"
    assert secrets.calls == []


@pytest.mark.parametrize("bot", ["", "a/b", "..", "x" * 65])
def test_a_bot_cannot_lead_elsewhere(bot):
    with pytest.raises(InvalidInput, match="is not the id of a bot"):
        secret_id(PREFIX, bot, "openai")


@pytest.mark.parametrize("value", ["sk-plain", "[1]", '"x"', "{", "", '{"a": "' + "x" * 16_384 + '"}'])
def test_a_value_of_another_form_is_refused_without_being_shown(credentials, secrets, value):
    secrets.put("openai", value)
    with pytest.raises(ProviderFault) as fault:
        credentials.get("shop", "openai", deadline())
    assert fault.value.name == "CredentialError"
    assert fault.value.message == "credential 'openai' is not a JSON object of at most 16384 bytes"
    assert fault.value.__cause__ is None
    assert fault.value.__suppress_context__ or fault.value.__context__ is None


def test_a_function_without_the_right_says_so(credentials, secrets):
    secrets.error = refusal("AccessDeniedException", "User: arn:aws:sts::1:role is not authorized")
    with pytest.raises(ProviderFault, match="this function may not read the credential 'openai'"):
        credentials.get("shop", "openai", deadline())


def test_a_deleted_one_is_missing(credentials, secrets):
    secrets.error = refusal("InvalidRequestException", "it was marked for deletion")
    with pytest.raises(ProviderFault, match="there is no credential 'openai'"):
        credentials.get("shop", "openai", deadline())


def test_a_secrets_manager_that_is_down_is_our_fault(credentials, secrets):
    secrets.error = Unavailable("secretsmanager did not answer in time")
    with pytest.raises(Unavailable):
        credentials.get("shop", "openai", deadline())


def test_when_time_runs_out_it_is_the_effects_time(credentials, secrets):
    secrets.error = Unavailable("secretsmanager did not answer in time")
    with pytest.raises(ProviderFault) as fault:
        credentials.get("shop", "openai", deadline(timeout_ms=100))
    assert fault.value.name == "TimeoutError"
    with pytest.raises(ProviderFault) as over:
        credentials.get("shop", "openai", Deadline(attempt(0), time.monotonic_ns, "somebody"))
    assert over.value.name == "TimeoutError"


def test_without_a_cloud_there_are_none(secrets, now):
    with pytest.raises(ProviderFault) as fault:
        Credentials("", now, secrets).get("shop", "openai", deadline())
    assert fault.value.name == "NotConfiguredError"


def test_a_credential_shows_only_its_name(credentials):
    credential = credentials.get("shop", "openai", deadline())
    assert repr(credential) == "Credential(name='openai')"
    assert API_KEY not in f"{credential} {credential!r}"
    with pytest.raises(ProviderFault) as fault:
        credential.text("token")
    assert API_KEY not in str(fault.value)
