"""Customers' endpoints in the core table. Every write has a condition: the sender, its copies and the owner all write.

What the sender notes (a success, a disabling) and what the owner changes are different attributes of the row, so that
neither waits for the other.
"""

import json
from typing import Any, Final

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.errors import Conflict
from shared.storage import keys
from shared.webhooks.endpoint import Disabling, Endpoint, checked

Item = dict[str, Any]

CONDITION_FAILED: Final = "ConditionalCheckFailedException"


def holds(call: Any) -> bool:
    """Make a conditional call; False when its condition does not hold."""
    try:
        call()
    except ClientError as exc:
        if exc.response["Error"]["Code"] != CONDITION_FAILED:
            raise
        return False
    return True


class DynamoEndpoints:
    """The port Endpoints, and what their management needs."""

    def __init__(self, table_name: str, client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._client = client or BoundedClient()

    def of_bot(self, bot_id: str) -> list[Endpoint]:
        """All endpoints of a bot, those that are off too, in the order of their ids."""
        found: list[Endpoint] = []
        start: Item = {}
        while True:
            page = self._client.call(
                "query",
                None,
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :webhook)",
                ExpressionAttributeValues={
                    ":pk": {"S": keys.bot_partition(bot_id)},
                    ":webhook": {"S": keys.WEBHOOK_PREFIX},
                },
                ConsistentRead=True,
                **start,
            )
            found += [_endpoint(bot_id, item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def get(self, bot_id: str, webhook_id: str) -> Endpoint | None:
        """As it is now: the read is consistent."""
        key = _key(bot_id, webhook_id)
        response = self._client.call("get_item", None, TableName=self._table, Key=key, ConsistentRead=True)
        return _endpoint(bot_id, response["Item"]) if "Item" in response else None

    def create(self, endpoint: Endpoint) -> None:
        """Raises InvalidInput; Conflict when the id is taken."""
        item = {**_key(endpoint.bot_id, endpoint.webhook_id), **_owners_part(checked(endpoint))}
        if not self._put(Item=item, ConditionExpression="attribute_not_exists(pk)"):
            raise Conflict("the webhook exists already", webhook=endpoint.webhook_id)

    def change(self, before: Endpoint, after: Endpoint) -> None:
        """Store what the owner changed: name, URL, secrets, user agent, on or off. Raises InvalidInput; Conflict when
        the owner, or a disabling, was faster."""
        part = _owners_part(checked(after))
        gone = [name for name in _owners_part(before) if name not in part]
        names = {f"#{name}": name for name in (*part, *gone, "enabled", "updatedAt")}
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in part)
        if gone:
            update += " REMOVE " + ", ".join(f"#{name}" for name in gone)
        if not self._update(
            before,
            UpdateExpression=update,
            ConditionExpression="#updatedAt = :seenAt AND #enabled = :seenEnabled AND #urlRevision = :seenRevision",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={
                **{f":{name}": value for name, value in part.items()},
                ":seenAt": {"N": str(before.updated_at_ms)},
                ":seenEnabled": {"BOOL": before.enabled},
                ":seenRevision": {"N": str(before.url_revision)},
            },
        ):
            raise Conflict("the webhook was changed by somebody else", webhook=before.webhook_id)

    def delete(self, bot_id: str, webhook_id: str) -> None:
        """Unconditional: gone is gone, however often it is asked for. Its delivery log expires."""
        self._client.call("delete_item", None, TableName=self._table, Key=_key(bot_id, webhook_id))

    def note_success(self, endpoint: Endpoint, at_ms: int) -> None:
        """Remember the newest success; an older one changes nothing."""
        self._update(
            endpoint,
            UpdateExpression="SET lastSuccessAt = :at",
            ConditionExpression="attribute_exists(pk) AND (attribute_not_exists(lastSuccessAt) OR lastSuccessAt < :at)",
            ExpressionAttributeValues={":at": {"N": str(at_ms)}},
        )

    def disable(
        self,
        endpoint: Endpoint,
        disabling: Disabling,
        *,
        url_revision: int,
        at_ms: int,
        unless_success_since: int | None,
    ) -> bool:
        """Switch the endpoint off, unless its URL is another now or a delivery succeeded meanwhile. Whether it was."""
        condition = "enabled = :on AND urlRevision = :revision"
        values: Item = {
            ":on": {"BOOL": True},
            ":off": {"BOOL": False},
            ":revision": {"N": str(url_revision)},
            ":at": {"N": str(at_ms)},
            ":disabling": {"S": _disabling_text(disabling)},
        }
        if unless_success_since is not None:
            condition += " AND (attribute_not_exists(lastSuccessAt) OR lastSuccessAt < :since)"
            values[":since"] = {"N": str(unless_success_since)}
        return self._update(
            endpoint,
            UpdateExpression="SET enabled = :off, disabledAt = :at, disabling = :disabling",
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )

    def _put(self, **parameters: Any) -> bool:
        return holds(lambda: self._client.call("put_item", None, TableName=self._table, **parameters))

    def _update(self, endpoint: Endpoint, **parameters: Any) -> bool:
        key = _key(endpoint.bot_id, endpoint.webhook_id)
        return holds(lambda: self._client.call("update_item", None, TableName=self._table, Key=key, **parameters))


def _key(bot_id: str, webhook_id: str) -> Item:
    return {"pk": {"S": keys.bot_partition(bot_id)}, "sk": {"S": keys.webhook_sort(webhook_id)}}


def _owners_part(endpoint: Endpoint) -> Item:
    """What the owner decides, as attributes; the sender writes lastSuccessAt beside it."""
    part: Item = {
        "name": {"S": endpoint.name},
        "url": {"S": endpoint.url},
        "urlRevision": {"N": str(endpoint.url_revision)},
        "secret": {"S": endpoint.secret},
        "enabled": {"BOOL": endpoint.enabled},
        "closerUserAgent": {"BOOL": endpoint.closer_user_agent},
        "createdAt": {"N": str(endpoint.created_at_ms)},
        "updatedAt": {"N": str(endpoint.updated_at_ms)},
    }
    if endpoint.previous_secret is not None:
        part["previousSecret"] = {"S": endpoint.previous_secret}
        part["previousUntil"] = {"N": str(endpoint.previous_until_ms)}
    if endpoint.disabled_at_ms is not None and endpoint.disabling is not None:
        part["disabledAt"] = {"N": str(endpoint.disabled_at_ms)}
        part["disabling"] = {"S": _disabling_text(endpoint.disabling)}
    return part


def _disabling_text(disabling: Disabling) -> str:
    return json.dumps(
        {
            "reason": disabling.reason,
            "status": disabling.status,
            "error": disabling.error,
            "deliveryId": disabling.delivery_id,
        }
    )


def _disabling(text: str) -> Disabling:
    data = json.loads(text)
    return Disabling(reason=data["reason"], status=data["status"], error=data["error"], delivery_id=data["deliveryId"])


def _endpoint(bot_id: str, item: Item) -> Endpoint:
    def number(name: str) -> int | None:
        return int(item[name]["N"]) if name in item else None

    return Endpoint(
        webhook_id=item["sk"]["S"].removeprefix(keys.WEBHOOK_PREFIX),
        bot_id=bot_id,
        name=item["name"]["S"],
        url=item["url"]["S"],
        url_revision=int(item["urlRevision"]["N"]),
        secret=item["secret"]["S"],
        enabled=item["enabled"]["BOOL"],
        closer_user_agent=item["closerUserAgent"]["BOOL"],
        previous_secret=item["previousSecret"]["S"] if "previousSecret" in item else None,
        previous_until_ms=number("previousUntil") or 0,
        disabled_at_ms=number("disabledAt"),
        disabling=_disabling(item["disabling"]["S"]) if "disabling" in item else None,
        last_success_ms=number("lastSuccessAt"),
        created_at_ms=int(item["createdAt"]["N"]),
        updated_at_ms=int(item["updatedAt"]["N"]),
    )
