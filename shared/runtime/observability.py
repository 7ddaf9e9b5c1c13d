"""Logs and the one metric that an alarm watches: faults of our own."""

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from shared.conversation.masking import apply_masks, take_masks
from shared.engine.trace import TraceEntry
from shared.redaction import without_secrets
from shared.runtime import world
from shared.webhooks.events import iso

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

METRICS_NAMESPACE: Final = "Malgil"
OWN_FAULT: Final = "OwnFault"


@cache
def logger() -> "Logger":
    """Structured logs; the service comes from POWERTOOLS_SERVICE_NAME, the level from AWS_LAMBDA_LOG_LEVEL, which is
    Lambda's, or else POWERTOOLS_LOG_LEVEL. Lambda filters lines by their level too, and takes one whose time is not
    RFC 3339 for INFO."""
    from aws_lambda_powertools.logging import Logger  # noqa: PLC0415 - a cold start has nothing to log

    return Logger(use_rfc3339=True)


def report_own_fault(fault: BaseException, **context: Any) -> None:
    """Log a fault of ours with its traceback and count it: the answer to the caller hides it, the alarm does not.

    The metric is CloudWatch's embedded format, one line on standard output. It has a level and a time, lest Lambda
    takes it for INFO and drops it when only more severe lines are wanted.
    """
    logger().exception("own fault", extra={"fault": type(fault).__name__, **context}, exc_info=fault)
    service = logger().service
    now_ms = world.now_ms()
    print(
        json.dumps(
            {
                "level": "ERROR",
                "timestamp": iso(now_ms),
                "_aws": {
                    "Timestamp": now_ms,
                    "CloudWatchMetrics": [
                        {
                            "Namespace": METRICS_NAMESPACE,
                            "Dimensions": [["service"]],
                            "Metrics": [{"Name": OWN_FAULT, "Unit": "Count"}],
                        }
                    ],
                },
                "service": service,
                OWN_FAULT: 1,
            }
        )
    )


def log_trace(trace: list[TraceEntry], **context: Any) -> None:
    """The step's trace at debug level, masked."""
    if trace:
        logger().debug("trace", extra={"trace": [masked(entry.to_json()) for entry in trace], **context})


def masked(value: Any) -> Any:
    """A value for the log: masked text as everybody else sees it, secrets as stars."""
    data, ranges = take_masks(value, 0)
    return without_secrets(apply_masks(data, [{**mask, "until": None} for mask in ranges], 0))
