"""entry: the start of a flow. Does nothing itself; its edges may branch on params (referrer, returning user)."""

from typing import Any

from shared.bot.model import Node
from shared.engine.outcome import ADVANCE, Outcome
from shared.engine.walk import Walk


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    del walk, node, data
    return ADVANCE
