"""Public ids: whom or what they name, and in which log that lies. Written by the projector, an index and no truth: what
an end user or a conversation is like stands in the log."""

from dataclasses import dataclass
from typing import Literal

IdentityKind = Literal["end_user", "conversation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An id of `kind` in the log `log` of a bot.

    `revision` is the turn that brought it: the first contact, or the turn in which the conversation began.
    `created_at_ms` is that turn's time. `seen_at_ms`, of end users alone, is when they last did something, cut to the
    hour; of conversations it is `created_at_ms`. Lists are in its order.
    """

    kind: IdentityKind
    public_id: str
    bot_id: str
    log: str
    platform: str
    user_key: str
    end_user_id: str
    revision: int
    created_at_ms: int
    seen_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A turn that shows an id: the id as that turn knows it, and the turn's time."""

    identity: Identity
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityPage:
    """Newest seen first; `cursor` asks for the next page, None after the last one."""

    items: tuple[Identity, ...]
    cursor: str | None = None
