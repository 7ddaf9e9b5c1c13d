"""The objects of the open API, in the shapes of docs/events.md. Pure: each is read from a turn, which carries the state
as it was then."""

from typing import Any, Final

from shared.bot.model import Flow
from shared.bot.record import BotRecord
from shared.conversation.turn import Turn
from shared.engine.session import NOBODY, Session
from shared.ids import end_user_id
from shared.webhooks import events as webhook

JsonObject = dict[str, Any]

MANUAL_STATUS: Final = {
    "waiting": "REQUESTED",
    "in_progress": "CONNECTED",
    "missed": "CANCELLED",
    "completed": "DISCONNECTED",
}
"""What events call the states of a call for an agent."""


def bot_object(record: BotRecord, preference: JsonObject) -> JsonObject:
    data = webhook.bot_data(
        bot_id=record.bot_id,
        profile=record.profile,
        preference=preference,
        integration={platform: {"enabled": True} for platform in record.channels},
        created_at_ms=record.created_at_ms,
        at_ms=record.updated_at_ms,
    )
    bot: JsonObject = data["bot"]
    return bot


def flow_object(flow: Flow) -> JsonObject:
    return {
        "id": flow.id,
        "title": flow.raw.get("title"),
        "data": {"entry": flow.entry_id},
        "nodes": [{"id": node.id, "type": node.type, "label": node.raw.get("label")} for node in flow],
    }


def person_of(turn: Turn) -> webhook.Person:
    """Whose log the turn is in."""
    return webhook.Person(
        bot_id=turn.bot_id,
        end_user_id=end_user_id(turn.bot_id, turn.platform, turn.user_key),
        platform=turn.platform,
        user_key=turn.user_key,
        first_contact_ms=turn.state.first_contact_ms,
    )


def conversation_object(turn: Turn, session: Session) -> JsonObject:
    """The conversation as `turn` left it; `session` is the turn's."""
    data = webhook.conversation_data(
        person_of(turn),
        conversation_id=session.conversation_id,
        params=session.params,
        navigation=session.navigation,
        created_at_ms=session.created_at_ms,
        at_ms=turn.at_ms,
        manual_status=manual_status(session),
    )
    conversation: JsonObject = data["conversation"]
    return conversation


def end_user_object(turn: Turn, last_message_id: str | None) -> JsonObject:
    """The person as the newest `turn` of their log left them."""
    session = turn.state.session
    data = webhook.end_user_data(
        person_of(turn),
        params={} if session is None else session.params,
        last_message_id=last_message_id,
        last_conversation_id=None if session is None else session.conversation_id,
        at_ms=turn.at_ms,
    )
    last_conversation = None if session is None else conversation_object(turn, session)
    return {**data["endUser"], "lastConversation": last_conversation}


def manual_object(session: Session) -> JsonObject:
    """The call for an agent: `status` is null when there was none, `agent` while one is here and known."""
    agent = session.call.get("agent")
    known = None if agent is None else {"id": agent.get("id"), "profile": webhook.agent_profile(agent)}
    return {"conversationId": session.conversation_id, "status": manual_status(session), "agent": known}


def manual_status(session: Session) -> str | None:
    status = session.call["status"]
    return None if status == NOBODY else MANUAL_STATUS[status]
