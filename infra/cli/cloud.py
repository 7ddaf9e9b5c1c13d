"""Which cloud a command talks to: the local one that is running, or a deployed stack with the user's credentials.

`enter` leaves what `shared.runtime.settings` and the AWS SDK read in the environment of this process, before the wiring
is used for the first time.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from infra.cli.language import both
from shared.errors import InvalidInput, NotFound, Unavailable

STATE_DIRECTORY: Final = Path(".malgil")
DESCRIPTION_FILE: Final = "local.json"
"""What a running local cloud writes into its state directory."""

VARIABLES: Final = {
    "MALGIL_TURNS_TABLE": "TurnsTableName",
    "MALGIL_CORE_TABLE": "CoreTableName",
    "MALGIL_BOT_BUCKET": "BotBucketName",
    "MALGIL_EFFECT_QUEUE_URL": "EffectQueueUrl",
    "MALGIL_DELIVERY_QUEUE_URL": "DeliveryQueueUrl",
    "MALGIL_SECRETS_PREFIX": "SecretsPrefix",
}
"""Variable of shared.runtime.settings -> output of template.yaml."""
OPTIONAL_VARIABLES: Final = {
    "MALGIL_MAIL_FROM": "MailFrom",
    "MALGIL_SCRIPT_FUNCTION": "ScriptFunctionName",
    "MALGIL_ERASURE_QUEUE_URL": "ErasureQueueUrl",
    "MALGIL_TIME_ZONE": "TimeZone",
}
"""Those that an installation can be without."""
HTTP_API_OUTPUT: Final = "HttpApiUrl"
CALLBACK_PATH: Final = "/kakao/callback"
LOCAL_FUNCTION: Final = "KakaoSkillFunction"
"""The function of the local cloud whose environment commands share: same tables, same endpoints, same credentials."""
SHARED_VARIABLES: Final = re.compile(
    r"MALGIL_\w+|AWS_ENDPOINT_URL\w*|AWS_(DEFAULT_)?REGION|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)"
)
NOT_OF_THE_LOCAL_CLOUD: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
NO_CLOUD: Final = both(
    "클라우드가 없습니다: `make run`으로 켜거나 --stack NAME으로 배포한 것을 고르세요",
    "no cloud to talk to: start the local one with `make run`, or name a deployed one with --stack NAME",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudChoice:
    """The global options."""

    is_local: bool = False
    state: Path = STATE_DIRECTORY
    stack: str | None = None
    profile: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """An installation. `http_url` is the base of skill URLs; `local_targets` are loopback addresses that bots may call,
    and `callback_url` is Kakao's callback server, both of which only the local cloud has."""

    name: str
    is_local: bool
    http_url: str
    environment: Mapping[str, str]
    local_targets: frozenset[tuple[str, int]] = frozenset()
    callback_url: str | None = None

    def skill_url(self, bot_id: str, path_secret: str) -> str:
        return f"{self.http_url}/kakao/{bot_id}/{path_secret}"


def choice_of(context: typer.Context) -> CloudChoice:
    return context.obj if isinstance(context.obj, CloudChoice) else CloudChoice()


def find(choice: CloudChoice) -> Cloud:
    """The chosen cloud. Raises NotFound when there is none, InvalidInput for options that exclude each other."""
    if choice.stack is not None:
        if choice.is_local:
            raise InvalidInput("--local and --stack exclude each other")
        return _deployed(choice.stack, choice)
    local = _local(choice.state)
    if local is not None:
        return local
    if choice.is_local:
        raise NotFound(f"no local cloud is running with its state in {choice.state}: start it with `make run`")
    raise NotFound(NO_CLOUD)


def enter(choice: CloudChoice) -> Cloud:
    """Find the cloud and point the wiring of this process at it."""
    cloud = find(choice)
    if cloud.is_local:
        for name in NOT_OF_THE_LOCAL_CLOUD:
            os.environ.pop(name, None)
    os.environ.update(cloud.environment)
    if cloud.local_targets:
        from shared.runtime.wiring import reach_local_targets  # noqa: PLC0415 - brings the AWS SDK

        reach_local_targets(cloud.local_targets)
    return cloud


def _local(state: Path) -> Cloud | None:
    """The local cloud that runs with this state directory; None when none does."""
    path = state / DESCRIPTION_FILE
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise Unavailable(f"{path} cannot be read: {exc}") from exc
    try:
        if not _is_alive(described["pid"]):
            return None
        environment = described["environment"][LOCAL_FUNCTION]
        return Cloud(
            name=f"local cloud ({described['http_url']})",
            is_local=True,
            http_url=described["http_url"].rstrip("/"),
            environment={
                name: value for name, value in environment.items() if SHARED_VARIABLES.fullmatch(name) is not None
            },
            callback_url=f"{described['example_url']}{CALLBACK_PATH}" if described.get("example_url") else None,
            local_targets=frozenset((host, int(port)) for host, port in described.get("local_targets", ())),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise Unavailable(f"{path} is not what a local cloud writes: {exc!r}") from exc


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, for somebody else
        return True
    return True


def _deployed(stack: str, choice: CloudChoice) -> Cloud:
    """A stack in AWS, by its outputs. The SDK's errors pass."""
    import boto3  # noqa: PLC0415 - most of a start's time
    from botocore.exceptions import ClientError  # noqa: PLC0415

    # boto3 does not read AWS_REGION, which shells and every other SDK know.
    region_name = choice.region or os.environ.get("AWS_REGION")
    session: Any = boto3.session.Session(profile_name=choice.profile, region_name=region_name)
    region = session.region_name
    try:
        answer = session.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as exc:
        if "does not exist" in str(exc):
            raise NotFound(f"no stack '{stack}' in {region}: deploy it with `make deploy`, or give --region") from exc
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in answer["Stacks"][0].get("Outputs", ())}
    try:
        environment = {**_resource_names(outputs), "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        http_url = outputs[HTTP_API_OUTPUT].rstrip("/")
    except KeyError as exc:
        raise InvalidInput(f"stack '{stack}' is not an installation of Malgil: it has no output {exc}") from exc
    if choice.profile is not None:
        environment["AWS_PROFILE"] = choice.profile
    return Cloud(
        name=f"stack {stack} in {region} ({http_url})", is_local=False, http_url=http_url, environment=environment
    )


def _resource_names(outputs: Mapping[str, str]) -> dict[str, str]:
    optional = {variable: outputs.get(output, "") for variable, output in OPTIONAL_VARIABLES.items()}
    return {**{variable: outputs[output] for variable, output in VARIABLES.items()}, **optional}
