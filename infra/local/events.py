"""API Gateway's HTTP API between HTTP and Lambda: routes, events of payload format 2.0, and responses.

Sources: "Working with routes for HTTP APIs" (order of matches), "Working with AWS Lambda proxy integrations for HTTP
APIs" (events and inferred responses).
"""

import base64
import binascii
import json
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from infra.local.deploy import Route
from infra.local.embedded import ACCOUNT

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""HTTP APIs: the payload is at most 10 MB."""

_TEXT_TYPE: Final = re.compile(r"text/.*|application/(.*\+)?(json|xml|javascript)", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"\{([A-Za-z0-9_.-]+)(\+?)\}")
_HTTP_ERRORS: Final = {
    404: "Not Found",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_STATUSES: Final = range(100, 600)
_LITERAL: Final = 0
_ONE_SEGMENT: Final = 1
_GREEDY: Final = 2


@dataclass(frozen=True)
class HttpRequest:
    """An HTTP request as it came. `target` is the raw path and query; header names are as sent, in order."""

    method: str
    target: str
    headers: Iterable[tuple[str, str]]
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cookies: tuple[str, ...] = ()


def error_answer(status: int) -> HttpAnswer:
    """API Gateway's own answer: {"message": "Not Found"} and its like."""
    body = json.dumps({"message": _HTTP_ERRORS[status]}).encode()
    return HttpAnswer(status, {"content-type": "application/json"}, body)


class Router:
    """Finds the route of a request: the most specific path, then the method itself before ANY, then $default."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(re.compile(_pattern(route.path)), route) for route in sorted(routes, key=_specificity)]

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters. `path` is raw; parameters come decoded."""
        for pattern, route in self._routes:
            found = pattern.fullmatch(path)
            if found is not None and route.method in {method, "ANY"}:
                names = [name for name, _ in _PARAMETER.findall(route.path)]
                return route, {name: unquote(value) for name, value in zip(names, found.groups(), strict=True)}
        return None


def _specificity(route: Route) -> tuple[bool, bool, tuple[int, ...], bool]:
    """Sorts full matches first, then greedy paths, then $default; a literal segment before a parameter."""
    kinds = []
    for segment in route.path.split("/")[1:]:
        parameter = _PARAMETER.fullmatch(segment)
        kinds.append(_LITERAL if parameter is None else _GREEDY if parameter[2] else _ONE_SEGMENT)
    return route.path == "$default", _GREEDY in kinds, tuple(kinds), route.method == "ANY"


def _pattern(path: str) -> str:
    if path == "$default":
        return ".*"
    parts = _PARAMETER.split(path)
    # split gives: literal, name, plus, literal, name, plus, ..., literal
    literals, pluses = parts[0::3], parts[2::3]
    pattern = re.escape(literals[0])
    for plus, literal in zip(pluses, literals[1:], strict=True):
        pattern += ("(.+)" if plus else "([^/]+)") + re.escape(literal)
    return pattern


def http_event(
    request: HttpRequest, route: Route, path_parameters: Mapping[str, str], *, api_id: str, now: float
) -> dict[str, Any]:
    """The event of payload format 2.0. `now` is seconds since the epoch."""
    raw_path, _, query = request.target.partition("?")
    path = unquote(raw_path)
    headers, cookies = _headers(request)
    host = headers.get("host", "localhost")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": api_id,
            "domainName": host,
            "domainPrefix": host.split(".")[0].split(":")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": base64.b64encode(secrets.token_bytes(11)).decode(),
            "routeKey": route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _query_parameters(query)
    if path_parameters:
        event["pathParameters"] = dict(path_parameters)
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request.body, headers.get("content-type"))
    return event


def _headers(request: HttpRequest) -> tuple[dict[str, str], list[str]]:
    """Names in lower case, values of one name joined by commas, cookies apart."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in request.headers:
        lower = name.lower()
        if lower == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        else:
            headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
    headers.setdefault("x-forwarded-for", request.source_ip)
    headers.setdefault("x-forwarded-proto", "http")
    headers.setdefault("x-forwarded-port", headers.get("host", "").partition(":")[2] or "80")
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}")
    return headers, cookies


def _query_parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _body(body: bytes, content_type: str | None) -> tuple[str, bool]:
    """Text as it is, anything else (forms among it) as base64."""
    if content_type is None or _TEXT_TYPE.fullmatch(content_type.partition(";")[0].strip()):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def http_answer(payload: Any) -> HttpAnswer:
    """A function's result as an HTTP answer; one without a statusCode is the body itself."""
    if not isinstance(payload, dict) or "statusCode" not in payload:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return HttpAnswer(200, {"content-type": "application/json"}, text.encode())
    status, headers, body = payload["statusCode"], payload.get("headers") or {}, payload.get("body", "")
    cookies = payload.get("cookies") or []
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if (
        not isinstance(status, int)
        or status not in _STATUSES
        or not isinstance(headers, dict)
        or not isinstance(cookies, list)
        or not isinstance(body, str | None)
    ):
        return error_answer(500)
    content = (body or "").encode()
    if payload.get("isBase64Encoded"):
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error:
            return error_answer(500)
    texts = {str(name).lower(): _header_text(value) for name, value in headers.items()}
    texts.pop("content-length", None)
    texts.setdefault("content-type", "text/plain;charset=UTF-8")
    return HttpAnswer(status, texts, content, tuple(str(cookie) for cookie in cookies))


def _header_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
