"""Finding people and conversations by their public ids, and listing those of a bot."""

from dataclasses import dataclass
from typing import Protocol

from shared.conversation.identity import Identity, IdentityKind


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityPage:
    """Newest seen first; `cursor` asks for the next page, None after the last one."""

    items: tuple[Identity, ...]
    cursor: str | None = None


class Identities(Protocol):
    """The index of public ids, at most half a minute behind the logs. Raises Unavailable.

    `page` gives up to `limit` ids of a bot seen in [from_ms, until_ms) that are of `platform`, where these are given;
    a cursor that is not one raises InvalidInput. `delete` of what is gone is no error.
    """

    def get(self, public_id: str) -> Identity | None: ...
    def page(
        self,
        bot_id: str,
        kind: IdentityKind,
        *,
        limit: int,
        cursor: str | None = None,
        from_ms: int | None = None,
        until_ms: int | None = None,
        platform: str | None = None,
    ) -> IdentityPage: ...
    def delete(self, identity: Identity) -> None: ...
