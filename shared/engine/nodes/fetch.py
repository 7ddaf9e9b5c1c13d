"""fetch: an HTTP request. The walk asks for it as an effect and goes on when the answer is there."""

import re
from typing import Any, Final
from urllib.parse import urlencode

from shared.bot.model import Node
from shared.engine.asking import MAX_BODY_BYTES, headers_of, is_slow, rows_of, take_failure, timeout_ms
from shared.engine.effects import EffectAnswer, HttpCall, HttpResponse
from shared.engine.outcome import ADVANCE, NodeFailed, Outcome, Suspend
from shared.engine.trace import without_masked
from shared.engine.walk import Walk
from shared.errors import InvalidInput
from shared.json_input import clean_text, parse_json, plain_json
from shared.values import to_json, to_text

METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH"})
REPEATABLE: Final = frozenset({"GET"})
CONTENT_TYPES: Final = {
    "json": "application/json",
    "x-www-form-urlencoded": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}
DEFAULT_TIMEOUT_MS: Final = 5_000
MAX_RESPONSE_BYTES: Final = 512 * 1024
MAX_RESPONSE_DEPTH: Final = 64
MAX_ERROR_DATA: Final = 1_000
"""Characters of the answer in the error's message."""

CHARSET: Final = re.compile(r"(?i)\bcharset\s*=\s*[\"']?([^\s;\"']+)")
CODECS: Final = {
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601", "ks_c_5601", "cp949", "ms949", "x-windows-949"), "cp949"),
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "windows-1252"), "cp1252"),
    **{name: name for name in ("utf-16", "utf-16le", "utf-16be", "iso-2022-kr", "johab", "shift_jis", "euc-jp")},
    **{name: name for name in ("gb2312", "gbk", "gb18030", "big5")},
}
"""Charsets beside UTF-8, each with the wider one that browsers read it as (WHATWG Encoding)."""


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    given = plain_json(data)
    uri, shown = to_text(given.get("uri")).strip(), to_text(without_masked(data.get("uri"))).strip()
    if not uri:
        raise NodeFailed("InvalidNode", f"node {node.id} has no address to call")
    method = to_text(given.get("method") or "GET").strip().upper()
    if method not in METHODS:
        raise NodeFailed("InvalidNode", f"node {node.id}: method '{method}' cannot be used")
    headers, body = headers_of(given.get("headers")), b""
    if method != "GET" or given.get("body") not in (None, "", [], {}):
        content_type, body = _body(given)
        if body and not any(name.lower() == "content-type" for name in headers):
            headers["content-type"] = content_type
    if len(body) > MAX_BODY_BYTES:
        walk.set_failure("fetch", "TooLargeError", f"the body takes more than {MAX_BODY_BYTES} bytes", uri=shown)
        return ADVANCE
    walk.set_result("fetch", {"status": "PENDING", "uri": shown})
    return Suspend(
        HttpCall(
            method=method,
            url=uri,
            headers=headers,
            body=body,
            timeout_ms=timeout_ms(given, DEFAULT_TIMEOUT_MS),
            repeatable=method in REPEATABLE,
            slow=is_slow(given),
        )
    )


def complete(walk: Walk, node: Node, answer: EffectAnswer) -> None:
    """Put the answer where the bot's edges and templates find it: fetch {uri, statusCode, status, data, error}."""
    uri = walk.session.results.get("fetch", {}).get("uri", "")
    if not isinstance(answer, HttpResponse):
        take_failure(walk, node, answer, uri=uri)
        return
    data = read_body(answer.body, answer.content_type)
    if 200 <= answer.status < 300:  # noqa: PLR2004 - the class of success
        walk.set_result("fetch", {"status": "COMPLETED", "uri": uri, "statusCode": answer.status, "data": data})
        return
    message = f"{answer.status} - {to_json(data)}"[:MAX_ERROR_DATA]
    walk.set_failure("fetch", "StatusCodeError", message, uri=uri, statusCode=answer.status, data=data)


def read_body(body: bytes, content_type: str) -> Any:
    """JSON where it is JSON (whatever it calls itself), otherwise its text."""
    text = _decode(body[: MAX_RESPONSE_BYTES + 1], content_type)
    try:
        return parse_json(text.encode("utf-8", "replace"), max_bytes=MAX_RESPONSE_BYTES, max_depth=MAX_RESPONSE_DEPTH)
    except InvalidInput:
        return clean_text(text)


def _decode(body: bytes, content_type: str) -> str:
    """The charset that the answer names; without one UTF-8 if it is that, and otherwise what Korean servers forget to
    name."""
    named = CHARSET.search(content_type)
    codec = CODECS.get(named[1].lower()) if named else None
    for tried in (codec,) if codec else ("utf-8-sig", "cp949"):
        try:
            return body.decode(tried)
        except UnicodeDecodeError:
            continue
    return body.decode(codec or "utf-8-sig", "replace")


def _body(data: dict[str, Any]) -> tuple[str, bytes]:
    """What is sent and what it is called. Templates have filled the texts of a structure one by one, so that nothing
    that a user says can become its structure."""
    kind = to_text(data.get("contentType")) or "json"
    body = data.get("body")
    if kind == "x-www-form-urlencoded" and isinstance(body, list | dict):
        rows = list(body.items()) if isinstance(body, dict) else rows_of(body)
        text = urlencode([(name, to_text(value)) for name, value in rows])
    else:
        text = body if isinstance(body, str) else "" if body is None else to_json(body)
    return CONTENT_TYPES.get(kind, CONTENT_TYPES["text"]), text.encode("utf-8", "replace")
