"""The events of a turn, complete as customers receive them (docs/events.md): built once, stored with the turn."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from shared.ids import event_id

JsonObject = dict[str, Any]

AGENT_PLATFORM: Final = "closer-chat"
"""meta.sender.platform of agents' messages: CLOSER's receivers tell agents from bots by it."""


def iso(at_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return f"{_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


@lru_cache(maxsize=64)
def _second(at_s: int) -> str:
    """Remembered: many events are of the same second."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(slots=True)
class EventLog:
    """Collects the events of one turn in order, numbering them on from the log's `sequence`."""

    bot_id: str
    commit: str
    at_ms: int
    sequence: int
    events: list[JsonObject] = field(default_factory=list)

    def add(self, event: str, data: JsonObject) -> None:
        self.sequence += 1
        self.events.append(
            {
                "id": event_id(self.commit, len(self.events)),
                "event": event,
                "sourceType": "bot",
                "sourceId": self.bot_id,
                "timestamp": self.at_ms,
                "data": data,
                "sequence": self.sequence,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whose log it is."""

    bot_id: str
    end_user_id: str
    platform: str
    user_key: str
    first_contact_ms: int


def end_user_data(
    person: Person, *, params: JsonObject, last_message_id: str | None, last_conversation_id: str | None, at_ms: int
) -> JsonObject:
    return {
        "endUser": {
            "id": person.end_user_id,
            "botId": person.bot_id,
            "platform": person.platform,
            "userKey": person.user_key,
            "params": params,
            "lastMessageId": last_message_id,
            "lastConversationId": last_conversation_id,
            "createdAt": iso(person.first_contact_ms),
            "updatedAt": iso(at_ms),
            "deletedAt": None,
        }
    }


def conversation_data(
    person: Person,
    *,
    conversation_id: str,
    params: JsonObject,
    navigation: JsonObject,
    created_at_ms: int,
    at_ms: int,
    manual_status: str | None = None,
    agent: JsonObject | None = None,
) -> JsonObject:
    context: JsonObject = {
        "navigation": navigation,
        "conversationId": conversation_id,
        "botId": person.bot_id,
        "params": params,
        "platform": person.platform,
        "userKey": person.user_key,
    }
    if manual_status is not None:
        context["manual"] = {"status": manual_status}
    data: JsonObject = {
        "conversation": {
            "id": conversation_id,
            "botId": person.bot_id,
            "endUserId": person.end_user_id,
            "platform": person.platform,
            "userKey": person.user_key,
            "params": params,
            "context": context,
            "navigation": navigation,
            "createdAt": iso(created_at_ms),
            "updatedAt": iso(at_ms),
        }
    }
    if agent:
        data["agent"] = {"id": agent.get("id"), "profile": agent_profile(agent)}
    return data


def message_data(
    person: Person,
    *,
    message_id: str,
    conversation_id: str | None,
    is_user: bool,
    data: JsonObject,
    meta: JsonObject | None,
    at_ms: int,
    request_id: str | None = None,
) -> JsonObject:
    """Received and agents' messages carry a requestId, the bot's do not."""
    message: JsonObject = {
        "id": message_id,
        "endUserId": person.end_user_id,
        "conversationId": conversation_id,
        "isUser": is_user,
        "meta": meta,
        "data": data,
        "timestamp": at_ms,
    }
    if request_id is not None:
        message["requestId"] = request_id
    return {"message": message}


def agent_meta(agent: JsonObject) -> JsonObject:
    """meta of an agent's message: CLOSER's dashboards tell agents from bots by `persona`."""
    return {
        "sender": {"userKey": agent.get("id"), "platform": AGENT_PLATFORM},
        "persona": {"id": agent.get("id"), **agent_profile(agent)},
    }


def agent_profile(agent: JsonObject) -> JsonObject:
    """What receivers may know of an agent besides the id; what is not known is null."""
    profile = agent.get("profile") or {}
    return {"displayName": profile.get("displayName"), "picture": profile.get("picture")}


def bot_data(
    *,
    bot_id: str,
    profile: JsonObject,
    preference: JsonObject,
    integration: JsonObject,
    created_at_ms: int,
    at_ms: int,
    deleted_at_ms: int | None = None,
) -> JsonObject:
    return {
        "bot": {
            "id": bot_id,
            "title": profile.get("title"),
            "description": profile.get("description"),
            "integration": integration,
            "preference": preference,
            "data": {},
            "createdAt": iso(created_at_ms),
            "updatedAt": iso(at_ms),
            "deletedAt": None if deleted_at_ms is None else iso(deleted_at_ms),
        }
    }


TEST_EVENT: Final = "webhook.test"


def trial_event(*, event_id: str, bot_id: str, webhook_id: str, name: str, at_ms: int) -> JsonObject:
    """What an owner sends to see whether their receiver works: of no log, so that its sequence is 0."""
    return {
        "id": event_id,
        "event": TEST_EVENT,
        "sourceType": "bot",
        "sourceId": bot_id,
        "timestamp": at_ms,
        "data": {"webhook": {"id": webhook_id, "name": name, "botId": bot_id}},
        "sequence": 0,
    }
