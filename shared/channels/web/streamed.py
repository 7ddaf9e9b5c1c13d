"""A turn of the web channel as the stream of the turns table tells of it."""

from dataclasses import dataclass

from shared.conversation.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedWebTurn:
    """`turn` None: its state lies in a row of its own, so that it has to be read."""

    bot_id: str
    log: str
    revision: int
    turn: Turn | None
