"""HTTP API events and replies (payload format 2.0), the same for every function with a route."""

import base64
import binascii
import json
from http import HTTPStatus
from typing import Any, Final

from shared.errors import AccessDenied, Conflict, InvalidInput, MalgilError, NotFound, RateLimited, Unavailable
from shared.runtime import world

Event = dict[str, Any]
Reply = dict[str, Any]

NANOSECONDS: Final = 1_000_000
"""Nanoseconds in a millisecond."""

GATEWAY_TIMEOUT_MS: Final = 30_000
"""API Gateway: an HTTP API's integration time-out."""

STATUS: Final[dict[type[MalgilError], HTTPStatus]] = {
    AccessDenied: HTTPStatus.FORBIDDEN,
    InvalidInput: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    MalgilError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def body_of(event: Event) -> bytes:
    """The request's body as the bytes that were sent. Raises InvalidInput for broken base64."""
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as exc:
        raise InvalidInput("body: not base64") from exc


def header(event: Event, name: str) -> str | None:
    """A header by its name, any case: API Gateway sends lower case, `sam local` does not."""
    wanted = name.lower()
    headers = event.get("headers") or {}
    return next((str(value) for key, value in headers.items() if key.lower() == wanted and value is not None), None)


def is_known(event: Event, tag: str) -> bool:
    """Whether the caller has what bears this ETag. Compared as RFC 9110 says for GET: weakly."""
    given = [found.strip().removeprefix("W/") for found in (header(event, "if-none-match") or "").split(",")]
    return tag.removeprefix("W/") in given or "*" in given


def deadline_ns(event: Event, budget_ms: int) -> int:
    """The point on the monotonic clock at which `budget_ms` from API Gateway's receipt are over.

    A cold start already spent counts. A receipt that lies in the future (clocks differ) does not lengthen it, and one
    that API Gateway would have given up on is no receipt (`sam local` and recorded events).
    """
    received_ms = (event.get("requestContext") or {}).get("timeEpoch")
    spent_ms = world.now_ms() - received_ms if isinstance(received_ms, int) else 0
    if not 0 <= spent_ms <= GATEWAY_TIMEOUT_MS:
        spent_ms = 0
    return world.clock_ns() + (budget_ms - spent_ms) * NANOSECONDS


def base_url(event: Event) -> str | None:
    """Where this API is reached from outside, without a slash at the end; None when the event does not say."""
    domain = (event.get("requestContext") or {}).get("domainName")
    return f"{header(event, 'x-forwarded-proto') or 'https'}://{domain}" if domain else None


def reply(status: int, body: Any) -> Reply:
    return {
        "statusCode": int(status),
        "headers": {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"},
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
    }


def empty_reply() -> Reply:
    """It is done, and there is nothing to say."""
    return {"statusCode": int(HTTPStatus.NO_CONTENT), "headers": {"cache-control": "no-store"}, "body": ""}


def error_reply(exc: MalgilError) -> Reply:
    """An error for whoever can act on it: a stable code and a sentence."""
    status = next(STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS)
    return reply(status, {"error": {"code": exc.code, "message": str(exc)}})
