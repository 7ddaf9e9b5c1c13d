"""`malgil key`: who may call the HTTP APIs. The text of a key is shown once, when it is made."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from infra.cli import cloud
from infra.cli.errors import OneLineErrors
from infra.cli.language import both
from shared.api_key import SCOPES
from shared.errors import InvalidInput

if TYPE_CHECKING:
    from shared.services.api_keys import ApiKeys

HELP: Final = both("API 키: HTTP API를 부를 수 있는 사람", "API keys: who may call the HTTP APIs.")

app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, help=HELP)


@app.command()
def make(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, up to 40 characters.")],
    *,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="SCOPE", help=f"What it may do; may be given again: {', '.join(SCOPES)}")
    ] = None,
    all_scopes: Annotated[bool, typer.Option("--all", help="It may do everything, make keys too.")] = False,
) -> None:
    """Make a key and show it, once."""
    if all_scopes and scope:
        raise InvalidInput("--all and --scope exclude each other")
    if not all_scopes and not scope:
        raise InvalidInput(f"give --scope, or --all; scopes are {', '.join(SCOPES)}")
    key, text = _keys(context).make(name=name, scopes=SCOPES if all_scopes else tuple(scope or ()))
    typer.echo(f"{both('키', 'key')}: {text}")
    typer.echo(f"id: {key.key_id}")
    typer.echo(f"{both('권한', 'scopes')}: {', '.join(key.scopes)}")
    typer.echo(f"! {both('다시 보여 주지 않습니다. 지금 보관하세요.', 'It is not shown again: keep it now.')}")


@app.command(name="list")
def list_(context: typer.Context) -> None:
    """Show all keys, the newest first; never their text."""
    from infra.cli.choose import shown  # noqa: PLC0415 - with the table
    from infra.cli.table import columns  # noqa: PLC0415 - loads rich

    found = _keys(context).list()
    if not found:
        typer.echo(both("없습니다", "none"))
        return
    rows = [
        (
            key.key_id,
            key.name,
            shown(key.created_at_ms),
            "--all" if set(key.scopes) >= set(SCOPES) else " ".join(key.scopes),
        )
        for key in found
    ]
    for line in columns(("id", "name", "made (UTC)", "scopes"), rows):
        typer.echo(line)


@app.command()
def revoke(
    context: typer.Context,
    given: Annotated[str, typer.Argument(metavar="KEY", help="Its id, the beginning of it, or its name.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End a key: whoever uses it is refused from now on."""
    from infra.cli.choose import one_of  # noqa: PLC0415 - see list_

    keys = _keys(context)
    key = one_of(keys.list(), given, "key", identity=lambda key: key.key_id, name=lambda key: key.name)
    if not yes:
        typer.confirm(both(f"키 '{key.name}'을(를) 끝낼까요?", f"Revoke the key '{key.name}'?"), abort=True)
    keys.revoke(key.key_id)
    typer.echo(f"{key.key_id}: {both('끝냈습니다', 'revoked')}")


def _keys(context: typer.Context) -> "ApiKeys":
    cloud.enter(cloud.choice_of(context))
    from shared.runtime.wiring import api_keys  # noqa: PLC0415 - brings the AWS SDK

    return api_keys()
