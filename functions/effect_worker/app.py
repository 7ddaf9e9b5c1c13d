"""Works on logs that the front could not finish: carries effects out, walks on, posts replies to callbacks.

An SQS event of jobs; answer {batchItemFailures}, so that only the jobs that failed come again.
"""

from typing import Any, Final

from shared.errors import InvalidInput
from shared.runtime import wiring, world
from shared.runtime.observability import report_own_fault
from shared.services.unfinished_walks import WalkedByOther, parse_walk_job

BUDGET_NS: Final = 60_000_000_000
"""Kakao's callback is good for a minute; the function's time-out is longer."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    del context
    failures = []
    for record in event["Records"]:
        try:
            job = parse_walk_job(record["body"])
        except InvalidInput as exc:  # it would never become better: reported and dropped
            report_own_fault(exc)
            continue
        try:
            wiring.finish_walks()(job, world.clock_ns() + BUDGET_NS)
        except WalkedByOther:
            failures.append({"itemIdentifier": record["messageId"]})
        except Exception as exc:  # noqa: BLE001 - the job comes again, the others are not held up
            report_own_fault(exc, bot=job.bot_id)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
