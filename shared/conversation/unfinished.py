"""What a log still has to do: a walk that waits for the world, messages that wait for that walk, and replies that have
not reached the end user. Part of the state, so that whoever reads the newest turn knows all of it (docs/effects.md).
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final

JsonObject = dict[str, Any]

CLOCK_SLACK_MS: Final = 2_000
"""Machines' clocks differ; nobody takes over from somebody else before this much has passed on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRoute:
    """How a reply reaches somebody who can only be answered, not written to (KakaoTalk).

    With `callback_url` it may be posted there once, until `until_ms`; without, it goes with the next answer.
    `base_url` is where this API is reached from outside, for links in the reply.
    """

    base_url: str | None = None
    callback_url: str | None = None
    until_ms: int = 0

    def may_be_posted(self, now_ms: int) -> bool:
        return self.callback_url is not None and now_ms < self.until_ms

    def to_json(self) -> JsonObject:
        data: JsonObject = {} if self.base_url is None else {"base": self.base_url}
        return data if self.callback_url is None else {**data, "url": self.callback_url, "until": self.until_ms}

    @classmethod
    def from_json(cls, data: JsonObject) -> "ReplyRoute":
        return cls(base_url=data.get("base"), callback_url=data.get("url"), until_ms=data.get("until", 0))


def _route(data: JsonObject) -> ReplyRoute | None:
    return ReplyRoute.from_json(data["route"]) if "route" in data else None


def _with_route(data: JsonObject, route: ReplyRoute | None) -> JsonObject:
    return data if route is None else {**data, "route": route.to_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A walk that waits for the world. Its session, in the state, is where it goes on.

    `revision` is the turn that fixed this resume point: with the place of the node it names the effect, whoever carries
    it out. `effect` is the effect as JSON, `messages` what the walk has said so far, `bot_version` the version it runs
    on. Nobody but its owner works on it until `held_until_ms`; None: it is the worker's.
    """

    revision: int
    at_ms: int
    held_until_ms: int | None = None
    effect: JsonObject
    visit: int
    messages: list[JsonObject]
    bot_version: str
    route: ReplyRoute | None = None

    @property
    def free_from_ms(self) -> int:
        """When its owner is done or dead, by anybody's clock."""
        return 0 if self.held_until_ms is None else self.held_until_ms + CLOCK_SLACK_MS

    def to_json(self) -> JsonObject:
        data: JsonObject = {
            "revision": self.revision,
            "at": self.at_ms,
            **({} if self.held_until_ms is None else {"heldUntil": self.held_until_ms}),
            "effect": self.effect,
            "visit": self.visit,
            "messages": self.messages,
            "botVersion": self.bot_version,
        }
        return _with_route(data, self.route)

    @classmethod
    def from_json(cls, data: JsonObject) -> "Pending":
        return cls(
            revision=data["revision"],
            at_ms=data["at"],
            held_until_ms=data.get("heldUntil"),
            effect=data["effect"],
            visit=data["visit"],
            messages=data["messages"],
            bot_version=data["botVersion"],
            route=_route(data),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message that met a pending walk: stored in turn `revision` at `at_ms`, walked after it."""

    revision: int
    at_ms: int
    inbound: JsonObject
    params: JsonObject = field(default_factory=dict)
    route: ReplyRoute | None = None

    def to_json(self) -> JsonObject:
        data: JsonObject = {"revision": self.revision, "at": self.at_ms, "inbound": self.inbound}
        return _with_route({**data, "params": self.params} if self.params else data, self.route)

    @classmethod
    def from_json(cls, data: JsonObject) -> "Held":
        return cls(
            revision=data["revision"],
            at_ms=data["at"],
            inbound=data["inbound"],
            params=data.get("params", {}),
            route=_route(data),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """The reply of turn `revision` (with those of the turns that it `gives`) has not reached the end user."""

    revision: int
    gives: tuple[int, ...] = ()
    route: ReplyRoute

    @property
    def revisions(self) -> tuple[int, ...]:
        return (*self.gives, self.revision)

    def to_json(self) -> JsonObject:
        data: JsonObject = {"revision": self.revision, "route": self.route.to_json()}
        return {**data, "gives": list(self.gives)} if self.gives else data

    @classmethod
    def from_json(cls, data: JsonObject) -> "Owed":
        return cls(
            revision=data["revision"],
            gives=tuple(data.get("gives", ())),
            route=ReplyRoute.from_json(data["route"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """All of it; empty in almost every turn."""

    pending: Pending | None = None
    held: tuple[Held, ...] = ()
    owed: tuple[Owed, ...] = ()

    @property
    def is_walking(self) -> bool:
        """A new message has to wait its turn."""
        return self.pending is not None or bool(self.held)

    def waits_for(self, revision: int) -> bool:
        """Whether the message that this turn stands for has no answer yet."""
        if self.pending is not None and self.pending.revision == revision:
            return True
        return any(held.revision == revision for held in self.held)

    @property
    def count(self) -> int:
        """Messages without an answer, and replies that were not given."""
        return len(self.held) + sum(len(owed.revisions) for owed in self.owed)

    def owing(self, *owed: Owed) -> "Unfinished":
        return replace(self, owed=owed)

    def to_json(self) -> JsonObject:
        data: JsonObject = {} if self.pending is None else {"pending": self.pending.to_json()}
        if self.held:
            data["held"] = [held.to_json() for held in self.held]
        if self.owed:
            data["owed"] = [owed.to_json() for owed in self.owed]
        return data

    @classmethod
    def from_json(cls, data: JsonObject) -> "Unfinished":
        if not ("pending" in data or "held" in data or "owed" in data):
            return NOTHING
        return cls(
            pending=Pending.from_json(data["pending"]) if "pending" in data else None,
            held=tuple(Held.from_json(held) for held in data.get("held", ())),
            owed=tuple(Owed.from_json(owed) for owed in data.get("owed", ())),
        )


NOTHING: Final = Unfinished()
