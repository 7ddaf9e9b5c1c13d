"""One step: the saved state and one inbound event in; messages, keyboard, facts, effect and the new state out.

Pure: reads no clock, network or store. What must happen in the world comes back as `effect`; when it is answered,
`resume` goes on with the same walk.
"""

from dataclasses import dataclass

from shared.bot.model import Bot, Node
from shared.engine import agent_call
from shared.engine.effects import Effect, EffectAnswer
from shared.engine.inbound import (
    AgentJoined,
    AgentMessage,
    BotMessage,
    CallCancelled,
    CallCompleted,
    CallRequested,
    Inbound,
    Opened,
    ParametersChanged,
    Restarted,
    StartAt,
    UserMessage,
)
from shared.engine.nodes import keyboard
from shared.engine.outcome import NodeFailed
from shared.engine.registry import COMPLETERS, EXECUTORS
from shared.engine.session import CALLING, JsonObject, Session
from shared.engine.surroundings import Surroundings
from shared.engine.trace import TraceEntry
from shared.engine.walk import Fact, Walk, error_value
from shared.templates import TemplateError, TemplateSyntaxError
from shared.values import PrintsAs

MILLISECONDS_A_MINUTE = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What a step did.

    `session` is None when no conversation began (an opening that says nothing). `messages` are {data, meta, position};
    `keyboard` is the one to show now. With `effect` the walk is suspended: carry it out and call `resume`, whose
    messages, facts and trace follow these.
    """

    session: Session | None
    messages: list[JsonObject]
    keyboard: JsonObject | None
    facts: list[Fact]
    effect: Effect | None
    trace: list[TraceEntry]


def step(bot: Bot, session: Session | None, inbound: Inbound, surroundings: Surroundings) -> StepResult:
    """Advance a conversation by one inbound event, up to the next wait."""
    facts: list[Fact] = []
    if session is not None and (isinstance(inbound, Restarted) or has_expired(bot, session, surroundings.now_ms)):
        facts.append(Fact("conversation.deleted", session))
        session = None
    if session is None:
        if isinstance(inbound, Opened) and not bot.session_behavior["welcomeOnSessionStart"]:
            return _nothing_said(bot, facts, surroundings)
        session = Session(
            conversation_id=surroundings.new_conversation_id, created_at_ms=surroundings.now_ms, waiting="first"
        )
        facts.append(Fact("conversation.created", session.copy()))
    else:
        session = session.copy()
    session.updated_at_ms = surroundings.now_ms
    session.progress = None
    session.params.update(surroundings.params)
    message = (
        inbound.data if isinstance(inbound, UserMessage) else inbound.message if isinstance(inbound, StartAt) else None
    )
    if message is not None:
        session.message = message
    walk = Walk(EXECUTORS, bot, session, surroundings)
    walk.facts = facts
    _dispatch(walk, inbound)
    return _finish(walk)


def resume(bot: Bot, session: Session, answer: EffectAnswer, surroundings: Surroundings) -> StepResult:
    """Go on with a suspended walk; `bot` is the version that it was suspended on."""
    progress = session.progress or {}
    session = session.copy()
    session.progress = None
    walk = Walk(EXECUTORS, bot, session, surroundings)
    walk.executed = progress.get("executed", 0)
    walk.silent = progress.get("silent", False)
    walk.spoke = progress.get("spoke", False)
    if "error" in progress:
        walk.context["error"] = PrintsAs(progress["error"], "message")
    origin = progress.get("origin", {})
    position = origin.get("position")
    walk.origin = (tuple(position) if position else None, origin.get("waiting", "nowhere"), origin.get("keyboard"))
    node = bot.node(*session.position) if session.position is not None else None
    if node is None:
        walk.start_at_fallback()
    else:
        walk.trace.append(TraceEntry(node.flow_id, node.id, node.type, effect={"answer": answer.describe()}))
        _take_answer(walk, node, answer)
    _answer_after_silent_walk(walk)
    return _finish(walk)


def has_expired(bot: Bot, session: Session, now_ms: int) -> bool:
    """A conversation ends after the bot's sessionTimeoutMinutes of silence (ours; 0: never)."""
    minutes = bot.session_behavior["sessionTimeoutMinutes"]
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes <= 0:
        return False
    if session.call["status"] in CALLING:  # a flow that the agent started may run: it is the agent's conversation
        return False
    return now_ms - session.updated_at_ms > minutes * MILLISECONDS_A_MINUTE


def opening_walks(bot: Bot, session: Session | None, now_ms: int) -> bool:
    """Whether an opening does more than to show again where the conversation waits."""
    if not bot.session_behavior["welcomeOnSessionStart"]:
        return False
    return session is None or has_expired(bot, session, now_ms) or _is_welcome_due(bot, session)


def _is_welcome_due(bot: Bot, session: Session) -> bool:
    is_new = session.waiting == "first" or not bot.session_behavior["restoreNavigation"]
    return is_new and session.call["status"] not in CALLING


def _nothing_said(bot: Bot, facts: list[Fact], surroundings: Surroundings) -> StepResult:
    """An opening while the welcome is switched off: no conversation begins; the channel gets systemMessage.empty."""
    nobody = Session(conversation_id=surroundings.new_conversation_id, created_at_ms=surroundings.now_ms)
    walk = Walk(EXECUTORS, bot, nobody, surroundings)
    _say_empty(walk)
    return StepResult(session=None, messages=walk.messages, keyboard=None, facts=facts, effect=None, trace=walk.trace)


def _dispatch(walk: Walk, inbound: Inbound) -> None:
    if isinstance(inbound, UserMessage):
        _hear(walk)
    elif isinstance(inbound, Opened | Restarted):
        _open(walk)
    elif isinstance(inbound, StartAt):
        _start_at(walk, inbound)
    elif isinstance(inbound, AgentJoined):
        agent_call.join(walk, inbound.agent)
    elif isinstance(inbound, AgentMessage):
        agent_call.speak(walk, inbound)
    elif isinstance(inbound, CallCompleted):
        agent_call.complete(walk)
    elif isinstance(inbound, CallRequested):
        agent_call.request_from_outside(walk)
    elif isinstance(inbound, CallCancelled):
        agent_call.cancel_from_outside(walk)
    elif isinstance(inbound, BotMessage):
        _tell(walk, inbound)
    else:
        assert isinstance(inbound, ParametersChanged)  # noqa: S101 - the last of the union
        _set_params(walk, inbound)


def _hear_first(walk: Walk) -> None:
    """A message from somebody without any conversation."""
    if walk.bot.session_behavior["welcomeOnMessageWithoutSession"]:
        walk.start_at_entry()
        return
    walk.silent = True
    walk.start_at_entry()
    _answer_after_silent_walk(walk)


def _answer_after_silent_walk(walk: Walk) -> None:
    """The silent walk has reached its first keyboard: the message is the answer to it."""
    if walk.silent and walk.effect is None:
        walk.silent = False
        walk.origin = (walk.session.position, walk.session.waiting, walk.session.keyboard)
        _hear(walk)


def _hear(walk: Walk) -> None:
    session = walk.session
    if session.is_with_agent:
        agent_call.hear(walk)
        return
    if session.waiting == "first":
        _hear_first(walk)
        return
    node = walk.bot.node(*session.position) if session.position is not None else None
    if node is not None and session.waiting == "again":
        walk.start(node)
    elif node is not None and session.waiting == "keyboard" and node.type == "keyboard":
        _answer_keyboard(walk, node)
    else:
        walk.start_at_fallback()


def _answer_keyboard(walk: Walk, node: Node) -> None:
    entry = TraceEntry(node.flow_id, node.id, node.type)
    walk.trace.append(entry)
    clock = walk.surroundings.clock_ns
    started = clock()
    try:
        if not keyboard.answer(walk, node):
            return
        edge = walk.choose(node)
        target = None if edge is None else walk.bot.node(node.flow_id, edge.node_id)
        if edge is not None and target is None:
            raise NodeFailed("NodeNotFound", f"no node {edge.node_id} in flow {node.flow_id}")
    except (NodeFailed, TemplateError, TemplateSyntaxError) as exc:
        walk.fail(getattr(exc, "name", "TemplateError"), str(exc))
        return
    finally:
        entry.nanoseconds = clock() - started
    if target is None:
        walk.start_at_fallback()
    else:
        walk.start(target)


def _take_answer(walk: Walk, node: Node, answer: EffectAnswer) -> None:
    """Give a node the answer to its effect and take its edges."""
    try:
        COMPLETERS[node.type](walk, node, answer)
        target = walk.advance(node)
    except (NodeFailed, TemplateError, TemplateSyntaxError) as exc:
        walk.fail(getattr(exc, "name", "TemplateError"), str(exc))
    else:
        walk.run(target)


def _open(walk: Walk) -> None:
    """The conversation was opened: welcome somebody new, show the last keyboard to somebody known."""
    if walk.bot.session_behavior["welcomeOnSessionStart"] and _is_welcome_due(walk.bot, walk.session):
        walk.start_at_entry()
    else:
        walk.spoke = True  # showing the keyboard again is enough: nothing else is said


def _start_at(walk: Walk, start: StartAt) -> None:
    """Jump whatever the position; a target that is gone goes to the fallback flow."""
    if walk.session.is_with_agent:
        if start.message is not None:  # the end user taps an old button while an agent is here
            agent_call.hear(walk)
            return
        walk.session.call = {**walk.session.call, "handler": "bot"}
    target = walk.find(start.flow_id, start.node_id)
    if target is None:
        walk.start_at_fallback()
    else:
        walk.start(target)


def _tell(walk: Walk, message: BotMessage) -> None:
    """Say what somebody outside has the bot say; the keyboard stays."""
    walk.messages.append({"data": message.data, "meta": message.meta, "position": None})
    walk.spoke = True


def _set_params(walk: Walk, change: ParametersChanged) -> None:
    """Set parameters for somebody outside; too many of them change nothing, and the trace says so."""
    walk.spoke = True
    walk.trace.append(TraceEntry(None, None, "bot"))
    try:
        walk.set_params(change.params)
    except NodeFailed as exc:
        walk.note_error(error_value(exc.name, str(exc)))


def _finish(walk: Walk) -> StepResult:
    session = walk.session
    agent_call.take_back(walk)
    if walk.effect is not None:
        position, waiting, shown = walk.origin
        session.progress = {
            "executed": walk.executed,
            "silent": walk.silent,
            "spoke": walk.spoke,
            "origin": {"position": position, "waiting": waiting, "keyboard": shown},
            **({"error": walk.context["error"]} if "error" in walk.context else {}),
        }
    else:
        if not walk.spoke and not session.is_with_agent:
            _say_empty(walk)
        walk.cap_results()
    return StepResult(
        session=session,
        messages=walk.messages,
        keyboard=session.keyboard,
        facts=walk.facts,
        effect=walk.effect,
        trace=walk.trace,
    )


def _say_empty(walk: Walk) -> None:
    """A turn that said nothing says systemMessage.empty, on every channel."""
    walk.note_error(error_value("NoMessage", "no message"))
    walk.say_system("empty")
