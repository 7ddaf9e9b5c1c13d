"""The state of one conversation between two messages."""

from typing import Any, Final, Literal

JsonObject = dict[str, Any]
Position = tuple[int, int]
"""(flow id, node id)"""
Waiting = Literal["first", "nowhere", "keyboard", "agent", "effect", "again"]
"""What the conversation waits for. "first": the bot has not walked in it, so the end user's next message or opening is
the first. "again": the next message runs the node at `position` once more (after an agent is done)."""

NOBODY: Final = "none"
CALLING: Final = frozenset({"waiting", "in_progress"})
"""Call states in which the bot keeps quiet."""


class Session:
    """Position, parameters and results of a conversation. Mutable while a walk has its private copy.

    `keyboard` is the keyboard last shown, rendered; `back_stack` the places that answers started at, as texts;
    `own_stack` the deprecated backstack node's; `navigation` {current, prev} as in docs/events.md; `call` {status, ...}
    the request for an agent (none, waiting, in_progress, completed, missed); `progress` is there while an effect runs.
    """

    __slots__ = (
        "back_stack",
        "call",
        "conversation_id",
        "created_at_ms",
        "keyboard",
        "message",
        "navigation",
        "own_stack",
        "params",
        "position",
        "progress",
        "results",
        "updated_at_ms",
        "waiting",
    )

    def __init__(
        self,
        *,
        conversation_id: str,
        created_at_ms: int,
        updated_at_ms: int | None = None,
        position: Position | None = None,
        waiting: Waiting = "nowhere",
        params: JsonObject | None = None,
        results: JsonObject | None = None,
        message: JsonObject | None = None,
        keyboard: JsonObject | None = None,
        back_stack: list[str] | None = None,
        own_stack: list[str] | None = None,
        navigation: JsonObject | None = None,
        call: JsonObject | None = None,
        progress: JsonObject | None = None,
    ) -> None:
        self.conversation_id = conversation_id
        self.created_at_ms = created_at_ms
        self.updated_at_ms = created_at_ms if updated_at_ms is None else updated_at_ms
        self.position = position
        self.waiting: Waiting = waiting
        self.params = {} if params is None else params
        self.results = {} if results is None else results
        self.message = message
        self.keyboard = keyboard
        self.back_stack = [] if back_stack is None else back_stack
        self.own_stack = [] if own_stack is None else own_stack
        self.navigation = {} if navigation is None else navigation
        self.call: JsonObject = {"status": NOBODY} if call is None else call
        self.progress = progress

    @property
    def is_with_agent(self) -> bool:
        """A person was called or is here: the bot keeps quiet, but for a flow that the agent started."""
        return self.call["status"] in CALLING and self.call.get("handler") != "bot"

    def copy(self) -> "Session":
        """A copy whose own containers may be changed; the values in them are never changed in place."""
        return Session(
            conversation_id=self.conversation_id,
            created_at_ms=self.created_at_ms,
            updated_at_ms=self.updated_at_ms,
            position=self.position,
            waiting=self.waiting,
            params=self.params.copy(),
            results=self.results.copy(),
            message=self.message,
            keyboard=self.keyboard,
            back_stack=self.back_stack.copy(),
            own_stack=self.own_stack.copy(),
            navigation=self.navigation,
            call=self.call,
            progress=self.progress,
        )

    def to_json(self) -> JsonObject:
        """What is stored; absent keys are at their defaults."""
        data: JsonObject = {
            "conversationId": self.conversation_id,
            "createdAt": self.created_at_ms,
            "updatedAt": self.updated_at_ms,
            "waiting": self.waiting,
        }
        if self.position is not None:
            data["position"] = list(self.position)
        for key, value in (
            ("params", self.params),
            ("results", self.results),
            ("message", self.message),
            ("keyboard", self.keyboard),
            ("backStack", " ".join(self.back_stack)),
            ("ownStack", " ".join(self.own_stack)),
            ("navigation", self.navigation),
            ("progress", self.progress),
        ):
            if value:
                data[key] = value
        if self.call["status"] != NOBODY:
            data["call"] = self.call
        return data

    @classmethod
    def from_json(cls, data: JsonObject) -> "Session":
        """Read back what to_json wrote."""
        position = data.get("position")
        return cls(
            conversation_id=data["conversationId"],
            created_at_ms=data["createdAt"],
            updated_at_ms=data["updatedAt"],
            position=None if position is None else (position[0], position[1]),
            waiting=data["waiting"],
            params=data.get("params"),
            results=data.get("results"),
            message=data.get("message"),
            keyboard=data.get("keyboard"),
            back_stack=data.get("backStack", "").split(),
            own_stack=data.get("ownStack", "").split(),
            navigation=data.get("navigation"),
            call=data.get("call"),
            progress=data.get("progress"),
        )
