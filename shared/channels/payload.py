"""Postback payloads: text on the wire, data in the context."""

from typing import Any, Final

from shared.errors import InvalidInput
from shared.json_input import clean_text, parse_json

MAX_PAYLOAD_UNITS: Final = 1000
"""Longest payload of a button in UTF-16 units, after its templates are rendered (bot document format)."""

_MAX_BYTES: Final = 65_536


def parse_payload(text: str) -> Any:
    """What `message.payload` holds: the value of a JSON object or array, otherwise the text itself."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return parse_json(clean_text(text).encode(), max_bytes=_MAX_BYTES)
    except InvalidInput:
        return text
