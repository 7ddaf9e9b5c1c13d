"""Lists and counts what new turns say, from the turns table's stream: public ids, counters, monthly active users.

A DynamoDB Streams event of one shard; answer {batchItemFailures} with the lowest sequence number that failed: Lambda
brings everything from there on again.
"""

from typing import Any

from shared.runtime import wiring
from shared.runtime.observability import report_own_fault


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    del context
    try:
        failed = wiring.project()(event["Records"])
    except Exception as exc:
        report_own_fault(exc)
        raise  # Lambda halves the batch, until the record that does it is alone
    return {"batchItemFailures": [] if failed is None else [{"itemIdentifier": failed}]}
