"""Taking a person out of deliveries that are stored already."""

import json
from dataclasses import replace
from typing import Final

from shared.webhooks.delivery import Delivery, log_of
from shared.webhooks.wire import to_bytes

DELETED: Final = "bot.end_user.deleted"
"""Tells receivers of the erasure, so it stays until its delivery expires."""


def without(delivery: Delivery, end_user_id: str, before: int) -> Delivery | None:
    """The delivery without the events of an end user whose `sequence` is below `before`; None when it has none. What
    they said after they came back stays: the count of their log went on."""
    if end_user_id.encode() not in delivery.events:
        return None
    events = json.loads(delivery.events)
    kept = [
        event
        for event in events
        if log_of(event) != end_user_id or event["sequence"] >= before or event["event"] == DELETED
    ]
    if len(kept) == len(events):
        return None
    return without_answers(
        replace(
            delivery,
            events=b"[" + b",".join([to_bytes(event) for event in kept]) + b"]",
            count=len(kept),
            state=delivery.state if kept else "erased",
            next_at_ms=delivery.next_at_ms if kept else None,
            erasures=delivery.erasures + 1,
        )
    )


def without_answers(delivery: Delivery) -> Delivery:
    """Receivers may have answered with what they were sent."""
    return replace(delivery, attempts=tuple([replace(attempt, answer="") for attempt in delivery.attempts]))
