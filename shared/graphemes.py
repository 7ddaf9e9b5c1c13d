"""User-perceived characters: what a reader takes for one (Unicode UAX #29, extended grapheme clusters).

The `regex` module is imported with the first text that needs it: a cold start should not wait for it.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex


@cache
def _cluster() -> "regex.Pattern[str]":
    import regex  # noqa: PLC0415 - see above

    return regex.compile(r"\X")


def graphemes(text: str, end: int | None = None) -> Iterator["regex.Match[str]"]:
    """Each character of `text` up to `end` with its place: a family emoji is one, and so is a syllable of jamo."""
    return _cluster().finditer(text, 0, len(text) if end is None else end)
