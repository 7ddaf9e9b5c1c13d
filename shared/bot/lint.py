"""Everything that is wrong or doubtful in a bot, all at once, each with its JSON path (docs/bot-files.md)."""

import re
from collections.abc import Iterator
from typing import Any, Final

from shared.bot.asking_lint import asking_problems
from shared.bot.document import JsonObject
from shared.bot.model import DEFAULT_PRIORITY, read_id
from shared.bot.node_types import NODE_TYPES
from shared.bot.problem import Problem
from shared.bot.shape import json_type_name
from shared.bot.upgrade import upgrade_data
from shared.bot.verbatim import VERBATIM
from shared.bot.walkable import Graph
from shared.conditions import ConditionError, parse_condition
from shared.templates import TemplateSyntaxError, compile_data

KAKAO_LABEL: Final = 14
"""Characters of a button label that a phone shows (Kakao: Button.label)."""
KAKAO_QUICK_REPLIES: Final = 10
TITLE_LIMIT: Final = 30
DESCRIPTION_LIMIT: Final = 100
MASK_CALL: Final = re.compile(r"\{\{[^}]*\bMASK\s*\(")
DEPRECATED: Final = {"backstack": ("backstack", "back")}


def lint(
    content: JsonObject, profile: JsonObject | None = None, platforms: frozenset[str] = frozenset({"kakao"})
) -> list[Problem]:
    """All problems of a bot's content (and profile), in document order within each kind of check."""
    problems = list(_profile_problems(profile or {}))
    flows = content.get("flows")
    if not isinstance(flows, list):
        problems.append(Problem("flows", "wrong_type", {"expected": "a list", "found": json_type_name(flows)}))
        return problems
    if not flows:
        problems.append(Problem("flows", "no_flows"))
        return problems
    graph = Graph(flows)
    problems.extend(graph.problems)
    for place in graph.nodes:
        problems.extend(_node_problems(place.path, place.raw, platforms))
    problems.extend(graph.jump_problems())
    problems.extend(_preference_problems(content.get("preference"), graph))
    problems.extend(graph.reachability_problems(content.get("preference")))
    return problems


def _profile_problems(profile: JsonObject) -> Iterator[Problem]:
    for key, limit in (("title", TITLE_LIMIT), ("description", DESCRIPTION_LIMIT)):
        value = profile.get(key)
        if value is None:
            continue
        if not isinstance(value, str):
            yield Problem(key, "wrong_type", {"expected": "text", "found": json_type_name(value)})
        elif len(value) > limit:
            yield Problem(key, "too_long", {"length": len(value), "limit": limit})


def _node_problems(path: str, node: JsonObject, platforms: frozenset[str]) -> Iterator[Problem]:
    type_name = node.get("type")
    if not isinstance(type_name, str) or type_name not in NODE_TYPES:
        yield Problem(f"{path}.type", "unknown_node_type", {"type": type_name})
        return
    node_type = NODE_TYPES[type_name]
    data = node.get("data", {})
    if isinstance(data, dict):
        data = upgrade_data(type_name, data)
    if type_name in DEPRECATED:
        what, instead = DEPRECATED[type_name]
        yield Problem(f"{path}.type", "deprecated", {"what": what, "instead": instead})
    yield from node_type.data.problems(data, f"{path}.data")
    if isinstance(data, dict):
        templates = {key: value for key, value in data.items() if key not in VERBATIM.get(type_name, ())}
        yield from _template_problems(templates, f"{path}.data")
        if type_name == "parameter" and isinstance(data.get("set"), list):
            for index, item in enumerate(data["set"]):
                if isinstance(item, dict):
                    yield from _parameter_problems(item, f"{path}.data.set[{index}]")
        yield from asking_problems(type_name, node.get("id"), data, f"{path}.data")
        if "kakao" in platforms:
            yield from _kakao_problems(type_name, data, f"{path}.data")
    yield from _edge_problems(path, node, waits=node_type.waits and type_name == "keyboard")


def _parameter_problems(item: JsonObject, path: str) -> Iterator[Problem]:
    if item.get("where"):
        yield from _condition_problems(item["where"], f"{path}.where")
    value = item.get("value")
    if isinstance(value, str) and MASK_CALL.search(value):
        yield Problem(f"{path}.value", "masked_parameter")


def _template_problems(data: Any, path: str) -> Iterator[Problem]:
    for place, found in compile_data(data).problems:
        code = "template" if isinstance(found, TemplateSyntaxError) else "template_warning"
        separator = "" if not place or place.startswith("[") else "."
        yield Problem(f"{path}{separator}{place}", code, {"what": str(found)})


def _condition_problems(where: Any, path: str) -> Iterator[Problem]:
    try:
        condition = parse_condition(where)
    except ConditionError as exc:
        yield Problem(path, "condition", {"what": str(exc)})
        return
    for found in condition.problems:
        code = "condition" if found.severity == "error" else "condition_warning"
        yield Problem(f"{path}{found.path}", code, {"what": found.message})


def _where_problems(where: Any, path: str) -> Iterator[Problem]:
    """A condition of an edge, with the templates in its operands."""
    yield from _condition_problems(where, path)
    yield from _template_problems(where, path)


def _edge_problems(path: str, node: JsonObject, *, waits: bool) -> Iterator[Problem]:
    edges = node.get("next", [])
    if not isinstance(edges, list):
        yield Problem(f"{path}.next", "wrong_type", {"expected": "a list", "found": json_type_name(edges)})
        return
    if waits and not edges:
        yield Problem(path, "no_way_on")
    seen: list[tuple[Any, Any]] = []
    for index, edge in enumerate(edges):
        place = f"{path}.next[{index}]"
        if not isinstance(edge, dict):
            yield Problem(place, "wrong_type", {"expected": "an object", "found": json_type_name(edge)})
            continue
        if edge.get("where"):
            yield from _where_problems(edge["where"], f"{place}.where")
        signature = (edge.get("priority", DEFAULT_PRIORITY), edge.get("where") or None)
        if signature in seen:
            yield Problem(place, "equal_edges", {"other": seen.index(signature)})
        seen.append(signature)


def _kakao_problems(type_name: str, data: JsonObject, path: str) -> Iterator[Problem]:
    buttons = data.get("buttons") if type_name == "keyboard" else None
    if isinstance(buttons, list) and len(buttons) > KAKAO_QUICK_REPLIES:
        more = len(buttons) - KAKAO_QUICK_REPLIES
        yield Problem(f"{path}.buttons", "kakao_quick_replies", {"limit": KAKAO_QUICK_REPLIES, "more": more})
    for place, button in _buttons(data, path):
        label = button.get("label")
        if isinstance(label, str) and "{{" not in label and len(label) > KAKAO_LABEL:
            yield Problem(f"{place}.label", "kakao_label", {"limit": KAKAO_LABEL, "length": len(label)})


def _buttons(value: Any, path: str) -> Iterator[tuple[str, JsonObject]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "buttons" and isinstance(item, list):
                yield from (
                    (f"{path}.buttons[{index}]", button)
                    for index, button in enumerate(item)
                    if isinstance(button, dict)
                )
            else:
                yield from _buttons(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _buttons(item, f"{path}[{index}]")


def _preference_problems(preference: Any, graph: Graph) -> Iterator[Problem]:
    if preference is None:
        return
    if not isinstance(preference, dict):
        yield Problem("preference", "wrong_type", {"expected": "an object", "found": json_type_name(preference)})
        return
    for key in ("entryFlowId", "fallbackFlowId"):
        value = preference.get(key)
        if value is not None and read_id(value) not in graph.flow_ids:
            yield Problem(f"preference.{key}", "no_such_flow", {"flow": value})
    messages = preference.get("systemMessage")
    if messages is not None and not isinstance(messages, dict):
        yield Problem(
            "preference.systemMessage", "wrong_type", {"expected": "an object", "found": json_type_name(messages)}
        )
    elif messages:
        yield from _template_problems(
            {key: value for key, value in messages.items() if isinstance(value, str)}, "preference.systemMessage"
        )
