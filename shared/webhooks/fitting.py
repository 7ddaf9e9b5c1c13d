"""An event that no message can carry, made to fit: what was left out is named in it, and nothing is lost silently.

A turn may hold some megabytes, SNS carries 256 KB. Parameters are the usual reason, and a conversation's event has them
twice, so the second copy goes first. Ids, names, times and the sequence always stay; the turn in the log keeps it all.
"""

import copy
import json
from typing import Any, Final

from shared.webhooks.wire import NUL, for_queues, to_bytes

JsonObject = dict[str, Any]

OMITTED: Final = "omitted"
"""Key of the list of places, as paths with dots, whose values are empty because they were too large."""
SECOND_COPY: Final = ("data", "conversation", "context", "params")
KEPT: Final = frozenset(
    {"id", "botId", "endUserId", "conversationId", "platform", "userKey", "requestId", "lastMessageId", "type"}
)
LEAST_BYTES: Final = 256
"""Smaller values are not worth leaving out."""
MAX_OMISSIONS: Final = 100

_NOTHING: Final[dict[type, Any]] = {dict: {}, list: [], str: ""}


def for_topic(event: bytes, max_bytes: int) -> bytes:
    """A stored event as SNS and SQS take it; over `max_bytes`, its largest values go and are listed in `omitted`."""
    raw = for_queues(to_bytes(json.loads(event)) if NUL in event else event)
    return raw if len(raw) <= max_bytes else for_queues(to_bytes(fitted(json.loads(event), max_bytes)))


def fitted_if_needed(event: JsonObject, max_bytes: int) -> JsonObject:
    """The event itself, or a copy that fits."""
    return event if len(for_queues(to_bytes(event))) <= max_bytes else fitted(event, max_bytes)


def fitted(event: JsonObject, max_bytes: int) -> JsonObject:
    """A copy of `event` that takes at most `max_bytes`; the same for the same event, so that replays are equal."""
    smaller = copy.deepcopy(event)
    omitted: list[str] = []
    smaller[OMITTED] = omitted
    for _ in range(MAX_OMISSIONS):
        if len(for_queues(to_bytes(smaller))) <= max_bytes:
            break
        path = SECOND_COPY if not omitted and _at(smaller, SECOND_COPY) else _largest(smaller["data"], ("data",))[1]
        if not path:
            break
        _empty(smaller, path)
        omitted.append(".".join(path))
    return smaller


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _empty(event: JsonObject, path: tuple[str, ...]) -> None:
    *parents, key = path
    holder = _at(event, tuple(parents))
    holder[key] = _NOTHING[type(holder[key])]


def _largest(value: JsonObject, path: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """(bytes, path) of the largest value that may go: objects are looked into only two levels deep, so that `params` or
    `preference` go whole instead of in a hundred pieces."""
    found: tuple[int, tuple[str, ...]] = (LEAST_BYTES, ())
    for key, child in value.items():
        if key in KEPT or type(child) not in _NOTHING:
            continue
        here = (*path, key)
        is_container = isinstance(child, dict) and len(here) in _CONTAINER_DEPTHS and key in _CONTAINERS
        candidate = _largest(child, here) if is_container else (len(to_bytes(child)), here)
        if candidate[1] and candidate[0] > found[0]:
            found = candidate
    return found


_CONTAINERS: Final = frozenset({"endUser", "conversation", "message", "bot", "agent", "context", "data", "meta"})
"""What is looked into: the shapes of docs/events.md."""
_CONTAINER_DEPTHS: Final = frozenset({2, 3})
