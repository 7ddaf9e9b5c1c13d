"""The entry point: global options and what the commands look like. What a command needs is imported when it runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from infra.cli import api_key as key_commands
from infra.cli import bot as bot_commands
from infra.cli import enduser as enduser_commands
from infra.cli import secret as secret_commands
from infra.cli import token_key as token_key_commands
from infra.cli import webhook as webhook_commands
from infra.cli.cloud import STATE_DIRECTORY, CloudChoice, choice_of
from infra.cli.errors import OneLineErrors
from shared.errors import InvalidInput

app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="말길 Malgil: bots, conversations and health of an installation, local or deployed.",
)
app.add_typer(bot_commands.app, name="bot")
app.add_typer(secret_commands.app, name="secret")
app.add_typer(enduser_commands.app, name="enduser")
app.add_typer(webhook_commands.app, name="webhook")
app.add_typer(key_commands.app, name="key")
app.add_typer(token_key_commands.app, name="token-key")

UserOption = Annotated[
    str | None, typer.Option("--user", metavar="KEY", help="Go on as this user; somebody new otherwise.")
]


@app.callback()
def choose_cloud(
    context: typer.Context,
    *,
    local: Annotated[bool, typer.Option("--local", help="Use the local cloud (the default when it runs).")] = False,
    state: Annotated[
        Path, typer.Option(metavar="DIR", envvar="MALGIL_STATE", help="State directory of the local cloud.")
    ] = STATE_DIRECTORY,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", envvar="MALGIL_STACK", help="Use a stack deployed to AWS.")
    ] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="AWS profile for --stack.")] = None,
    region: Annotated[str | None, typer.Option(metavar="NAME", help="AWS region for --stack.")] = None,
) -> None:
    context.obj = CloudChoice(is_local=local, state=state, stack=stack, profile=profile, region=region)


@app.command()
def chat(
    context: typer.Context,
    bot: Annotated[str, typer.Argument(metavar="BOT|FILE", help="The id of a bot, or a bot or flow file.")],
    *,
    platform: Annotated[Literal["test", "web", "kakao"], typer.Option(help="The channel to play.")] = "test",
    draft: Annotated[bool, typer.Option("--draft", help="Talk with the draft (platform test only).")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Show what each node did.")] = False,
    user: UserOption = None,
) -> None:
    """Talk with a bot in the terminal; /help lists the commands. A file needs no cloud."""
    if draft and platform != "test":
        raise InvalidInput("a draft can only be met on platform test: end users have the published version")
    from infra.cli.chat import talk_with_bot, talk_with_file  # noqa: PLC0415 - loads the engine

    path = bot_commands.file_of(bot)
    if path is None:
        talk = talk_with_bot(choice_of(context), bot, draft=draft, platform=platform, user_key=user)
    else:
        talk = talk_with_file(path, platform=platform, user_key=user)
    talk.show_trace = trace
    talk.run()


@app.command()
def kakao(
    context: typer.Context,
    bot: Annotated[str | None, typer.Argument(metavar="[BOT]", help="The id of a bot.")] = None,
    *,
    url: Annotated[str | None, typer.Option(help="Any skill URL, instead of the bot's.")] = None,
    secret: Annotated[str | None, typer.Option(help="Value of its secret header.")] = None,
    callback: Annotated[bool, typer.Option("--callback", help="Take late replies as callbacks (local cloud).")] = False,
    user: UserOption = None,
) -> None:
    """Talk as KakaoTalk does: skill calls to the bot's URL, bubbles as a phone draws them; /help lists the commands."""
    from infra.cli.kakao import Phone, skill_of_bot, skill_of_url  # noqa: PLC0415 - loads the HTTP client

    if url is not None:
        skill = skill_of_url(url, secret)
    elif bot is not None:
        skill = skill_of_bot(choice_of(context), bot, with_callback=callback)
    else:
        raise InvalidInput("name a bot, or give its --url and --secret")
    with Phone(skill, user) as phone:
        phone.run()


@app.command()
def doctor(
    context: typer.Context,
    bot: Annotated[str | None, typer.Argument(metavar="[BOT]", help="Look at this bot's connection only.")] = None,
) -> None:
    """Check this machine, the deployment and the bots' KakaoTalk connections. Exit code 1 when something is broken."""
    from infra.cli.doctor import examine  # noqa: PLC0415 - loads the HTTP client

    if not examine(choice_of(context), bot):
        raise typer.Exit(1)


@app.command()
def usage(
    context: typer.Context,
    bot: Annotated[str, typer.Argument(metavar="BOT", help="The id of a bot.")],
    *,
    days: Annotated[int, typer.Option(metavar="N", help="Show the last N days, two or less by hours.")] = 7,
    quota: Annotated[int | None, typer.Option(metavar="N", help="Active users a month without a brand line.")] = None,
    no_quota: Annotated[bool, typer.Option("--no-quota", help="Any number of them.")] = False,
    brand_line: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What stands under the answers over the quota.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
) -> None:
    """Show how much a bot is used: this month's active users, earlier months, the last days. Set its quota."""
    if quota is not None and no_quota:
        raise InvalidInput("--quota and --no-quota exclude each other")
    from infra.cli.usage import set_limits, show  # noqa: PLC0415 - brings the AWS SDK

    choice = choice_of(context)
    if quota is not None or no_quota or brand_line is not None:
        set_limits(choice, bot, quota="as it is" if quota is None and not no_quota else quota, brand_line=brand_line)
    show(choice, bot, days, as_json=as_json)


@app.command()
def outbox(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(metavar="[N]", help="Show the HTML of this mail.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Everything about the mails, as JSON.")] = False,
) -> None:
    """Show what bots have mailed in the local cloud, newest last: there it goes nowhere."""
    from infra.cli.outbox import show  # noqa: PLC0415 - only this command asks for mail

    show(choice_of(context), number, as_json=as_json)
