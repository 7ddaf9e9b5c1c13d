"""`malgil webhook`: endpoints that are told what happens in a bot, and a receiver to try them with."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from infra.cli import cloud
from infra.cli.errors import OneLineErrors, outside_errors, sentence
from infra.cli.language import LanguageOption, both, chosen
from shared.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from infra.cli.webhook_words import Words
    from shared.services.webhook_management import ManageWebhooks
    from shared.services.webhook_replay import Replay, ReplayedPage
    from shared.webhooks.delivery import Delivery
    from shared.webhooks.endpoint import Endpoint

HELP: Final = both("웹훅: 봇에서 일어난 일을 받는 주소", "Webhooks: who is told what happens in a bot.")
LISTEN_PORT: Final = 8790
LISTEN_NAME: Final = "malgil webhook listen"
HOST: Final = "127.0.0.1"
PAGE: Final = 100
MAX_LISTED: Final = 10_000

app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, help=HELP)

BotId = Annotated[str, typer.Argument(metavar="BOT", help="The bot's id.")]
Given = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id, the beginning of it, or its name.")]
CloserUserAgent = Annotated[
    bool | None, typer.Option(help="Send exactly CLOSER's user agent, for receivers that demand it.")
]


@app.command(name="list")
def list_(context: typer.Context, bot_id: BotId) -> None:
    """Show a bot's webhooks, the oldest first."""
    from infra.cli.choose import shown  # noqa: PLC0415 - with the table
    from infra.cli.table import columns  # noqa: PLC0415 - loads rich
    from infra.cli.webhook_words import one_line, why_off  # noqa: PLC0415

    found = _manage(context).list(bot_id)
    if not found:
        typer.echo(both("없습니다", "none"))
        return
    rows = [
        (
            webhook.webhook_id,
            webhook.name,
            "on" if webhook.enabled else "off",
            shown(webhook.last_success_ms),
            webhook.url,
        )
        for webhook in found
    ]
    for line in columns(("id", "name", "state", "succeeded (UTC)", "url"), rows):
        typer.echo(line)
    for webhook in found:
        if not webhook.enabled:
            typer.echo(f"! {one_line(webhook.name)}: {why_off(webhook)}")


@app.command()
def make(
    context: typer.Context,
    bot_id: BotId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, up to 40 characters.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are posted to.")],
    *,
    closer_user_agent: CloserUserAgent = False,
) -> None:
    """Register an address, and show the secret that signs, once."""
    webhook = _manage(context).create(bot_id, name=name, url=url, closer_user_agent=bool(closer_user_agent))
    typer.echo(f"id: {webhook.webhook_id}")
    _tell_secret(webhook)


@app.command()
def show(context: typer.Context, bot_id: BotId, given: Given) -> None:
    """Show everything about a webhook but its secret."""
    from infra.cli.choose import shown  # noqa: PLC0415 - see list_
    from infra.cli.webhook_words import one_line, why_off  # noqa: PLC0415
    from shared.runtime.world import now_ms  # noqa: PLC0415

    webhook = _found(_manage(context), bot_id, given)
    signing = webhook.previous_until_ms if len(webhook.secrets(now_ms())) > 1 else None
    for korean, english, value in (
        ("ID", "id", webhook.webhook_id),
        ("이름", "name", one_line(webhook.name)),
        ("URL", "URL", webhook.url),
        ("상태", "state", both("켜짐", "on") if webhook.enabled else f"{both('꺼짐', 'off')}: {why_off(webhook)}"),
        ("꺼진 때", "off since", _utc(shown(webhook.disabled_at_ms))),
        ("마지막 성공", "last success", _utc(shown(webhook.last_success_ms))),
        (
            "CLOSER user agent",
            "CLOSER user agent",
            both("예", "yes") if webhook.closer_user_agent else both("아니요", "no"),
        ),
        ("만든 때", "made", _utc(shown(webhook.created_at_ms))),
        ("바꾼 때", "changed", _utc(shown(webhook.updated_at_ms))),
        ("이전 비밀 값이 서명하는 때까지", "the secret before signs until", _utc(shown(signing))),
    ):
        if value != "-":
            typer.echo(f"{both(korean, english) if korean != english else korean}: {value}")
    _tell_held(bot_id, webhook)


@app.command()
def change(
    context: typer.Context,
    bot_id: BotId,
    given: Given,
    *,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    url: Annotated[str | None, typer.Option(help="A new address.")] = None,
    closer_user_agent: CloserUserAgent = None,
) -> None:
    """Change a webhook's name, address or user agent."""
    if name is None and url is None and closer_user_agent is None:
        raise InvalidInput("give --name, --url or --closer-user-agent")
    manage = _manage(context)
    webhook = _found(manage, bot_id, given)
    manage.change(bot_id, webhook.webhook_id, name=name, url=url, closer_user_agent=closer_user_agent)
    typer.echo(f"{webhook.webhook_id}: {both('바꾸었습니다', 'changed')}")


@app.command()
def delete(
    context: typer.Context,
    bot_id: BotId,
    given: Given,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a webhook. What was held for it is not sent."""
    from infra.cli.webhook_words import one_line  # noqa: PLC0415 - see list_

    manage = _manage(context)
    webhook = _found(manage, bot_id, given)
    if not yes:
        name = f"{one_line(webhook.name)} ({webhook.url})"
        typer.confirm(both(f"'{name}'을(를) 지울까요?", f"Delete '{name}'?"), abort=True)
    manage.delete(bot_id, webhook.webhook_id)
    typer.echo(f"{webhook.webhook_id}: {both('지웠습니다', 'deleted')}")


@app.command()
def enable(context: typer.Context, bot_id: BotId, given: Given) -> None:
    """Switch a webhook on. What was held waits for `send-held`."""
    manage = _manage(context)
    webhook = manage.enable(bot_id, _found(manage, bot_id, given).webhook_id)
    typer.echo(f"{webhook.webhook_id}: {both('켰습니다', 'on')}")
    _tell_held(bot_id, webhook)


@app.command()
def disable(context: typer.Context, bot_id: BotId, given: Given) -> None:
    """Switch a webhook off: its events are held for 14 days."""
    manage = _manage(context)
    webhook = manage.disable(bot_id, _found(manage, bot_id, given).webhook_id)
    kept = both("이벤트를 14일 동안 보관합니다", "its events are held for 14 days")
    typer.echo(f"{webhook.webhook_id}: {both('껐습니다', 'off')}. {kept}")


@app.command()
def test(context: typer.Context, bot_id: BotId, given: Given) -> None:
    """Post a test event from this machine, on or off. Exit code 1 when it failed."""
    from infra.cli.webhook_words import one_line, outcome  # noqa: PLC0415 - see list_

    manage = _manage(context)
    webhook = _found(manage, bot_id, given)
    delivery = manage.test(bot_id, webhook.webhook_id)
    attempt = delivery.attempts[-1]
    mark, color = ("✓", typer.colors.GREEN) if attempt.is_success else ("✗", typer.colors.RED)
    typer.echo(typer.style(f"{mark} {outcome(attempt.status, attempt.error)}, {attempt.ms} ms", fg=color))
    typer.echo(f"  {delivery.key.delivery_id} -> {webhook.url}")
    if attempt.answer:
        typer.echo(f"  {one_line(attempt.answer)}")
    if not attempt.is_success:
        raise typer.Exit(1)


@app.command()
def rotate(context: typer.Context, bot_id: BotId, given: Given) -> None:
    """Make a new secret, shown once; for a day the one before signs too."""
    from infra.cli.choose import shown  # noqa: PLC0415 - see list_

    manage = _manage(context)
    webhook = manage.rotate_secret(bot_id, _found(manage, bot_id, given).webhook_id)
    _tell_secret(webhook)
    until = f"{shown(webhook.previous_until_ms)} UTC"
    typer.echo(both(f"{until}까지는 이전 비밀 값도 서명합니다.", f"The secret before signs too until {until}."))


@app.command()
def log(
    context: typer.Context,
    bot_id: BotId,
    given: Given,
    *,
    state: Annotated[Literal["pending", "delivered", "failed", "held"] | None, typer.Option(help="Only these.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="2026-11-22, 2026-11-22T09:30+09:00, or 2h.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LISTED, help="At most so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Everything about them, as JSON.")] = False,
) -> None:
    """Show deliveries of the last 30 days with their tries, the newest first."""
    from infra.cli.choose import moment, shown  # noqa: PLC0415 - see list_
    from infra.cli.table import columns  # noqa: PLC0415
    from infra.cli.webhook_words import tries  # noqa: PLC0415
    from shared.runtime.world import now_ms  # noqa: PLC0415

    from_ms = None if since is None else moment(since, now_ms(), "--since")
    manage = _manage(context)
    webhook_id = _found(manage, bot_id, given).webhook_id
    found: list[Delivery] = []
    cursor = None
    while len(found) < limit:
        wanted = min(PAGE, limit - len(found))
        page = manage.deliveries(bot_id, webhook_id, limit=wanted, cursor=cursor, state=state, from_ms=from_ms)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    if as_json:
        typer.echo(json.dumps([_delivery_json(delivery) for delivery in found], ensure_ascii=False, indent=2))
        return
    if not found:
        typer.echo(both("없습니다", "none"))
        return
    rows = [
        (
            shown(delivery.key.at_ms),
            delivery.key.delivery_id,
            f"{delivery.state} (test)" if delivery.is_test else delivery.state,
            delivery.count,
            shown(delivery.next_at_ms),
            tries(delivery.attempts),
        )
        for delivery in found
    ]
    for line in columns(("time (UTC)", "id", "state", "events", "next try (UTC)", "tries"), rows):
        typer.echo(line)
    if cursor is not None:
        typer.echo(both("더 있습니다: --limit, --since", "there are more: --limit, --since"), err=True)


@app.command()
def resend(
    context: typer.Context,
    bot_id: BotId,
    given: Given,
    delivery_id: Annotated[str, typer.Argument(metavar="DELIVERY", help="The delivery's id, as `log` shows it.")],
    *,
    at: Annotated[
        int | None, typer.Option(metavar="MS", help="Its `at` in `log --json`; needed for one of long ago.")
    ] = None,
) -> None:
    """Send a delivery again, under its id."""
    manage = _manage(context)
    webhook = _found(manage, bot_id, given)
    delivery = manage.delivery(bot_id, webhook.webhook_id, delivery_id, at)
    _replay().resend(bot_id, delivery.key)
    typer.echo(f"{delivery_id}: {both('다시 보냅니다', 'is sent again')}")


@app.command()
def held(context: typer.Context, bot_id: BotId, given: Given) -> None:
    """Count what is held because the webhook was off."""
    webhook = _found(_manage(context), bot_id, given)
    if not _tell_held(bot_id, webhook):
        typer.echo(both("보관한 전송이 없습니다", "nothing is held"))


@app.command(name="send-held")
def send_held(context: typer.Context, bot_id: BotId, given: Given) -> None:
    """Send all that was held, the oldest first."""
    webhook_id = _found(_manage(context), bot_id, given).webhook_id
    replay = _replay()
    _tell_sent(_in_parts(lambda cursor: replay.send_held_part(bot_id, webhook_id, cursor)))


@app.command()
def replay(
    context: typer.Context,
    bot_id: BotId,
    given: Given,
    *,
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="2026-11-22, 2026-11-22T09:30+09:00, or 2h (ago).")
    ],
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Now otherwise.")] = None,
    from_log: Annotated[
        bool, typer.Option("--log", help="Out of the conversations, as new deliveries; the events keep their ids.")
    ] = False,
    replay_id: Annotated[
        str | None, typer.Option(metavar="ID", help="With --log: begin a replay that was broken off again.")
    ] = None,
) -> None:
    """Send what happened in a time again: its deliveries under their ids, or its events out of the conversations."""
    from infra.cli.choose import moment, typed  # noqa: PLC0415 - see list_
    from shared.runtime import world  # noqa: PLC0415

    if replay_id is not None and not from_log:
        raise InvalidInput("--replay-id is for --log")
    now = world.now_ms()
    from_ms = moment(since, now, "--from")
    until_ms = now if until is None else moment(until, now, "--until")
    if from_ms >= until_ms:
        raise InvalidInput("--from must be before --until")
    webhook_id = _found(_manage(context), bot_id, given).webhook_id
    wired = _replay()
    identity = replay_id or world.new_id()
    if from_log:
        typer.echo(f"--from {typed(from_ms)} --until {typed(until_ms)} --replay-id {identity}", err=True)

    def part(cursor: str | None) -> "ReplayedPage":
        if not from_log:
            return wired.resend_range_part(bot_id, webhook_id, from_ms=from_ms, until_ms=until_ms, cursor=cursor)
        return wired.replay_range(
            bot_id, webhook_id, from_ms=from_ms, until_ms=until_ms, replay_id=identity, cursor=cursor
        )

    _tell_sent(_in_parts(part))


@app.command()
def listen(
    context: typer.Context,
    bot_id: Annotated[
        str | None, typer.Argument(metavar="[BOT]", help="Register here as a webhook of this bot (local cloud).")
    ] = None,
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
    url = f"http://{HOST}:{port}/"
    with listen_on(port) as listener:
        registered = None if bot_id is None else _register(context, bot_id, port, url)
        if registered is not None:
            secrets += (registered.secret,)
        receiver = Receiver(secrets=secrets, words=words, answer=answer, delay_seconds=delay, as_json=as_json)
        try:
            receiver.serve(listener, lambda: _tell_ready(words, url, registered, secrets, err=as_json))
            for line in receiver.summary():
                typer.echo(line, err=as_json)
        finally:
            if registered is not None:
                _unregister(registered, words)


def _register(context: typer.Context, bot_id: str, port: int, url: str) -> "Endpoint":
    """This receiver as a webhook of the bot; one that an earlier run left behind is taken over."""
    place = cloud.find(cloud.choice_of(context))
    if not place.is_local:
        raise InvalidInput(
            both(
                "배포한 스택은 이 컴퓨터로 보낼 수 없습니다. 공개 주소를 `malgil webhook make`로 등록하세요",
                "a deployed stack cannot post to this machine: register a public address with `malgil webhook make`",
            )
        )
    if (HOST, port) not in place.local_targets:
        raise InvalidInput(
            both(
                f"로컬 클라우드가 {port} 포트로 보낼 수 없습니다: `make run WEBHOOK_PORT={port}`",
                f"the local cloud may not post to port {port}: `make run WEBHOOK_PORT={port}`",
            )
        )
    manage = _manage(context)
    left = [found for found in manage.list(bot_id) if (found.name, found.url) == (LISTEN_NAME, url)]
    return manage.enable(bot_id, left[0].webhook_id) if left else manage.create(bot_id, name=LISTEN_NAME, url=url)


def _unregister(webhook: "Endpoint", words: "Words") -> None:
    from shared.runtime.wiring import manage_webhooks  # noqa: PLC0415 - brings the AWS SDK

    try:
        with suppress(NotFound):  # somebody deleted it meanwhile
            manage_webhooks().delete(webhook.bot_id, webhook.webhook_id)
    except outside_errors() as exc:
        left = words.say("등록이 남았습니다. 다음에 다시 씁니다", "its registration stays, and is used the next time")
        typer.echo(f"! {left}: {sentence(exc)}", err=True)


def _tell_ready(
    words: "Words", url: str, registered: "Endpoint | None", secrets: tuple[str, ...], *, err: bool
) -> None:
    ready = words.say(f"{url} 에서 받습니다. 시각은 UTC입니다.", f"Receiving at {url} . Times are UTC.")
    typer.echo(f"{ready} Ctrl-C: {words.say('끝', 'stop')}", err=err)
    if registered is not None:
        bot_id = registered.bot_id
        soon = words.say(
            f"{bot_id}의 이벤트가 5초 안에 오기 시작합니다.", f"Events of {bot_id} begin to come within 5 s."
        )
        typer.echo(soon, err=err)
    if not secrets:
        nothing = words.say(
            "서명을 확인하지 않습니다: --secret whsec_...", "nothing is verified: give --secret whsec_..."
        )
        typer.echo(f"! {nothing}", err=err)


def _manage(context: typer.Context) -> "ManageWebhooks":
    cloud.enter(cloud.choice_of(context))
    from shared.runtime.wiring import manage_webhooks  # noqa: PLC0415 - brings the AWS SDK

    return manage_webhooks()


def _replay() -> "Replay":
    from shared.runtime.wiring import replay as wired  # noqa: PLC0415 - brings the AWS SDK

    return wired()


def _found(manage: "ManageWebhooks", bot_id: str, given: str) -> "Endpoint":
    from infra.cli.choose import one_of  # noqa: PLC0415 - see list_

    return one_of(
        manage.list(bot_id), given, "webhook", identity=lambda found: found.webhook_id, name=lambda found: found.name
    )


def _tell_secret(webhook: "Endpoint") -> None:
    typer.echo(f"{both('비밀 값', 'secret')}: {webhook.secret}")
    typer.echo(f"! {both('다시 보여 주지 않습니다. 지금 보관하세요.', 'It is not shown again: keep it now.')}")


def _tell_held(bot_id: str, webhook: "Endpoint") -> bool:
    """Whether something is held; and if so how much, and what to do about it."""
    found = _replay().held(bot_id, webhook.webhook_id)
    if not found.count:
        return False
    count = f"{found.count}" if found.is_all else f"{found.count}+"
    typer.echo(both(f"보관한 전송 {count}개", f"held: {count} deliveries"))
    send = f"malgil webhook send-held {bot_id} {webhook.webhook_id}"
    if not webhook.enabled:
        send = f"malgil webhook enable {bot_id} {webhook.webhook_id}; {send}"
    typer.echo(f"  {both('보내기', 'to send them')}: {send}")
    return True


def _in_parts(part_after: "Callable[[str | None], ReplayedPage]") -> int:
    """Every part, telling how far it is."""
    part = part_after(None)
    count = part.deliveries
    while part.cursor is not None:
        typer.echo(f"  {count} ...", err=True)
        part = part_after(part.cursor)
        count += part.deliveries
    return count


def _tell_sent(count: int) -> None:
    typer.echo(both(f"전송 {count}개를 보냅니다", f"{count} deliveries are being sent"))


def _delivery_json(delivery: "Delivery") -> dict[str, object]:
    return {
        "id": delivery.key.delivery_id,
        "at": delivery.key.at_ms,
        "state": delivery.state,
        "test": delivery.is_test,
        "events": delivery.count,
        "round": delivery.round,
        "nextAt": delivery.next_at_ms,
        "attempts": [attempt.to_json() for attempt in delivery.attempts],
    }


def _utc(text: str) -> str:
    return text if text == "-" else f"{text} UTC"
