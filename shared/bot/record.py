"""A bot as the platform keeps it: its profile, its versions and which of them are draft and published."""

from dataclasses import dataclass, field
from typing import Any

from shared.usage.limits import NO_LIMITS, UsageLimits

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BotVersion:
    """One immutable content: `number` counts from 1, `content_hash` names the content, `size` is its bytes as JSON."""

    number: int
    content_hash: str
    size: int
    created_at_ms: int

    def to_json(self) -> JsonObject:
        return {"n": self.number, "hash": self.content_hash, "size": self.size, "createdAt": self.created_at_ms}

    @classmethod
    def from_json(cls, data: JsonObject) -> "BotVersion":
        return cls(number=data["n"], content_hash=data["hash"], size=data["size"], created_at_ms=data["createdAt"])


@dataclass(frozen=True, slots=True, kw_only=True)
class BotRecord:
    """A bot's row. `lock` is its optimistic lock, 0 before it is stored; `history` the numbers published before, newest
    last; `channels` the channel settings by platform with `channel_locks`, and `limits`, where they were read along."""

    bot_id: str
    profile: JsonObject
    created_at_ms: int
    updated_at_ms: int
    latest: BotVersion | None = None
    published: BotVersion | None = None
    history: tuple[int, ...] = ()
    deleted_at_ms: int | None = None
    lock: int = 0
    channels: dict[str, JsonObject] = field(default_factory=dict)
    channel_locks: dict[str, int] = field(default_factory=dict)
    limits: UsageLimits = NO_LIMITS

    def to_json(self) -> JsonObject:
        return {
            "profile": self.profile,
            "createdAt": self.created_at_ms,
            "updatedAt": self.updated_at_ms,
            "latest": None if self.latest is None else self.latest.to_json(),
            "published": None if self.published is None else self.published.to_json(),
            "history": list(self.history),
            "deletedAt": self.deleted_at_ms,
        }

    @classmethod
    def from_json(
        cls,
        data: JsonObject,
        *,
        bot_id: str,
        lock: int,
        channels: dict[str, JsonObject] | None = None,
        channel_locks: dict[str, int] | None = None,
        limits: UsageLimits = NO_LIMITS,
    ) -> "BotRecord":
        latest, published = data["latest"], data["published"]
        return cls(
            bot_id=bot_id,
            profile=data["profile"],
            created_at_ms=data["createdAt"],
            updated_at_ms=data["updatedAt"],
            latest=None if latest is None else BotVersion.from_json(latest),
            published=None if published is None else BotVersion.from_json(published),
            history=tuple(data["history"]),
            deleted_at_ms=data["deletedAt"],
            lock=lock,
            channels=channels or {},
            channel_locks=channel_locks or {},
            limits=limits,
        )
