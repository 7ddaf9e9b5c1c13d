"""The graph of a bot document as lint walks it: who leads where, without running anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from shared.bot.model import DEFAULT_PRIORITY, read_id
from shared.bot.node_types import NODE_TYPES
from shared.bot.problem import Problem
from shared.bot.shape import is_template, json_type_name

JsonObject = dict[str, Any]
Key = tuple[int, int]
"""(flow id, node id)"""

JUMPING_BACK: Final = frozenset({"back", "backstack"})
"""Where these lead is known only to a conversation."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node with its path in the document. `key` is None when its id cannot be read."""

    path: str
    raw: JsonObject
    flow_id: int
    key: Key | None

    @property
    def type(self) -> Any:
        return self.raw.get("type")


class Graph:
    """Flows and nodes by id, with the problems of finding them."""

    def __init__(self, flows: list[Any]) -> None:
        self.problems: list[Problem] = []
        self.nodes: list[Place] = []
        self.flow_ids: set[int] = set()
        self.entries: dict[int, Key] = {}
        self._by_key: dict[Key, Place] = {}
        self._first_flow_id: int | None = None
        for index, flow in enumerate(flows):
            self._add_flow(flow, f"flows[{index}]")

    def _add_flow(self, flow: Any, path: str) -> None:
        if not isinstance(flow, dict):
            self.problems.append(Problem(path, "wrong_type", {"expected": "an object", "found": json_type_name(flow)}))
            return
        flow_id = read_id(flow.get("id"))
        if flow_id is None:
            self.problems.append(Problem(f"{path}.id", "missing"))
            return
        if flow_id in self.flow_ids:
            self.problems.append(Problem(f"{path}.id", "duplicate_flow", {"flow": flow_id}))
            return
        self.flow_ids.add(flow_id)
        if self._first_flow_id is None:
            self._first_flow_id = flow_id
        nodes = flow.get("nodes")
        if not isinstance(nodes, list):
            self.problems.append(
                Problem(f"{path}.nodes", "wrong_type", {"expected": "a list", "found": json_type_name(nodes)})
            )
            return
        first = len(self.nodes)
        for index, node in enumerate(nodes):
            self._add_node(node, f"{path}.nodes[{index}]", flow_id)
        self._find_entry(flow, path, flow_id, first)

    def _add_node(self, node: Any, path: str, flow_id: int) -> None:
        if not isinstance(node, dict):
            self.problems.append(Problem(path, "wrong_type", {"expected": "an object", "found": json_type_name(node)}))
            return
        node_id = read_id(node.get("id"))
        key = None if node_id is None else (flow_id, node_id)
        place = Place(path, node, flow_id, key)
        self.nodes.append(place)
        if key is None:
            self.problems.append(Problem(f"{path}.id", "missing"))
        elif key in self._by_key:
            self.problems.append(Problem(f"{path}.id", "duplicate_node", {"node": node_id, "flow": flow_id}))
        else:
            self._by_key[key] = place

    def _find_entry(self, flow: JsonObject, path: str, flow_id: int, first: int) -> None:
        """`first` is the index of the flow's first node in `nodes`."""
        data = flow.get("data")
        declared = data.get("entry") if isinstance(data, dict) else None
        if declared is not None:
            declared_id = read_id(declared)
            if declared_id is None or (flow_id, declared_id) not in self._by_key:
                self.problems.append(Problem(f"{path}.data.entry", "no_such_node", {"node": declared, "flow": flow_id}))
            else:
                self.entries[flow_id] = (flow_id, declared_id)
                return
        for place in self.nodes[first:]:
            if place.type == "entry" and place.key is not None:
                self.entries[flow_id] = place.key
                return
        self.problems.append(Problem(path, "no_entry", {"flow": flow_id}))

    def jump_problems(self) -> Iterator[Problem]:
        """Edges, flow nodes and goto buttons that lead to nowhere."""
        for place in self.nodes:
            yield from self._edges_to_nowhere(place)
            data = place.raw.get("data")
            if not isinstance(data, dict):
                continue
            if place.type == "flow":
                yield from self._target_problems(data, f"{place.path}.data")
            yield from self._goto_problems(data, f"{place.path}.data")

    def _edges_to_nowhere(self, place: Place) -> Iterator[Problem]:
        edges = place.raw.get("next")
        for index, edge in enumerate(edges if isinstance(edges, list) else ()):
            if not isinstance(edge, dict):
                continue
            node_id = read_id(edge.get("nodeId"))
            path = f"{place.path}.next[{index}].nodeId"
            if edge.get("nodeId") is None:
                yield Problem(path, "missing")
            elif node_id is None or (place.flow_id, node_id) not in self._by_key:
                yield Problem(path, "no_such_node", {"node": edge["nodeId"], "flow": place.flow_id})

    def _goto_problems(self, value: Any, path: str) -> Iterator[Problem]:
        if isinstance(value, dict):
            if value.get("type") == "goto":
                yield from self._target_problems(value, path)
            for key, item in value.items():
                yield from self._goto_problems(item, f"{path}.{key}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._goto_problems(item, f"{path}[{index}]")

    def _target_problems(self, data: JsonObject, path: str) -> Iterator[Problem]:
        flow, node = data.get("flowId"), data.get("nodeId")
        if flow is None or is_template(flow):
            return
        flow_id = read_id(flow)
        if flow_id not in self.flow_ids:
            yield Problem(f"{path}.flowId", "no_such_flow", {"flow": flow})
        elif node is not None and not is_template(node) and (flow_id, read_id(node)) not in self._by_key:
            yield Problem(f"{path}.nodeId", "no_such_node", {"node": node, "flow": flow_id})

    def reachability_problems(self, preference: Any) -> Iterator[Problem]:
        reached = self._targets | set(self.entries.values())
        for key, place in self._by_key.items():
            if key not in reached:
                yield Problem(place.path, "unreachable", {"node": key[1]})
        yield from self._silent_fallback(preference if isinstance(preference, dict) else {})
        yield from self._endless_loops()

    @cached_property
    def _targets(self) -> set[Key]:
        return {key for place in self.nodes for key in self._next_of(place)} | set(self._goto_targets())

    def _goto_targets(self) -> Iterator[Key]:
        for place in self.nodes:
            for value in _objects(place.raw.get("data")):
                flow_id, node_id = read_id(value.get("flowId")), read_id(value.get("nodeId"))
                if flow_id is not None and node_id is not None:
                    yield (flow_id, node_id)

    def _next_of(self, place: Place) -> Iterator[Key]:
        """Where a node may lead in the same walk."""
        edges = place.raw.get("next")
        for edge in edges if isinstance(edges, list) else ():
            if isinstance(edge, dict) and (node_id := read_id(edge.get("nodeId"))) is not None:
                yield (place.flow_id, node_id)
        data = place.raw.get("data")
        if place.type == "flow" and isinstance(data, dict):
            flow_id, node_id = read_id(data.get("flowId")), read_id(data.get("nodeId"))
            if flow_id is not None and node_id is not None:
                yield (flow_id, node_id)
            elif flow_id in self.entries:
                yield self.entries[flow_id]

    def _silent_fallback(self, preference: JsonObject) -> Iterator[Problem]:
        flow_id = read_id(preference.get("fallbackFlowId"))
        if flow_id is None or flow_id not in self.entries:
            return
        todo, seen = [self.entries[flow_id]], set[Key]()
        while todo:
            key = todo.pop()
            place = self._by_key.get(key)
            if key in seen or place is None:
                continue
            seen.add(key)
            node_type = NODE_TYPES.get(place.type) if isinstance(place.type, str) else None
            data = place.raw.get("data")
            if (
                node_type is None
                or node_type.speaks
                or place.type in JUMPING_BACK
                or (place.type == "flow" and isinstance(data, dict) and is_template(data.get("flowId")))
            ):
                return
            if not node_type.waits:
                todo.extend(self._next_of(place))
        yield Problem("preference.fallbackFlowId", "silent_fallback")

    def _endless_loops(self) -> Iterator[Problem]:
        """Cycles that every walk through them must follow: each node leads on without a condition and none waits."""
        done: set[Key] = set()
        for start in self._by_key:
            trail: dict[Key, int] = {}
            key: Key | None = start
            while key is not None and key not in done and key not in trail:
                trail[key] = len(trail)
                key = self._certain_next(key)
            if key is not None and key in trail:
                loop = list(trail)[trail[key] :]
                nodes = ", ".join(str(node_id) for _, node_id in loop)
                yield Problem(self._by_key[loop[0]].path, "endless_loop", {"nodes": nodes, "flow": loop[0][0]})
            done.update(trail)

    def _certain_next(self, key: Key) -> Key | None:
        place = self._by_key.get(key)
        if place is None or not isinstance(place.type, str) or place.type not in NODE_TYPES:
            return None
        if NODE_TYPES[place.type].waits or place.type in JUMPING_BACK:
            return None
        given = place.raw.get("next")
        edges = [edge for edge in given if isinstance(edge, dict)] if isinstance(given, list) else []
        if place.type == "flow":
            return next(self._next_of(place), None)
        if edges:
            best = max(edges, key=lambda edge: (_priority(edge), bool(edge.get("where"))))
            if best.get("where"):
                return None
            node_id = read_id(best.get("nodeId"))
            return None if node_id is None else (key[0], node_id)
        return None


def _priority(edge: JsonObject) -> float:
    priority = edge.get("priority")
    return priority if isinstance(priority, int | float) else DEFAULT_PRIORITY


def _objects(value: Any) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)
