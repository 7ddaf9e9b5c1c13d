"""What the user types: at a prompt, or piped in line by line (then each line is shown, so that the output reads as a
conversation)."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Final

import typer

PROMPT: Final = "> "
COMMAND: Final = "/"
LEAVE: Final = frozenset({"quit", "exit"})


@dataclass(frozen=True, slots=True)
class Line:
    """`command` is the word behind the slash, None for what is simply said; `rest` is everything else."""

    command: str | None
    rest: str

    @property
    def number(self) -> int | None:
        """The number of a choice; None when the line says something else."""
        is_number = self.command is None and self.rest.isascii() and self.rest.isdigit()
        return int(self.rest[:6]) if is_number else None


def parse_line(line: str) -> Line:
    text = line.strip()
    if not text.startswith(COMMAND):
        return Line(None, text)
    command, _, rest = text.removeprefix(COMMAND).partition(" ")
    return Line(command.lower(), rest.strip())


def lines() -> Iterator[Line]:
    """Lines that say something, until the end of the input."""
    for line in _typed() if sys.stdin.isatty() else _piped():
        if line.strip():
            yield parse_line(line)


def _typed() -> Iterator[str]:
    with suppress(ImportError):  # there is none on Windows
        pass
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            yield input(PROMPT)


def _piped() -> Iterator[str]:
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    for line in sys.stdin:
        typer.echo(f"{PROMPT}{line.rstrip()}")
        yield line
