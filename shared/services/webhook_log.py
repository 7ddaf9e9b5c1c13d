"""Reading the delivery log in parts: day after day, a bounded piece of work at a time, and a cursor to go on with."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from shared.errors import InvalidInput
from shared.services.webhook_ports import Deliveries
from shared.webhooks.delivery import Delivery, LogPart, Place

DAY_MS: Final = 86_400_000
ROWS_A_READ: Final = 100
READS_A_PART: Final = 40
"""A month of empty days is one part."""
MAX_AT_MS: Final = 253_402_300_799_999

_CURSOR: Final = re.compile(r"(\d{1,15})\.([0-9a-f-]{0,36})", re.ASCII)


def read_part(
    deliveries: Deliveries,
    webhook_id: str,
    *,
    from_ms: int,
    until_ms: int,
    newest_first: bool,
    limit: int,
    after: Place | None = None,
    wanted: Callable[[Delivery], bool] = lambda delivery: True,
) -> LogPart:
    """Up to `limit` wanted deliveries of [from_ms, until_ms) that come after the place. Fewer, even none, do not mean
    that it is the end: only READS_A_PART reads are made."""
    low, high = (max(from_ms, 0), ""), (min(until_ms, MAX_AT_MS), "")
    if after is not None:
        low, high = (low, min(high, after)) if newest_first else (max(low, after), high)
    found: list[Delivery] = []
    for _ in range(READS_A_PART):
        if low >= high:
            return LogPart(items=found)
        day = (high[0] - (not high[1])) // DAY_MS if newest_first else low[0] // DAY_MS
        first, last = max(low, (day * DAY_MS, "")), min(high, ((day + 1) * DAY_MS, ""))
        rows = deliveries.part_of_day(
            webhook_id, _named(day), first=first, last=last, newest_first=newest_first, limit=ROWS_A_READ
        )
        for delivery in rows.items:
            if wanted(delivery):
                found.append(delivery)
                if len(found) == limit:
                    return LogPart(items=found, place=(delivery.key.at_ms, delivery.key.delivery_id))
        if newest_first:
            high = rows.place or first
        else:
            low = rows.place or last
    return LogPart(items=found, place=high if newest_first else low)


def to_cursor(place: Place | None) -> str | None:
    return None if place is None else f"{place[0]}.{place[1]}"


def from_cursor(cursor: str | None) -> Place | None:
    """Raises InvalidInput for what is no cursor."""
    if cursor is None:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None or int(found[1]) > MAX_AT_MS:
        raise InvalidInput("cursor: the one of the page before is expected")
    return int(found[1]), found[2]


def _named(day: int) -> str:
    """A UTC day, counted from 1970, as partitions are named."""
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).strftime("%Y%m%d")
