"""response: sends one message."""

from typing import Any

from shared.bot.model import Node
from shared.engine.message import is_blank, read_custom, read_message
from shared.engine.outcome import ADVANCE, NodeFailed, Outcome
from shared.engine.walk import Walk


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    message = read_message(data.get("message"), walk.entry.notes)
    if message is None:
        raise NodeFailed("InvalidNode", f"node {node.id} has no message")
    if is_blank(message):
        walk.entry.notes.append("the message is empty: nothing was sent")
        return ADVANCE
    custom = read_custom(data.get("meta"), walk.entry.notes)
    walk.say(message, None if custom is None else {"custom": custom})
    return ADVANCE
