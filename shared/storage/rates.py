"""Counts of windows of time in the core table; they expire by themselves."""

from typing import Final

from shared.aws import BoundedClient
from shared.storage import keys

SORT: Final = "COUNT"


class DynamoRates:
    """The port RateCounters. A count whose answer was lost may be counted twice: this only limits."""

    def __init__(self, table_name: str, client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._client = client or BoundedClient()

    def add(self, name: str, window: int, count: int, *, expires_at_s: int, deadline_ns: int | None = None) -> int:
        response = self._client.call(
            "update_item",
            deadline_ns,
            TableName=self._table,
            Key={"pk": {"S": keys.rate_partition(name, window)}, "sk": {"S": SORT}},
            UpdateExpression="ADD #count :count SET #ttl = :ttl",
            ExpressionAttributeNames={"#count": "count", "#ttl": "ttl"},
            ExpressionAttributeValues={":count": {"N": str(count)}, ":ttl": {"N": str(expires_at_s)}},
            ReturnValues="UPDATED_NEW",
        )
        return int(response["Attributes"]["count"]["N"])
