"""Finding people and conversations by their public ids, and listing those of a bot."""

from typing import Protocol

from shared.conversation.identity import Identity, IdentityKind, IdentityPage

__all__ = ["Identities", "IdentityPage"]


class Identities(Protocol):
    """The index of public ids, at most half a minute behind the logs. Raises Unavailable.

    `page` gives up to `limit` ids of a bot seen in [from_ms, until_ms) that are of `platform`, where these are given;
    a cursor that is not one raises InvalidInput. One call reads only so much: a page may hold fewer than `limit`, even
    none, and still have a cursor. `delete` of what is gone is no error, and no older turn brings the id back.
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
