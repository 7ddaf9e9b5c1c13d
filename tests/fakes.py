"""In-memory stand-ins for the ports, with the promises of the real ones: conditions, conflicts, serialised state."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from shared.bot.model import Bot
from shared.bot.record import BotRecord, BotVersion
from shared.conversation.history import SaidTurn
from shared.conversation.turn import Turn, TurnConflict
from shared.engine.effects import Attempt, Effect, EffectAnswer
from shared.errors import Conflict, NotFound
from shared.storage import turn_codec

JsonObject = dict[str, Any]


class MemoryTurns:
    """Logs in memory; every turn goes through the stored format, so that nothing survives that would not be stored."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, int], tuple[bytes, str, int]] = {}
        self.before_append: Callable[[Turn], None] = lambda turn: None

    def newest(self, bot_id: str, log: str, deadline_ns: int | None = None) -> Turn | None:
        revisions = [revision for bot, name, revision in self.rows if (bot, name) == (bot_id, log)]
        return self.get(bot_id, log, max(revisions), deadline_ns) if revisions else None

    def get(self, bot_id: str, log: str, revision: int, deadline_ns: int | None = None) -> Turn | None:
        row = self.rows.get((bot_id, log, revision))
        if row is None:
            return None
        body = turn_codec.decode(row[0], turn_codec.VERSION)
        return Turn.from_body(body, bot_id=bot_id, log=log, revision=revision, commit=row[1], at_ms=row[2])

    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        self.before_append(turn)
        key = (turn.bot_id, turn.log, turn.revision)
        if key in self.rows:
            winner = self.get(*key)
            assert winner is not None
            raise TurnConflict(winner)
        self.rows[key] = (turn_codec.encode(turn.body()), turn.commit, turn.at_ms)

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
    ) -> list[SaidTurn]:
        turns = [turn for turn in self.log(bot_id, log) if first <= turn.revision <= last]
        return [
            SaidTurn(revision=turn.revision, at_ms=turn.at_ms, messages=turn.messages, events=turn.events)
            for turn in (turns[::-1] if newest_first else turns)[:limit]
        ]

    def log(self, bot_id: str, log: str) -> list[Turn]:
        """All turns of a log in order."""
        revisions = sorted(revision for bot, name, revision in self.rows if (bot, name) == (bot_id, log))
        return [turn for revision in revisions if (turn := self.get(bot_id, log, revision)) is not None]


class MemoryBots:
    """Bots in memory with the optimistic lock of the real rows."""

    def __init__(self, turns: MemoryTurns) -> None:
        self.turns = turns
        self.records: dict[str, BotRecord] = {}
        self.versions: dict[tuple[str, int], BotVersion] = {}
        self.reads = 0

    def get(self, bot_id: str, deadline_ns: int | None = None) -> BotRecord | None:
        self.reads += 1
        return self.records.get(bot_id)

    def __iter__(self) -> Iterator[BotRecord]:
        return iter([record for record in self.records.values() if record.deleted_at_ms is None])

    def save(
        self,
        record: BotRecord,
        *,
        version: BotVersion | None = None,
        channel: str | None = None,
        turn: Turn | None = None,
    ) -> None:
        stored = self.records.get(record.bot_id)
        if (0 if stored is None else stored.lock) != record.lock:
            raise Conflict("the bot was changed by somebody else")
        if turn is not None:
            if (turn.bot_id, turn.log, turn.revision) in self.turns.rows:
                raise Conflict("the bot was changed by somebody else")
            self.turns.append(turn)
        if version is not None:
            self.versions[record.bot_id, version.number] = version
        channels = dict(stored.channels) if stored is not None else {}
        if channel is not None:
            channels[channel] = record.channels[channel]
        data = json.loads(json.dumps(record.to_json()))
        self.records[record.bot_id] = BotRecord.from_json(
            data, bot_id=record.bot_id, lock=record.lock + 1, channels=channels
        )

    def version(self, bot_id: str, number: int) -> BotVersion | None:
        return self.versions.get((bot_id, number))


class MemoryDocuments:
    def __init__(self) -> None:
        self.contents: dict[tuple[str, str], str] = {}

    def put(self, bot_id: str, content_hash: str, content: JsonObject) -> None:
        self.contents[bot_id, content_hash] = json.dumps(content)

    def get(self, bot_id: str, content_hash: str, deadline_ns: int | None = None) -> tuple[JsonObject, int]:
        text = self.contents.get((bot_id, content_hash))
        if text is None:
            raise NotFound("no such bot document")
        return json.loads(text), len(text)


class ScriptedEffects:
    """Answers effects in order and remembers what was asked and how it was attempted."""

    def __init__(self, answers: list[EffectAnswer]) -> None:
        self.answers = list(answers)
        self.asked: list[Effect] = []
        self.attempts: list[Attempt] = []

    def __call__(self, effect: Effect, attempt: Attempt) -> EffectAnswer:
        self.asked.append(effect)
        self.attempts.append(attempt)
        assert self.answers, f"nobody expected {effect.describe()}"
        return self.answers.pop(0)


class MemoryQueue:
    """The worker's queue in memory: jobs (bot id, platform, user key) with their delays, in order."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, str, str]] = []
        self.delays: list[int] = []

    def send(
        self, bot_id: str, platform: str, user_key: str, *, delay_seconds: int, deadline_ns: int | None = None
    ) -> None:
        self.jobs.append((bot_id, platform, user_key))
        self.delays.append(delay_seconds)


class MemoryClaims:
    """Claims in memory."""

    def __init__(self) -> None:
        self.until: dict[tuple[str, str, str], int] = {}

    def take(
        self, bot_id: str, log: str, name: str, *, now_ms: int, until_ms: int, deadline_ns: int | None = None
    ) -> bool:
        key = (bot_id, log, name)
        if self.until.get(key, now_ms - 1) >= now_ms:
            return False
        self.until[key] = until_ms
        return True

    def is_taken(self, bot_id: str, log: str, name: str, deadline_ns: int | None = None) -> bool:
        return (bot_id, log, name) in self.until


class OneBot:
    """The port BotVersions of a bot that has one version."""

    def load_version(self, bot: Bot, content_hash: str, deadline_ns: int | None = None) -> Bot:
        raise NotFound("no such bot document", version=content_hash)
