"""The keys that sign the web chat's tokens: one row of the core table for the installation."""

from typing import Any, Final

from shared.aws import BoundedClient
from shared.channels.web.tokens import SigningKey, SigningKeys
from shared.errors import Unavailable
from shared.storage import keys
from shared.storage.webhooks import holds

Item = dict[str, Any]

KEY: Final = {
    "pk": {"S": keys.workspace_partition(keys.DEFAULT_WORKSPACE)},
    "sk": {"S": keys.TOKEN_KEYS_SORT},
}


class DynamoSigningKeys:
    """The port SigningKeyRow."""

    def __init__(self, table_name: str, client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._client = client or BoundedClient()

    def get(self, deadline_ns: int | None = None) -> SigningKeys | None:
        response = self._client.call("get_item", deadline_ns, TableName=self._table, Key=KEY, ConsistentRead=True)
        if "Item" not in response:
            return None
        item = response["Item"]
        previous = item.get("previous")
        return SigningKeys(current=_key(item["current"]), previous=None if previous is None else _key(previous))

    def make(self, keys: SigningKeys, deadline_ns: int | None = None) -> SigningKeys:
        """Two who make keys at once use those of the one who was first."""
        is_first = holds(
            lambda: self._client.call(
                "put_item",
                deadline_ns,
                TableName=self._table,
                Item={**KEY, "current": _item(keys.current)},
                ConditionExpression="attribute_not_exists(pk)",
            )
        )
        if is_first:
            return keys
        found = self.get(deadline_ns)
        if found is None:
            raise Unavailable("the signing keys were there and are gone")
        return found


def _key(item: Item) -> SigningKey:
    return SigningKey(kid=item["M"]["kid"]["S"], secret=item["M"]["secret"]["S"])


def _item(key: SigningKey) -> Item:
    return {"M": {"kid": {"S": key.kid}, "secret": {"S": key.secret}}}
