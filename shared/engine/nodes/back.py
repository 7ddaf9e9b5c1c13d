"""back: returns to where an earlier answer of the bot started (docs/bot-files.md)."""

from typing import Any

from shared.bot.model import Node
from shared.engine import back_stack
from shared.engine.outcome import ADVANCE, JUMP_TO_ENTRY, Jump, NodeFailed, Outcome
from shared.engine.walk import Walk
from shared.values import to_number


def read_count(data: dict[str, Any]) -> int:
    """How many: 1 unless said otherwise."""
    value = data.get("count")
    number = 1 if value in (None, "") else to_number(value)
    return int(number) if 0 <= number <= back_stack.MAX_ENTRIES else back_stack.MAX_ENTRIES if number > 0 else 1


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    stack = walk.session.back_stack
    operation = data.get("operation", "pop")
    if operation == "pop":
        place = back_stack.pop(stack, read_count(data))
        if place is not None:
            return Jump(*place)
        entry = walk.bot.entry_of(walk.bot.entry_flow_id)
        if entry is not None:  # the place that the entry flow's answer starts at, as if it had been walked to
            back_stack.push(stack, (entry.flow_id, entry.id))
        return JUMP_TO_ENTRY
    if operation == "drop":
        back_stack.drop(stack, read_count(data))
        return ADVANCE
    if operation == "clear":
        stack.clear()
        return ADVANCE
    raise NodeFailed("InvalidNode", f"node {node.id}: operation must be pop, drop or clear")
