"""A bot file as a conversation without any cloud: its log lives and ends with the process."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.bot.document import read_bot_file
from shared.bot.model import Bot
from shared.conversation.turn import Turn, TurnConflict
from shared.engine import Attempt, Effect, EffectAnswer
from shared.engine.effects import ScriptRun
from shared.errors import NotFound
from shared.runtime import world
from shared.runtime.observability import report_own_fault
from shared.services import kakao_reply
from shared.services.advance import Advance
from shared.services.inbound import HandleInbound
from shared.services.timed_effects import TimedEffects
from shared.services.turn_writer import TurnWriter
from shared.services.walks import Walks

if TYPE_CHECKING:
    from shared.net.effects import Carrier, EffectRunner
    from shared.net.guarded_client import GuardedClient

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
    """HTTP calls and scripts, carried out in this process. Made by the first effect: few bots have one, and the import
    takes its time."""

    def __init__(self) -> None:
        self._runner: EffectRunner | None = None

    def __call__(self, effect: Effect, attempt: Attempt) -> EffectAnswer:
        if self._runner is None:
            from shared.net.effects import EffectRunner  # noqa: PLC0415
            from shared.net.guarded_client import GuardedClient  # noqa: PLC0415

            client = GuardedClient()
            self._runner = EffectRunner(client, makers={ScriptRun: lambda: _script_runner(client)})
        return self._runner(effect, attempt)


def _script_runner(client: "GuardedClient") -> "Carrier":
    """What the script function does, in a child process of this one."""
    from shared.scripting.call import ScriptCall  # noqa: PLC0415
    from shared.scripting.host import ScriptHost  # noqa: PLC0415

    run = ScriptHost(client)
    return lambda effect, attempt: run(ScriptCall.of(effect, attempt))


class NobodyWaits:
    """The ports WorkQueue and Claims of a conversation that ends with its process: every walk ends in it."""

    def send(
        self, bot_id: str, platform: str, user_key: str, *, delay_seconds: int, deadline_ns: int | None = None
    ) -> None:
        """Nobody is asked: there is no worker."""

    def take(
        self, bot_id: str, log: str, name: str, *, now_ms: int, until_ms: int, deadline_ns: int | None = None
    ) -> bool:
        del bot_id, log, name, now_ms, until_ms, deadline_ns
        return True

    def is_taken(self, bot_id: str, log: str, name: str, deadline_ns: int | None = None) -> bool:
        del bot_id, log, name, deadline_ns
        return False


class OneVersion:
    """The port BotVersions of a bot file."""

    def load_version(self, bot: Bot, content_hash: str, deadline_ns: int | None = None) -> Bot:
        del deadline_ns
        if content_hash != bot.version:
            raise NotFound("a bot file has one version", version=content_hash)
        return bot


def bot_of_file(path: Path) -> Bot:
    """The bot of a bot or flow file; its id is the file's name. Raises InvalidBot."""
    file = read_bot_file(path.read_bytes())
    return Bot(file.content, bot_id=path.stem, version=FILE_VERSION, profile=file.profile)


def handle_inbound_in_memory() -> HandleInbound:
    turns, nobody = MemoryTurns(), NobodyWaits()
    advance = Advance(
        turns=turns,
        walks=Walks(
            effects=TimedEffects.of(FirstUseEffects(), world.clock_ns),
            now_ms=world.now_ms,
            clock_ns=world.clock_ns,
            random=world.random,
            new_id=world.new_id,
        ),
        writer=TurnWriter(turns=turns, new_id=world.new_id),
        queue=nobody,
        versions=OneVersion(),
        paginate=kakao_reply.paginate,
        now_ms=world.now_ms,
        report=report_own_fault,
    )
    return HandleInbound(turns=turns, advance=advance, claims=nobody, now_ms=world.now_ms, report=report_own_fault)
