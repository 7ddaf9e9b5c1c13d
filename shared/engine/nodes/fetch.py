"""fetch: an HTTP request. The walk asks for it as an effect and goes on when the answer is there."""

from typing import Any, Final
from urllib.parse import urlencode

from shared.bot.model import Node
from shared.engine.effects import EffectAnswer, EffectFailed, HttpCall, HttpResponse
from shared.engine.outcome import NodeFailed, Outcome, Suspend
from shared.engine.walk import Walk
from shared.errors import InvalidInput
from shared.json_input import clean_text, parse_json
from shared.values import to_json, to_number, to_text

METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
REPEATABLE: Final = frozenset({"GET"})
CONTENT_TYPES: Final = {
    "json": "application/json",
    "x-www-form-urlencoded": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}
DEFAULT_TIMEOUT_MS: Final = 5_000
MAX_TIMEOUT_MS: Final = 30_000
"""Longer is for nobody who waits in a chat."""
MAX_RESPONSE_BYTES: Final = 512 * 1024
MAX_RESPONSE_DEPTH: Final = 64


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    uri = to_text(data.get("uri")).strip()
    if not uri:
        raise NodeFailed("InvalidNode", f"node {node.id} has no address to call")
    method = to_text(data.get("method") or "GET").upper()
    if method not in METHODS:
        raise NodeFailed("InvalidNode", f"node {node.id}: method '{method}' cannot be used")
    headers, body = _headers(data), b""
    if method != "GET" or data.get("body") not in (None, "", []):
        content_type, body = _body(data)
        if body and not any(name.lower() == "content-type" for name in headers):
            headers["content-type"] = content_type
    walk.set_result("fetch", {"status": "PENDING", "uri": uri})
    return Suspend(
        HttpCall(
            method=method,
            url=uri,
            headers=headers,
            body=body,
            timeout_ms=_timeout(data),
            repeatable=method in REPEATABLE,
            slow=data.get("slow") is True,
        )
    )


def complete(walk: Walk, node: Node, answer: EffectAnswer) -> None:
    """Put the answer where the bot's edges and templates find it: fetch {uri, statusCode, status, data, error}."""
    del node
    uri = walk.session.results.get("fetch", {}).get("uri", "")
    if isinstance(answer, EffectFailed):
        walk.set_failure("fetch", answer.name, answer.message, uri=uri)
        return
    assert isinstance(answer, HttpResponse)  # noqa: S101 - what an HttpCall is answered with
    data = _data(answer)
    if 200 <= answer.status < 300:  # noqa: PLR2004 - the class of success
        walk.set_result("fetch", {"status": "COMPLETED", "uri": uri, "statusCode": answer.status, "data": data})
        return
    message = f"{answer.status} - {to_json(data)}"[:1_000]
    walk.set_failure("fetch", "StatusCodeError", message, uri=uri, statusCode=answer.status, data=data)


def _timeout(data: dict[str, Any]) -> int:
    given = to_number(data.get("timeout", ""))
    return int(min(given, MAX_TIMEOUT_MS)) if given >= 1 else DEFAULT_TIMEOUT_MS


def _headers(data: dict[str, Any]) -> dict[str, str]:
    """Headers as an object, or as rows {key, value}."""
    given = data.get("headers")
    pairs = given.items() if isinstance(given, dict) else _rows(given)
    return {name: to_text(value) for name, value in pairs if name}


def _rows(given: Any) -> list[tuple[str, Any]]:
    rows = given if isinstance(given, list) else ()
    return [(to_text(row.get("key")), row.get("value")) for row in rows if isinstance(row, dict) and row.get("key")]


def _body(data: dict[str, Any]) -> tuple[str, bytes]:
    kind = to_text(data.get("contentType")) or "json"
    body = data.get("body")
    if kind == "x-www-form-urlencoded" and isinstance(body, list | dict):
        rows = list(body.items()) if isinstance(body, dict) else _rows(body)
        text = urlencode([(name, to_text(value)) for name, value in rows])
    else:
        text = body if isinstance(body, str) else "" if body is None else to_json(body)
    return CONTENT_TYPES.get(kind, "text/plain; charset=utf-8"), text.encode("utf-8", "replace")


def _data(answer: HttpResponse) -> Any:
    """JSON where the answer is JSON (whatever it calls itself), otherwise its text."""
    try:
        return parse_json(answer.body, max_bytes=MAX_RESPONSE_BYTES, max_depth=MAX_RESPONSE_DEPTH)
    except InvalidInput:
        return clean_text(_decode(answer))


def _decode(answer: HttpResponse) -> str:
    charset = (
        answer.content_type.lower().rpartition("charset=")[2].strip(" \"'")
        if "charset=" in answer.content_type.lower()
        else "utf-8"
    )
    try:
        return answer.body.decode(charset, "replace")
    except LookupError:
        return answer.body.decode("utf-8", "replace")
