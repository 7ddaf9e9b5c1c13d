"""Relays the events of new turns from the turns table's stream to the topic `events`.

A DynamoDB Streams event of one shard; answer {batchItemFailures} with the lowest sequence number that failed: Lambda
brings everything from there on again.
"""

from typing import Any

from shared.runtime import wiring


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    del context
    failed = wiring.relay()(event["Records"])
    return {"batchItemFailures": [] if failed is None else [{"itemIdentifier": failed}]}
