"""`malgil webhook`: endpoints that are told what happens in a bot, and a receiver to try them with."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from infra.cli.errors import OneLineErrors
from infra.cli.language import LanguageOption, both, chosen

if TYPE_CHECKING:
    from infra.cli.webhook_words import Words

HELP: Final = both("웹훅: 봇에서 일어난 일을 받는 주소", "Webhooks: who is told what happens in a bot.")
LISTEN_PORT: Final = 8790

app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, help=HELP)


@app.command()
def listen(
    *,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on 127.0.0.1.")] = LISTEN_PORT,
    secret: Annotated[
        list[str] | None, typer.Option(metavar="whsec_...", help="Verify with it; may be given again.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each event.")] = False,
    answer: Annotated[int, typer.Option(min=200, max=599, metavar="STATUS", help="Answer so, to try failures.")] = 200,
    delay: Annotated[float, typer.Option(min=0, max=600, metavar="SECONDS", help="Wait before the answer.")] = 0.0,
    language: LanguageOption = None,
) -> None:
    """Receive deliveries on this machine, verify them and print their events, until Ctrl-C."""
    from infra.cli.webhook_listen import Receiver, listen_on  # noqa: PLC0415 - loads the HTTP server
    from infra.cli.webhook_words import Words  # noqa: PLC0415 - loads rich
    from shared.webhooks.signature import secret_key  # noqa: PLC0415

    secrets = tuple(secret or ())
    for each in secrets:
        secret_key(each)
    words = Words(chosen(language))
    receiver = Receiver(secrets=secrets, words=words, answer=answer, delay_seconds=delay, as_json=as_json)
    with listen_on(port) as listener:
        receiver.serve(listener, lambda: _tell_ready(words, f"http://127.0.0.1:{port}/", secrets, err=as_json))
    for line in receiver.summary():
        typer.echo(line, err=as_json)


def _tell_ready(words: "Words", url: str, secrets: tuple[str, ...], *, err: bool) -> None:
    ready = words.say(f"{url} 에서 받습니다. 시각은 UTC입니다.", f"Receiving at {url} . Times are UTC.")
    typer.echo(f"{ready} Ctrl-C: {words.say('끝', 'stop')}", err=err)
    if not secrets:
        nothing = words.say(
            "서명을 확인하지 않습니다: --secret whsec_...", "nothing is verified: give --secret whsec_..."
        )
        typer.echo(f"! {nothing}", err=err)
