"""The delivery log in the core table: a row for each delivery, put once and changed only from the state that was seen.

Events are packed with the dictionary of turns, whose shapes they share; `f` is the format's number, as in the log.
"""

import json
import zlib
from collections.abc import Callable
from typing import Any, Final

from shared.aws import BoundedClient
from shared.errors import Unavailable
from shared.storage import keys
from shared.storage.turn_codec import DICTIONARY_1
from shared.storage.webhooks import holds
from shared.webhooks.delivery import MAX_BODY_BYTES, Attempt, Delivery, DeliveryKey, DeliveryPage, LogPart, Place

Item = dict[str, Any]

FORMAT: Final = 1
DAY_MS: Final = 86_400_000
KEPT_MS: Final = 30 * DAY_MS
HELD_MS: Final = 14 * DAY_MS
MILLISECONDS: Final = 1_000
PAGE_SIZE: Final = 100
"""Of deliveries with their events."""
LISTED: Final = "sk, bot, n, f, #state, #round, tried, waited, #first, revision, due, attempts, erasures, test, #ttl"
"""All of a row but its events."""
OPTIONAL_NUMBERS: Final = {"first_try_ms": "first", "url_revision": "revision", "next_at_ms": "due"}
"""Fields of a delivery that may be None, and their attributes."""


class DynamoDeliveries:
    """The port Deliveries."""

    def __init__(self, table_name: str, now_ms: Callable[[], int], client: BoundedClient | None = None) -> None:
        self._table = table_name
        self._now_ms = now_ms
        self._client = client or BoundedClient()

    def put(self, delivery: Delivery, *, now_ms: int) -> bool:
        """Store a new delivery; False when it is there already, in whatever state."""
        item = to_row(delivery, now_ms)
        return holds(
            lambda: self._client.call(
                "put_item",
                None,
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
            )
        )

    def get(self, key: DeliveryKey) -> Delivery | None:
        """As it is now; None when it expired, whether or not DynamoDB has removed it yet."""
        response = self._client.call("get_item", None, TableName=self._table, Key=_key(key), ConsistentRead=True)
        item = response.get("Item")
        return None if item is None or self._is_expired(item) else _delivery(key, item)

    def begin_round(self, delivery: Delivery, *, now_ms: int) -> bool:
        """Start the round that `delivery` is in; False when it was started already. It is kept for 30 days from now."""
        return self._update(
            delivery,
            "#round = :before AND NOT #state IN (:pending, :erased)",
            {
                ":before": {"N": str(delivery.round - 1)},
                ":pending": {"S": "pending"},
                ":erased": {"S": "erased"},
            },
            ttl_ms=now_ms + KEPT_MS,
        )

    def hold(self, delivery: Delivery, *, now_ms: int) -> bool:
        """A pending delivery whose endpoint is off is kept for 14 days, and not sent."""
        return holds(
            lambda: self._client.call(
                "update_item",
                None,
                TableName=self._table,
                Key=_key(delivery.key),
                UpdateExpression="SET #state = :held, #ttl = :ttl",
                ConditionExpression="#state = :pending AND #round = :round AND tried = :tried",
                ExpressionAttributeNames={"#state": "state", "#ttl": "ttl", "#round": "round"},
                ExpressionAttributeValues={
                    ":held": {"S": "held"},
                    ":pending": {"S": "pending"},
                    ":round": {"N": str(delivery.round)},
                    ":tried": {"N": str(delivery.tried)},
                    ":ttl": {"N": _seconds(now_ms + HELD_MS)},
                },
            )
        )

    def note_attempt(self, before: Delivery, after: Delivery, attempt: Attempt) -> bool:
        """Write a try down, once; False when another copy of its job did, or events were erased meanwhile."""
        del attempt  # the last of after.attempts
        return self._update(
            after,
            "#state = :pending AND #round = :before AND tried = :done AND " + _erased_as_seen(before),
            {
                ":pending": {"S": "pending"},
                ":before": {"N": str(before.round)},
                ":done": {"N": str(before.tried)},
                **_erasures(before),
            },
        )

    def rewrite(self, before: Delivery, after: Delivery) -> bool:
        """Store what is left after an erasure; False when the delivery is no longer as it was seen."""
        return self._update(
            after,
            "#state = :was AND #round = :before AND tried = :done AND " + _erased_as_seen(before),
            {
                ":was": {"S": before.state},
                ":before": {"N": str(before.round)},
                ":done": {"N": str(before.tried)},
                **_erasures(before),
            },
            events={
                "z": {"B": pack(after.events)},
                "f": {"N": str(FORMAT)},
                "n": {"N": str(after.count)},
                "erasures": {"N": str(after.erasures)},
            },
        )

    def page(self, webhook_id: str, day: str, after: str) -> DeliveryPage:
        """Deliveries of an endpoint with their events, the oldest first, also those that have expired and are still
        there. `after` is a place in the day: one that a page gave, `keys.delivery_sort`'s time, or nothing."""
        found = self._client.call(
            "query",
            None,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk > :after",
            ExpressionAttributeValues={
                ":pk": {"S": keys.deliveries_partition(webhook_id, day)},
                ":after": {"S": after or "-"},  # before every digit; an empty text is no key
            },
            Limit=PAGE_SIZE,
            ConsistentRead=True,
        )
        return DeliveryPage(
            items=tuple([_delivery(_key_of(webhook_id, item), item) for item in found["Items"]]),
            after=found["LastEvaluatedKey"]["sk"]["S"] if "LastEvaluatedKey" in found else None,
        )

    def part_of_day(
        self, webhook_id: str, day: str, *, first: Place, last: Place, newest_first: bool, limit: int
    ) -> LogPart:
        """Deliveries of an endpoint by the UTC day of their newest event, between two places: one read."""
        bounds = [keys.delivery_sort(*place) for place in (first, last)]
        page = self._client.call(
            "query",
            None,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": keys.deliveries_partition(webhook_id, day)},
                ":first": {"S": bounds[0]},
                ":last": {"S": bounds[1]},
            },
            ProjectionExpression=LISTED,
            ExpressionAttributeNames={"#state": "state", "#round": "round", "#first": "first", "#ttl": "ttl"},
            ScanIndexForward=not newest_first,
            Limit=limit,
            ConsistentRead=True,
        )
        items = [
            _delivery(_key_of(webhook_id, item), item)
            for item in page["Items"]
            if item["sk"]["S"] not in bounds and not self._is_expired(item)
        ]
        if "LastEvaluatedKey" not in page:
            return LogPart(items=items)
        seen = _key_of(webhook_id, page["LastEvaluatedKey"])
        return LogPart(items=items, place=(seen.at_ms, seen.delivery_id))

    def _is_expired(self, item: Item) -> bool:
        return int(item["ttl"]["N"]) * MILLISECONDS <= self._now_ms()

    def _update(
        self, after: Delivery, condition: str, seen: Item, *, ttl_ms: int | None = None, events: Item | None = None
    ) -> bool:
        part = {**_progress(after), **(events or {})}
        if ttl_ms is not None:
            part["ttl"] = {"N": _seconds(ttl_ms)}
        gone = [attribute for field, attribute in OPTIONAL_NUMBERS.items() if getattr(after, field) is None]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in part)
        if gone:
            update += " REMOVE " + ", ".join(f"#{name}" for name in gone)
        return holds(
            lambda: self._client.call(
                "update_item",
                None,
                TableName=self._table,
                Key=_key(after.key),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in (*part, *gone)},
                ExpressionAttributeValues={**{f":{name}": value for name, value in part.items()}, **seen},
            )
        )


def to_row(delivery: Delivery, now_ms: int) -> Item:
    """A new row."""
    kept = HELD_MS if delivery.state == "held" else KEPT_MS
    return {
        **_key(delivery.key),
        "bot": {"S": delivery.bot_id},
        "n": {"N": str(delivery.count)},
        "f": {"N": str(FORMAT)},
        "z": {"B": pack(delivery.events)},
        "ttl": {"N": _seconds(now_ms + kept)},
        **_progress(delivery),
        **({"test": {"BOOL": True}} if delivery.is_test else {}),
    }


def _key(key: DeliveryKey) -> Item:
    return {
        "pk": {"S": keys.deliveries_partition(key.webhook_id, key.day)},
        "sk": {"S": keys.delivery_sort(key.at_ms, key.delivery_id)},
    }


def _key_of(webhook_id: str, item: Item) -> DeliveryKey:
    at, _, delivery_id = item["sk"]["S"].partition("#")
    return DeliveryKey(webhook_id=webhook_id, at_ms=int(at), delivery_id=delivery_id)


def _erased_as_seen(before: Delivery) -> str:
    return "erasures = :erasures" if before.erasures else "attribute_not_exists(erasures)"


def _erasures(before: Delivery) -> Item:
    return {":erasures": {"N": str(before.erasures)}} if before.erasures else {}


def _seconds(ms: int) -> str:
    return str(ms // MILLISECONDS)


def _progress(delivery: Delivery) -> Item:
    """What changes with the tries."""
    part: Item = {
        "state": {"S": delivery.state},
        "round": {"N": str(delivery.round)},
        "tried": {"N": str(delivery.tried)},
        "waited": {"N": str(delivery.waited_s)},
    }
    if delivery.attempts:
        attempts = [attempt.to_json() for attempt in delivery.attempts]
        part["attempts"] = {"S": json.dumps(attempts, ensure_ascii=False, separators=(",", ":"))}
    for field, attribute in OPTIONAL_NUMBERS.items():
        value = getattr(delivery, field)
        if value is not None:
            part[attribute] = {"N": str(value)}
    return part


def _delivery(key: DeliveryKey, item: Item) -> Delivery:
    def number(name: str) -> int | None:
        return int(item[name]["N"]) if name in item else None

    attempts = json.loads(item["attempts"]["S"]) if "attempts" in item else []
    return Delivery(
        key=key,
        bot_id=item["bot"]["S"],
        events=unpack(item["z"]["B"], int(item["f"]["N"])) if "z" in item else b"",
        count=int(item["n"]["N"]),
        state=item["state"]["S"],
        round=int(item["round"]["N"]),
        tried=int(item["tried"]["N"]),
        waited_s=int(item["waited"]["N"]),
        first_try_ms=number("first"),
        url_revision=number("revision"),
        next_at_ms=number("due"),
        attempts=tuple([Attempt.from_json(attempt) for attempt in attempts]),
        erasures=number("erasures") or 0,
        is_test="test" in item,
    )


def pack(events: bytes) -> bytes:
    packer = zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS, zdict=DICTIONARY_1)
    return packer.compress(events) + packer.flush()


def unpack(packed: bytes, version: int) -> bytes:
    if version != FORMAT:
        raise Unavailable(f"a delivery of format {version} cannot be read by this version", version=version)
    return zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=DICTIONARY_1).decompress(packed, MAX_BODY_BYTES)
