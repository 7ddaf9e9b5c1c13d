"""Skill responses as the bytes that Kakao gets."""

import json
from typing import Any, Final

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def serialize(body: Any) -> str:
    """The JSON text of a response. It is the one that was measured: ASCII escapes would double the size of Korean."""
    return _ENCODER.encode(body)


def size(value: Any) -> int:
    """Bytes that `value` takes in a response."""
    return len(serialize(value).encode())
