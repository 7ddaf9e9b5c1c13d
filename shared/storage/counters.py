"""Counters in the core table, exact although turns come again: hourly ones, and each month's active end users.

Whatever is added is written down with it, in one transaction, and looked up before: the marks of the turns in an hour's
counters, a row for each end user in a month's. It does not matter who brings a turn again, when, or among which others.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from zlib import crc32

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.conversation.projection import RECEIVED_ON, Active, HourCounts, Tally
from shared.errors import Conflict, InvalidInput
from shared.storage import keys
from shared.storage.batch_get import rows_of

Item = dict[str, Any]
Hour = tuple[str, str]
"""(bot, hour)"""
Share = tuple[str, int, int]
"""(bot, month, shard)"""

HOUR: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}")
MAX_ROWS: Final = 90
"""Of one transaction; DynamoDB takes 100."""
MARK_BYTES: Final = 8
"""Of a turn's random commit: two turns of one minute with the same mark are one in 10**19."""
MINUTE_MS: Final = 60_000
MILLISECONDS: Final = 1_000
DAY_S: Final = 86_400
COUNTED_KEPT_S: Final = 2 * DAY_S
"""The stream brings turns for a day."""
ACTIVE_KEPT_S: Final = 100 * DAY_S
CANCELLED: Final = frozenset({"TransactionCanceledException", "TransactionConflictException"})
PLAIN: Final = tuple(name for name in HourCounts.__dataclass_fields__ if name not in ("hour", "received_by_platform"))


class DynamoCounters:
    """Reading for everybody, writing for the projector. A write raises Conflict when another one of the same counter
    was faster, or it was made before and nobody knew: made again, it finds what is counted."""

    def __init__(self, table_name: str, client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._client = client or BoundedClient()

    def hours(self, bot_id: str, first_hour: str, last_hour: str) -> list[HourCounts]:
        """From the first to the last hour (`yyyy-mm-ddThh`), in order; hours in which nothing happened are left out."""
        for name, hour in (("first_hour", first_hour), ("last_hour", last_hour)):
            if HOUR.fullmatch(hour) is None:
                raise InvalidInput(f"{name}: an hour as yyyy-mm-ddThh is expected", path=name)
        if last_hour < first_hour:
            return []
        rows = self._query(
            "pk = :pk AND sk BETWEEN :first AND :last",
            {
                ":pk": {"S": keys.counters_partition(bot_id)},
                ":first": {"S": keys.hour_sort(first_hour)},
                ":last": {"S": keys.hour_sort(last_hour)},
            },
        )
        return [_hour_counts(row) for row in rows]

    def monthly_active(self, bot_id: str, month: int) -> int:
        """How many end users said something in a month (yyyymm)."""
        rows = self._query(
            "pk = :pk AND begins_with(sk, :month)",
            {":pk": {"S": keys.counters_partition(bot_id)}, ":month": {"S": keys.month_sort(month)}},
        )
        return sum(int(row["n"]["N"]) for row in rows)

    def count(self, tallies: Iterable[Tally]) -> None:
        """Add what turns counted, each once and for all."""
        by_minute: dict[int, dict[bytes, Tally]] = {}
        for tally in tallies:
            if tally.counts:
                by_minute.setdefault(tally.at_ms // MINUTE_MS, {})[_mark(tally)] = tally
        for minute, marked in by_minute.items():
            counted = self._counted(minute)
            for part in _parts([tally for mark, tally in marked.items() if mark not in counted]):
                self._add(minute, part)

    def note_active(self, actives: Iterable[Active]) -> None:
        """Add end users to their months, each once."""
        markers = {(active.bot_id, active.month, active.log): active for active in actives}
        rows = rows_of(self._client, self._table, [_marker_key(active) for active in markers.values()])
        known = {(row["pk"]["S"], row["sk"]["S"]) for row in rows}
        shares: dict[Share, list[Active]] = {}
        for active in markers.values():
            key = _marker_key(active)
            if (key["pk"]["S"], key["sk"]["S"]) not in known:
                shares.setdefault((active.bot_id, active.month, _shard(active.log)), []).append(active)
        for share, new in shares.items():
            for start in range(0, len(new), MAX_ROWS):
                self._add_active(share, new[start : start + MAX_ROWS])

    def _add(self, minute: int, part: Sequence[Tally]) -> None:
        sums: dict[Hour, Counter[str]] = {}
        for tally in part:
            sums.setdefault((tally.bot_id, tally.hour), Counter()).update(tally.counts)
        marks = b"".join([_mark(tally) for tally in part])
        mark_row = {
            "pk": {"S": keys.counted_partition(minute)},
            "sk": {"S": marks[:MARK_BYTES].hex()},
            "marks": {"B": marks},
            "ttl": {"N": str(minute * MINUTE_MS // MILLISECONDS + COUNTED_KEPT_S)},
        }
        self._transact(
            [self._put_new(mark_row)]
            + [
                self._added(keys.counters_partition(bot_id), keys.hour_sort(hour), counts)
                for (bot_id, hour), counts in sums.items()
            ]
        )

    def _add_active(self, share: Share, new: Sequence[Active]) -> None:
        bot_id, month, shard = share
        markers = [
            {**_marker_key(active), "ttl": {"N": str(active.at_ms // MILLISECONDS + ACTIVE_KEPT_S)}} for active in new
        ]
        counter = self._added(keys.counters_partition(bot_id), keys.month_sort(month, shard), {"n": len(new)})
        self._transact([*[self._put_new(marker) for marker in markers], counter])

    def _put_new(self, item: Item) -> Item:
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def _added(self, partition: str, sort: str, counts: Counter[str] | dict[str, int]) -> Item:
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"pk": {"S": partition}, "sk": {"S": sort}},
                "UpdateExpression": "ADD " + ", ".join([f"#{index} :{index}" for index in range(len(counts))]),
                "ExpressionAttributeNames": {f"#{index}": name for index, name in enumerate(counts)},
                "ExpressionAttributeValues": {
                    f":{index}": {"N": str(count)} for index, count in enumerate(counts.values())
                },
            }
        }

    def _transact(self, writes: list[Item]) -> None:
        try:
            self._client.call("transact_write_items", None, TransactItems=writes)
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in CANCELLED:
                raise
            raise Conflict("the counters were written by somebody else") from exc

    def _counted(self, minute: int) -> set[bytes]:
        """Marks of the turns of a minute that are counted."""
        rows = self._query("pk = :pk", {":pk": {"S": keys.counted_partition(minute)}})
        return {
            row["marks"]["B"][start : start + MARK_BYTES]
            for row in rows
            for start in range(0, len(row["marks"]["B"]), MARK_BYTES)
        }

    def _query(self, condition: str, values: Item) -> Iterator[Item]:
        start: Item = {}
        while True:
            page = self._client.call(
                "query",
                None,
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                **start,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _parts(tallies: Sequence[Tally]) -> Iterator[list[Tally]]:
    """What goes into one transaction each: at most MAX_ROWS counters."""
    part: list[Tally] = []
    hours: set[Hour] = set()
    for tally in tallies:
        hour = (tally.bot_id, tally.hour)
        if hour not in hours and len(hours) == MAX_ROWS:
            yield part
            part, hours = [], set()
        part.append(tally)
        hours.add(hour)
    if part:
        yield part


def _mark(tally: Tally) -> bytes:
    return bytes.fromhex(tally.commit.replace("-", ""))[-MARK_BYTES:]


def _shard(log: str) -> int:
    return crc32(log.encode()) % keys.ACTIVE_SHARDS


def _marker_key(active: Active) -> Item:
    partition = keys.active_partition(active.bot_id, active.month, _shard(active.log))
    return {"pk": {"S": partition}, "sk": {"S": active.log}}


def _hour_counts(row: Item) -> HourCounts:
    numbers = {name: int(value["N"]) for name, value in row.items() if "N" in value}
    return HourCounts(
        hour=row["sk"]["S"].removeprefix(keys.HOUR_PREFIX),
        received_by_platform={
            name.removeprefix(RECEIVED_ON): number for name, number in numbers.items() if name.startswith(RECEIVED_ON)
        },
        **{name: numbers.get(name, 0) for name in PLAIN},
    )
