"""An event source mapping as the template asks for it, refused by the rules by which Lambda refuses one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infra.local.pollers.filters import Filters
from shared.errors import InvalidInput

DEFAULT_BATCH_SIZE: Final = 10
MAX_BATCH_SIZE: Final = 10_000
MAX_BATCH_SIZE_WITHOUT_WINDOW: Final = 10
"""Also the most that a FIFO queue hands out at once."""
MAX_WINDOW_SECONDS: Final = 300
MIN_CONCURRENCY: Final = 2
MAX_CONCURRENCY: Final = 1000

_KNOWN: Final = frozenset(
    {
        "BatchSize",
        "Enabled",
        "EventSourceArn",
        "FilterCriteria",
        "FunctionName",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "ScalingConfig",
    }
)


@dataclass(frozen=True)
class QueueOptions:
    """How a queue's messages are handed to a function. `max_concurrency` None: as the local cloud thinks fit."""

    batch_size: int = DEFAULT_BATCH_SIZE
    window_seconds: int = 0
    enabled: bool = True
    reports_failures: bool = False
    max_concurrency: int | None = None
    filters: Filters = field(default_factory=Filters)

    @classmethod
    def parse(cls, properties: Mapping[str, Any], *, is_fifo: bool) -> "QueueOptions":
        """Of the properties of an AWS::Lambda::EventSourceMapping. Raises InvalidInput, without the place."""
        unknown = sorted(set(properties) - _KNOWN)
        if unknown:
            raise InvalidInput(f"{', '.join(unknown)} of a queue's mapping: unknown to the local cloud")
        batch_size = _number(properties, "BatchSize", DEFAULT_BATCH_SIZE, range(1, MAX_BATCH_SIZE + 1))
        window = _number(properties, "MaximumBatchingWindowInSeconds", 0, range(MAX_WINDOW_SECONDS + 1))
        if is_fifo and (window or batch_size > MAX_BATCH_SIZE_WITHOUT_WINDOW):
            raise InvalidInput("a FIFO queue has batches of at most 10, and no MaximumBatchingWindowInSeconds")
        if batch_size > MAX_BATCH_SIZE_WITHOUT_WINDOW and not window:
            raise InvalidInput("a BatchSize of more than 10 needs MaximumBatchingWindowInSeconds of at least 1")
        responses = properties.get("FunctionResponseTypes") or []
        if set(responses) - {"ReportBatchItemFailures"}:
            raise InvalidInput(f"FunctionResponseTypes {responses}: only ReportBatchItemFailures is known")
        return cls(
            batch_size=batch_size,
            window_seconds=window,
            enabled=_flag(properties.get("Enabled", True)),
            reports_failures=bool(responses),
            max_concurrency=_max_concurrency(properties.get("ScalingConfig") or {}),
            filters=Filters.parse(properties.get("FilterCriteria") or {}),
        )


@dataclass(frozen=True)
class QueueMapping:
    """A function, by its logical id, and the queue that it works on."""

    name: str
    function: str
    queue_arn: str
    queue_url: str
    options: QueueOptions


def _number(properties: Mapping[str, Any], name: str, default: int, allowed: range) -> int:
    value = properties.get(name, default)
    if not str(value).isdecimal() or int(value) not in allowed:
        raise InvalidInput(f"{name} must be from {allowed[0]} to {allowed[-1]}, not {value}")
    return int(value)


def _flag(value: Any) -> bool:
    if str(value).lower() not in {"true", "false"}:
        raise InvalidInput(f"Enabled must be true or false, not {value}")
    return str(value).lower() == "true"


def _max_concurrency(scaling: Any) -> int | None:
    if not isinstance(scaling, dict) or set(scaling) - {"MaximumConcurrency"}:
        raise InvalidInput(f"ScalingConfig {scaling}: only MaximumConcurrency is known")
    if "MaximumConcurrency" not in scaling:
        return None
    return _number(scaling, "MaximumConcurrency", MIN_CONCURRENCY, range(MIN_CONCURRENCY, MAX_CONCURRENCY + 1))
