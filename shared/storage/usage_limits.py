"""The limits of a bot in the core table, in a row that lies between its channels and its META row: who reads the bot
reads them along, at no further call.

What the owner sets and what the counting notes are different attributes of the row, so that neither waits for the
other.
"""

from typing import Any, Final, Literal

from shared.aws import BoundedClient
from shared.storage import keys
from shared.storage.webhooks import holds
from shared.usage.limits import DEFAULT_BRAND_LINE, NO_LIMITS, UsageLimits

Item = dict[str, Any]

QUOTA: Final = "monthlyActiveUsers"
BRAND_LINE: Final = "brandLine"
OVER_MONTH: Final = "overMonth"


class DynamoUsageLimits:
    """The port UsageLimitRows."""

    def __init__(self, table_name: str, client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._client = client or BoundedClient()

    def get(self, bot_id: str) -> UsageLimits:
        """As they are now: the read is consistent."""
        response = self._client.call("get_item", None, TableName=self._table, Key=_key(bot_id), ConsistentRead=True)
        return limits_of(response["Item"]) if "Item" in response else NO_LIMITS

    def set(
        self, bot_id: str, *, quota: int | Literal["as it is"] | None = "as it is", brand_line: str | None = None
    ) -> None:
        """Store what the owner decides; who decides later wins. What was noted under another quota is forgotten:
        whoever sets a quota counts again. brand_line None: as it is."""
        if quota != "as it is":
            self._update(
                bot_id,
                UpdateExpression=f"SET {QUOTA} = :quota REMOVE {OVER_MONTH}",
                ConditionExpression=f"attribute_not_exists({QUOTA}) OR {QUOTA} <> :quota",
                ExpressionAttributeValues={":quota": {"NULL": True} if quota is None else {"N": str(quota)}},
            )
        if brand_line is not None:
            self._update(
                bot_id,
                UpdateExpression=f"SET {BRAND_LINE} = :line",
                ExpressionAttributeValues={":line": {"S": brand_line}},
            )

    def mark_over(self, bot_id: str, month: int, *, active: int) -> bool:
        """Note that `active` end users were counted in `month` (yyyymm), if that is over the quota as it is now.
        Whether it is news: the same month again, or an earlier one, changes nothing."""
        return self._update(
            bot_id,
            UpdateExpression=f"SET {OVER_MONTH} = :month",
            ConditionExpression=(
                f"attribute_type({QUOTA}, :number) AND {QUOTA} < :active"
                f" AND (attribute_not_exists({OVER_MONTH}) OR {OVER_MONTH} < :month)"
            ),
            ExpressionAttributeValues={
                ":number": {"S": "N"},
                ":active": {"N": str(active)},
                ":month": {"N": str(month)},
            },
        )

    def _update(self, bot_id: str, **parameters: Any) -> bool:
        return holds(
            lambda: self._client.call("update_item", None, TableName=self._table, Key=_key(bot_id), **parameters)
        )


def limits_of(item: Item) -> UsageLimits:
    """The limits that a row holds."""
    quota = item.get(QUOTA, {}).get("N")
    return UsageLimits(
        quota=None if quota is None else int(quota),
        brand_line=item.get(BRAND_LINE, {}).get("S", DEFAULT_BRAND_LINE),
        over_month=int(item.get(OVER_MONTH, {}).get("N", 0)),
    )


def _key(bot_id: str) -> Item:
    return {"pk": {"S": keys.bot_partition(bot_id)}, "sk": {"S": keys.BOT_LIMITS}}
