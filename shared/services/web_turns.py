"""What turns look like on the web (docs/web-chat.md): messages with their revision, keyboard, call for an agent.

Pure; for the answer to whoever wrote a turn, for those who are told of it, and for those who ask later.
"""

from typing import Any

from shared.conversation.history import SaidTurn, messages_of
from shared.conversation.turn import Turn
from shared.engine.session import NOBODY, Session
from shared.services.request import shown_keyboard
from shared.usage.brand import signed_messages
from shared.webhooks import events as webhook

JsonObject = dict[str, Any]

CALL_CHANGED = "agent_call"
"""Part of the names of events that tell of a changed call for an agent."""


def web_messages(turn: Turn | SaidTurn, now_ms: int, brand_line: str | None = None) -> list[JsonObject]:
    """What was said in a turn as it may be seen now, each with its `rev`; the bot's last word with the brand line."""
    told = messages_of(turn.messages, turn.events, now_ms)
    heard = [message for message in told if message["isUser"]]
    said = [message for message in told if not message["isUser"]]
    if brand_line is not None:
        said = signed_messages(said, lambda text: f"{text}\n\n{brand_line}" if text else brand_line)
    return [{**message, "rev": turn.revision} for message in (*heard, *said)]


def call_of(session: Session | None) -> JsonObject:
    """The call for an agent: its status, and the agent while one is here and known."""
    call: JsonObject = {"status": NOBODY} if session is None else session.call
    agent = call.get("agent")
    return {
        "status": call["status"],
        **({"agent": {"id": agent.get("id"), **webhook.agent_profile(agent)}} if agent else {}),
    }


def messages_frame(
    turn: Turn, now_ms: int, *, brand_line: str | None = None, heard: Turn | None = None, client_id: str | None = None
) -> JsonObject:
    """A turn, after the one that `heard` the message it answers where that is another. The frame holds everything after
    the revision `since`."""
    turns = [turn] if heard is None or heard.revision != turn.revision - 1 else [heard, turn]
    session = turn.state.session
    return {
        "type": "messages",
        "rev": turn.revision,
        "since": turns[0].revision - 1,
        **({} if client_id is None else {"clientId": client_id}),
        "messages": [message for each in turns for message in web_messages(each, now_ms, brand_line)],
        "keyboard": shown_keyboard(session),
        "call": call_of(session),
        "conversationId": None if session is None else session.conversation_id,
    }


def agent_frame(turn: Turn) -> JsonObject | None:
    """That the call for an agent changed; None where it did not."""
    if not any(CALL_CHANGED in event["event"] for event in turn.events):
        return None
    call = call_of(turn.state.session)
    return {"type": "agent", "state": call["status"], **({"agent": call["agent"]} if "agent" in call else {})}


def context_of(bot_id: str, user_key: str, end_user_id: str, newest: Turn | None) -> JsonObject:
    """What the SDK hands to listeners first."""
    session = None if newest is None else newest.state.session
    return {
        "botId": bot_id,
        "conversationId": None if session is None else session.conversation_id,
        "endUserId": end_user_id,
        "navigation": {} if session is None else session.navigation,
        "params": {} if session is None else session.params,
        "platform": "web",
        "userKey": user_key,
    }
