"""A walk: executing one node after another until somebody has to say something.

The walk owns a private copy of the session and the context that templates and conditions see. Node executors write
through its methods, so that every write is in the trace.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.bot.model import Bot, Edge, Node
from shared.engine import back_stack
from shared.engine.effects import Effect, EffectAnswer
from shared.engine.outcome import Advance, End, Jump, JumpToEntry, JumpToFallback, NodeFailed, Outcome, Suspend, Wait
from shared.engine.session import JsonObject, Session
from shared.engine.surroundings import Surroundings
from shared.engine.trace import TraceEntry, has_masks
from shared.redaction import STARS
from shared.templates import RenderEnvironment, TemplateError, TemplateSyntaxError
from shared.values import UNDEFINED, PrintsAs, member, to_json

MAX_NODES: Final = 100
"""Executed nodes a step (ours): more means that the bot runs in a circle."""
CYCLE_SHOWN: Final = 10
SHOWS_KEYBOARD: Final = frozenset({"keyboard", "agent"})
"""While an agent is called, the keyboard offers to cancel."""
RESULT_LIMIT: Final = 16 * 1024
"""Characters of JSON that one node result may take into later turns (ours): the state must stay small."""
KEPT_OF_DROPPED: Final = ("status", "statusCode", "uri", "error")
KEPT_LIMIT: Final = 2_000
"""Characters of JSON up to which these parts of a dropped result are kept."""
PARAMS_LIMIT: Final = 64 * 1024
"""Bytes of JSON that a conversation's parameters may take together (ours): every event of the conversation carries them
twice, and an event must fit into one message (SNS: 256 KB)."""
MAX_ERROR_MESSAGE: Final = 1_000
"""Characters of an error's message; templates and addresses in it could be long."""
MOST_BYTES_A_CHARACTER: Final = 6
"""In JSON: a control character is written as \\u0001."""
COMPLETED: Final[JsonObject] = {"status": "COMPLETED"}

_size_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to the conversation.

    `name` is the event's (docs/events.md) without `bot.`; `session` the conversation as it was then.
    """

    name: str
    session: Session
    agent: JsonObject | None = None
    manual_status: str | None = None


def error_value(name: str, message: str, **more: Any) -> PrintsAs:
    """An error as templates see it: prints as its message."""
    return PrintsAs({"name": name, "message": message[:MAX_ERROR_MESSAGE], **more}, "message")


def params_size(params: JsonObject) -> int:
    """Bytes of JSON that parameters take, or a larger estimate where that is far inside the limit: encoding them all
    for every one that is set would be most of a step."""
    estimate = 0
    for key, value in params.items():
        if not isinstance(value, str):
            break
        estimate += MOST_BYTES_A_CHARACTER * (len(key) + len(value)) + 6
    else:
        if estimate <= PARAMS_LIMIT:
            return estimate
    return len(_size_encoder.encode(params).encode("utf-8", "surrogatepass"))


def build_context(bot: Bot, session: Session, surroundings: Surroundings) -> JsonObject:
    """What templates, conditions and scripts see."""
    context: JsonObject = {}
    for node_type, result in session.results.items():
        error = result.get("error")
        context[node_type] = {**result, "error": PrintsAs(error, "message")} if isinstance(error, dict) else result
    context["bot"] = {"id": bot.id, "title": bot.title, "description": bot.profile.get("description")}
    context["botId"] = bot.id
    if surroundings.end_user_id is not None:
        context["endUserId"] = surroundings.end_user_id
    context["conversationId"] = session.conversation_id
    context["platform"] = surroundings.platform
    context["userKey"] = surroundings.user_key
    context["params"] = session.params
    if session.message is not None:
        context["message"] = PrintsAs(session.message, "text")
    return context


Executor = Callable[["Walk", Node, JsonObject], Outcome]
"""What a node of one type does, with its rendered data; raises NodeFailed."""

Completer = Callable[["Walk", Node, EffectAnswer], None]
"""What a node of one type does with the answer to the effect that it asked for; its edges are taken afterwards."""


class Walk:
    """One step's walk; `executors` says what a node of each type does.

    `messages` {data, meta, position} are what it says; `effect` is set when it is suspended.
    """

    __slots__ = (
        "_executors",
        "bot",
        "context",
        "effect",
        "environment",
        "executed",
        "facts",
        "messages",
        "origin",
        "session",
        "silent",
        "spoke",
        "surroundings",
        "trace",
    )

    def __init__(
        self, executors: Mapping[str, Executor], bot: Bot, session: Session, surroundings: Surroundings
    ) -> None:
        self._executors = executors
        self.bot = bot
        self.session = session
        self.surroundings = surroundings
        self.context = build_context(bot, session, surroundings)
        self.environment = RenderEnvironment(
            now_ms=surroundings.now_ms, random=surroundings.random, language=surroundings.language
        )
        self.messages: list[JsonObject] = []
        self.facts: list[Fact] = []
        self.trace: list[TraceEntry] = []
        self.effect: Effect | None = None
        self.executed = 0
        self.silent = False
        self.spoke = False
        self.origin = (session.position, session.waiting, session.keyboard)

    # ---- what executors use

    @property
    def entry(self) -> TraceEntry:
        """The trace of the node that runs now."""
        return self.trace[-1]

    def say(self, data: JsonObject, meta: JsonObject | None = None) -> None:
        """Send a message; a silent walk only notes it."""
        if self.silent:
            self.entry.notes.append("a message was not sent: the walk to the first keyboard is silent")
            return
        entry = self.entry
        message = {"data": data, "meta": meta, "position": [entry.flow_id, entry.node_id]}
        self.messages.append(message)
        entry.messages.append(data)
        self.spoke = True

    def set_params(self, params: JsonObject) -> None:
        """Merge into the parameters; None removes. Raises NodeFailed when they would become too large."""
        kept = self.session.params  # the context and the conversation share this very object
        merged = {key: value for key, value in {**kept, **params}.items() if value is not None}
        size = params_size(merged)
        if size > PARAMS_LIMIT and any(value is not None for value in params.values()):
            message = (
                f"the parameters would take {size} bytes with {', '.join(params)}; at most {PARAMS_LIMIT} are kept"
            )
            raise NodeFailed("ParametersTooLarge", message)
        changes = self.entry.changes
        for key, value in params.items():
            if value is None:
                kept.pop(key, None)
            else:
                kept[key] = value
            changes[f"params.{key}"] = value

    def clear_params(self) -> None:
        self.session.params.clear()
        self.entry.changes["params"] = {}

    def set_result(self, node_type: str, result: JsonObject) -> None:
        """Replace the result of this node type whole."""
        self.session.results[node_type] = result
        error = result.get("error")
        self.context[node_type] = {**result, "error": PrintsAs(error, "message")} if isinstance(error, dict) else result
        self.entry.changes[node_type] = result

    def set_failure(self, node_type: str, name: str, message: str, **more: Any) -> None:
        """A failure that the bot's edges can see; the walk goes on and no error message is sent."""
        error = error_value(name, message, **{key: more[key] for key in ("statusCode",) if key in more})
        self.set_result(node_type, {"status": "FAILED", **more, "error": error})
        self.note_error(error)

    def note_error(self, error: PrintsAs) -> None:
        """The last failure of the turn, for templates and for the trace."""
        self.context["error"] = error
        if not self.trace:
            self.trace.append(TraceEntry(None, None, "bot"))
        self.entry.error = dict(error)

    def tell(self, name: str, *, manual_status: str | None = None, agent: JsonObject | None = None) -> None:
        """Note a fact for the events of this turn."""
        self.facts.append(Fact(name, self.session.copy(), agent or None, manual_status))

    def resolve(self, path: tuple[str, ...]) -> Any:
        """A path of a condition: the context first, then the parameters."""
        value = self.context.get(path[0], UNDEFINED)
        if value is UNDEFINED:
            value = self.session.params.get(path[0], UNDEFINED)
        for name in path[1:]:
            value = member(value, name)
        return value

    def render(self, source: str) -> str:
        """A text with templates, compiled once a bot version."""
        return self.bot.template(source).render(self.context, self.environment)

    def choose(self, node: Node) -> Edge | None:
        """The edge to take: the first, best first, whose condition holds."""
        notes = self.entry.notes
        for edge in node.edges:
            if edge.condition is None or edge.condition.holds(self.resolve, self.render, notes):
                self.entry.edge = edge.index
                return edge
        return None

    # ---- walking

    def start(self, node: Node | None) -> None:
        """Begin an automatic reply at `node`: its place goes onto the back stack."""
        if node is not None:
            back_stack.push(self.session.back_stack, (node.flow_id, node.id))
        self.run(node)

    def start_at_entry(self) -> None:
        self._start_at_flow(self.bot.entry_flow_id, "entry")

    def start_at_fallback(self) -> None:
        self._start_at_flow(self.bot.fallback_flow_id, "fallback")

    def _start_at_flow(self, flow_id: int | None, role: str) -> None:
        node = self.bot.entry_of(flow_id)
        if node is None:
            self.fail("FlowNotFound", f"no flow: the {role} flow {flow_id} is missing or has no entry node")
        else:
            self.start(node)

    def run(self, node: Node | None) -> None:
        """Execute nodes from `node` on until the walk waits, ends, is suspended or fails."""
        while node is not None:
            if self.executed >= MAX_NODES:
                self._fail_loop()
                return
            if self.surroundings.milliseconds_left() <= 0:
                self.fail("DeadlineExceeded", "the answer took too long")
                return
            node = self._execute(node)

    def _execute(self, node: Node) -> Node | None:
        self.executed += 1
        entry = TraceEntry(node.flow_id, node.id, node.type)
        self.trace.append(entry)
        clock = self.surroundings.clock_ns
        started = clock()
        execute = self._executors.get(node.type)
        try:
            if execute is None:
                raise NodeFailed("UnknownNodeType", f"unknown node type '{node.type}'")
            data = node.data.render(self.context, self.environment)
            entry.data = data
            outcome = execute(self, node, data)
            return self._follow(node, outcome)
        except (NodeFailed, TemplateError, TemplateSyntaxError) as exc:
            name = getattr(exc, "name", "TemplateError")
            if execute is not None:
                self.set_result(node.type, {"status": "FAILED", "error": error_value(name, str(exc))})
            self.fail(name, str(exc))
            return None
        finally:
            entry.nanoseconds = clock() - started

    def advance(self, node: Node) -> Node | None:
        """The node behind the edge to take from `node`; None ends the walk there."""
        edge = self.choose(node)
        if edge is None:
            self._rest(node, "nowhere")
            return None
        target = self.bot.node(node.flow_id, edge.node_id)
        if target is None:
            raise NodeFailed("NodeNotFound", f"no node {edge.node_id} in flow {node.flow_id}")
        return target

    def _follow(self, node: Node, outcome: Outcome) -> Node | None:
        if isinstance(outcome, Wait):
            self._rest(node, outcome.waiting)
            return None
        if isinstance(outcome, Suspend):
            self.effect = outcome.effect
            # An effect is sent in clear; what MASK hides shows only in the data, where it is known which part it is.
            self.entry.effect = {"request": STARS if has_masks(self.entry.data) else outcome.effect.describe()}
            self._rest(node, "effect")
            return None
        if node.type not in self.entry.changes and self.session.results.get(node.type) != COMPLETED:
            self.set_result(node.type, COMPLETED)
        if isinstance(outcome, Advance):
            return self.advance(node)
        if isinstance(outcome, Jump):
            return self._jump(outcome)
        if isinstance(outcome, End):
            self._rest(node, "nowhere")
            return None
        if isinstance(outcome, JumpToEntry):
            return self._jump(Jump(self.bot.entry_flow_id, None, missing_is_error=True))
        assert isinstance(outcome, JumpToFallback)  # noqa: S101 - the last of the union
        return self._jump(Jump(self.bot.fallback_flow_id, None, missing_is_error=True))

    def _jump(self, jump: Jump) -> Node | None:
        target = self.find(jump.flow_id, jump.node_id)
        if target is not None:
            return target
        if jump.missing_is_error:
            wanted = f"flow {jump.flow_id}" if jump.node_id is None else f"node {jump.node_id} in flow {jump.flow_id}"
            raise NodeFailed("FlowNotFound", f"no {wanted}")
        return self._jump(Jump(self.bot.fallback_flow_id, None, missing_is_error=True))

    def find(self, flow_id: int | None, node_id: int | None) -> Node | None:
        """A node, or the entry of the flow when no node is named."""
        return self.bot.entry_of(flow_id) if node_id is None else self.bot.node(flow_id, node_id)

    def _rest(self, node: Node, waiting: Any) -> None:
        session = self.session
        session.waiting = waiting
        session.position = (node.flow_id, node.id)
        if waiting not in SHOWS_KEYBOARD:
            session.keyboard = None
        if waiting == "effect":
            return
        current = session.navigation.get("current")
        here = {"flowId": node.flow_id, "nodeId": node.id, "visitCount": 1}
        if current is not None and (current["flowId"], current["nodeId"]) == (node.flow_id, node.id):
            here["visitCount"] = current["visitCount"] + 1
            session.navigation = {**session.navigation, "current": here}
        else:
            session.navigation = {"current": here, "prev": current}

    # ---- failures

    def fail(self, name: str, message: str) -> None:
        """Send the bot's error message and leave the conversation where a next message can go on.

        That is the keyboard that the user just answered, if there is one, so that another answer can be tried.
        """
        error = error_value(name, message)
        self.note_error(error)
        self.effect = None
        position, waiting, keyboard = self.origin
        session = self.session
        if waiting == "keyboard" and position is not None and self.bot.node(*position) is not None:
            session.position, session.waiting, session.keyboard = position, waiting, keyboard
        else:
            session.position, session.waiting, session.keyboard = None, "nowhere", None
        self.silent = False
        self.say_system("error")

    def say_system(self, key: str) -> None:
        """Send one of the bot's own sentences (empty, error), which belong to no node; ours where the author's fails or
        comes out empty."""
        try:
            text = self.bot.system_template(key).render(self.context, self.environment)
        except (TemplateError, TemplateSyntaxError) as exc:
            self.entry.notes.append(f"systemMessage.{key} cannot be used: {exc}")
            text = ""
        if not text.strip():
            text = self.bot.default_system_message(key)
        data = {"type": "text", "text": text}
        self.messages.append({"data": data, "meta": None, "position": None})
        self.entry.messages.append(data)
        self.spoke = True

    def _fail_loop(self) -> None:
        nodes = [f"{entry.flow_id}/{entry.node_id}" for entry in self.trace[-CYCLE_SHOWN:]]
        self.entry.notes.append(f"the walk runs in a circle: {' -> '.join(nodes)}")
        self.fail("LoopError", f"more than {MAX_NODES} nodes without waiting for the user")

    # ---- the end

    def cap_results(self) -> None:
        """Drop results that are too large to be carried into later turns; the trace says which."""
        for node_type, result in self.session.results.items():
            if len(result) <= 1 or len(to_json(result)) <= RESULT_LIMIT:
                continue
            small = {key: result[key] for key in KEPT_OF_DROPPED if key in result}
            kept = {key: value for key, value in small.items() if len(to_json(value)) <= KEPT_LIMIT}
            self.session.results[node_type] = {**kept, "dropped": True}
            if self.trace:
                self.entry.notes.append(f"the result of {node_type} is too large and is dropped after this turn")
