"""Bots in the core table: the row of a bot, its versions and its channels' settings."""

import json
from collections.abc import Iterator
from typing import Any, Final

from pynamodb.exceptions import GetError, PynamoDBConnectionError, QueryError, TransactWriteError
from pynamodb.transactions import TransactWrite

from shared.aws import BoundedClient
from shared.bot.record import BotRecord, BotVersion
from shared.conversation.turn import Turn
from shared.errors import Conflict, InvalidBot, Unavailable
from shared.storage import keys
from shared.storage.core import CoreRow, core_connection, core_table
from shared.storage.turn_row import TurnRow
from shared.storage.turns import DynamoTurns
from shared.storage.usage_limits import limits_of
from shared.usage.limits import NO_LIMITS

JsonObject = dict[str, Any]

PAGE_SIZE: Final = 100
MAX_META_BYTES: Final = 64 * 1024
"""Ours: the row is read every few seconds by every function, and DynamoDB holds 400 KB."""
CONDITION_FAILED: Final = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


class DynamoBots:
    """The bots of one installation."""

    def __init__(self, turns: DynamoTurns, client: BoundedClient | None = None) -> None:
        self._turns = turns
        self._client = client or BoundedClient()

    def get(self, bot_id: str, deadline_ns: int | None = None) -> BotRecord | None:
        """A bot with its channels' settings and its limits: one query, within the deadline of the step that asks."""
        items = list(self._settings_items(bot_id, deadline_ns))
        limits = next((limits_of(item) for item in items if item["sk"]["S"] == keys.BOT_LIMITS), NO_LIMITS)
        rows = [CoreRow.from_raw_data(item) for item in items if item["sk"]["S"] != keys.BOT_LIMITS]
        channels = {
            row.sk.removeprefix(keys.CHANNEL_PREFIX): row for row in rows if row.sk.startswith(keys.CHANNEL_PREFIX)
        }
        meta = next((row for row in rows if row.sk == keys.BOT_META), None)
        if meta is None:
            return None
        return BotRecord.from_json(
            meta.data,
            bot_id=bot_id,
            lock=int(meta.version),
            channels={platform: row.data for platform, row in channels.items()},
            channel_locks={platform: int(row.version) for platform, row in channels.items()},
            limits=limits,
        )

    def _settings_items(self, bot_id: str, deadline_ns: int | None) -> Iterator[JsonObject]:
        """Not by PynamoDB's own query: its time-outs are fixed, and it would keep a second client for one read."""
        start: JsonObject = {}
        while True:
            page = self._client.call(
                "query",
                deadline_ns,
                TableName=core_table(),
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": keys.bot_partition(bot_id)},
                    ":first": {"S": keys.CHANNEL_PREFIX},
                    ":last": {"S": keys.BOT_META},
                },
                ConsistentRead=True,
                **start,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def __iter__(self) -> Iterator[BotRecord]:
        """All bots, the last changed first."""
        rows = CoreRow.by_first_index.query(
            keys.bots_of_workspace(keys.DEFAULT_WORKSPACE), scan_index_forward=False, page_size=PAGE_SIZE
        )
        try:
            for row in rows:
                yield BotRecord.from_json(
                    row.data, bot_id=row.pk.removeprefix(keys.bot_partition("")), lock=int(row.version)
                )
        except (QueryError, PynamoDBConnectionError) as exc:
            raise Unavailable("cannot list the bots") from exc

    def save(
        self,
        record: BotRecord,
        *,
        version: BotVersion | None = None,
        channel: str | None = None,
        turn: Turn | None = None,
    ) -> None:
        """Store the bot's row if nobody stored a newer one; with it, all or nothing, a new version's row, the settings
        of a channel, and the turn of the `_sys` log that tells of the change. Raises Conflict."""
        rows = [self._meta_row(record)]
        if version is not None:
            rows.append(_version_row(record, version))
        if channel is not None:
            rows.append(_channel_row(record, channel))
        self._transact(rows, turn)

    def version(self, bot_id: str, number: int) -> BotVersion | None:
        try:
            row = CoreRow.get(keys.bot_partition(bot_id), keys.version_sort(number), consistent_read=True)
        except CoreRow.DoesNotExist:
            return None
        except (GetError, PynamoDBConnectionError) as exc:
            raise Unavailable("cannot read the version", bot=bot_id) from exc
        return BotVersion.from_json(row.data)

    def _meta_row(self, record: BotRecord) -> CoreRow:
        data = record.to_json()
        size = len(json.dumps(data, ensure_ascii=False).encode())
        if size > MAX_META_BYTES:
            raise InvalidBot(
                f"title, description and audience of bot '{record.bot_id}' take {size} bytes; "
                f"at most {MAX_META_BYTES} are kept",
                bot=record.bot_id,
            )
        row = CoreRow(keys.bot_partition(record.bot_id), keys.BOT_META, data=data)
        if record.deleted_at_ms is None:
            row.gsi1pk = keys.bots_of_workspace(keys.DEFAULT_WORKSPACE)
            row.gsi1sk = f"{record.updated_at_ms:015d}"
        if record.lock:  # left unset, PynamoDB writes "only if the row does not exist"
            row.version = record.lock
        return row

    def _transact(self, rows: list[CoreRow], turn: Turn | None = None) -> None:
        try:
            with TransactWrite(connection=core_connection()) as transaction:
                for row in rows:
                    transaction.save(row)
                if turn is not None:
                    transaction.save(TurnRow.of(self._turns.to_item(turn)), condition=TurnRow.pk.does_not_exist())
        except TransactWriteError as exc:
            if exc.cause_response_code in CONDITION_FAILED:
                raise Conflict("the bot was changed by somebody else", bot=rows[0].pk) from exc
            raise Unavailable("cannot store the bot", bot=rows[0].pk) from exc


def _version_row(record: BotRecord, version: BotVersion) -> CoreRow:
    return CoreRow(keys.bot_partition(record.bot_id), keys.version_sort(version.number), data=version.to_json())


def _channel_row(record: BotRecord, platform: str) -> CoreRow:
    row = CoreRow(keys.bot_partition(record.bot_id), keys.channel_sort(platform), data=record.channels[platform])
    if platform in record.channel_locks:
        row.version = record.channel_locks[platform]
    return row
