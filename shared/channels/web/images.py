"""Pictures that end users may send, and how their first bytes begin: what a file is called proves nothing."""

import re
from dataclasses import dataclass
from typing import Final

TYPES: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
}
"""Media type -> ending. No SVG: it can carry a script."""
TYPE_OF_ENDING: Final = {ending: content_type for content_type, ending in TYPES.items()}
MAX_BYTES: Final = 10 * 1024 * 1024
HEAD_BYTES: Final = 32
"""Enough to tell."""

_PNG: Final = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_GIF: Final = re.compile(rb"GIF8[79]a")
_WEBP: Final = re.compile(rb"RIFF....WEBPVP8[ LX]", re.DOTALL)
_BMP_HEADERS: Final = (12, 40, 52, 56, 64, 108, 124)
"""Sizes of the header that follows the first 14 bytes; two letters alone would let text through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """An object as it lies there: its first bytes, and where it was promised to be found."""

    head: bytes
    size: int
    content_type: str
    base_url: str


def content_type_of(head: bytes) -> str | None:
    """What a file is by its first bytes; None when it is no picture that is taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(_PNG):
        return "image/png"
    if _GIF.match(head):
        return "image/gif"
    if _WEBP.match(head):
        return "image/webp"
    if head[:2] == b"BM" and head[6:10] == bytes(4) and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    return None
