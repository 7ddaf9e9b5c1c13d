"""What a node's executor tells the walk to do next."""

from dataclasses import dataclass

from shared.engine.effects import Effect
from shared.engine.session import Waiting


class Advance:
    """Go on along the edges."""


@dataclass(frozen=True, slots=True)
class Jump:
    """Go to a node; `None` means the entry of the flow. `missing_is_error`: a missing target is an error of the bot
    (flow node), otherwise the fallback flow answers (goto, back)."""

    flow_id: int | None
    node_id: int | None = None
    missing_is_error: bool = False


class JumpToFallback:
    """Nothing to resume: the fallback flow answers."""


class JumpToEntry:
    """Start over at the entry flow."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Stop here until somebody says something."""

    waiting: Waiting


class End:
    """Stop; the next message goes to the fallback flow."""


@dataclass(frozen=True, slots=True)
class Suspend:
    """Stop until the effect is answered."""

    effect: Effect


Outcome = Advance | Jump | JumpToFallback | JumpToEntry | Wait | End | Suspend

ADVANCE = Advance()
END = End()
WAIT_FOR_INPUT = Wait("keyboard")
WAIT_FOR_AGENT = Wait("agent")
JUMP_TO_FALLBACK = JumpToFallback()
JUMP_TO_ENTRY = JumpToEntry()


class NodeFailed(Exception):
    """The node cannot run as it is drawn: missing data, a missing flow. Sends the bot's error message."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
