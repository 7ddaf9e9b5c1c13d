"""`malgil token-key`: the keys that sign the web chat's tokens, of the whole installation. Secrets are never shown."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from infra.cli import cloud
from infra.cli.errors import OneLineErrors
from infra.cli.language import both

if TYPE_CHECKING:
    from shared.channels.web.tokens import SigningKeys
    from shared.services.web_tokens import WebTokens

HELP: Final = both("웹 채팅 토큰에 서명하는 키", "The keys that sign the web chat's tokens.")
MILLISECONDS: Final = 1_000

app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, help=HELP)


@app.command()
def show(context: typer.Context) -> None:
    """Show the names of the keys, the newest first, and since when each of them signs."""
    tokens = _tokens(context)
    keys = tokens.keys()
    if keys is None:
        typer.echo(both("없습니다. 첫 대화 때 만들어집니다", "none: the first session makes one"))
        return
    _show(keys, tokens.now_s)


@app.command()
def rotate(
    context: typer.Context,
    *,
    forget: Annotated[
        bool, typer.Option("--forget", help="The key leaked: end all tokens now; anonymous people begin anew.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make a new key. It signs in ten minutes; tokens of the one before stay good until they end."""
    tokens = _tokens(context)
    if forget and not yes:
        question = both(
            "모든 토큰을 지금 끝낼까요? 익명 이용자의 대화는 이어지지 않습니다.",
            "End all tokens now? Anonymous people will not find their conversations again.",
        )
        typer.confirm(question, abort=True)
    keys = tokens.rotate(forget=forget)
    _show(keys, tokens.now_s)
    if forget:
        typer.echo(f"! {both('5분 안에 어디서나 그렇게 됩니다.', 'It is so everywhere within five minutes.')}")


def _show(keys: "SigningKeys", now_s: int) -> None:
    from infra.cli.choose import shown  # noqa: PLC0415 - help shows no times
    from infra.cli.table import columns  # noqa: PLC0415 - loads rich

    signing = keys.signing(now_s)
    rows = [
        (
            key.kid,
            shown(MILLISECONDS * key.signs_from_s) if key.signs_from_s else "-",
            both("서명", "signs") if key == signing else _state(key.signs_from_s > now_s),
        )
        for key in keys.living(now_s)
    ]
    for line in columns((both("이름", "name"), both("시작 (UTC)", "signs from (UTC)"), ""), rows):
        typer.echo(line)


def _state(is_announced: bool) -> str:
    return both("곧 서명", "will sign") if is_announced else both("확인만", "verifies")


def _tokens(context: typer.Context) -> "WebTokens":
    cloud.enter(cloud.choice_of(context))
    from shared.runtime.wiring import web_tokens  # noqa: PLC0415 - brings the AWS SDK

    return web_tokens()
