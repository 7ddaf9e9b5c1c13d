"""API keys in the core table: a row each, found by the beginning of its digest, listed by GSI1."""

from typing import Any, Final

from shared.api_key import MAX_KEYS, ApiKey, StoredKey
from shared.aws import BoundedClient
from shared.errors import Conflict
from shared.storage import keys
from shared.storage.webhooks import holds

Item = dict[str, Any]

MAX_LISTED: Final = 2 * MAX_KEYS
"""One page: their number is bounded where they are made."""


class DynamoApiKeys:
    """The port ApiKeyRows."""

    def __init__(self, table_name: str, client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._client = client or BoundedClient()

    def put(self, stored: StoredKey) -> None:
        """Raises Conflict when the id is taken."""
        key = stored.key
        item: Item = {
            **_key(key.key_id),
            "gsi1pk": {"S": keys.api_keys_of_workspace(keys.DEFAULT_WORKSPACE)},
            "gsi1sk": {"S": keys.list_sort(key.created_at_ms, key.key_id)},
            "digest": {"S": stored.digest},
            "name": {"S": key.name},
            "scopes": {"L": [{"S": scope} for scope in key.scopes]},
            "createdAt": {"N": str(key.created_at_ms)},
        }
        if not holds(
            lambda: self._client.call(
                "put_item", None, TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
        ):
            raise Conflict("the key exists already", key=key.key_id)

    def get(self, key_id: str) -> StoredKey | None:
        """As it is now: a key that was revoked ends at once."""
        response = self._client.call("get_item", None, TableName=self._table, Key=_key(key_id), ConsistentRead=True)
        return _stored(response["Item"]) if "Item" in response else None

    def all(self) -> list[StoredKey]:
        """The newest first."""
        page = self._client.call(
            "query",
            None,
            TableName=self._table,
            IndexName="GSI1",
            KeyConditionExpression="gsi1pk = :keys",
            ExpressionAttributeValues={":keys": {"S": keys.api_keys_of_workspace(keys.DEFAULT_WORKSPACE)}},
            ScanIndexForward=False,
            Limit=MAX_LISTED,
        )
        return [_stored(item) for item in page["Items"]]

    def delete(self, key_id: str) -> None:
        self._client.call("delete_item", None, TableName=self._table, Key=_key(key_id))


def _key(key_id: str) -> Item:
    return {"pk": {"S": keys.api_key_partition(key_id)}, "sk": {"S": keys.API_KEY_SORT}}


def _stored(item: Item) -> StoredKey:
    key = ApiKey(
        key_id=item["pk"]["S"].removeprefix(keys.api_key_partition("")),
        name=item["name"]["S"],
        scopes=tuple([scope["S"] for scope in item["scopes"]["L"]]),
        created_at_ms=int(item["createdAt"]["N"]),
    )
    return StoredKey(key=key, digest=item["digest"]["S"])
