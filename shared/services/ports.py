"""What the use cases need of the outside world; the adapters that fit are in storage and net, fakes in the tests."""

from collections.abc import Iterator
from typing import Any, Literal, Protocol

from shared.bot.model import Bot
from shared.bot.record import BotRecord, BotVersion
from shared.conversation.history import SaidTurn
from shared.conversation.turn import Turn
from shared.engine.effects import Attempt, Effect, EffectAnswer

JsonObject = dict[str, Any]


class Turns(Protocol):
    """Logs: read the newest turn, append the next. `append` raises TurnConflict with the winner."""

    def newest(self, bot_id: str, log: str, deadline_ns: int | None = None) -> Turn | None: ...
    def get(self, bot_id: str, log: str, revision: int, deadline_ns: int | None = None) -> Turn | None: ...
    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None: ...


class ReadableTurns(Turns, Protocol):
    """Logs with what was said in them: the turns `first` to `last`, at most `limit`; none are left when it is empty."""

    def said(
        self,
        bot_id: str,
        log: str,
        *,
        first: int,
        last: int,
        limit: int,
        newest_first: bool = True,
        deadline_ns: int | None = None,
    ) -> list[SaidTurn]: ...


class Bots(Protocol):
    """Bots and their versions' numbers."""

    def get(self, bot_id: str, deadline_ns: int | None = None) -> BotRecord | None: ...
    def __iter__(self) -> Iterator[BotRecord]: ...
    def save(
        self,
        record: BotRecord,
        *,
        version: BotVersion | None = None,
        channel: str | None = None,
        turn: Turn | None = None,
    ) -> None: ...
    def version(self, bot_id: str, number: int) -> BotVersion | None: ...


class Documents(Protocol):
    """Immutable bot contents."""

    def put(self, bot_id: str, content_hash: str, content: JsonObject) -> None: ...
    def get(self, bot_id: str, content_hash: str, deadline_ns: int | None = None) -> tuple[JsonObject, int]: ...


class Effects(Protocol):
    """Carries out what a walk asks for; never raises for the target's faults."""

    def __call__(self, effect: Effect, attempt: Attempt) -> EffectAnswer: ...


class WorkQueue(Protocol):
    """Asks the worker to look at a log, after a delay."""

    def send(
        self, bot_id: str, platform: str, user_key: str, *, delay_seconds: int, deadline_ns: int | None = None
    ) -> None: ...


class Claims(Protocol):
    """Who does what must be done once. `take` is False when somebody has it and their time is not over."""

    def take(
        self, bot_id: str, log: str, name: str, *, now_ms: int, until_ms: int, deadline_ns: int | None = None
    ) -> bool: ...
    def is_taken(self, bot_id: str, log: str, name: str, deadline_ns: int | None = None) -> bool: ...


PostOutcome = Literal["given", "refused", "too_early", "unknown"]


class PostReply(Protocol):
    """Posts a reply to a callback URL, once; says what became of it and never raises for the target's faults."""

    def __call__(self, url: str, body: bytes, timeout_ms: int) -> PostOutcome: ...


class BotVersions(Protocol):
    """Earlier versions of a bot, for walks that began in them. Raises NotFound."""

    def load_version(self, bot: Bot, content_hash: str, deadline_ns: int | None = None) -> Bot: ...


class RunnableBots(BotVersions, Protocol):
    """Bots ready to run, by their immutable version."""

    def load(self, record: BotRecord, version: BotVersion, deadline_ns: int | None = None) -> Bot: ...
    def kept(self, record: BotRecord | None) -> Bot | None: ...
