"""`malgil bot`: what authors do with bots, from files that they keep in git."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from infra.cli import cloud
from infra.cli.errors import OneLineErrors
from infra.cli.language import Language, LanguageOption, both, chosen
from infra.cli.web import web as web_command
from shared.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from shared.bot.problem import Problem
    from shared.bot.record import BotRecord, BotVersion
    from shared.services.authoring import Authoring

app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, help="Import, check, publish and connect bots.")

COLORS: Final = {"error": typer.colors.RED, "warning": typer.colors.YELLOW}
MILLISECONDS: Final = 1000
NOT_PUBLISHED: Final = both("오류가 있어 게시하지 않았습니다", "not published: it has errors")

BotId = Annotated[str, typer.Argument(metavar="ID", help="The bot's id.")]


@app.command()
def lint(
    context: typer.Context,
    bot: Annotated[str, typer.Argument(metavar="FILE|ID", help="A bot or flow file, or the id of a bot.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Problems as JSON.")] = False,
    language: LanguageOption = None,
) -> None:
    """Show all problems of a bot file, or of a bot's draft. Exit code 1 when there are errors."""
    path = file_of(bot)
    problems = _problems_of_file(path) if path is not None else _authoring(context).problems(bot)
    words = chosen(language)
    if as_json:
        listed = [
            {"path": found.path, "severity": found.severity, "code": found.code, "message": found.sentence(words)}
            for found in problems
        ]
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=2))
    else:
        _show(problems, words)
        typer.echo(_count(problems))
    _exit_on_errors(problems)


@app.command(name="import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A bot or flow file.")],
    *,
    bot_id: Annotated[str | None, typer.Option("--id", help="The bot's id; the file's name otherwise.")] = None,
    publish: Annotated[bool, typer.Option(help="Publish it too.")] = False,
    language: LanguageOption = None,
) -> None:
    """Make a file the draft of a bot, which is made when there is none."""
    authoring = _authoring(context)
    imported = authoring.import_file(bot_id or file.stem, file.read_bytes())
    record, latest = imported.record, imported.record.latest
    _show(imported.problems, chosen(language))
    if latest is not None:
        done = "imported as" if imported.is_new_version else "unchanged since"
        typer.echo(f"{record.bot_id}: {done} version {latest.number} ({_count(imported.problems)})")
    if publish:
        _exit_on_errors(imported.problems, NOT_PUBLISHED)
        _tell_published(authoring.publish(record.bot_id))


@app.command()
def export(
    context: typer.Context,
    bot_id: BotId,
    *,
    version: Annotated[int | None, typer.Option(metavar="N", help="A version; the draft otherwise.")] = None,
    flow: Annotated[int | None, typer.Option(metavar="FLOW_ID", help="Only this flow, as a flow file.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write it to a file.")] = None,
) -> None:
    """Write a bot as the file that it was imported from."""
    document = _authoring(context).export(bot_id, version)
    if flow is not None:
        document = _flow_of(document, flow)
    text = json.dumps(document, ensure_ascii=False, indent=2)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


@app.command(name="list")
def list_(context: typer.Context) -> None:
    """Show all bots, the last changed first."""
    from rich.table import Table  # noqa: PLC0415 - only this command draws a table

    from infra.cli.draw import console, safe  # noqa: PLC0415

    authoring = _authoring(context)
    table = Table("id", "title", "draft", "published", "changed (UTC)", box=None, pad_edge=False)
    for record in authoring.bots:
        title = record.profile.get("title")
        table.add_row(
            record.bot_id,
            safe(title if isinstance(title, str) else ""),
            _number(record.latest),
            _number(record.published),
            f"{datetime.fromtimestamp(record.updated_at_ms / MILLISECONDS, UTC):%Y-%m-%d %H:%M}",
        )
    console().print(table)


@app.command()
def publish(context: typer.Context, bot_id: BotId, *, language: LanguageOption = None) -> None:
    """Make the draft what end users meet; a draft with errors is refused."""
    authoring = _authoring(context)
    problems = authoring.problems(bot_id)
    _show(problems, chosen(language))
    _exit_on_errors(problems, NOT_PUBLISHED)
    _tell_published(authoring.publish(bot_id))


@app.command()
def rollback(
    context: typer.Context,
    bot_id: BotId,
    *,
    to: Annotated[
        int | None, typer.Option(metavar="N", help="The version; the one published before otherwise.")
    ] = None,
) -> None:
    """Publish an earlier version again."""
    _tell_published(_authoring(context).roll_back(bot_id, to))


@app.command()
def delete(
    context: typer.Context,
    bot_id: BotId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a bot out of service. Importing it again brings it back."""
    authoring = _authoring(context)
    record = authoring.get(bot_id)
    if not yes:
        typer.confirm(f"Delete '{bot_id}' ({record.profile.get('title')})?", abort=True)
    authoring.delete(bot_id)
    typer.echo(f"{bot_id}: deleted")


@app.command()
def connect(
    context: typer.Context,
    bot_id: BotId,
    *,
    kakao_bot_id: Annotated[
        str | None, typer.Option(help="Id of the bot in Kakao's admin centre; calls of others are refused then.")
    ] = None,
    welcome_block_id: Annotated[str | None, typer.Option(help="Id of its welcome block.")] = None,
    rotate: Annotated[bool, typer.Option(help="Make a new header value; the one before stays valid.")] = False,
) -> None:
    """Show what to enter in KakaoTalk's admin centre (챗봇 관리자센터), made when there is none yet."""
    place = cloud.enter(cloud.choice_of(context))
    settings = _wired().connect_kakao(
        bot_id, kakao_bot_id=kakao_bot_id, welcome_block_id=welcome_block_id, rotate=rotate
    )
    from shared.channels.kakao.settings import SECRET_HEADER  # noqa: PLC0415

    for korean, english, value in (
        ("스킬 URL", "skill URL", place.skill_url(bot_id, settings.path_secret)),
        ("헤더 이름", "header name", SECRET_HEADER),
        ("헤더 값", "header value", settings.header_secrets[0]),
        ("카카오 봇 ID", "Kakao bot id", settings.kakao_bot_id or both("미설정", "not set")),
        ("웰컴 블록 ID", "welcome block id", settings.welcome_block_id or both("미설정", "not set")),
    ):
        typer.echo(f"{both(korean, english)}: {value}")
    for line in CONNECTION_STEPS:
        typer.echo(f"- {line}")
    if place.is_local:
        typer.echo(f"! {LOOPBACK_ONLY}")


app.command(name="web")(web_command)

CONNECTION_STEPS: Final = (
    both(
        "챗봇 관리자센터 > 스킬에 위의 URL과 헤더값을 입력하고, 웰컴 블록과 폴백 블록에 이 스킬을 연결하세요.",
        "Enter URL and header under 스킬 in the admin centre; set the skill on the welcome and the fallback block.",
    ),
    both(
        "두 블록의 응답을 '스킬데이터 사용'으로 바꾸고, 스킬 배포와 봇 배포를 하세요.",
        "Choose 스킬데이터 사용 as both blocks' answer, then deploy the skill and the bot.",
    ),
    both(
        "`malgil doctor`로 연결을 확인하세요.",
        "Check the connection with `malgil doctor`.",
    ),
)
LOOPBACK_ONLY: Final = both(
    "로컬 주소입니다. 카카오톡은 공개 https 주소만 호출할 수 있습니다. 연습은 `malgil kakao`로 하세요.",
    "This is a local address: KakaoTalk only calls public https addresses. Try it with `malgil kakao`.",
)


def file_of(argument: str) -> Path | None:
    """The file that is meant; None when a bot's id is. Raises NotFound for a path that leads nowhere."""
    path = Path(argument)
    if path.is_file():
        return path
    if path.suffix or path.name != argument:
        raise NotFound(f"no file '{argument}'")
    return None


def _problems_of_file(path: Path) -> "list[Problem]":
    from shared.bot.document import read_bot_file  # noqa: PLC0415 - lint compiles templates: not needed to show help
    from shared.bot.lint import lint as lint_content  # noqa: PLC0415

    file = read_bot_file(path.read_bytes())
    return lint_content(file.content, file.profile)


def _authoring(context: typer.Context) -> "Authoring":
    cloud.enter(cloud.choice_of(context))
    return _wired()


def _wired() -> "Authoring":
    from shared.runtime.wiring import authoring  # noqa: PLC0415 - brings the AWS SDK

    return authoring()


def _flow_of(document: dict[str, Any], flow_id: int) -> Any:
    from shared.bot.model import read_id  # noqa: PLC0415

    flows = document.get("flows")
    for flow in flows if isinstance(flows, list) else ():
        if isinstance(flow, dict) and read_id(flow.get("id")) == flow_id:
            return flow
    raise NotFound(f"the bot has no flow {flow_id}")


def _show(problems: "Sequence[Problem]", language: Language) -> None:
    for found in problems:
        severity = typer.style(f"{found.severity:<7}", fg=COLORS[found.severity])
        typer.echo(f"{severity} {found.path}: {found.sentence(language)}")


def _errors(problems: "Sequence[Problem]") -> "list[Problem]":
    return [found for found in problems if found.severity == "error"]


def _count(problems: "Sequence[Problem]") -> str:
    errors = len(_errors(problems))
    warnings = len(problems) - errors
    return f"{errors} error{'' if errors == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}"


def _exit_on_errors(problems: "Sequence[Problem]", why: str | None = None) -> None:
    if _errors(problems):
        if why is not None:
            raise InvalidInput(why)
        raise typer.Exit(1)


def _number(version: "BotVersion | None") -> str:
    return "-" if version is None else str(version.number)


def _tell_published(record: "BotRecord") -> None:
    typer.echo(f"{record.bot_id}: version {_number(record.published)} is published")
