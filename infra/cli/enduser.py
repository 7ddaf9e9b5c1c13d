"""`malgil enduser`: erasing a person who asks for it, and the receipt."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from infra.cli import cloud
from infra.cli.errors import OneLineErrors
from infra.cli.language import both
from shared.errors import InvalidInput

if TYPE_CHECKING:
    from shared.conversation.erasure import Erasure
    from shared.services.erase_person import ErasePerson

HELP: Final = both("봇과 이야기한 사람을 지웁니다.", "Erase people who talked with a bot.")
REQUESTED_BY: Final = "cli"
LOOK_SECONDS: Final = 2.0
STATES: Final = {
    "accepted": both("접수했습니다", "accepted"),
    "erased": both("지웠습니다. 15분 뒤에 한 번 더 확인합니다", "erased; looked at once more in 15 minutes"),
    "done": both("끝났습니다", "done"),
}
COUNTED: Final = {
    "turns": both("대화 기록", "turns"),
    "states": both("상태", "states"),
    "conversations": both("대화", "conversations"),
    "deliveries": both("웹훅 전송", "deliveries"),
}
WAITING: Final = both(
    "1분 30초쯤 뒤에 지우기 시작합니다. Ctrl+C로 나가도 계속됩니다.",
    "it begins in about a minute and a half, and goes on when you leave with Ctrl+C.",
)

app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, help=HELP)

BotId = Annotated[str, typer.Argument(metavar="BOT", help="The bot's id.")]


@app.command()
def erase(
    context: typer.Context,
    bot_id: BotId,
    end_user_id: Annotated[str | None, typer.Argument(metavar="[ENDUSER_ID]", help="The end user's id.")] = None,
    *,
    platform: Annotated[str | None, typer.Option(metavar="NAME", help="Instead of the id: kakao, web or test,")] = None,
    user: Annotated[str | None, typer.Option(metavar="KEY", help="and the key that the channel knows.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option(help="Show how far it is, until everything was gone through once.")] = True,
) -> None:
    """Erase a person: log, lists, and their events in the delivery logs. It cannot be undone."""
    by_key = (platform, user) if platform is not None and user is not None else None
    if (end_user_id is None) == (by_key is None) or (by_key is None) != (platform is None and user is None):
        raise InvalidInput("give the end user's id, or --platform and --user")
    cloud.enter(cloud.choice_of(context))
    person = _wired()
    if not yes:
        whom = end_user_id or f"{platform}/{user}"
        question = both(f"'{whom}'을(를) 되돌릴 수 없게 지울까요?", f"Erase '{whom}' for good?")
        typer.confirm(question, abort=True)
    if end_user_id is not None:
        erasure = person.request(bot_id, end_user_id, requested_by=REQUESTED_BY)
    else:
        assert by_key is not None  # noqa: S101 - checked above
        erasure = person.request_by_key(bot_id, *by_key, requested_by=REQUESTED_BY)
    typer.echo(f"{both('영수증', 'receipt')}: {bot_id} {erasure.erasure_id}")
    if wait:
        _follow(erasure, lambda: person.receipt(bot_id, erasure.erasure_id))


@app.command()
def receipt(
    context: typer.Context,
    bot_id: BotId,
    erasure_id: Annotated[str, typer.Argument(metavar="ERASURE_ID", help="The erasure's id.")],
) -> None:
    """Show what became of an erasure: what is gone, what stays and until when."""
    cloud.enter(cloud.choice_of(context))
    show(_wired().receipt(bot_id, erasure_id))


def show(erasure: "Erasure") -> None:
    """A receipt as people read it."""
    for korean, english, at_ms in (
        ("요청", "requested", erasure.requested_at_ms),
        ("삭제", "erased", erasure.erased_at_ms),
        ("완료", "done", erasure.done_at_ms),
    ):
        typer.echo(f"{both(korean, english)}: {'-' if at_ms is None else _time(at_ms)}")
    typer.echo(f"{both('요청한 이', 'requested by')}: {erasure.requested_by}")
    typer.echo(f"{both('사용자 ID', 'end user id')}: {erasure.end_user_id}")
    typer.echo(f"{both('상태', 'state')}: {STATES[erasure.state]}")
    typer.echo(_counts(erasure))
    typer.echo(f"{both('남는 것', 'what stays')}:")
    for kept in erasure.stays():
        until = both("정해진 날 없음", "no fixed day") if kept.until_ms is None else _time(kept.until_ms)
        typer.echo(f"- {both(kept.korean, kept.english)}: {until}")


def _follow(erasure: "Erasure", look: Callable[[], "Erasure"]) -> None:
    """One line each time that something moved."""
    typer.echo(STATES[erasure.state])
    if erasure.state == "accepted":
        typer.echo(WAITING)
    while erasure.state == "accepted":
        time.sleep(LOOK_SECONDS)
        before, erasure = erasure, look()
        if erasure.counts != before.counts:
            typer.echo(_counts(erasure))
        if erasure.state != before.state:
            typer.echo(STATES[erasure.state])


def _counts(erasure: "Erasure") -> str:
    return ", ".join(f"{name} {getattr(erasure.counts, field)}" for field, name in COUNTED.items())


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _wired() -> "ErasePerson":
    from shared.runtime.wiring import erase_person  # noqa: PLC0415 - brings the AWS SDK

    return erase_person()
