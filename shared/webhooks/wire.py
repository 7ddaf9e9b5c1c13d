"""Events as bytes: compact JSON in UTF-8 that every receiver and store can hold."""

import json
from typing import Any, Final

from shared.json_input import plain_json

JsonObject = dict[str, Any]

MAX_DEPTH: Final = 500
"""Deeper than anything that a turn can store; only keeps a repair from recursing for ever."""
NUL: Final = b"\\u0000"
"""As JSON writes it; a backslash before it makes it harmless text, which is then only looked at twice."""
_write: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def to_bytes(value: Any) -> bytes:
    """`value` as JSON without NUL characters, lone surrogates (U+FFFD instead) and numbers that are none (null): what
    PostgreSQL and UTF-8 receivers cannot hold is taken out at the door."""
    try:
        raw = _write(value).encode()
    except (UnicodeEncodeError, ValueError):
        return _repaired(value)
    return _repaired(value) if NUL in raw else raw


def _repaired(value: Any) -> bytes:
    return _write(plain_json(value, max_depth=MAX_DEPTH)).encode()


def for_queues(raw: bytes) -> bytes:
    """JSON that SNS and SQS take: they refuse U+FFFE and U+FFFF, which an end user may type, unless escaped."""
    if b"\xef\xbf\xbe" not in raw and b"\xef\xbf\xbf" not in raw:
        return raw
    return raw.replace(b"\xef\xbf\xbe", b"\\ufffe").replace(b"\xef\xbf\xbf", b"\\uffff")
