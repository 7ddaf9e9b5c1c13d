"""The use case of direct callers: one step on any platform for a published bot."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from shared.engine.inbound import Inbound, Opened, StartAt, UserMessage
from shared.errors import InvalidInput, NotFound
from shared.ids import BOT_ID
from shared.json_input import parse_json
from shared.services.inbound import HandleInbound
from shared.services.ports import RunnableBots
from shared.services.published_bots import PublishedBots
from shared.services.request import Handled, Request

JsonObject = dict[str, Any]

PLATFORMS: Final = frozenset({"kakao", "kakaobiz", "facebook", "line", "navertalk", "bizchat", "wechat", "web", "test"})
MAX_USER_KEY: Final = 90
"""Characters (docs/events.md)."""
MAX_CLIENT_ID: Final = 90
"""Ours: an id that was cut would make different messages the same."""
MAX_EVENT_BYTES: Final = 256 * 1024
"""Ours, as ASCII JSON: twice what a WebSocket's message may have."""
MESSAGE_TYPES: Final = frozenset({"text", "media", "location"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectRequest:
    """A parsed event."""

    bot_id: str
    platform: str
    user_key: str
    inbound: Inbound
    client_id: str | None = None
    params: JsonObject = field(default_factory=dict)


def parse_direct_request(event: Any) -> DirectRequest:
    """The event as a request. Raises InvalidInput with the place of what is wrong."""
    event = parse_json(json.dumps(event).encode(), max_bytes=MAX_EVENT_BYTES)  # Lambda's own parser lets all through
    if not isinstance(event, dict):
        raise InvalidInput("event: an object is expected")
    bot_id, user_key = _text(event, "botId"), _text(event, "userKey")
    if not BOT_ID.fullmatch(bot_id):
        raise InvalidInput("event.botId: not a bot's id")
    if not 0 < len(user_key) <= MAX_USER_KEY:
        raise InvalidInput(f"event.userKey: 1 to {MAX_USER_KEY} characters are expected")
    platform = event.get("platform", "test")
    if platform not in PLATFORMS:
        raise InvalidInput(f"event.platform: one of {', '.join(sorted(PLATFORMS))} is expected")
    params = event.get("params") or {}
    if not isinstance(params, dict):
        raise InvalidInput("event.params: an object is expected")
    client_id = None if event.get("clientId") is None else _text(event, "clientId")
    if client_id is not None and not 0 < len(client_id) <= MAX_CLIENT_ID:
        raise InvalidInput(f"event.clientId: 1 to {MAX_CLIENT_ID} characters are expected")
    return DirectRequest(
        bot_id=bot_id,
        platform=platform,
        user_key=user_key,
        inbound=_inbound(event),
        client_id=client_id,
        params=params,
    )


def _inbound(event: JsonObject) -> Inbound:
    if event.get("open"):
        return Opened()
    start, message = event.get("start"), event.get("message")
    if isinstance(start, dict) and isinstance(start.get("flowId"), int):
        node_id = start.get("nodeId")
        return StartAt(flow_id=start["flowId"], node_id=node_id if isinstance(node_id, int) else None)
    if not isinstance(message, dict) or message.get("type", "text") not in MESSAGE_TYPES:
        raise InvalidInput("event: 'message' {type, text}, 'open' or 'start' {flowId} is expected")
    return UserMessage(data={"type": "text", **message})


def _text(event: JsonObject, key: str) -> str:
    value = event.get(key)
    if not isinstance(value, str):
        raise InvalidInput(f"event.{key}: text is expected")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectStep:
    """Runs the published version."""

    published: PublishedBots
    runnable: RunnableBots
    handle_inbound: HandleInbound

    def __call__(self, request: DirectRequest, deadline_ns: int) -> Handled:
        record = self.published.get(request.bot_id, deadline_ns)
        if record is None or record.published is None or record.deleted_at_ms is not None:
            raise NotFound(f"no published bot '{request.bot_id}'", bot=request.bot_id)
        return self.handle_inbound(
            Request(
                bot=self.runnable.load(record, record.published, deadline_ns),
                platform=request.platform,
                user_key=request.user_key,
                inbound=request.inbound,
                client_id=request.client_id,
                params=request.params,
                deadline_ns=deadline_ns,
            )
        )
