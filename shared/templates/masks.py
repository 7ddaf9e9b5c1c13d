"""Texts with masked ranges, put together: the ranges move with their text."""

import re
from collections.abc import Iterable
from typing import Final

from shared.templates.environment import Mask, MaskedText

_HTML: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "`": "&#x60;", "=": "&#x3D;"}
)
_NEEDS_ESCAPING: Final = re.compile("[&<>\"'`=]")


def join_texts(pieces: Iterable[str]) -> str:
    """The pieces as one text, a MaskedText as soon as one of them is. Neighbouring ranges with one time melt."""
    texts: list[str] = []
    masks: list[Mask] = []
    length = 0
    for piece in pieces:
        if isinstance(piece, MaskedText):
            for mask in piece.masks:
                moved = Mask(mask.start + length, mask.end + length, mask.after_ms)
                if masks and masks[-1].end == moved.start and masks[-1].after_ms == moved.after_ms:
                    moved = Mask(masks.pop().start, moved.end, moved.after_ms)
                masks.append(moved)
        texts.append(piece)
        length += len(piece)
    joined = "".join(texts)
    return MaskedText(joined, tuple(masks)) if masks else joined


def escape_html(text: str) -> str:
    """Handlebars' HTML escaping; masked ranges stay on what they cover."""
    if _NEEDS_ESCAPING.search(text) is None:
        return text
    if not isinstance(text, MaskedText):
        return text.translate(_HTML)
    pieces: list[str] = []
    at = 0
    for mask in text.masks:
        hidden = text[mask.start : mask.end].translate(_HTML)
        pieces += [text[at : mask.start].translate(_HTML), MaskedText(hidden, (Mask(0, len(hidden), mask.after_ms),))]
        at = mask.end
    return join_texts([*pieces, text[at:].translate(_HTML)])
