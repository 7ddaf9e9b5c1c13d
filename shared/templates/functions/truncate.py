"""TRUNCATE(value, length, omission = ""): text cut to a number of user-perceived characters."""

import math
from itertools import islice
from typing import Any, Final

import regex

from shared.templates.environment import RenderEnvironment
from shared.templates.errors import TemplateError
from shared.values import UNDEFINED, to_number, to_text

_GRAPHEME_CLUSTER: Final = regex.compile(r"\X")


def truncate(_environment: RenderEnvironment, value: Any, length: Any, omission: Any = UNDEFINED) -> str:
    """The text itself when it has at most `length` characters, otherwise its beginning and the omission, together
    `length` characters. An omission that does not fit is cut itself.

    Characters are extended grapheme clusters (Unicode UAX #29): a family emoji counts one, and so does a syllable
    written as several jamo. Raises TemplateError when the length is not a number.
    """
    limit = to_number(length) if length is not None else math.nan
    if math.isnan(limit):
        message = "TRUNCATE's length is not a number"
        raise TemplateError(message)
    text = to_text(value)
    if len(text) <= limit:
        return text
    count = max(int(limit), 0)
    if _beginning(text, count) == text:
        return text
    ending = _beginning(to_text(omission), count)
    return _beginning(text, count - _clusters(ending)) + ending


def _beginning(text: str, count: int) -> str:
    return "".join(match[0] for match in islice(_GRAPHEME_CLUSTER.finditer(text), count))


def _clusters(text: str) -> int:
    return sum(1 for _ in _GRAPHEME_CLUSTER.finditer(text))
