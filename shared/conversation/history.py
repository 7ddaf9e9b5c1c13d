"""What was said, as customers may see it now. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from shared.conversation.masking import apply_masks

JsonObject = dict[str, Any]

TOLD: Final = frozenset({"bot.message.received", "bot.message.sent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidTurn:
    """What a turn has said and told, without its state; fields as in conversation.turn.Turn."""

    revision: int
    at_ms: int
    messages: list[JsonObject]
    events: list[JsonObject]


def messages_of(messages: list[JsonObject], events: list[JsonObject], now_ms: int) -> list[JsonObject]:
    """The messages of a turn, in order, as their events told them, but masked as they are at `now_ms`: what could still
    be seen then may be hidden now. What was said outside a conversation was never told and is not among them."""
    stored = {message["id"]: message for message in messages}
    return [
        _masked(event["data"]["message"], stored.get(event["data"]["message"]["id"]), now_ms)
        for event in events
        if event["event"] in TOLD
    ]


def _masked(told: JsonObject, stored: JsonObject | None, now_ms: int) -> JsonObject:
    if stored is None:  # the end user's own
        return told
    return {
        **told,
        "data": apply_masks(stored["data"], stored.get("masks", []), now_ms),
        "meta": apply_masks(stored["meta"], stored.get("metaMasks", []), now_ms),
    }
