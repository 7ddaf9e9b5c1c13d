"""Rows in aligned columns, a line each however wide the terminal is: they can be read, and found with grep."""

from collections.abc import Sequence
from typing import Any, Final

from rich.cells import cell_len

from infra.cli.draw import safe

GAP: Final = "  "


def columns(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A Korean letter takes two columns of a terminal."""
    texts = [[" ".join(safe(cell).split()) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(row[place]) for row in texts) for place in range(len(header))]
    return [
        GAP.join(text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in texts
    ]
