"""`malgil secret`: credentials of bots, kept in Secrets Manager. Values come in and never out."""

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from infra.cli import cloud
from infra.cli.errors import OneLineErrors
from infra.cli.language import both
from shared.errors import InvalidInput, NotFound

HELP: Final = both(
    "봇의 자격 증명. 값은 다시 보여 주지 않습니다.", "Credentials of bots; values are never shown again."
)
RECOVERY_DAYS: Final = 7
"""Secrets Manager: the least."""
PROMPT: Final = both("값 (JSON 또는 API 키, 화면에 보이지 않음)", "Value (JSON or an API key, not shown)")

app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, help=HELP)

BotId = Annotated[str, typer.Argument(metavar="BOT", help="The bot's id.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name that the bot's nodes give it.")]


@app.command(name="set")
def set_(context: typer.Context, bot_id: BotId, name: Name) -> None:
    """Store a credential, from standard input or a hidden prompt: a JSON object, or an API key alone."""
    store = _Store(context, bot_id)
    key = store.key(name)
    typed = typer.prompt(PROMPT, hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    value = _value(name, typed)
    made = store.write(key, value)
    done = both("만들었습니다", "made") if made else both("바꾸었습니다", "changed")
    seen = both("5분 안에 모든 함수가 새 값을 씁니다", "every function uses the new value within 5 minutes")
    typer.echo(f"{bot_id}/{name}: {done if made else f'{done}; {seen}'}")


@app.command(name="list")
def list_(context: typer.Context, bot_id: BotId) -> None:
    """Show the names of a bot's credentials."""
    found = _Store(context, bot_id).names()
    if not found:
        typer.echo(both("없습니다", "none"))
    for name, changed in found:
        when = "-" if changed is None else f"{changed.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        typer.echo(f"{name}  {when}")


@app.command()
def delete(
    context: typer.Context,
    bot_id: BotId,
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a credential; for 7 days `malgil secret set` takes its name again with a new value."""
    store = _Store(context, bot_id)
    key = store.key(name)
    if not yes:
        typer.confirm(both(f"'{name}'을(를) 지울까요?", f"Delete '{name}'?"), abort=True)
    store.delete(key, name)
    typer.echo(f"{bot_id}/{name}: {both('지웠습니다', 'deleted')}")


def _value(name: str, typed: str) -> str:
    """What is stored. Raises InvalidInput without showing any of it."""
    from shared.providers.credentials import MAX_BYTES, credential_of  # noqa: PLC0415 - brings the AWS SDK
    from shared.providers.fault import ProviderFault  # noqa: PLC0415

    text = typed.strip()
    if not text:
        raise InvalidInput(both("값이 비어 있습니다", "the value is empty"))
    if not text.startswith(("{", "[")) and len(text.split()) == 1:
        text = json.dumps({"apiKey": text})
    try:
        credential_of(name, text.encode())
    except (ProviderFault, UnicodeEncodeError):
        raise InvalidInput(
            both(
                f"값은 {MAX_BYTES}바이트 이하의 JSON 객체나 API 키 하나여야 합니다",
                f"the value must be a JSON object of at most {MAX_BYTES} bytes, or one API key",
            )
        ) from None
    return text


class _Store:
    """Secrets Manager of the chosen cloud, for one bot."""

    def __init__(self, context: typer.Context, bot_id: str) -> None:
        cloud.enter(cloud.choice_of(context))
        from shared.aws import client  # noqa: PLC0415 - brings the AWS SDK
        from shared.runtime import wiring  # noqa: PLC0415

        wiring.authoring().get(bot_id)  # a misspelt bot is noticed here and not in a conversation
        self._bot_id = bot_id
        self._prefix = wiring.settings().secrets_prefix
        self._client: Any = client("secretsmanager")

    def key(self, name: str) -> str:
        from shared.providers.credentials import secret_id  # noqa: PLC0415 - brings the AWS SDK

        return secret_id(self._prefix, self._bot_id, name)

    def write(self, key: str, value: str) -> bool:
        """True when it is new."""
        errors = self._client.exceptions
        try:
            self._client.create_secret(Name=key, SecretString=value)
        except (errors.ResourceExistsException, errors.InvalidRequestException):  # the second: a deleted one
            if "DeletedDate" in self._client.describe_secret(SecretId=key):
                self._client.restore_secret(SecretId=key)
            self._client.put_secret_value(SecretId=key, SecretString=value)
            return False
        return True

    def names(self) -> list[tuple[str, datetime | None]]:
        prefix = f"{self._prefix}/{self._bot_id}/"
        pages = self._client.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
        secrets = [secret for page in pages for secret in page["SecretList"] if "DeletedDate" not in secret]
        return sorted(
            (secret["Name"].removeprefix(prefix), secret.get("LastChangedDate"))
            for secret in secrets
            if secret["Name"].startswith(prefix)
        )

    def delete(self, key: str, name: str) -> None:
        errors = self._client.exceptions
        try:
            self._client.delete_secret(SecretId=key, RecoveryWindowInDays=RECOVERY_DAYS)
        except (errors.ResourceNotFoundException, errors.InvalidRequestException):
            raise NotFound(f"bot '{self._bot_id}' has no credential '{name}'") from None
