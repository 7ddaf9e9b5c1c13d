"""ESCAPE(string): text as one component of a URL."""

from typing import Any, Final
from urllib.parse import quote

from shared.templates.environment import RenderEnvironment
from shared.values import to_text

UNESCAPED: Final = "!'()*-._~"
"""What encodeURIComponent leaves as it is, besides ASCII letters and digits (ECMAScript, uriUnescaped)."""


def escape(_environment: RenderEnvironment, value: Any) -> str:
    """encodeURIComponent of ECMAScript. Where that throws, at half of a surrogate pair, U+FFFD is written."""
    text = to_text(value).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return quote(text, safe=UNESCAPED)
