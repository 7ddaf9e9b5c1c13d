"""The keys that sign the web chat's tokens: one row of the core table for the installation."""

from typing import Any, Final

from shared.aws import BoundedClient
from shared.channels.web.tokens import SigningKey, SigningKeys
from shared.errors import Conflict, Unavailable
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
        previous = item.get("previous", {"L": []})["L"]
        return SigningKeys(current=_key(item["current"]), previous=tuple(_key(key) for key in previous))

    def make(self, keys: SigningKeys, deadline_ns: int | None = None) -> SigningKeys:
        """Two who make keys at once use those of the one who was first."""
        is_first = holds(
            lambda: self._client.call(
                "put_item",
                deadline_ns,
                TableName=self._table,
                Item=_row(keys),
                ConditionExpression="attribute_not_exists(pk)",
            )
        )
        if is_first:
            return keys
        found = self.get(deadline_ns)
        if found is None:
            raise Unavailable("the signing keys were there and are gone")
        return found

    def replace(self, before: SigningKeys, after: SigningKeys) -> None:
        """A key has a random name: the newest one's tells the row from any other."""
        is_replaced = holds(
            lambda: self._client.call(
                "put_item",
                None,
                TableName=self._table,
                Item=_row(after),
                ConditionExpression="#current.kid = :kid",
                ExpressionAttributeNames={"#current": "current"},
                ExpressionAttributeValues={":kid": {"S": before.current.kid}},
            )
        )
        # The call may have been repeated after an answer that was lost.
        if not is_replaced and self.get() != after:
            raise Conflict("somebody else changed the signing keys at the same moment")


def _row(keys: SigningKeys) -> Item:
    return {**KEY, "current": _item(keys.current), "previous": {"L": [_item(key) for key in keys.previous]}}


def _key(item: Item) -> SigningKey:
    signs_from = item["M"].get("from", {"N": "0"})["N"]
    return SigningKey(kid=item["M"]["kid"]["S"], secret=item["M"]["secret"]["S"], signs_from_s=int(signs_from))


def _item(key: SigningKey) -> Item:
    return {"M": {"kid": {"S": key.kid}, "secret": {"S": key.secret}, "from": {"N": str(key.signs_from_s)}}}
