"""Calls for an agent: asked for by the bot or made by an agent, waited for, cancelled, taken, completed.

States: none, waiting, in_progress, completed, missed. While a call is waiting or in progress the bot
keeps quiet, except while a flow that the agent started runs (handler "bot").
"""

from typing import Final

from shared.engine.inbound import AgentMessage
from shared.engine.outcome import NodeFailed
from shared.engine.session import CALLING, JsonObject, Position
from shared.engine.trace import TraceEntry
from shared.engine.walk import Walk
from shared.templates import TemplateError, TemplateSyntaxError
from shared.values import to_text

REQUESTED: Final = "conversation.agent_call_requested"
CONNECTED: Final = "conversation.agent_call_connected"
CANCELLED: Final = "conversation.agent_call_cancelled"
DISCONNECTED: Final = "conversation.agent_call_disconnected"


def request(walk: Walk, position: Position, cancel: str) -> None:
    """The bot calls an agent from the node at `position`; the text `cancel` takes the call back.

    In a flow that an agent started the agent is here already.
    """
    if walk.session.call["status"] == "in_progress":
        walk.session.call = {key: value for key, value in walk.session.call.items() if key != "handler"}
        return
    walk.session.call = {
        "status": "waiting",
        "requestedAt": walk.surroundings.now_ms,
        "position": list(position),
        "cancel": cancel,
    }
    walk.session.keyboard = {"type": "buttons", "buttons": [{"type": "postback", "label": cancel}]}
    walk.tell(REQUESTED, manual_status="REQUESTED")


def request_from_outside(walk: Walk) -> None:
    """Somebody outside asks for an agent; nothing is said, and no word of the end user's takes it back.

    The conversation stays where it is, and goes on there if the request is cancelled.
    """
    walk.spoke = True
    if walk.session.call["status"] in CALLING:
        return
    walk.session.call = {"status": "waiting", "requestedAt": walk.surroundings.now_ms}
    walk.tell(REQUESTED, manual_status="REQUESTED")


def cancel_from_outside(walk: Walk) -> None:
    """Somebody outside takes a request back, as the end user's word would."""
    walk.spoke = True
    if walk.session.call["status"] == "waiting":
        _cancel(walk)


def hear(walk: Walk) -> None:
    """The end user says something while the bot keeps quiet: nothing, unless it is the word that cancels."""
    call = walk.session.call
    text = to_text((walk.session.message or {}).get("text")).strip()
    if call["status"] == "waiting" and text == call.get("cancel"):
        _cancel(walk)


def _cancel(walk: Walk) -> None:
    call = walk.session.call
    walk.session.call = {"status": "missed", "requestedAt": call["requestedAt"]}
    walk.tell(CANCELLED, manual_status="CANCELLED")
    if "position" not in call:  # asked for from outside: the bot goes on where it was
        walk.spoke = True
        return
    node = walk.bot.node(*call["position"])
    if node is None:
        walk.start_at_fallback()
        return
    walk.trace.append(TraceEntry(node.flow_id, node.id, node.type))
    walk.set_result("manual", {"status": "FAILED", "error": {"name": "Cancelled", "message": "cancelled"}})
    try:
        target = walk.advance(node)
    except (NodeFailed, TemplateError, TemplateSyntaxError) as exc:
        walk.fail(getattr(exc, "name", "TemplateError"), str(exc))
        return
    if target is None:
        walk.start_at_fallback()
    else:
        walk.start(target)


def join(walk: Walk, agent: JsonObject) -> None:
    """An agent takes over, called for or not."""
    call = walk.session.call
    walk.spoke = True
    if call["status"] == "in_progress":
        return
    called = {"position": call["position"]} if call["status"] == "waiting" and "position" in call else {}
    here = {"agent": agent} if agent else {}
    walk.session.call = {"status": "in_progress", "connectedAt": walk.surroundings.now_ms, **called, **here}
    walk.session.keyboard = None
    walk.tell(CONNECTED, manual_status="CONNECTED", agent=agent)


def speak(walk: Walk, message: AgentMessage) -> None:
    """An agent says something; a flow that was started for the agent stops."""
    join(walk, message.agent)
    call = walk.session.call
    if "handler" in call:
        walk.session.keyboard = None
        walk.session.call = {key: value for key, value in call.items() if key != "handler"}
    walk.messages.append({"data": message.data, "meta": None, "position": None, "agent": message.agent})
    walk.spoke = True


def take_back(walk: Walk) -> None:
    """A flow that the agent started and that has come to its end gives the conversation back to the agent."""
    session = walk.session
    if session.call.get("handler") == "bot" and session.waiting == "nowhere":
        session.call = {key: value for key, value in session.call.items() if key != "handler"}


def complete(walk: Walk) -> None:
    """The agent is done; with the end user's next message the bot goes on.

    At the node that called, in the flow that the agent started, or, when the agent barged in, at the entry flow.
    """
    session = walk.session
    call = session.call
    walk.spoke = True
    if call["status"] != "in_progress":
        return
    session.call = {"status": "completed", "completedAt": walk.surroundings.now_ms}
    walk.tell(DISCONNECTED, manual_status="DISCONNECTED", agent=call.get("agent"))
    if call.get("handler") == "bot":
        return
    if "position" in call:
        flow_id, node_id = call["position"]
        session.position = (flow_id, node_id)
        session.results["manual"] = {"status": "COMPLETED"}
    else:
        entry = walk.bot.entry_of(walk.bot.entry_flow_id)
        session.position = None if entry is None else (entry.flow_id, entry.id)
    session.waiting = "again"
