"""Posts deliveries to customers' endpoints: an SQS event of jobs, all at once; answer {batchItemFailures}.

Each job waits for somebody else's server for up to 15 s, so the jobs of a batch do not wait for each other.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.runtime import wiring
from shared.runtime.observability import report_own_fault
from shared.services.webhook_deliver import Deliver
from shared.storage.delivery_queue import from_body


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    del context
    deliver = wiring.deliver()
    records = event["Records"]
    with ThreadPoolExecutor(len(records)) as threads:
        done = list(threads.map(lambda record: _is_done(deliver, record), records))
    failed = [record["messageId"] for record, is_done in zip(records, done, strict=True) if not is_done]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_done(deliver: Deliver, record: dict[str, Any]) -> bool:
    try:
        deliver(from_body(record["body"]))
    except Exception as exc:  # noqa: BLE001 - the job comes again, the others are not held up
        report_own_fault(exc)
        return False
    return True
