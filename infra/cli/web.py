"""`malgil bot web`: how web pages show a bot. What is given is changed, and all of it is shown."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from infra.cli import cloud
from infra.cli.language import both
from shared.errors import InvalidInput

if TYPE_CHECKING:
    from shared.channels.web.settings import ContactForm, WebSettings

JsonObject = dict[str, Any]

OFF: Final = "off"
FIRST_FIELDS: Final = ("name", "phone")
"""Of a contact form that says nothing of its fields."""
MAX_THEME_FILE: Final = 64 * 1024
YES: Final = both("예", "yes")
NO: Final = both("아니오", "no")
NONE: Final = both("없음", "none")

WEB_IS_OFF: Final = both(
    "꺼져 있어 아무도 들어올 수 없습니다: --enable", "It is off, so that nobody can come in: --enable"
)
NO_IDENTITY_KEY: Final = both(
    "신원 키가 없어 userKey로는 아무도 들어올 수 없습니다: --identity-key new",
    "There is no identity key, so that nobody can come in with a userKey: --identity-key new",
)
NO_FORM: Final = both(
    "연락처 양식이 꺼져 있습니다. --contact-form optional이나 required도 함께 쓰세요",
    "There is no contact form: give --contact-form optional or required too",
)
NO_HOURS: Final = both(
    '운영 시간이 없습니다. --hours "mon-fri 10:00-18:00"도 함께 쓰세요',
    'There are no hours: give --hours "mon-fri 10:00-18:00" too',
)
HOURS_HINT: Final = both('이렇게 쓰세요: --hours "월-금 10:00-18:00"', 'write --hours "mon-fri 10:00-18:00"')
HINTS: Final = {
    "hours": HOURS_HINT,
    "web.hours": HOURS_HINT,
    "timeZone": both("이렇게 쓰세요: --time-zone Asia/Seoul", "write --time-zone Asia/Seoul"),
    "web.theme": both(
        "이렇게 쓰세요: --set primaryColor=#0E6B5C, 지우려면 --set primaryColor=",
        "write --set primaryColor=#0E6B5C, or --set primaryColor= to take it away",
    ),
    "web.contactForm": both(
        "이렇게 쓰세요: --contact-form optional --contact-field name --contact-field phone",
        "write --contact-form optional --contact-field name --contact-field phone",
    ),
    "web.allowedOrigins": both(
        "이렇게 쓰세요: --origin https://www.example.com", "write --origin https://www.example.com"
    ),
}
"""What to do about a setting that is wrong, by the beginning of its place."""


def web(
    context: typer.Context,
    bot_id: Annotated[str, typer.Argument(metavar="ID", help="The bot's id.")],
    *,
    enable: Annotated[bool | None, typer.Option("--enable/--disable", help="Let end users in, or nobody.")] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A site that may show the bot, such as https://www.example.com; repeatable."),
    ] = None,
    any_origin: Annotated[bool, typer.Option("--any-origin", help="Every site may show the bot.")] = False,
    require_identity: Annotated[
        bool | None,
        typer.Option("--require-identity/--no-require-identity", help="A userKey must be signed by your server."),
    ] = None,
    identity_key: Annotated[
        str | None, typer.Option(metavar="new", help="Make a key for your server; the one before stays valid.")
    ] = None,
    revoke_identity_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="End an identity key, named by its id.")
    ] = None,
    theme: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, metavar="FILE", help="JSON, laid over the theme as it is."),
    ] = None,
    members: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A member of the theme; without a value it goes; repeatable."),
    ] = None,
    uploads: Annotated[bool | None, typer.Option("--uploads/--no-uploads", help="End users may send pictures.")] = None,
    contact_form: Annotated[
        Literal["off", "optional", "required"] | None, typer.Option(help="Ask for contact data before the talk.")
    ] = None,
    contact_field: Annotated[
        list[str] | None, typer.Option(metavar="FIELD", help="name, phone or email; repeatable.")
    ] = None,
    consent: Annotated[str | None, typer.Option(metavar="TEXT", help="What end users agree to in the form.")] = None,
    hours: Annotated[
        list[str] | None,
        typer.Option(metavar="HOURS", help='When agents are there, "mon-fri 10:00-18:00", or off; repeatable.'),
    ] = None,
    time_zone: Annotated[str | None, typer.Option(metavar="ZONE", help="Of the hours, such as Asia/Seoul.")] = None,
) -> None:
    """Show or change how web pages show a bot, and the snippet to paste."""
    if identity_key not in (None, "new"):
        raise InvalidInput(both("--identity-key에는 new만 쓸 수 있습니다", "--identity-key takes new alone"))
    if origin and any_origin:
        raise InvalidInput(both("--origin과 --any-origin은 함께 쓸 수 없습니다", "--origin or --any-origin, not both"))
    place = cloud.enter(cloud.choice_of(context))
    from shared.runtime.wiring import authoring  # noqa: PLC0415 - brings the AWS SDK

    bots = authoring()
    before = bots.web(bot_id)
    try:
        form = _contact_form(before.contact_form, contact_form, contact_field, consent)
        given: JsonObject = {
            "enabled": enable,
            "allowedOrigins": [] if any_origin else origin or None,
            "requireIdentity": require_identity,
            "uploads": uploads,
            "theme": {**_theme_file(theme), **_theme_members(members or ())} or None,
        }
        change = {name: value for name, value in given.items() if value is not None}
        settings = bots.change_web(bot_id, {**change, **form, **_hours(before, hours, time_zone)})
    except InvalidInput as exc:
        hint = next((hint for place, hint in HINTS.items() if str(exc).startswith(place)), None)
        raise InvalidInput(str(exc) if hint is None else f"{exc}; {hint}") from exc
    if revoke_identity_key is not None:
        settings = bots.revoke_identity_key(bot_id, revoke_identity_key)
    if identity_key is not None:
        settings = bots.make_identity_key(bot_id)
    _show(settings)
    if identity_key is not None:
        typer.echo(f"{both('새 키의 비밀값 (다시 볼 수 없습니다)', 'secret of the new key (shown once)')}: ", nl=False)
        typer.echo(settings.identity_keys[0].secret)
    if settings.require_identity and not settings.identity_keys:
        typer.echo(f"! {NO_IDENTITY_KEY}")
    if not settings.enabled:
        typer.echo(f"! {WEB_IS_OFF}")
    typer.echo(f"{both('페이지', 'page')}: {place.http_url}/webchat/{bot_id}")
    typer.echo(f"{both('사이트에 붙여 넣을 코드', 'to paste into your site')}:")
    typer.echo(f'<script async src="{place.http_url}/webchat.js?botId={bot_id}"></script>')


# ---- what is to change


def _contact_form(
    before: "ContactForm | None", wanted: str | None, fields: Sequence[str] | None, consent: str | None
) -> JsonObject:
    if wanted is None and not fields and consent is None:
        return {}
    if wanted == OFF or (wanted is None and before is None):
        if fields or consent is not None:
            raise InvalidInput(NO_FORM)
        return {"contactForm": None}
    kept: JsonObject = {"fields": list(FIRST_FIELDS)} if before is None else before.to_dict()
    if wanted is not None:
        kept["required"] = wanted == "required"
    if fields:
        kept["fields"] = list(fields)
    if consent is not None:
        kept["consent"] = consent
    return {"contactForm": kept}


def _hours(before: "WebSettings", rules: Sequence[str] | None, time_zone: str | None) -> JsonObject:
    from shared.channels.web.hours import WeeklyHours  # noqa: PLC0415 - help needs no clocks
    from shared.usage.calendar import DEFAULT_ZONE  # noqa: PLC0415

    if not rules and time_zone is None:
        return {}
    if rules and OFF in rules:
        if len(rules) > 1 or time_zone is not None:
            raise InvalidInput(both("--hours off는 혼자 쓰세요", "--hours off stands alone"))
        return {"hours": None}
    zone = time_zone or (DEFAULT_ZONE if before.hours is None else before.hours.time_zone)
    if rules:
        return {"hours": WeeklyHours.of_rules(rules, zone).to_dict()}
    if before.hours is None:
        raise InvalidInput(NO_HOURS)
    return {"hours": {**before.hours.to_dict(), "timeZone": zone}}


def _theme_file(file: Path | None) -> JsonObject:
    if file is None:
        return {}
    from shared.json_input import parse_json  # noqa: PLC0415

    try:
        theme = parse_json(file.read_bytes(), max_bytes=MAX_THEME_FILE)
    except InvalidInput as exc:
        raise InvalidInput(f"{file}: {both('JSON이 아닙니다', 'it is no JSON')}: {exc}") from exc
    if not isinstance(theme, dict):
        raise InvalidInput(f"{file}: {both('JSON 객체여야 합니다', 'a JSON object is expected')}")
    return theme


def _theme_members(members: Sequence[str]) -> JsonObject:
    found: JsonObject = {}
    for member in members:
        name, equals, value = member.partition("=")
        if not (name and equals):
            raise InvalidInput(
                f"--set {member[:40]}: {both('이름=값으로 쓰세요', 'write NAME=VALUE')}: --set primaryColor=#0E6B5C"
            )
        found[name] = _value(name, value)
    return found


def _value(name: str, text: str) -> Any:
    """true, 24, [24, 24] are JSON; all else is text. Nothing is null, which takes the member away."""
    from shared.channels.web.settings import TEXTS  # noqa: PLC0415
    from shared.json_input import clean_text, parse_json  # noqa: PLC0415

    if not text:
        return None
    if name in TEXTS:
        return clean_text(text)
    try:
        return parse_json(text.encode("utf-8", "surrogatepass"), max_bytes=MAX_THEME_FILE)
    except InvalidInput:
        return clean_text(text)


# ---- what is shown


def _show(settings: "WebSettings") -> None:
    form, hours = settings.contact_form, settings.hours
    for korean, english, value in (
        ("켜짐", "enabled", YES if settings.enabled else NO),
        ("허용한 사이트", "origins", ", ".join(settings.allowed_origins) or both("모두", "any")),
        ("신원 확인 필수", "identity required", YES if settings.require_identity else NO),
        ("신원 키", "identity keys", ", ".join(key.key_id for key in settings.identity_keys) or NONE),
        ("사진 받기", "uploads", YES if settings.uploads else NO),
        ("연락처 양식", "contact form", both("꺼짐", "off") if form is None else _form_text(form)),
        *((("동의 문구", "consent", form.consent),) if form is not None and form.consent else ()),
        ("운영 시간", "hours", both("알리지 않음", "not told of") if hours is None else hours.time_zone),
    ):
        typer.echo(f"{both(korean, english)}: {value}")
    for day, ranges in ({} if hours is None else hours.to_dict()["week"]).items():
        typer.echo(f"  {day}: {', '.join(ranges)}")
    typer.echo(f"{both('모습', 'theme')}: {'' if settings.theme else both('기본', 'as it comes')}".rstrip())
    for name, value in settings.theme.items():
        typer.echo(f"  {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def _form_text(form: "ContactForm") -> str:
    kind = both("필수", "required") if form.required else both("선택", "optional")
    return f"{kind}: {', '.join(form.fields)}"
