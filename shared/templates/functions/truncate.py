"""TRUNCATE(value, length, omission = ""): text cut to a number of user-perceived characters."""

import math
from itertools import islice
from typing import Any

from shared.graphemes import graphemes
from shared.templates.environment import RenderEnvironment
from shared.templates.errors import TemplateError
from shared.templates.functions.double import to_double
from shared.values import UNDEFINED, to_text


def truncate(_environment: RenderEnvironment, value: Any, length: Any, omission: Any = UNDEFINED) -> str:
    """The text itself when it has at most `length` characters, otherwise its beginning and the omission, together
    `length` characters. An omission that does not fit is cut itself.

    Characters are extended grapheme clusters (Unicode UAX #29): a family emoji counts one, and so does a syllable
    written as several jamo. Raises TemplateError when the length is not a number.
    """
    limit = math.nan if length is None else to_double(length)
    if math.isnan(limit):
        message = "TRUNCATE's length is not a number"
        raise TemplateError(message)
    text = to_text(value)
    if len(text) <= limit:
        return text
    count = int(max(limit, 0))
    characters = _first_characters(text, count + 1)
    if len(characters) <= count:
        return text
    ending = _first_characters(to_text(omission), count)
    return "".join(characters[: count - len(ending)] + ending)


def _first_characters(text: str, count: int) -> list[str]:
    return [match[0] for match in islice(graphemes(text), count)]
