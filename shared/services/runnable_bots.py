"""Compiled bots kept in memory by their immutable version, so that a warm process never reads or compiles one twice."""

from collections import OrderedDict
from typing import Any, Final

from shared.bot.model import Bot
from shared.bot.record import BotRecord, BotVersion
from shared.services.ports import Documents

MEMORY_LIMIT: Final = 64 * 1024 * 1024
"""Bytes that kept bots may take."""
MEMORY_PER_BYTE: Final = 5
"""A parsed document takes about five times its JSON (measured: 1.15 MB of JSON, 4.7 MB resident)."""


class CompiledBots:
    """Loads bots and keeps the ones used last."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._kept: OrderedDict[tuple[str, str], tuple[Bot, int]] = OrderedDict()
        self._used = 0

    def load(self, record: BotRecord, version: BotVersion, deadline_ns: int | None = None) -> Bot:
        """The bot of a version, with the profile that the record has now."""
        return self._load(record.bot_id, record.profile, version.content_hash, deadline_ns)

    def load_version(self, bot: Bot, content_hash: str, deadline_ns: int | None = None) -> Bot:
        """Another version of the same bot. Raises NotFound."""
        return self._load(bot.id, bot.profile, content_hash, deadline_ns)

    def _load(self, bot_id: str, profile: dict[str, Any], content_hash: str, deadline_ns: int | None) -> Bot:
        key = (bot_id, content_hash)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            bot = kept[0]
            bot.profile = profile
            return bot
        content, size = self._documents.get(bot_id, content_hash, deadline_ns)
        bot = Bot(content, bot_id=bot_id, version=content_hash, profile=profile)
        self._keep(key, bot, size * MEMORY_PER_BYTE)
        return bot

    def kept(self, record: BotRecord | None) -> Bot | None:
        """The published bot if it is in memory; for when nothing can be read."""
        if record is None or record.published is None:
            return None
        kept = self._kept.get((record.bot_id, record.published.content_hash))
        return None if kept is None else kept[0]

    def _keep(self, key: tuple[str, str], bot: Bot, size: int) -> None:
        self._kept[key] = (bot, size)
        self._used += size
        while self._used > MEMORY_LIMIT and len(self._kept) > 1:
            _, (_, freed) = self._kept.popitem(last=False)
            self._used -= freed
