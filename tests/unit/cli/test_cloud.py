"""Which cloud a command talks to."""

import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from moto import mock_aws

from infra.cli.cloud import CloudChoice, find
from infra.cli.errors import NO_CREDENTIALS, sentence
from shared.errors import InvalidInput, NotFound, Unavailable
from tests.unit.cli.conftest import Malgil

ENVIRONMENT = {
    "MALGIL_TURNS_TABLE": "turns",
    "MALGIL_CORE_TABLE": "core",
    "MALGIL_BOT_BUCKET": "bots",
    "MALGIL_EFFECT_QUEUE_URL": "https://queue.example/effects",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:8788",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:8788",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "ap-northeast-2",
}
OTHER_VARIABLES = {"PATH": "/bin", "AWS_LAMBDA_FUNCTION_NAME": "f", "_HANDLER": "app.handler"}
OUTPUTS = {
    "TurnsTableName": "turns",
    "CoreTableName": "core",
    "BotBucketName": "bots",
    "EffectQueueUrl": "https://queue.example/effects",
    "DeliveryQueueUrl": "https://queue.example/deliveries",
    "SecretsPrefix": "malgil/prod",
    "HttpApiUrl": "https://a.example",
}


def describe(state: Path, **changed: Any) -> CloudChoice:
    """A local cloud's description, as if this process were it."""
    description = {
        "http_url": "http://127.0.0.1:8787",
        "pid": os.getpid(),
        "environment": {"KakaoSkillFunction": {**ENVIRONMENT, **OTHER_VARIABLES}},
        **changed,
    }
    (state / "local.json").write_text(json.dumps(description))
    return CloudChoice(state=state)


def test_a_running_local_cloud_is_the_default(tmp_path: Path) -> None:
    cloud = find(describe(tmp_path))
    assert cloud.is_local
    assert cloud.skill_url("bot", "secret") == "http://127.0.0.1:8787/kakao/bot/secret"


def test_commands_share_names_endpoints_and_credentials_with_the_functions_and_nothing_else(tmp_path: Path) -> None:
    assert find(describe(tmp_path)).environment == ENVIRONMENT


def test_loopback_targets_come_from_the_local_cloud(tmp_path: Path) -> None:
    cloud = find(describe(tmp_path, local_targets=[["127.0.0.1", 8789]]))
    assert cloud.local_targets == {("127.0.0.1", 8789)}


def test_a_cloud_whose_process_is_gone_is_none(tmp_path: Path) -> None:
    ended = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(ended, 0)
    with pytest.raises(NotFound, match="make run"):
        find(describe(tmp_path, pid=ended))


def test_without_any_cloud_both_ways_to_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"`make run`.*--stack"):
        find(CloudChoice(state=tmp_path))


def test_a_local_cloud_that_was_asked_for_must_run(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no local cloud is running"):
        find(CloudChoice(is_local=True, state=tmp_path))


def test_local_and_deployed_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="exclude"):
        find(CloudChoice(is_local=True, stack="malgil", state=tmp_path))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"pid": "x"}'])
def test_a_damaged_description_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "local.json").write_text(text)
    with pytest.raises(Unavailable, match=r"local\.json"):
        find(CloudChoice(state=tmp_path))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("cloudformation", region_name="ap-northeast-2")


def make_stack(aws: Any, outputs: dict[str, str]) -> None:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    aws.create_stack(StackName="malgil", TemplateBody=json.dumps(template))


def test_a_stack_is_found_by_its_outputs(aws: Any) -> None:
    make_stack(aws, OUTPUTS)
    cloud = find(CloudChoice(stack="malgil", region="ap-northeast-2"))
    assert not cloud.is_local
    assert cloud.http_url == "https://a.example"
    assert cloud.environment == {
        "MALGIL_TURNS_TABLE": "turns",
        "MALGIL_CORE_TABLE": "core",
        "MALGIL_BOT_BUCKET": "bots",
        "MALGIL_EFFECT_QUEUE_URL": "https://queue.example/effects",
        "MALGIL_DELIVERY_QUEUE_URL": "https://queue.example/deliveries",
        "MALGIL_SECRETS_PREFIX": "malgil/prod",
        "MALGIL_MAIL_FROM": "",
        "MALGIL_SCRIPT_FUNCTION": "",
        "MALGIL_ERASURE_QUEUE_URL": "",
        "MALGIL_TIME_ZONE": "",
        "AWS_REGION": "ap-northeast-2",
        "AWS_DEFAULT_REGION": "ap-northeast-2",
    }


def test_a_stack_that_sends_mail_says_who_sends_it(aws: Any) -> None:
    make_stack(aws, {**OUTPUTS, "MailFrom": "bot@shop.example"})
    cloud = find(CloudChoice(stack="malgil", region="ap-northeast-2"))
    assert cloud.environment["MALGIL_MAIL_FROM"] == "bot@shop.example"


def test_a_deployed_function_may_never_reach_loopback(aws: Any) -> None:
    make_stack(aws, OUTPUTS)
    assert find(CloudChoice(stack="malgil", region="ap-northeast-2")).local_targets == frozenset()


def test_the_region_of_the_environment_counts(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_stack(aws, OUTPUTS)
    monkeypatch.setenv("AWS_REGION", "ap-northeast-2")
    assert find(CloudChoice(stack="malgil")).environment["AWS_REGION"] == "ap-northeast-2"


def test_a_stack_that_is_not_there_is_told(aws: Any) -> None:
    with pytest.raises(NotFound, match="no stack 'malgil' in ap-northeast-2"):
        find(CloudChoice(stack="malgil", region="ap-northeast-2"))


def test_a_stack_of_something_else_is_told(aws: Any) -> None:
    make_stack(aws, {"Website": "https://a.example"})
    with pytest.raises(InvalidInput, match="not an installation of Malgil"):
        find(CloudChoice(stack="malgil", region="ap-northeast-2"))


def test_a_profile_that_is_not_there_is_one_line(malgil: Malgil) -> None:
    result = malgil("--stack", "malgil", "--profile", "nobody", "--region", "ap-northeast-2", "bot", "list")
    assert result.stderr == "malgil: The config profile (nobody) could not be found\n"
    assert result.exit_code == 1


def test_missing_credentials_say_what_to_do() -> None:
    assert sentence(NoCredentialsError()) == NO_CREDENTIALS


def test_an_unreachable_service_keeps_its_own_words() -> None:
    error = Unavailable("cannot read the bot")
    error.__cause__ = NoCredentialsError()
    assert sentence(error) == NO_CREDENTIALS
