"""The web channel over HTTP (docs/web-chat.md): what a page may know of a bot, tokens for end users, uploads, messages
for who cannot have a socket, and the way out for who wants to be forgotten.

Browsers call this from other sites, so it answers CORS by itself: a bot's owner says which sites may show it. A refusal
from before the bot is known says nothing of any bot, and every page may read it.
"""

import hashlib
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from shared.channels.open_api.parse import parse_params
from shared.channels.web.frames import MAX_REVISION, error_frame, frame_bytes
from shared.channels.web.hours import HoursNow
from shared.channels.web.origins import is_allowed
from shared.channels.web.settings import WEB
from shared.channels.web.tokens import MAX_TOKEN, MAX_USER_KEY, REFUSED, Claims, TokenExpired
from shared.errors import AccessDenied, InvalidInput, MalgilError, NotFound, RateLimited
from shared.json_input import clean_text
from shared.runtime import wiring, world
from shared.runtime.api import OWN_FAULT, MethodNotAllowed, OpenRequest
from shared.runtime.fields import Fields
from shared.runtime.http import (
    Event,
    Reply,
    base_url,
    body_of,
    deadline_ns,
    empty_reply,
    error_reply,
    header,
    is_known,
    reply,
)
from shared.runtime.observability import report_own_fault
from shared.services.web_chat import MAX_PAGE
from shared.services.web_session import WebBot, Wish
from shared.values import to_json
from shared.webhooks.events import iso

if TYPE_CHECKING:
    from shared.services.rate_limit import RateLimit

JsonObject = dict[str, Any]

BUDGET_MS: Final = 25_000
"""API Gateway hangs up after 30 s."""
KEY_SCOPE: Final = "conversations:write"
MAX_PARAMS_BYTES: Final = 64_000
MAX_SIZE: Final = 2**53
CONFIG_SECONDS: Final = 300
PREFLIGHT_SECONDS: Final = 3_600
SESSIONS_A_MINUTE: Final = 30
UPLOADS_A_MINUTE: Final = 20
ERASURES_AN_HOUR: Final = 5
"""Of one end user, who may come back and go again."""
FREE: Final = 5
"""Of a minute; faster callers are counted for all functions together."""
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
MILLISECONDS: Final = 1_000
NETWORK_BITS: Final = 64
"""An IPv6 customer has a network of so many bits, with more addresses than could be counted."""

BY_THEMSELVES: Final = "web"
"""Who asked for the erasure, in its receipt."""
DEFAULT_PAGE: Final = 30
FRAME_STATUS: Final = {
    "invalid_input": HTTPStatus.BAD_REQUEST,
    "expired": HTTPStatus.UNAUTHORIZED,
    "not_found": HTTPStatus.NOT_FOUND,
    "conflict": HTTPStatus.CONFLICT,
    "not_started": HTTPStatus.CONFLICT,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Of an error that is a frame, by its code."""

_BEARER: Final = re.compile(r"bearer +(\S+)", re.IGNORECASE | re.ASCII)


class Unauthorized(AccessDenied):
    """The token or key of a call is wrong or missing."""


@dataclass(slots=True)
class Call:
    """A call, and the bot that it is about as soon as that is known."""

    request: OpenRequest
    origin: str | None
    bot: WebBot | None = None

    def about(self, bot: WebBot) -> WebBot:
        """Raises AccessDenied where the page may not show the bot."""
        self.bot = bot
        if not self.may_read:
            raise AccessDenied("this site may not show the bot; its owner lists those that may")
        return bot

    @property
    def may_read(self) -> bool:
        """Whether the page that called may read the answer."""
        allowed = () if self.bot is None else self.bot.settings.allowed_origins
        return is_allowed(self.origin, allowed, base_url(self.request.event))

    @property
    def until(self) -> int:
        return deadline_ns(self.request.event, BUDGET_MS)


Route = Callable[[Call], Reply]


def handler(event: Event, context: Any) -> Reply:
    call = Call(OpenRequest(event=event, path={}), header(event, "origin"))
    try:
        answered = _answer(call)
    except MalgilError as exc:
        answered = _refusal(exc)
        if answered["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            report_own_fault(exc, route=event.get("routeKey"))
    except Exception as exc:  # noqa: BLE001 - a fault of ours: the alarm gets its details, the caller does not
        report_own_fault(exc, route=event.get("routeKey"))
        answered = reply(HTTPStatus.INTERNAL_SERVER_ERROR, OWN_FAULT)
    return _readable(call, answered)


def _answer(call: Call) -> Reply:
    http = (call.request.event.get("requestContext") or {}).get("http") or {}
    method, path = str(http.get("method")), str(call.request.event.get("rawPath") or "")
    found = [(known, route, match) for known, form, route in ROUTES if (match := form.fullmatch(path))]
    methods = sorted({known for known, _, _ in found})
    if method == "OPTIONS" and methods:
        return _preflight(call, methods)
    for known, route, match in found:
        if known == method:
            call.request = OpenRequest(event=call.request.event, path=match.groupdict())
            return route(call)
    if methods:
        refusal = MethodNotAllowed(f"allowed here: {', '.join(methods)}")
        return _with(error_reply(refusal), {"allow": ", ".join(methods)}, HTTPStatus.METHOD_NOT_ALLOWED)
    raise NotFound("no such route")


# ---- the bot and its sessions


def show_bot(call: Call) -> Reply:
    """What every page that shows the bot needs; the same for everybody, so it may be kept for a while, but not for
    longer than it is true."""
    call.request.query()
    now_ms = world.now_ms()
    bot = call.about(wiring.web_sessions().bot(call.request.path["botId"], call.until))
    profile, settings = bot.record.profile, bot.settings
    hours = None if settings.hours is None else settings.hours.at(now_ms)
    shown = {
        "botId": bot.record.bot_id,
        "enabled": bot.is_open,
        "title": settings.theme.get("title") or profile.get("title"),
        "description": settings.theme.get("description") or profile.get("description"),
        "theme": settings.theme,
        "uploads": settings.uploads and bool(wiring.settings().upload_bucket),
        "contactForm": None if settings.contact_form is None else settings.contact_form.to_dict(),
        "hours": None if hours is None else hours_json(hours),
        **({"locale": profile["locale"]} if profile.get("locale") else {}),
    }
    seconds = CONFIG_SECONDS if hours is None else min(CONFIG_SECONDS, (hours.until_ms - now_ms) // MILLISECONDS)
    answered = reply(HTTPStatus.OK, shown)
    tag = f'"{hashlib.sha256(answered["body"].encode()).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": f"public, max-age={seconds}"}
    if is_known(call.request.event, tag):
        return _with(empty_reply(), headers, HTTPStatus.NOT_MODIFIED)
    return _with(answered, headers)


def hours_json(hours: HoursNow) -> JsonObject:
    opens_at = None if hours.opens_at_ms is None else iso(hours.opens_at_ms)
    return {"open": hours.is_open, "text": hours.text, "opensAt": opens_at}


def open_session(call: Call) -> Reply:
    body = call.request.body("botId", "userKey", "identity", "params", "resume", "restart")
    has_key = _has_key(call)
    if not has_key:
        _sessions_limit().check(f"session {_network(call.request.event)}", call.until)
    bot_id, user_key = body.text("botId"), _user_key(body)
    identity, resume = (_token_text(body, name) for name in ("identity", "resume"))
    _check_params(body)
    restart = body.flag_or_none("restart")
    sessions = wiring.web_sessions()
    bot = call.about(sessions.bot(bot_id, call.until))
    wish = Wish(user_key=user_key, identity=identity, resume=resume, has_key=has_key)
    session = sessions.open(bot, wish, call.until)
    claims = session.claims
    return reply(
        HTTPStatus.CREATED,
        {
            "token": session.token,
            "expiresAt": iso(MILLISECONDS * claims.expires_at_s),
            "endUserId": claims.end_user_id,
            "userKey": claims.user_key,
            "conversationId": None if restart else session.conversation_id,
            "socketUrl": wiring.settings().socket_url or None,
            "rev": session.revision,
        },
    )


# ---- messages


def post_frame(call: Call) -> Reply:
    """A client's frame; the answer is the one that its socket would have got, also to what is wrong with the call."""
    try:
        claims, _ = _claims(call)
        call.request.query()
        frame = wiring.web_chat().handle(claims, body_of(call.request.event), call.until)
    except MalgilError as exc:
        answered = _refusal(exc)
        return {**answered, "body": frame_bytes(error_frame(exc)).decode()}
    if not frame:
        return empty_reply()
    status = FRAME_STATUS.get(frame.get("code", ""), HTTPStatus.OK) if frame["type"] == "error" else HTTPStatus.OK
    return {**reply(status, {}), "body": frame_bytes(frame).decode()}


def list_messages(call: Call) -> Reply:
    """What came after a revision, as a context frame; or pages of what was said before one."""
    claims, _ = _claims(call)
    query = call.request.query("after", "before", "limit")
    chat = wiring.web_chat()
    if query.has("after"):
        if query.has("before") or query.has("limit"):
            raise InvalidInput("query.after: it stands alone")
        after = query.whole("after", default=0, lowest=0, highest=MAX_REVISION)
        return reply(HTTPStatus.OK, chat.missed(claims, after, call.until))
    before = query.whole("before", default=1, lowest=1, highest=MAX_REVISION) if query.has("before") else None
    limit = query.whole("limit", default=DEFAULT_PAGE, lowest=1, highest=MAX_PAGE)
    return reply(HTTPStatus.OK, chat.history(claims, before, limit, call.until))


# ---- uploads


def make_upload(call: Call) -> Reply:
    claims, bot = _claims(call)
    body = call.request.body("name", "contentType", "size")
    name, content_type = clean_text(body.text("name")), body.text("contentType")
    size = body.whole("size", default=0, lowest=0, highest=MAX_SIZE)
    if not bot.settings.uploads or not wiring.settings().upload_bucket:
        raise NotFound("this bot takes no uploads")
    _uploads_limit().check(f"upload {claims.bot_id} {claims.log}", call.until)
    place = wiring.web_uploads().place(
        claims, name=name, content_type=content_type, size=size, base_url=base_url(call.request.event) or ""
    )
    return reply(
        HTTPStatus.CREATED,
        {
            "uploadUrl": place.url,
            "headers": dict(place.headers),
            "media": {"contentType": "image", "uri": place.uri},
            "expiresAt": iso(place.expires_at_ms),
        },
    )


def see_upload(call: Call) -> Reply:
    """Whoever knows the name may see it: it stands in messages, which pages, agents and webhooks show."""
    url = wiring.web_uploads().see(call.request.path["uploadId"])
    headers = {"location": url, "cache-control": f"private, max-age={CONFIG_SECONDS // 2}"}
    return _with(empty_reply(), headers, HTTPStatus.FOUND)


# ---- leaving


def erase_end_user(call: Call) -> Reply:
    """Erase whom the token names: the receipt is for the owner of the bot, to whom the person may name it."""
    claims, _ = _claims(call)
    call.request.query()
    _erasures_limit().check(f"erase {claims.bot_id} {claims.log}", call.until)
    erasure = wiring.erase_person().request_by_key(claims.bot_id, WEB, claims.user_key, requested_by=BY_THEMSELVES)
    return reply(
        HTTPStatus.ACCEPTED,
        {
            "receiptId": erasure.erasure_id,
            "endUserId": erasure.end_user_id,
            "requestedAt": iso(erasure.requested_at_ms),
        },
    )


# ---- reading a call


def _claims(call: Call) -> tuple[Claims, WebBot]:
    """Whose token the call carries. Raises Unauthorized, TokenExpired, NotFound when the bot is off."""
    given = _BEARER.fullmatch(header(call.request.event, "authorization") or "")
    try:
        claims, bot = wiring.web_sessions().claims(None if given is None else given[1], call.until)
    except TokenExpired:
        raise
    except AccessDenied as exc:
        raise Unauthorized(REFUSED) from exc
    return claims, call.about(bot)


def _has_key(call: Call) -> bool:
    """Whether an API key is given. Raises Unauthorized for a wrong one, MissingScope for one that is not for this."""
    given = header(call.request.event, "authorization")
    if given is None:
        return False
    try:
        key = wiring.api_keys().of(given)
    except AccessDenied as exc:
        raise Unauthorized(str(exc)) from exc
    key.require(KEY_SCOPE)
    return True


def _user_key(body: Fields) -> str | None:
    given = body.text_or_none("userKey")
    user_key = None if given is None else clean_text(given)
    if user_key is not None and not 0 < len(user_key) <= MAX_USER_KEY:
        raise InvalidInput(f"body.userKey: 1 to {MAX_USER_KEY} characters are expected")
    return user_key


def _token_text(body: Fields, name: str) -> str | None:
    given = body.text_or_none(name)
    if given is not None and not 0 < len(given) <= MAX_TOKEN:
        raise InvalidInput(f"body.{name}: a token of at most {MAX_TOKEN} characters is expected")
    return given


def _check_params(body: Fields) -> None:
    """They go with `start`; here a page learns early that they would be refused."""
    given = body.object_or_none("params")
    if given is not None and len(to_json(parse_params(given, "body.params")).encode()) > MAX_PARAMS_BYTES:
        raise InvalidInput(f"body.params: at most {MAX_PARAMS_BYTES} bytes are accepted")


def _network(event: Event) -> str:
    http = (event.get("requestContext") or {}).get("http") or {}
    try:
        address = ipaddress.ip_address(str(http.get("sourceIp")))
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((int(address), NETWORK_BITS), strict=False))


@cache
def _sessions_limit() -> "RateLimit":
    return wiring.rate_limit(limit=SESSIONS_A_MINUTE, window_ms=MINUTE_MS, free=FREE)


@cache
def _uploads_limit() -> "RateLimit":
    return wiring.rate_limit(limit=UPLOADS_A_MINUTE, window_ms=MINUTE_MS, free=FREE)


@cache
def _erasures_limit() -> "RateLimit":
    return wiring.rate_limit(limit=ERASURES_AN_HOUR, window_ms=HOUR_MS, free=1)


# ---- rendering an answer


def _refusal(exc: MalgilError) -> Reply:
    answered = error_reply(exc)
    if isinstance(exc, Unauthorized | TokenExpired):
        return _with(answered, {"www-authenticate": "Bearer"}, HTTPStatus.UNAUTHORIZED)
    if isinstance(exc, RateLimited):
        return _with(answered, {"retry-after": str(-(-exc.retry_after_ms // MILLISECONDS))})
    return answered


def _preflight(call: Call, methods: list[str]) -> Reply:
    """Which bot is meant is not said yet: the call itself is looked at."""
    headers = {
        "access-control-allow-methods": ", ".join(methods),
        "access-control-allow-headers": "authorization, content-type, if-none-match",
        "access-control-max-age": str(PREFLIGHT_SECONDS),
    }
    return _with(empty_reply(), headers if call.may_read else {})


def _readable(call: Call, answered: Reply) -> Reply:
    headers = {"vary": "Origin", "x-content-type-options": "nosniff"}
    if call.origin is not None and call.may_read:
        headers |= {
            "access-control-allow-origin": call.origin,
            "access-control-expose-headers": "etag, retry-after",
        }
    return _with(answered, headers)


def _with(answered: Reply, headers: dict[str, str], status: HTTPStatus | None = None) -> Reply:
    status_code = answered["statusCode"] if status is None else int(status)
    return {**answered, "statusCode": status_code, "headers": {**answered["headers"], **headers}}


_BASE: Final = "/webchat/v1"
ROUTES: Final[tuple[tuple[str, re.Pattern[str], Route], ...]] = tuple(
    (method, re.compile(_BASE + path, re.ASCII), route)
    for method, path, route in (
        ("GET", r"/bots/(?P<botId>[^/]+)", show_bot),
        ("POST", r"/sessions", open_session),
        ("POST", r"/messages", post_frame),
        ("GET", r"/messages", list_messages),
        ("POST", r"/uploads", make_upload),
        ("GET", r"/uploads/(?P<uploadId>[^/]+)", see_upload),
        ("DELETE", r"/end-user", erase_end_user),
    )
)
