"""Node types that are known but whose work this version cannot do: the node fails and the walk goes on by its edges."""

from typing import Any

from shared.bot.model import Node
from shared.engine.outcome import ADVANCE, Outcome
from shared.engine.walk import Walk


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    del data
    walk.set_failure(node.type, "NotSupported", f"nodes of type '{node.type}' do not run in this version of Malgil")
    return ADVANCE
