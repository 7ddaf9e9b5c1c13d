"""The log of an end user: append-only, one conditional put a turn (docs/architecture.md).

That put is the lock, the duplicate check, the history and the outbox at once. Reading costs one query whatever the
history, because each turn carries the state. A large state goes to a row of its own first, named by its content, so
that an unchanged one is not written again and racing writers cannot harm each other.
"""

import hashlib
import uuid
from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.conversation.history import SaidTurn
from shared.conversation.turn import JsonObject, Turn, TurnConflict, TurnTooLarge
from shared.errors import Unavailable
from shared.storage import keys, turn_codec

Item = dict[str, Any]

MAX_STATE_BYTES: Final = 3 * 1024
"""Packed size from which the state gets a row of its own."""
MAX_TURN_BYTES: Final = 350 * 1024
"""DynamoDB: an item holds 400 KB with its attribute names; what is above this is refused before it is sent."""


class DynamoTurns:
    """The turns table. `deadline_ns` (monotonic) bounds each call; None only bounds single tries."""

    def __init__(self, table_name: str, client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._client = client or BoundedClient()

    def newest(self, bot_id: str, log: str, deadline_ns: int | None = None) -> Turn | None:
        """The newest turn, which carries the state; None for a new log."""
        response = self._client.call(
            "query",
            deadline_ns,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :turn)",
            ExpressionAttributeValues={":pk": {"S": keys.log_partition(bot_id, log)}, ":turn": {"S": keys.TURN_PREFIX}},
            ScanIndexForward=False,
            Limit=1,  # one page is enough: only the newest is asked for
            ConsistentRead=True,
        )
        items = response["Items"]
        return self._read(bot_id, log, items[0], deadline_ns) if items else None

    def get(self, bot_id: str, log: str, revision: int, deadline_ns: int | None = None) -> Turn | None:
        """One earlier turn."""
        item = self._get(keys.log_partition(bot_id, log), keys.turn_sort(revision), deadline_ns)
        return None if item is None else self._read(bot_id, log, item, deadline_ns)

    def said(
        self,
        bot_id: str,
        log: str,
        *,
        first: int,
        last: int,
        limit: int,
        newest_first: bool = True,
        deadline_ns: int | None = None,
    ) -> list[SaidTurn]:
        """What was said in the turns `first` to `last`, at most `limit` of them: one query, whose page may end sooner;
        none are left when it is empty."""
        response = self._client.call(
            "query",
            deadline_ns,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": keys.log_partition(bot_id, log)},
                ":first": {"S": keys.turn_sort(first)},
                ":last": {"S": keys.turn_sort(last)},
            },
            ScanIndexForward=not newest_first,
            Limit=limit,
            ConsistentRead=True,
        )
        return [_said(bot_id, item) for item in response["Items"]]

    def append(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> None:
        """Write the turn if its revision is still free.

        `previous` tells which large state is stored already. Raises TurnConflict with the winner; Unavailable when the
        outcome is unknown (read again and compare `commit`).
        """
        item = self.to_item(turn, previous, deadline_ns)
        try:
            self._client.call(
                "put_item",
                deadline_ns,
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            refusal: Any = exc.response
            winner = self._read(turn.bot_id, turn.log, refusal["Item"], deadline_ns)
            if winner.commit != turn.commit:  # else it is our own first try, whose answer was lost
                raise TurnConflict(winner) from exc

    def to_item(self, turn: Turn, previous: Turn | None = None, deadline_ns: int | None = None) -> Item:
        """The row of a turn; a large state has been written beside it when this returns."""
        body = turn.body()
        hints = turn_codec.hints(turn.bot_id, turn.commit, turn.at_ms)
        packed = turn_codec.encode(body, hints)
        if len(packed) > MAX_STATE_BYTES:
            state = turn_codec.encode(body["state"])
            if len(state) > MAX_STATE_BYTES:
                _check_size(state)
                digest = hashlib.sha256(state).hexdigest()[:32]
                if previous is None or previous.state_row != digest:
                    self._put_state(turn, digest, state, deadline_ns)
                packed = turn_codec.encode({**body, "state": {"row": digest}}, hints)
        _check_size(packed)
        return {
            "pk": {"S": keys.log_partition(turn.bot_id, turn.log)},
            "sk": {"S": keys.turn_sort(turn.revision)},
            "c": {"B": uuid.UUID(turn.commit).bytes},
            "t": {"N": str(turn.at_ms)},
            "f": {"N": str(turn_codec.VERSION)},
            "z": {"B": packed},
        }

    def _put_state(self, turn: Turn, digest: str, state: bytes, deadline_ns: int | None) -> None:
        """No condition: the key is the content's name, so whoever else writes it writes the same. `r` is the newest
        revision that it was written for."""
        self._client.call(
            "put_item",
            deadline_ns,
            TableName=self._table,
            Item={
                "pk": {"S": keys.log_partition(turn.bot_id, turn.log)},
                "sk": {"S": keys.state_sort(digest)},
                "r": {"N": str(turn.revision)},
                "f": {"N": str(turn_codec.VERSION)},
                "z": {"B": state},
            },
        )

    def _get(self, partition: str, sort: str, deadline_ns: int | None) -> Item | None:
        response = self._client.call(
            "get_item",
            deadline_ns,
            TableName=self._table,
            Key={"pk": {"S": partition}, "sk": {"S": sort}},
            ConsistentRead=True,
        )
        item: Item | None = response.get("Item")
        return item

    def _read(self, bot_id: str, log: str, item: Item, deadline_ns: int | None) -> Turn:
        body, commit, at_ms = _body(bot_id, item)
        row = body["state"].get("row")
        if row is not None:
            stored = self._get(item["pk"]["S"], keys.state_sort(row), deadline_ns)
            if stored is None:
                raise Unavailable("the state of this log is missing", log=log, row=row)
            body["state"] = turn_codec.decode(stored["z"]["B"], int(stored["f"]["N"]))
        turn = Turn.from_body(
            body,
            bot_id=bot_id,
            log=log,
            revision=keys.revision_of(item["sk"]["S"]),
            commit=commit,
            at_ms=at_ms,
        )
        return turn if row is None else replace(turn, state_row=row)


def _body(bot_id: str, item: Item) -> tuple[JsonObject, str, int]:
    """The body of a turn's row, its commit and its time."""
    commit = str(uuid.UUID(bytes=bytes(item["c"]["B"])))
    at_ms = int(item["t"]["N"])
    hints = turn_codec.hints(bot_id, commit, at_ms)
    return turn_codec.decode(item["z"]["B"], int(item["f"]["N"]), hints), commit, at_ms


def _said(bot_id: str, item: Item) -> SaidTurn:
    body, _, at_ms = _body(bot_id, item)
    revision = keys.revision_of(item["sk"]["S"])
    return SaidTurn(revision=revision, at_ms=at_ms, messages=body["messages"], events=body["events"])


def _check_size(packed: bytes) -> None:
    if len(packed) > MAX_TURN_BYTES:
        raise TurnTooLarge(f"{len(packed)} bytes do not fit into a row of the log", limit=MAX_TURN_BYTES)
