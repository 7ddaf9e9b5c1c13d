"""The index of public ids in the core table: a row for each end user and each conversation, listed by GSI1.

The projector writes it, perhaps from the same turns again and again, so every write has a condition: what a row says is
never older than what it said before, and what was deleted comes back only with a turn that is newer than its deletion.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from zlib import crc32

from shared.aws import BoundedClient
from shared.conversation.identity import Identity, IdentityKind, IdentityPage, Sighting
from shared.errors import InvalidInput
from shared.storage import keys
from shared.storage.batch_get import rows_of
from shared.storage.webhooks import holds

Item = dict[str, Any]

MILLISECONDS: Final = 1_000
TOMBSTONE_MS: Final = 2 * 86_400_000
"""The stream brings turns for a day; after that nothing old can come any more."""
MAX_QUERIES: Final = 40
"""Of one page: five for each share of the list. A rare platform among many others takes several pages."""
SPARE: Final = 4
"""Rows that a share is asked for beyond its part of a page: shares are not equally full."""
CURSOR: Final = re.compile(r"\d{15}#[!-~]{1,64}")
LISTS: Final = {"end_user": keys.people_of_bot, "conversation": keys.conversations_of_bot}
_TEXTS: Final = {
    "kind": "kind",
    "bot": "bot_id",
    "log": "log",
    "platform": "platform",
    "user": "user_key",
    "person": "end_user_id",
}
_NUMBERS: Final = {"revision": "revision", "created": "created_at_ms", "seen": "seen_at_ms"}
"""Attributes of a row and the fields that they hold."""


class DynamoIdentities:
    """The port Identities, and what the projector writes."""

    def __init__(self, table_name: str, now_ms: Callable[[], int], client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._now_ms = now_ms
        self._client = client or BoundedClient()

    def get(self, public_id: str) -> Identity | None:
        """Whom or what the id names; None when nothing does."""
        key = _key(public_id)
        item = self._client.call("get_item", None, TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return None if item is None or "erased" in item else _identity(item)

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
    ) -> IdentityPage:
        """All shares of the list, merged. What a share has not been read for yet is older than its `position`; so
        everything down to the highest of these positions is known, and nothing below it is given."""
        low = f"{max(0, from_ms or 0):015d}"
        high = "~" if until_ms is None else f"{max(0, until_ms):015d}"  # no sort key is just a time
        if cursor is not None:
            high = min(high, _position(cursor))
        shares = [_Share(LISTS[kind](bot_id, shard), high) for shard in range(keys.LIST_SHARDS)]
        ask = limit // keys.LIST_SHARDS + SPARE
        found: list[Identity] = []
        for queries in range(MAX_QUERIES):
            horizon = max(share.position for share in shares)
            known = _down_to(horizon, found)
            if len(known) >= limit or all(share.is_read for share in shares):
                break
            behind = shares[queries] if queries < len(shares) else max(shares, key=lambda share: share.position)
            rows = self._read_on(behind, low, ask)
            found += [row for row in rows if platform is None or row.platform == platform]
        horizon = max(share.position for share in shares)
        known = _down_to(horizon, found)
        items = tuple(known[:limit])
        if len(known) > limit or (len(known) == limit and horizon):
            return IdentityPage(items=items, cursor=_cursor(_sort(items[-1])))
        return IdentityPage(items=items, cursor=_cursor(horizon) if horizon else None)

    def delete(self, identity: Identity) -> None:
        """A tombstone in the row's place, for as long as the stream may still bring a turn that shows the id."""
        now_ms = self._now_ms()
        holds(
            lambda: self._client.call(
                "put_item",
                None,
                TableName=self._table,
                Item={
                    **_key(identity.public_id),
                    "erased": {"N": str(now_ms)},
                    "ttl": {"N": str((now_ms + TOMBSTONE_MS) // MILLISECONDS)},
                },
                ConditionExpression="attribute_not_exists(erased) OR erased < :now",
                ExpressionAttributeValues={":now": {"N": str(now_ms)}},
            )
        )

    def note(self, sightings: Iterable[Sighting]) -> None:
        """Bring the index up to what turns showed. An end user's row is written at the first contact and when the hour
        moved on: most turns cost a read alone. Conversations of somebody who was erased since stay out too."""
        newest: dict[str, Sighting] = {}
        for sighting in sightings:
            before = newest.get(sighting.identity.public_id)
            if before is None or before.at_ms <= sighting.at_ms:
                newest[sighting.identity.public_id] = sighting
        people = {sighting.identity.end_user_id for sighting in newest.values()}
        rows = rows_of(self._client, self._table, [_key(public_id) for public_id in sorted(people)])
        known = {row["pk"]["S"]: row for row in rows}
        for sighting in newest.values():
            row = known.get(keys.identity_partition(sighting.identity.end_user_id))
            if _says_something_new(sighting, row):
                self._put(sighting, row)

    def _put(self, sighting: Sighting, persons: Item | None) -> None:
        identity = sighting.identity
        if identity.kind == "end_user" and persons is not None and "created" in persons:
            identity = replace(identity, created_at_ms=int(persons["created"]["N"]))
        holds(
            lambda: self._client.call(
                "put_item",
                None,
                TableName=self._table,
                Item=_item(identity),
                ConditionExpression="attribute_not_exists(pk) OR seen < :seen OR erased < :at",
                ExpressionAttributeValues={
                    ":seen": {"N": str(identity.seen_at_ms)},
                    ":at": {"N": str(sighting.at_ms)},
                },
            )
        )

    def _read_on(self, share: "_Share", low: str, limit: int) -> list[Identity]:
        """The next rows of a share, the newest first."""
        above = share.position
        page = self._client.call(
            "query",
            None,
            TableName=self._table,
            IndexName="GSI1",
            KeyConditionExpression="gsi1pk = :list AND gsi1sk BETWEEN :low AND :high",
            ExpressionAttributeValues={
                ":list": {"S": share.partition},
                ":low": {"S": low},
                ":high": {"S": max(low, above)},
            },
            ScanIndexForward=False,
            Limit=limit + 1,  # the one at `above` was seen already
        )
        share.position = page["LastEvaluatedKey"]["gsi1sk"]["S"] if "LastEvaluatedKey" in page else ""
        return [_identity(item) for item in page["Items"] if item["gsi1sk"]["S"] < above]


@dataclass(slots=True)
class _Share:
    """One partition of a list, read down to `position`, empty at its end."""

    partition: str
    position: str

    @property
    def is_read(self) -> bool:
        return not self.position


def shard_of(public_id: str) -> int:
    """The share of a list that an id is in, for ever."""
    return crc32(public_id.encode()) % keys.LIST_SHARDS


def _says_something_new(sighting: Sighting, persons: Item | None) -> bool:
    """Whether the row is worth a write, by what is known of the person; the write's own condition decides."""
    if persons is None:
        return True
    if "erased" in persons:
        return int(persons["erased"]["N"]) < sighting.at_ms
    return sighting.identity.kind != "end_user" or int(persons["seen"]["N"]) < sighting.identity.seen_at_ms


def _down_to(horizon: str, found: Sequence[Identity]) -> list[Identity]:
    """The newest first."""
    return sorted([row for row in found if _sort(row) >= horizon], key=_sort, reverse=True)


def _sort(identity: Identity) -> str:
    return keys.list_sort(identity.seen_at_ms, identity.public_id)


def _cursor(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def _position(cursor: str) -> str:
    """Raises InvalidInput."""
    try:
        position = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as exc:
        raise InvalidInput("cursor is none of a page of this list", path="cursor") from exc
    if CURSOR.fullmatch(position) is None:
        raise InvalidInput("cursor is none of a page of this list", path="cursor")
    return position


def _key(public_id: str) -> Item:
    return {"pk": {"S": keys.identity_partition(public_id)}, "sk": {"S": keys.IDENTITY_SORT}}


def _item(identity: Identity) -> Item:
    return {
        **_key(identity.public_id),
        "gsi1pk": {"S": LISTS[identity.kind](identity.bot_id, shard_of(identity.public_id))},
        "gsi1sk": {"S": _sort(identity)},
        **{name: {"S": getattr(identity, field)} for name, field in _TEXTS.items()},
        **{name: {"N": str(getattr(identity, field))} for name, field in _NUMBERS.items()},
    }


def _identity(item: Item) -> Identity:
    fields: dict[str, Any] = {field: item[name]["S"] for name, field in _TEXTS.items()}
    fields |= {field: int(item[name]["N"]) for name, field in _NUMBERS.items()}
    return Identity(public_id=item["pk"]["S"].partition("#")[2], **fields)
