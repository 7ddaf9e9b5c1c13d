"""What a log held before its tombstone: read, and deleted for good. Nothing of the tombstone or after it is touched.

A turn's revision is in its key. A state row carries the newest revision that it was written for, and a turn after the
tombstone that has the same state writes its row again: the tombstone itself has none.
"""

import uuid
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from shared.aws import BoundedClient
from shared.conversation.erasure import OldTurn
from shared.conversation.turn import Turn
from shared.errors import Unavailable
from shared.storage import keys, turn_codec
from shared.storage.webhooks import holds

Item = dict[str, Any]
JsonObject = dict[str, Any]

PAGE_SIZE: Final = 100
BATCH: Final = 25
"""DynamoDB: requests of one BatchWriteItem."""
TRIES: Final = 5
"""Of what a batch did not take."""
MAX_STATES: Final = 100
"""Of one call."""
_WRITTEN_BEFORE: Final = "attribute_not_exists(r) OR r <= :revision"
MILLISECONDS: Final = 1_000


class DynamoOldRows:
    """The port OldRows."""

    def __init__(self, turns_table: str, core_table: str, client: BoundedClient | None = None) -> None:
        self._turns_table = turns_table
        self._core_table = core_table
        self._client = client or BoundedClient()

    def turns(self, bot_id: str, log: str, revision: int) -> list[OldTurn]:
        """A page of the turns before `revision`, the oldest first."""
        page = self._client.call(
            "query",
            None,
            TableName=self._turns_table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": keys.log_partition(bot_id, log)},
                ":first": {"S": keys.turn_sort(0)},
                ":last": {"S": keys.turn_sort(revision - 1)},
            },
            Limit=PAGE_SIZE,
            ConsistentRead=True,
        )
        return [
            OldTurn(revision=keys.revision_of(item["sk"]["S"]), events=_events(bot_id, item)) for item in page["Items"]
        ]

    def delete_turns(self, bot_id: str, log: str, revisions: Sequence[int]) -> None:
        """Without a condition: a turn before the tombstone is never written again."""
        self._delete(
            self._turns_table, keys.log_partition(bot_id, log), [keys.turn_sort(number) for number in revisions]
        )

    def delete_states(self, bot_id: str, log: str, revision: int) -> int:
        """State rows that were written for turns up to `revision`: one of `revision` itself is of a turn that lost to
        the tombstone. How many went."""
        partition, seen = keys.log_partition(bot_id, log), {":revision": {"N": str(revision)}}
        gone = 0
        for sort in self._query(
            self._turns_table, partition, keys.STATE_PREFIX, FilterExpression=_WRITTEN_BEFORE, values=seen
        ):
            gone += self._delete_one(
                self._turns_table, partition, sort, ConditionExpression=_WRITTEN_BEFORE, ExpressionAttributeValues=seen
            )
            if gone == MAX_STATES:
                break
        return gone

    def delete_claims(self, bot_id: str, log: str, revision: int) -> None:
        """Claims on the work of turns up to `revision`: a log that begins anew must not meet them."""
        partition = keys.claims_partition(bot_id, log)
        sorts = self._query(self._core_table, partition, "")
        self._delete(self._core_table, partition, [sort for sort in sorts if _revision_of(sort) <= revision])

    def expire(self, tombstone: Turn, at_ms: int) -> None:
        """DynamoDB removes the tombstone some time after `at_ms`."""
        holds(
            lambda: self._client.call(
                "update_item",
                None,
                TableName=self._turns_table,
                Key=_key(keys.log_partition(tombstone.bot_id, tombstone.log), keys.turn_sort(tombstone.revision)),
                UpdateExpression="SET #ttl = :ttl",
                ConditionExpression="c = :commit",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":ttl": {"N": str(at_ms // MILLISECONDS)},
                    ":commit": {"B": uuid.UUID(tombstone.commit).bytes},
                },
            )
        )

    def _query(
        self, table: str, partition: str, prefix: str, *, values: Item | None = None, **parameters: Any
    ) -> Iterator[str]:
        """Sort keys of a partition."""
        condition = "pk = :pk AND begins_with(sk, :prefix)" if prefix else "pk = :pk"
        start: Item = {}
        while True:
            page = self._client.call(
                "query",
                None,
                TableName=table,
                KeyConditionExpression=condition,
                ProjectionExpression="sk",
                ExpressionAttributeValues={
                    ":pk": {"S": partition},
                    **({":prefix": {"S": prefix}} if prefix else {}),
                    **(values or {}),
                },
                ConsistentRead=True,
                **parameters,
                **start,
            )
            yield from [item["sk"]["S"] for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _delete_one(self, table: str, partition: str, sort: str, **condition: Any) -> bool:
        key = _key(partition, sort)
        return holds(lambda: self._client.call("delete_item", None, TableName=table, Key=key, **condition))

    def _delete(self, table: str, partition: str, sorts: Sequence[str]) -> None:
        """Raises Unavailable when DynamoDB did not take all of it."""
        for first in range(0, len(sorts), BATCH):
            left: list[Item] = [
                {"DeleteRequest": {"Key": _key(partition, sort)}} for sort in sorts[first : first + BATCH]
            ]
            for _ in range(TRIES):
                answer = self._client.call("batch_write_item", None, RequestItems={table: left})
                left = answer.get("UnprocessedItems", {}).get(table, [])
                if not left:
                    break
            if left:
                raise Unavailable("rows could not be deleted", rows=len(left))


def _revision_of(claim: str) -> int:
    """walk/{revision}, callback/{revision}."""
    return int(claim.rpartition("/")[2])


def _key(partition: str, sort: str) -> Item:
    return {"pk": {"S": partition}, "sk": {"S": sort}}


def _events(bot_id: str, item: Item) -> list[JsonObject] | None:
    """None when the row cannot be read: it goes nevertheless."""
    hints = turn_codec.hints(bot_id, str(uuid.UUID(bytes=bytes(item["c"]["B"]))), int(item["t"]["N"]))
    try:
        events: list[JsonObject] = turn_codec.decode(item["z"]["B"], int(item["f"]["N"]), hints)["events"]
    except (Unavailable, ValueError, zlib.error):
        return None
    return events
