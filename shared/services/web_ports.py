"""What the web chat needs of the outside world besides logs and bots."""

from typing import Any, Protocol

from shared.channels.web.tokens import Claims

JsonObject = dict[str, Any]


class SentCounter(Protocol):
    """Counts what fast senders send."""

    def count(self, bot_id: str, log: str, window: int, *, most: int, deadline_ns: int | None = None) -> bool:
        """One more in this window (a number); False, and nothing is counted, when there are `most` already."""
        ...


class Connections(Protocol):
    """Sockets of a log, by the ids that API Gateway gave them."""

    def of(self, bot_id: str, log: str, deadline_ns: int | None = None) -> list[str]: ...
    def remove(self, bot_id: str, log: str, connection_id: str, deadline_ns: int | None = None) -> None: ...


class Post(Protocol):
    """Sends a frame to a socket: False when that is gone. Raises Unavailable."""

    def __call__(self, connection_id: str, frame: bytes, deadline_ns: int | None = None) -> bool: ...


class AcceptMedia(Protocol):
    """Looks at what an upload holds before a message that names it is stored, and gives the media as it is stored.
    Raises InvalidInput for what is no upload of this end user, or holds something else than it said."""

    def __call__(self, claims: Claims, media: JsonObject, deadline_ns: int | None) -> JsonObject: ...
