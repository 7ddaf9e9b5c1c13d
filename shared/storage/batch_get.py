"""Many rows by their keys."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from shared.aws import BoundedClient
from shared.errors import Unavailable

Item = dict[str, Any]

MAX_KEYS: Final = 100
"""DynamoDB BatchGetItem: of one call."""
TRIES: Final = 5
"""Of the keys of a call that DynamoDB left for later."""


def rows_of(client: BoundedClient, table: str, wanted: Sequence[Item]) -> Iterator[Item]:
    """The rows of these keys that exist, in no order. No key stands twice. Raises Unavailable."""
    for start in range(0, len(wanted), MAX_KEYS):
        left = list(wanted[start : start + MAX_KEYS])
        for _ in range(TRIES):
            request = {table: {"Keys": left, "ConsistentRead": True}}
            answer = client.call("batch_get_item", None, RequestItems=request)
            yield from answer["Responses"].get(table, ())
            left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if not left:
                break
        if left:
            raise Unavailable("DynamoDB leaves keys unread", keys=len(left))
