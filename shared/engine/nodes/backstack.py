"""backstack (deprecated, but old bots have it): a stack that the author fills by hand."""

from typing import Any

from shared.bot.model import Node
from shared.engine import back_stack
from shared.engine.nodes.back import read_count
from shared.engine.outcome import ADVANCE, JUMP_TO_FALLBACK, Jump, NodeFailed, Outcome
from shared.engine.walk import Walk


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    stack = walk.session.own_stack
    operation = data.get("operation", "pop")
    if operation == "push":
        back_stack.push(stack, (node.flow_id, node.id))
        return ADVANCE
    if operation == "clear":
        stack.clear()
        return ADVANCE
    if operation == "pop":
        place = back_stack.take(stack, read_count(data))
        return JUMP_TO_FALLBACK if place is None else Jump(*place)
    raise NodeFailed("InvalidNode", f"node {node.id}: operation must be push, pop or clear")
