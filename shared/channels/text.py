"""Fitting text into bubbles: length in UTF-16 units, cuts where a reader expects them, never inside a character.

A character is what a reader takes for one (a grapheme cluster): a family emoji, a syllable typed as separate jamo.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from shared.graphemes import graphemes
from shared.json_input import clean_text
from shared.values import to_text, utf16_length

ELLIPSIS: Final = "..."

_SENTENCE_END: Final = re.compile(
    r"[.!?…。！？]+[\"'”’)\]」』]*(?=\s)"  # a mark, closing quotes, and a space
    r"|(?<=[가-힣])[.!?…]+(?=[가-힣A-Za-z0-9])"  # Korean written without the space: "했습니다.그리고"
    r"|(?=\n)"
)
_SPACE: Final = re.compile(r"(?=\s)")
_NO_CONTROLS: Final = {code: None for code in range(0x20) if chr(code) not in "\n\t"}


def without_controls(value: Any) -> str:
    """A value as text that every channel can carry: no NUL, lone surrogates or control characters but \\n and \\t."""
    return clean_text(to_text(value)).replace("\r\n", "\n").replace("\r", "\n").translate(_NO_CONTROLS)


def plain_text(value: Any) -> str:
    """Text for a bubble: without control characters and without white space around it."""
    return without_controls(value).strip()


def plain_line(value: Any) -> str:
    """Text for one line: labels, titles."""
    return " ".join(without_controls(value).split())


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` units; what is cut off shows as "..."."""
    if utf16_length(text) <= limit:
        return text
    end = _character_end(text, _index_after(text, limit - len(ELLIPSIS)))
    return text[:end].rstrip() + ELLIPSIS


def split(text: str, limit: int) -> list[str]:
    """`text` in pieces of at most `limit` units, none of them empty; only white space at the cuts is lost."""
    pieces = []
    while text := text.strip():
        piece, text = split_off_start(text, limit)
        pieces.append(piece)
    return pieces


def split_off_start(text: str, limit: int) -> tuple[str, str]:
    """(start, rest) of `text`: as much of its start as `limit` units allow.

    The start ends at its last sentence end or line end, else at a space, as long as that leaves it at least half full;
    else between two characters.
    """
    text = text.strip()
    if utf16_length(text) <= limit:
        return text, ""
    end = _last_break(text, _index_after(text, limit))
    return text[:end].rstrip(), text[end:].lstrip()


def split_off_end(text: str, limit: int) -> tuple[str, str]:
    """(head, end) of `text`: the end holds as many of the last sentences as `limit` units allow."""
    text = text.strip()
    if utf16_length(text) <= limit:
        return "", text
    start = _first_break(text, _index_before_end(text, limit))
    return text[:start].rstrip(), text[start:].lstrip()


def _last_break(text: str, end: int) -> int:
    for border in (_SENTENCE_END, _SPACE):
        ends = [index for index in _ends(border, text, 0, end + 1) if index <= end]
        if ends and ends[-1] * 2 >= end:
            return ends[-1]
    return _character_end(text, end)


def _first_break(text: str, start: int) -> int:
    for border in (_SENTENCE_END, _SPACE):
        for end in _ends(border, text, max(0, start - 1), len(text)):
            if start <= end < len(text):
                return end
    return _character_start(text, start)


def _ends(border: re.Pattern[str], text: str, start: int, end: int) -> Iterator[int]:
    return (match.end() for match in border.finditer(text, start, end))


def _index_after(text: str, units: int) -> int:
    """Index after the longest start of `text` that has at most `units` units."""
    used = 0
    for index, character in enumerate(text):
        used += 1 + (character > "\uffff")
        if used > units:
            return index
    return len(text)


def _index_before_end(text: str, units: int) -> int:
    """Index of the longest end of `text` that has at most `units` units."""
    return len(text) - _index_after(text[::-1], units)


def _character_end(text: str, end: int) -> int:
    """The last border between characters up to `end`; `end` itself inside a character that has no earlier one."""
    ends = [match.end() for match in graphemes(text, end + 1)]
    return max((index for index in ends if index <= end), default=end)


def _character_start(text: str, start: int) -> int:
    """The first border between characters from `start` on; `start` itself when only the end of the text is one."""
    ends = (match.end() for match in graphemes(text))
    return next((index for index in ends if start <= index < len(text)), start)
