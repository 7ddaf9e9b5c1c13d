"""A bot file as a conversation without any cloud: its log lives and ends with the process."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.bot.document import read_bot_file
from shared.bot.model import Bot
from shared.conversation.turn import Turn, TurnConflict
from shared.engine import Effect, EffectAnswer
from shared.runtime import world
from shared.services.inbound import HandleInbound

if TYPE_CHECKING:
    from shared.net.effects import EffectRunner

FILE_VERSION: Final = "file"


class MemoryTurns:
    """The port Turns in memory."""

    def __init__(self) -> None:
        self._logs: dict[tuple[str, str], list[Turn]] = {}

    def newest(self, bot_id: str, log: str, deadline_ns: int | None = None) -> Turn | None:
        del deadline_ns
        turns = self._logs.get((bot_id, log))
        return turns[-1] if turns else None

    def get(self, bot_id: str, log: str, revision: int, deadline_ns: int | None = None) -> Turn | None:
        del deadline_ns
        turns = self._logs.get((bot_id, log), [])
        return turns[revision - 1] if 1 <= revision <= len(turns) else None

    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        del previous, deadline_ns
        turns = self._logs.setdefault((turn.bot_id, turn.log), [])
        if turn.revision != len(turns) + 1:
            raise TurnConflict(turns[-1])
        turns.append(turn)


class FirstUseEffects:
    """The guarded client, made by the first effect: few bots have one, and it takes its time to import."""

    def __init__(self) -> None:
        self._runner: EffectRunner | None = None

    def __call__(self, effect: Effect) -> EffectAnswer:
        if self._runner is None:
            from shared.net.effects import EffectRunner  # noqa: PLC0415
            from shared.net.guarded_client import GuardedClient  # noqa: PLC0415

            self._runner = EffectRunner(GuardedClient())
        return self._runner(effect)


def bot_of_file(path: Path) -> Bot:
    """The bot of a bot or flow file; its id is the file's name. Raises InvalidBot."""
    file = read_bot_file(path.read_bytes())
    return Bot(file.content, bot_id=path.stem, version=FILE_VERSION, profile=file.profile)


def handle_inbound_in_memory() -> HandleInbound:
    return HandleInbound(
        turns=MemoryTurns(),
        effects=FirstUseEffects(),
        now_ms=world.now_ms,
        clock_ns=world.clock_ns,
        random=world.random,
        new_id=world.new_id,
    )
