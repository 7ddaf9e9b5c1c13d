"""The back stack: where the answers of this conversation started, newest last.

Places are kept as texts ("1/3"), since nearly every step only adds one: a stack of 50 is stored as a single text, which
JSON reads and writes ten times as fast as lists.
"""

from typing import Final

from shared.engine.session import Position

MAX_ENTRIES: Final = 50


def push(stack: list[str], place: Position) -> None:
    stack.append(f"{place[0]}/{place[1]}")
    del stack[:-MAX_ENTRIES]


def pop(stack: list[str], count: int) -> Position | None:
    """Discard the current turn's own entry and `count` more; the place then on top stays and is where to resume.

    None when nothing is left: the entry flow begins again.
    """
    drop(stack, count + 1)
    return _place(stack[-1]) if stack else None


def drop(stack: list[str], count: int) -> None:
    """Remove `count` entries; the current turn's own counts."""
    if count > 0:
        del stack[max(0, len(stack) - count) :]


def take(stack: list[str], count: int) -> Position | None:
    """Take `count` places off and return the last one taken; None, and an empty stack, when there are fewer."""
    if not 0 < count <= len(stack):
        stack.clear()
        return None
    place = _place(stack[-count])
    del stack[-count:]
    return place


def _place(text: str) -> Position:
    flow_id, _, node_id = text.partition("/")
    return int(flow_id), int(node_id)
