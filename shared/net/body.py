"""A response body with a ceiling. Asking for `identity` is only a wish, and 200 KB of gzip can hold 200 MB: so each
piece is inflated only as far as the ceiling."""

import zlib
from typing import Final

from shared.net.messages import OutboundError

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_ENCODINGS: Final = {"", "identity", "gzip", "x-gzip", "deflate"}


class BoundedBody:
    """Collects and decodes a body of at most `max_bytes`; OutboundError `too_large` or `http` where that ends."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        self._encoding = encoding.strip().lower()
        self._max_bytes = max_bytes
        self._content = bytearray()
        self._inflate: zlib._Decompress | None = None

    @property
    def content(self) -> bytes:
        return bytes(self._content[: self._max_bytes])

    def feed(self, piece: bytes) -> None:
        if self._encoding not in _ENCODINGS:
            raise OutboundError("http", "The response has an unsupported content encoding")
        self._content += self._decoded(piece)
        if len(self._content) > self._max_bytes:
            raise OutboundError("too_large")

    def finish(self) -> None:
        """The other side has sent all of it."""
        if self._inflate is not None and not self._inflate.eof:
            raise OutboundError("http", "The response is not complete")

    def _decoded(self, piece: bytes) -> bytes:
        if not piece or self._encoding in {"", "identity"}:
            return piece
        if self._inflate is None:
            self._inflate = zlib.decompressobj(self._window(piece[0]))
        room = self._max_bytes + 1 - len(self._content)  # never 0, which zlib takes for "no limit"
        try:
            return self._inflate.decompress(piece, room)
        except zlib.error:
            raise OutboundError("http", "The response has a broken content encoding") from None

    def _window(self, first_byte: int) -> int:
        if self._encoding != "deflate":
            return _GZIP_WINDOW
        # RFC 9110 means zlib's format by "deflate"; some servers send the raw one, whose first byte differs.
        is_zlib = first_byte & 0x0F == zlib.DEFLATED
        return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS
