"""What a step is told: one inbound event of a conversation, already in our own words."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMessage:
    """The end user said something.

    `data` is a message of docs/events.md: {type: text|media|location, text?, media?, location?, payload?}; a postback's
    payload is already parsed (object, array or text), and `text` of a pressed button is its whole label.
    """

    data: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The end user opened the conversation: Kakao's welcome block, a widget opened, a friend added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """The end user begins anew: their conversation ends, and another one is opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAt:
    """Jump to a flow or node asked for from outside: a goto button (with what its tap said), an agent, the API."""

    flow_id: int
    node_id: int | None = None
    message: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentJoined:
    """An agent takes the conversation over, called for or not."""

    agent: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMessage:
    """An agent says something to the end user."""

    data: JsonObject
    agent: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCompleted:
    """The agent is done; the bot takes over again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequested:
    """Somebody outside asks for an agent: the bot keeps quiet until one joins or the request is cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCancelled:
    """Somebody outside takes the request for an agent back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotMessage:
    """Somebody outside says something as the bot; the conversation stays where it is. `meta` {custom} or None."""

    data: JsonObject
    meta: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersChanged:
    """Somebody outside sets parameters; None removes one."""

    params: JsonObject


Inbound = (
    UserMessage
    | Opened
    | Restarted
    | StartAt
    | AgentJoined
    | AgentMessage
    | CallCompleted
    | CallRequested
    | CallCancelled
    | BotMessage
    | ParametersChanged
)


def said_by_end_user(inbound: Inbound) -> JsonObject | None:
    """The message in what happened; None when the end user said nothing."""
    if isinstance(inbound, UserMessage):
        return inbound.data
    return inbound.message if isinstance(inbound, StartAt) else None


_KINDS: Final[dict[str, type[Inbound]]] = {
    "message": UserMessage,
    "opened": Opened,
    "restarted": Restarted,
    "start": StartAt,
    "joined": AgentJoined,
    "said": AgentMessage,
    "completed": CallCompleted,
    "requested": CallRequested,
    "cancelled": CallCancelled,
    "told": BotMessage,
    "params": ParametersChanged,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def inbound_to_json(inbound: Inbound) -> JsonObject:
    """An event as it is kept while it waits to be walked."""
    return {"type": _NAMES[type(inbound)], **asdict(inbound)}


def inbound_from_json(data: JsonObject) -> Inbound:
    """Read back what inbound_to_json wrote."""
    return _KINDS[data["type"]](**{key: value for key, value in data.items() if key != "type"})
