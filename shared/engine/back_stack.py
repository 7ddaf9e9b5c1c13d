"""The back stack: where the answers of this conversation started, newest last (spec engine 6)."""

from typing import Final

from shared.engine.session import Position

MAX_ENTRIES: Final = 50


def push(stack: list[Position], place: Position) -> None:
    stack.append(place)
    del stack[:-MAX_ENTRIES]


def pop(stack: list[Position], count: int) -> Position | None:
    """Discard the current turn's own entry and `count` more; the place then on top stays and is where to resume.

    None when nothing is left: the entry flow begins again.
    """
    drop(stack, count + 1)
    return stack[-1] if stack else None


def drop(stack: list[Position], count: int) -> None:
    """Remove `count` entries; the current turn's own counts."""
    if count > 0:
        del stack[max(0, len(stack) - count) :]
