"""What a step did, node by node: the inspector of the builder and the debug log show it."""

from dataclasses import dataclass, field
from typing import Any

from shared.redaction import STARS
from shared.templates import MaskedText
from shared.values import UNDEFINED

JsonObject = dict[str, Any]


def has_masks(value: Any) -> bool:
    """Whether MASK hides a part of a node's data."""
    if isinstance(value, dict):
        return any(has_masks(item) for item in value.values())
    if isinstance(value, list):
        return any(has_masks(item) for item in value)
    return isinstance(value, MaskedText)


def without_masked(value: Any) -> Any:
    """A text with stars for what MASK hides; anything else as it is."""
    if not isinstance(value, MaskedText):
        return value
    text = str(value)
    for mask in reversed(value.masks):
        text = text[: mask.start] + STARS + text[mask.end :]
    return text


@dataclass(slots=True)
class TraceEntry:
    """One executed node; its ids are None for a failure before any node ran.

    `data` is its data after templates; `changes` what it wrote to the context; `edge` the index of the way taken;
    `notes` what a reader should know (conditions that could not be judged, parts that were dropped, what a script wrote
    to its console); `effect` what was asked of the world and what it answered {request?, answer?}, secrets masked.
    """

    flow_id: int | None
    node_id: int | None
    type: str
    nanoseconds: int = 0
    data: Any = None
    changes: JsonObject = field(default_factory=dict)
    messages: list[JsonObject] = field(default_factory=list)
    error: JsonObject | None = None
    edge: int | None = None
    notes: list[str] = field(default_factory=list)
    effect: JsonObject | None = None

    def to_json(self) -> JsonObject:
        entry: JsonObject = {
            "flowId": self.flow_id,
            "nodeId": self.node_id,
            "type": self.type,
            "ms": round(self.nanoseconds / 1_000_000, 3),
        }
        for key, value in (
            ("data", self.data),
            ("changes", {k: None if v is UNDEFINED else v for k, v in self.changes.items()}),
            ("messages", self.messages),
            ("error", self.error),
            ("edge", self.edge),
            ("notes", self.notes),
            ("effect", self.effect),
        ):
            if value not in (None, [], {}):
                entry[key] = value
        return entry
