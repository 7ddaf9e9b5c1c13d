"""`malgil outbox`: what bots have mailed in the local cloud, where mail goes nowhere."""

import json
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Any, Final

import typer

from infra.cli import cloud
from infra.cli.language import both
from shared.errors import InvalidInput, NotFound, Unavailable

ENDPOINT: Final = "AWS_ENDPOINT_URL"
PATH: Final = "/_aws/ses"
"""Of infra.local.aws.outbox."""
MILLISECONDS: Final = 1000


def show(choice: cloud.CloudChoice, number: int | None, *, as_json: bool) -> None:
    mails = _mails(choice)
    if number is not None:
        mails = [mail for mail in mails if mail["number"] == number]
        if not mails:
            raise NotFound(both(f"{number}번 메일이 없습니다", f"there is no mail {number}"))
    if as_json:
        typer.echo(json.dumps(mails if number is None else mails[0], ensure_ascii=False, indent=2))
    elif number is not None:
        typer.echo(mails[0]["html"])
    elif not mails:
        typer.echo(both("보낸 메일이 없습니다", "no mail has been sent"))
    else:
        for mail in mails:
            _line(mail)


def _line(mail: dict[str, Any]) -> None:
    from infra.cli.draw import safe  # noqa: PLC0415 - loads rich

    when = f"{datetime.fromtimestamp(mail['sentAt'] / MILLISECONDS, UTC):%Y-%m-%d %H:%M:%S} UTC"
    typer.echo(f"{mail['number']:>3}  {when}  {safe(', '.join(map(_readable, mail['to'])))}  {safe(mail['subject'])}")


def _readable(address: str) -> str:
    try:
        return str(make_header(decode_header(address)))
    except (HeaderParseError, LookupError, UnicodeError):  # not an encoded word after all
        return address


def _mails(choice: cloud.CloudChoice) -> list[dict[str, Any]]:
    place = cloud.find(choice)
    if not place.is_local:
        raise InvalidInput(
            both(
                "보낸 메일은 로컬 클라우드에만 모입니다. 배포한 스택은 실제로 보냅니다.",
                "only the local cloud keeps mail: a deployed stack really sends it",
            )
        )
    import httpx  # noqa: PLC0415 - takes its time

    url = place.environment[ENDPOINT] + PATH
    try:
        answer = httpx.get(url, trust_env=False).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as exc:
        raise Unavailable(f"the local cloud's outbox does not answer: {exc}") from exc
    mails: list[dict[str, Any]] = answer["messages"]
    return mails
