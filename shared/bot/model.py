"""A bot ready to run: its document indexed by id, with templates and conditions compiled on first use.

Loading only indexes, so that a bot of thousands of nodes is ready in milliseconds; whatever a walk touches is compiled
once and kept with the version. Malformed parts (a draft may have them) are simply not there: reaching one is an error
of that node, never of the process.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from shared.bot.document import DEFAULT_SESSION_BEHAVIOR, DEFAULT_SYSTEM_MESSAGES
from shared.bot.upgrade import upgrade_data
from shared.bot.verbatim import HTML, NO_KEYS, VERBATIM
from shared.conditions import Condition, ConditionError, parse_condition
from shared.templates import DataTemplate, Template, compile_data, parse_template

JsonObject = dict[str, Any]

DEFAULT_PRIORITY: Final = 1


def read_id(value: Any) -> int | None:
    """A flow or node id: an integer, or its digits as text (a rendered template)."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if text.removeprefix("-").isdecimal() and len(text) <= 18:  # noqa: PLR2004 - ids are small; digits could be endless
            return int(text)
    return None


class Edge:
    """A way from one node to another; `condition` is None when it always holds."""

    __slots__ = ("condition", "index", "node_id", "priority")

    def __init__(self, index: int, node_id: int | None, priority: float, condition: Condition | None) -> None:
        self.index = index
        self.node_id = node_id
        self.priority = priority
        self.condition = condition


class Node:
    """One thing the bot does."""

    __slots__ = ("__dict__", "flow_id", "id", "raw", "type")

    def __init__(self, flow_id: int, raw: JsonObject, node_id: int) -> None:
        self.flow_id = flow_id
        self.id = node_id
        self.raw = raw
        self.type: str = raw["type"] if isinstance(raw.get("type"), str) else ""

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Ways out, best first: highest priority, then more single conditions, then order.

        The first whose condition holds is the one to take.
        """
        raw_edges = self.raw.get("next")
        edges = list(read_edges(raw_edges)) if isinstance(raw_edges, list) else []
        return tuple(
            sorted(edges, key=lambda edge: (-edge.priority, -_single_conditions(edge), edge.index)),
        )

    @cached_property
    def data(self) -> DataTemplate:
        """The node's data as a template of data; keys that are never templates are left out."""
        data = self.raw.get("data")
        verbatim = VERBATIM.get(self.type)
        data = upgrade_data(self.type, data) if isinstance(data, dict) else {}
        if verbatim:
            data = {key: value for key, value in data.items() if key not in verbatim}
        return compile_data(data, HTML.get(self.type, NO_KEYS))

    @cached_property
    def compiled(self) -> JsonObject:
        """Room for what the node's own executor compiles once (conditions of a parameter node, say)."""
        return {}


def _single_conditions(edge: Edge) -> int:
    return 0 if edge.condition is None else edge.condition.single_conditions


def read_edges(raw_edges: list[Any]) -> Iterator[Edge]:
    for index, raw in enumerate(raw_edges):
        if not isinstance(raw, dict):
            continue
        priority = raw.get("priority")
        if isinstance(priority, bool) or not isinstance(priority, int | float):
            priority = DEFAULT_PRIORITY
        where = raw.get("where")
        try:
            condition = parse_condition(where) if where else None
        except ConditionError:
            continue  # lint names it; an edge whose condition cannot be read never holds
        yield Edge(index, read_id(raw.get("nodeId")), priority, condition)


class Flow:
    """A named graph of nodes."""

    def __init__(self, raw: JsonObject, flow_id: int) -> None:
        self.id = flow_id
        self.raw = raw
        self._nodes: dict[int, Node] = {}

    @cached_property
    def _raw_nodes(self) -> dict[int, JsonObject]:
        nodes = self.raw.get("nodes")
        found: dict[int, JsonObject] = {}
        for node in nodes if isinstance(nodes, list) else ():
            if isinstance(node, dict) and (node_id := read_id(node.get("id"))) is not None:
                found.setdefault(node_id, node)
        return found

    def node(self, node_id: int | None) -> Node | None:
        if node_id is None:
            return None
        node = self._nodes.get(node_id)
        if node is None and (raw := self._raw_nodes.get(node_id)) is not None:
            node = self._nodes[node_id] = Node(self.id, raw, node_id)
        return node

    def __iter__(self) -> Iterator[Node]:
        for node_id in self._raw_nodes:
            node = self.node(node_id)
            assert node is not None  # noqa: S101 - it was just listed
            yield node

    @cached_property
    def entry_id(self) -> int | None:
        """The entry: `data.entry`, or the node of type entry where data is missing (flow exports)."""
        data = self.raw.get("data")
        declared = read_id(data.get("entry")) if isinstance(data, dict) else None
        if declared in self._raw_nodes:
            return declared
        return next((node_id for node_id, raw in self._raw_nodes.items() if raw.get("type") == "entry"), None)


class Bot:
    """A bot version to run. `bot_id` and `version` only identify it; title and description are what templates see."""

    def __init__(
        self, content: JsonObject, *, bot_id: str = "", version: str = "", profile: JsonObject | None = None
    ) -> None:
        self.id = bot_id
        self.version = version
        self.profile = profile or {}
        self.content = content
        self._templates: dict[str, Template] = {}
        flows = content.get("flows")
        self.flows: dict[int, Flow] = {}
        for raw in flows if isinstance(flows, list) else ():
            if isinstance(raw, dict) and (flow_id := read_id(raw.get("id"))) is not None:
                self.flows.setdefault(flow_id, Flow(raw, flow_id))
        preference = content.get("preference")
        self.preference: JsonObject = preference if isinstance(preference, dict) else {}

    @cached_property
    def entry_flow_id(self) -> int | None:
        """The flow of the welcome: `preference.entryFlowId`, or the first flow where none is named."""
        named = read_id(self.preference.get("entryFlowId"))
        return named if named is not None else next(iter(self.flows), None)

    @cached_property
    def fallback_flow_id(self) -> int | None:
        """The flow for whatever nobody expected; the entry flow where there is none."""
        named = read_id(self.preference.get("fallbackFlowId"))
        return named if named in self.flows else self.entry_flow_id

    @cached_property
    def session_behavior(self) -> JsonObject:
        given = self.preference.get("sessionBehavior")
        return {**DEFAULT_SESSION_BEHAVIOR, **(given if isinstance(given, dict) else {})}

    @cached_property
    def system_messages(self) -> dict[str, str]:
        """The author's sentences; empty or missing ones are the defaults."""
        given = self.preference.get("systemMessage")
        texts = given if isinstance(given, dict) else {}
        return {
            key: texts[key] if isinstance(texts.get(key), str) and texts[key] else default
            for key, default in DEFAULT_SYSTEM_MESSAGES.items()
        }

    def system_template(self, key: str) -> Template:
        """One of the author's sentences, ready to render. Raises TemplateSyntaxError where it cannot be read."""
        return self.template(self.system_messages[key])

    def default_system_message(self, key: str) -> str:
        """Our own sentence, for when the author's fails."""
        return DEFAULT_SYSTEM_MESSAGES[key]

    def template(self, source: str) -> Template:
        """A template of this bot, compiled once."""
        template = self._templates.get(source)
        if template is None:
            template = self._templates[source] = parse_template(source)
        return template

    @property
    def title(self) -> str:
        title = self.profile.get("title")
        return title if isinstance(title, str) else ""

    def node(self, flow_id: int | None, node_id: int | None) -> Node | None:
        flow = self.flows.get(flow_id) if flow_id is not None else None
        return None if flow is None else flow.node(node_id)

    def entry_of(self, flow_id: int | None) -> Node | None:
        flow = self.flows.get(flow_id) if flow_id is not None else None
        return None if flow is None else flow.node(flow.entry_id)
