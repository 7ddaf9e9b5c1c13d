"""QUOTE(string, quote = '"'): text as a string literal, for bodies that are written as JSON."""

from typing import Any, Final

from shared.templates.environment import RenderEnvironment
from shared.templates.errors import TemplateError
from shared.values import UNDEFINED, to_text

_SHORT_ESCAPES: Final = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_ESCAPES: Final = str.maketrans(
    {**{chr(code): f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0))}, **_SHORT_ESCAPES}
)


def quote(_environment: RenderEnvironment, value: Any, quote_character: Any = UNDEFINED) -> str:
    r"""The text between two quotes, with that quote, `\` and control characters escaped as in JSON.

    Without a quote character it is `"`, and the result is a JSON string. Raises TemplateError when the quote is more
    than one character, or is the escape character itself.
    """
    mark = to_text(quote_character) or '"'
    if len(mark) > 1 or mark == "\\":
        message = "QUOTE takes one character to quote with"
        raise TemplateError(message)
    return f"{mark}{to_text(value).translate(_ESCAPES).replace(mark, chr(92) + mark)}{mark}"
