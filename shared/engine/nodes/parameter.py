"""parameter: writes parameters of the conversation, or clears them all."""

from typing import Any

from shared.bot.model import Node
from shared.bot.parameter_key import PARAMETER_KEY
from shared.conditions import Condition, ConditionError, parse_condition
from shared.engine.outcome import ADVANCE, NodeFailed, Outcome
from shared.engine.walk import Walk

NULL_TEXT = "null"


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    if data.get("type", "set") == "clear":
        walk.clear_params()
        return ADVANCE
    items = data.get("set")
    if not isinstance(items, list):
        raise NodeFailed("InvalidNode", f"node {node.id} has no parameters to set")
    conditions = _conditions(node)
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            continue
        key = item.get("key")
        if not isinstance(key, str) or not PARAMETER_KEY.fullmatch(key):
            walk.entry.notes.append(f"{key!r} is not a parameter name and was not set")
            continue
        condition = conditions.get(index)
        if condition is None or condition.holds(walk.resolve, walk.render, walk.entry.notes):
            value = item.get("value")
            walk.set_params({key: None if value == NULL_TEXT else value})
    return ADVANCE


def _conditions(node: Node) -> dict[int, Condition]:
    """The `where` of each item, compiled once. Lists that templates expand cannot have conditions of their own."""
    compiled: dict[int, Condition] | None = node.compiled.get("conditions")
    if compiled is None:
        compiled = {}
        raw = node.raw.get("data")
        items = raw.get("set") if isinstance(raw, dict) else None
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict) and item.get("where"):
                try:
                    compiled[index] = parse_condition(item["where"])
                except ConditionError as exc:
                    raise NodeFailed("InvalidNode", f"node {node.id}: {exc}") from exc
        node.compiled["conditions"] = compiled
    return compiled
