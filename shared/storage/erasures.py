"""Receipts of erasures in the core table, and the queue of the work that they ask for."""

import json
from datetime import UTC, datetime
from typing import Final

from botocore.exceptions import ClientError
from pynamodb.exceptions import GetError, PutError, PynamoDBConnectionError, TransactWriteError
from pynamodb.transactions import TransactWrite

from shared.aws import BoundedClient
from shared.conversation.erasure import Erasure, ErasureJob
from shared.conversation.turn import Turn
from shared.errors import Conflict, Unavailable
from shared.storage import keys
from shared.storage.bots import CONDITION_FAILED
from shared.storage.core import CoreRow, core_connection
from shared.storage.turn_row import TurnRow
from shared.storage.turns import DynamoTurns

MILLISECONDS: Final = 1_000
KEPT_MS: Final = 3 * 365 * 86_400_000
"""Of a receipt: who was asked to erase somebody may have to show that they did."""


class DynamoErasures:
    """The port Erasures. Both tables must be bound."""

    def __init__(self, turns: DynamoTurns) -> None:
        self._turns = turns

    def begin(self, erasure: Erasure, tombstone: Turn) -> None:
        """Receipt and tombstone, both or none. Raises Conflict when the tombstone's place in the log is taken."""
        turn = TurnRow.of(self._turns.to_item(tombstone))
        try:
            with TransactWrite(connection=core_connection()) as transaction:
                transaction.save(_row(erasure))
                transaction.save(turn, condition=TurnRow.pk.does_not_exist())
        except TransactWriteError as exc:
            if exc.cause_response_code in CONDITION_FAILED:
                raise Conflict("another message was faster", log=erasure.log) from exc
            raise Unavailable("cannot store the erasure", bot=erasure.bot_id) from exc

    def get(self, bot_id: str, erasure_id: str) -> Erasure | None:
        """As it is now: the read is consistent."""
        try:
            row = CoreRow.get(keys.erasures_partition(bot_id), erasure_id, consistent_read=True)
        except CoreRow.DoesNotExist:
            return None
        except (GetError, PynamoDBConnectionError) as exc:
            raise Unavailable("cannot read the erasure", bot=bot_id) from exc
        return Erasure.from_json(row.data, bot_id=bot_id, erasure_id=erasure_id, lock=int(row.version))

    def save(self, erasure: Erasure) -> None:
        """Raises Conflict when somebody changed it since it was read."""
        try:
            _row(erasure).save()
        except PutError as exc:
            if exc.cause_response_code in CONDITION_FAILED:
                raise Conflict("the receipt was changed by somebody else", erasure=erasure.erasure_id) from exc
            raise Unavailable("cannot store the receipt", bot=erasure.bot_id) from exc


def _row(erasure: Erasure) -> CoreRow:
    row = CoreRow(keys.erasures_partition(erasure.bot_id), erasure.erasure_id, data=erasure.to_json())
    row.ttl = datetime.fromtimestamp((erasure.requested_at_ms + KEPT_MS) / MILLISECONDS, UTC)
    if erasure.lock:  # left unset, PynamoDB writes "only if the row does not exist"
        row.version = erasure.lock
    return row


class SqsErasureQueue:
    """The port ErasureQueue."""

    def __init__(self, queue_url: str, client: BoundedClient | None = None) -> None:
        self._queue_url = queue_url
        self._client = client or BoundedClient("sqs")

    def send(self, job: ErasureJob, *, delay_seconds: int = 0) -> None:
        """Raises Unavailable when the queue did not take it, or nobody knows; to send it twice does no harm."""
        try:
            self._client.call(
                "send_message",
                None,
                QueueUrl=self._queue_url,
                MessageBody=json.dumps(job.to_json()),
                DelaySeconds=delay_seconds,
            )
        except ClientError as exc:
            raise Unavailable("the queue of erasures refused a job", code=exc.response["Error"]["Code"]) from exc
