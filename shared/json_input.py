"""JSON from outside: parsed within bounds or refused with its place, and never a surprise further inside.

Python's own parser lets through what breaks later: NaN makes invalid JSON for receivers, a lone surrogate cannot be
written as UTF-8, PostgreSQL cannot hold NUL, deep nesting and giant integers raise errors that are not about JSON.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from shared.errors import InvalidInput

MAX_NUMBER_CHARACTERS: Final = 310
"""The largest double has 309 digits; longer integers have no meaning for JavaScript and cost quadratic time here."""

_TOO_LARGE: Final = 10 ** (MAX_NUMBER_CHARACTERS - 1)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_TOKEN: Final = re.compile(_STRING + r"|[\[{]|[\]}]", re.DOTALL)
_REPAIRABLE_ESCAPE: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"


def parse_json(raw: bytes, *, max_bytes: int, max_depth: int = 64) -> Any:
    """The JSON value in `raw` (UTF-8, with or without a byte order mark); of duplicate keys the last wins.

    Strings and keys are repaired by `clean_text`. Raises InvalidInput, naming the place, for anything that is larger,
    deeper or not JSON.
    """
    if len(raw) > max_bytes:
        raise InvalidInput(f"body: {len(raw)} bytes, at most {max_bytes} are accepted")
    text = _decode(raw)
    _check_depth(text, max_depth)

    def refuse(literal: str) -> NoReturn:
        shown = literal if len(literal) <= 20 else f"{literal[:20]}..."  # noqa: PLR2004 - enough to recognise it
        raise InvalidInput(f"body: {_place_of(literal, text)}: {shown} is not a number that JSON can carry")

    def integer(literal: str) -> int:
        return int(literal) if len(literal) <= MAX_NUMBER_CHARACTERS else refuse(literal)

    def decimal(literal: str) -> float:
        value = float(literal) if len(literal) <= MAX_NUMBER_CHARACTERS else math.inf
        return value if math.isfinite(value) else refuse(literal)

    try:
        value = json.loads(text, parse_constant=refuse, parse_int=integer, parse_float=decimal)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"body: line {error.lineno} column {error.colno}: {error.msg}") from error
    return _cleaned(value) if _REPAIRABLE_ESCAPE.search(text) else value


def clean_text(text: str) -> str:
    """`text` without NUL characters and with U+FFFD for each lone surrogate: what every store and receiver can hold."""
    if not _UNSTORABLE.search(text):
        return text
    return _UNSTORABLE.sub(_REPLACEMENT, text.replace("\x00", ""))


def plain_json(value: Any, *, max_depth: int = 64) -> Any:
    """A copy of `value` that is nothing but JSON: texts repaired by clean_text and of no subclass, null for numbers
    that JSON cannot carry. Raises InvalidInput for what is nested deeper or is no JSON value.
    """
    if isinstance(value, str):
        return str(clean_text(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _TOO_LARGE else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, dict | list):
        raise InvalidInput(f"a value of type {type(value).__name__} is not JSON")
    if not max_depth:
        raise InvalidInput("nested too deeply")
    if isinstance(value, list):
        return [plain_json(item, max_depth=max_depth - 1) for item in value]
    return {str(clean_text(str(key))): plain_json(item, max_depth=max_depth - 1) for key, item in value.items()}


def refuse_others(members: Iterable[str], known: tuple[str, ...], place: str) -> None:
    """Raises InvalidInput for a member of the object at `place` that is none of `known`."""
    for name in members:
        if name not in known:
            raise InvalidInput(f"{place}.{str(name)[:40]}: unknown; known are {', '.join(known)}")


def _decode(raw: bytes) -> str:
    try:
        return raw.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        hint = " (it looks like CP949/EUC-KR)" if _is_cp949(raw) else ""
        place = error.start + (len(_BYTE_ORDER_MARK) if raw.startswith(_BYTE_ORDER_MARK) else 0)
        raise InvalidInput(f"body: byte {place}: not UTF-8{hint}") from error


def _is_cp949(raw: bytes) -> bool:
    try:
        raw.decode("cp949")
    except UnicodeDecodeError:
        return False
    return True


def _check_depth(text: str, max_depth: int) -> None:
    """Before the parser, which recurses, sees the text."""
    depth = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first in "[{":
            depth += 1
            if depth > max_depth:
                raise InvalidInput(f"body: {_line_and_column(text, token.start())}: nested deeper than {max_depth}")
        elif first in "]}":
            depth -= 1


def _place_of(literal: str, text: str) -> str:
    """Where `literal` first stands outside a string."""
    for match in re.finditer(f"{_STRING}|{re.escape(literal)}", text, re.DOTALL):
        if match[0] == literal:
            return _line_and_column(text, match.start())
    return "somewhere"


def _line_and_column(text: str, index: int) -> str:
    return f"line {text.count(chr(10), 0, index) + 1} column {index - text.rfind(chr(10), 0, index)}"


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _cleaned(item) for key, item in value.items()}
    return value
