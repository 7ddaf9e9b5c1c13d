"""Case-insensitive comparison as JavaScript's regular expressions do it, one character at a time.

Both sides are brought to one spelling (ECMAScript 22.2.2.7.3 Canonicalize): without the `u` flag to simple upper case
of a UTF-16 unit, never from outside ASCII into it; with `u` to simple case folding of a code point. Python's own
`upper` and `casefold` change lengths (ß becomes SS), and the `regex` module folds fully.
"""

from bisect import bisect_left, bisect_right
from functools import lru_cache

_ASCII_END = 0x80
_UNITS_END = 0x10000
_CASED_BLOCKS = (
    range(0x3000),
    range(0xA640, 0xAC00),
    range(0xFB00, _UNITS_END),
    range(0x10400, 0x11900),
    range(0x16E40, 0x16EC0),
    range(0x1E900, 0x1E944),
)
"""Where letters have case: looking at every code point would take half a second."""


class CaseTable:
    """One of the two canonical spellings: `text()` for what is searched, `code()` and `closure()` for a pattern."""

    __slots__ = ("_codes", "_table", "_upper")

    def __init__(self, *, unicode: bool) -> None:
        self._upper = not unicode
        spell = _folded if unicode else _upper_unit
        codes = [code for block in _CASED_BLOCKS for code in block if unicode or code < _UNITS_END]
        self._table = {code: ord(spelled) for code in codes if (spelled := spell(chr(code))) != chr(code)}
        self._codes = sorted(self._table)

    def text(self, text: str) -> str:
        if text.isascii():
            return text.upper() if self._upper else text.lower()
        return text.translate(self._table)

    def code(self, code: int) -> int:
        return self._table.get(code, code)

    def closure(self, low: int, high: int) -> list[int]:
        """The canonical codes, outside low..high, of the codes inside it."""
        inside = self._codes[bisect_left(self._codes, low) : bisect_right(self._codes, high)]
        return [code for code in map(self._table.__getitem__, inside) if not low <= code <= high]


@lru_cache(maxsize=2)
def case_table(*, unicode: bool) -> CaseTable:
    """Made on first use: few bots have a case-insensitive expression, and a table costs milliseconds."""
    return CaseTable(unicode=unicode)


def _upper_unit(character: str) -> str:
    upper = character.upper()
    if len(upper) != 1 or (ord(character) >= _ASCII_END > ord(upper)):
        return character
    return upper


def _folded(character: str) -> str:
    for folded in (character.casefold(), character.lower()):
        if len(folded) == 1:
            return folded
    return character
