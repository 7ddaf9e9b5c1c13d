"""Erases people: their logs, what lists say of them, and their events in the delivery logs.

An SQS event of jobs; answer {batchItemFailures}, so that only the jobs that failed come again.
"""

from typing import Any, Final

from shared.errors import InvalidInput
from shared.runtime import wiring, world
from shared.runtime.observability import report_own_fault
from shared.services.erase_person import parse_erasure_job

BUDGET_NS: Final = 40_000_000_000
"""Of one run; the function's time-out is longer by what a page may take."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    del context
    failures = []
    for record in event["Records"]:
        try:
            job = parse_erasure_job(record["body"])
        except InvalidInput as exc:  # kept: a person waits for it, and the dead-letter queue tells somebody
            report_own_fault(exc)
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        try:
            wiring.erase_rows()(job, world.clock_ns() + BUDGET_NS)
        except Exception as exc:  # noqa: BLE001 - the job comes again
            report_own_fault(exc, bot=job.bot_id, erasure=job.erasure_id)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
