"""Claims in the core table: who does what must be done once, and until when. They expire by themselves."""

import uuid
from typing import Final

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.storage import keys

MILLISECONDS: Final = 1_000
KEPT_MS: Final = 86_400_000
"""A claim is remembered for a day after its time: DynamoDB removes it some time later."""


class DynamoClaims:
    """The port Claims."""

    def __init__(self, table_name: str, client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._client = client or BoundedClient()

    def take(
        self, bot_id: str, log: str, name: str, *, now_ms: int, until_ms: int, deadline_ns: int | None = None
    ) -> bool:
        """One conditional put. False when somebody has it and their time is not over."""
        us = uuid.uuid4().hex  # tells our own first try, whose answer was lost, from somebody else's
        try:
            self._client.call(
                "put_item",
                deadline_ns,
                TableName=self._table,
                Item={
                    "pk": {"S": keys.claims_partition(bot_id, log)},
                    "sk": {"S": name},
                    "until": {"N": str(until_ms)},
                    "by": {"S": us},
                    "ttl": {"N": str((until_ms + KEPT_MS) // MILLISECONDS)},
                },
                ConditionExpression="attribute_not_exists(pk) OR #until < :now OR #by = :us",
                ExpressionAttributeNames={"#until": "until", "#by": "by"},
                ExpressionAttributeValues={":now": {"N": str(now_ms)}, ":us": {"S": us}},
            )
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def is_taken(self, bot_id: str, log: str, name: str, deadline_ns: int | None = None) -> bool:
        """Whether it was ever taken, over or not."""
        response = self._client.call(
            "query",
            deadline_ns,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk = :sk",
            ExpressionAttributeValues={":pk": {"S": keys.claims_partition(bot_id, log)}, ":sk": {"S": name}},
            ConsistentRead=True,
        )
        return bool(response["Items"])
