"""What API Gateway tells functions of a socket, and what it makes of their answers.

Sources: "Working with WebSocket APIs" ($connect, $disconnect and $default routes; two-way communication; Lambda REQUEST
authorizers), and events recorded by AWS's own samples.
"""

import base64
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from infra.local.embedded import ACCOUNT
from infra.local.websocket.api import CONNECT, DISCONNECT, SocketApi
from shared.errors import InvalidInput

JsonObject = dict[str, Any]

_MESSAGES: Final = {401: "Unauthorized", 403: "Forbidden", 500: "Internal server error"}


@dataclass(frozen=True)
class Handshake:
    """The request that asks for a socket. Header names are as sent."""

    target: str
    headers: tuple[tuple[str, str], ...]
    source_ip: str

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)


@dataclass
class Connection:
    """A socket that was asked for. Times are seconds since the epoch; `authorizer` is what its authorizer said."""

    handshake: Handshake
    connected_at: float
    id: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(11)).decode())
    last_active_at: float = 0.0
    authorizer: JsonObject | None = None


def connect_event(api: SocketApi, region: str, connection: Connection) -> JsonObject:
    return {
        **_request(connection.handshake),
        "requestContext": _context(api, region, connection, CONNECT, "CONNECT"),
        "isBase64Encoded": False,
    }


def message_event(api: SocketApi, region: str, connection: Connection, key: str, message: str | bytes) -> JsonObject:
    is_binary = isinstance(message, bytes)
    context = _context(api, region, connection, key, "MESSAGE")
    return {
        "requestContext": {**context, "messageId": _short_id()},
        "body": base64.b64encode(message).decode() if isinstance(message, bytes) else message,
        "isBase64Encoded": is_binary,
    }


def disconnect_event(api: SocketApi, region: str, connection: Connection, code: int, reason: str) -> JsonObject:
    context = _context(api, region, connection, DISCONNECT, "DISCONNECT")
    host = connection.handshake.header("host") or "localhost"
    return {
        "headers": {"Host": host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""},
        "requestContext": {**context, "disconnectStatusCode": code, "disconnectReason": reason},
        "isBase64Encoded": False,
    }


def authorizer_event(api: SocketApi, region: str, connection: Connection) -> JsonObject:
    arn = f"arn:aws:execute-api:{region}:{ACCOUNT}:{api.name.lower()}/{api.stage}/{CONNECT}"
    return {
        "type": "REQUEST",
        "methodArn": arn,
        **_request(connection.handshake),
        "stageVariables": dict(api.variables),
        "requestContext": _context(api, region, connection, CONNECT, "CONNECT"),
    }


def may_connect(answer: Any) -> JsonObject | None:
    """What an authorizer's answer lets later events carry; None: it refuses. Raises InvalidInput for another shape."""
    if not isinstance(answer, dict) or not isinstance(answer.get("policyDocument"), dict):
        raise InvalidInput("an authorizer answers with a policyDocument")
    statements = answer["policyDocument"].get("Statement") or []
    effects = {statement.get("Effect") for statement in statements if _invokes(statement)}
    if "Deny" in effects or "Allow" not in effects:
        return None
    context = answer.get("context") or {}
    if not all(isinstance(value, str | int | float | bool) for value in context.values()):
        raise InvalidInput("values of an authorizer's context are texts, numbers and booleans")
    # API Gateway hands all of them on as texts.
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in context.items()}
    return {"principalId": str(answer.get("principalId", "")), **texts, "integrationLatency": 1}


def _invokes(statement: JsonObject) -> bool:
    actions = statement.get("Action")
    listed: Iterable[Any] = actions if isinstance(actions, list) else [actions]
    return any(action in {"execute-api:Invoke", "execute-api:*", "*"} for action in listed)


def route_key(api: SocketApi, message: str | bytes) -> str:
    """The route of a message: what its JSON names, if there is such a route, else $default."""
    try:
        data = json.loads(message)
    except ValueError:
        return "$default"
    key = data.get(api.selector) if isinstance(data, dict) else None
    return key if isinstance(key, str) and key in api.routes and not key.startswith("$") else "$default"


def connect_status(answer: Any) -> int:
    """The status that a $connect function answers with; 200 lets the socket open."""
    status = answer.get("statusCode") if isinstance(answer, dict) else None
    return status if isinstance(status, int) and 100 <= status < 600 else 502  # noqa: PLR2004 - HTTP


def chosen_subprotocol(answer: Any) -> str | None:
    headers = answer.get("headers") if isinstance(answer, dict) else None
    found = {str(name).lower(): str(value) for name, value in (headers or {}).items()}
    return found.get("sec-websocket-protocol")


def returned_text(answer: Any) -> str | None:
    """What a route that answers sends back; None: nothing."""
    body = answer.get("body") if isinstance(answer, dict) else None
    if not isinstance(body, str) or not body:
        return None
    return base64.b64decode(body).decode() if answer.get("isBase64Encoded") else body


def fault_text(connection: Connection, message: str) -> str:
    """API Gateway's own words to the client when a message came to nothing."""
    return json.dumps({"message": message, "connectionId": connection.id, "requestId": _short_id()})


def refusal(status: int) -> bytes:
    return json.dumps({"message": _MESSAGES.get(status, "Forbidden")}).encode()


def described(connection: Connection) -> JsonObject:
    """What GET @connections tells."""
    return {
        "connectedAt": _iso(connection.connected_at),
        "identity": _identity(connection.handshake),
        "lastActiveAt": _iso(connection.last_active_at or connection.connected_at),
    }


def _request(handshake: Handshake) -> JsonObject:
    headers, several = _single_and_several(handshake.headers)
    query, several_of_query = _single_and_several(handshake.query)
    found: JsonObject = {"headers": headers, "multiValueHeaders": several}
    if query:
        found |= {"queryStringParameters": query, "multiValueQueryStringParameters": several_of_query}
    return found


def _single_and_several(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    return {name: values[-1] for name, values in several.items()}, several


def _context(api: SocketApi, region: str, connection: Connection, key: str, kind: str) -> JsonObject:
    now, request_id = time.time(), _short_id()
    host = connection.handshake.header("host") or "localhost"
    context: JsonObject = {
        "routeKey": key,
        "eventType": kind,
        "extendedRequestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "messageDirection": "IN",
        "stage": api.stage,
        "connectedAt": int(connection.connected_at * 1000),
        "requestTimeEpoch": int(now * 1000),
        "identity": _identity(connection.handshake),
        "requestId": request_id,
        "domainName": host,
        "connectionId": connection.id,
        "apiId": api.name.lower(),
    }
    return context if connection.authorizer is None else {**context, "authorizer": dict(connection.authorizer)}


def _identity(handshake: Handshake) -> JsonObject:
    return {"sourceIp": handshake.source_ip, "userAgent": handshake.header("user-agent") or ""}


def _short_id() -> str:
    return base64.b64encode(secrets.token_bytes(11)).decode()


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def missing_source(sources: Iterable[tuple[str, str]], handshake: Handshake) -> bool:
    """Whether something that an authorizer needs was not sent at all."""
    query: Mapping[str, str] = dict(handshake.query)
    return any(not (handshake.header(name) if place == "header" else query.get(name)) for place, name in sources)
