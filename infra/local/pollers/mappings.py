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
DEFAULT_STREAM_BATCH_SIZE: Final = 100
MAX_WINDOW_SECONDS: Final = 300
MAX_STREAM_READERS: Final = 2
"""DynamoDB: no more than two readers of a shard, or they are throttled."""
MAX_PARALLELISATION: Final = 10
MAX_RETRIES: Final = 10_000
MIN_RECORD_AGE_SECONDS: Final = 60
MAX_RECORD_AGE_SECONDS: Final = 604_800
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


_KNOWN_OF_STREAMS: Final = frozenset(
    {
        "BatchSize",
        "BisectBatchOnFunctionError",
        "DestinationConfig",
        "Enabled",
        "EventSourceArn",
        "FilterCriteria",
        "FunctionName",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "ParallelizationFactor",
        "StartingPosition",
    }
)
_STARTS: Final = ("TRIM_HORIZON", "LATEST")


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
        return cls(
            batch_size=batch_size,
            window_seconds=window,
            enabled=_flag(properties, "Enabled", default=True),
            reports_failures=_reports_failures(properties),
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


@dataclass(frozen=True)
class StreamOptions:
    """How a stream's records are handed to a function. None: without end."""

    starts_at_latest: bool
    batch_size: int = DEFAULT_STREAM_BATCH_SIZE
    window_seconds: int = 0
    enabled: bool = True
    reports_failures: bool = False
    bisects: bool = False
    max_retries: int | None = None
    max_age_seconds: int | None = None
    on_failure: str | None = None
    filters: Filters = field(default_factory=Filters)

    @classmethod
    def parse(cls, properties: Mapping[str, Any]) -> "StreamOptions":
        """Of the properties of an AWS::Lambda::EventSourceMapping. Raises InvalidInput, without the place."""
        unknown = sorted(set(properties) - _KNOWN_OF_STREAMS)
        if unknown:
            raise InvalidInput(f"{', '.join(unknown)} of a stream's mapping: unknown to the local cloud")
        start = properties.get("StartingPosition")
        if start not in _STARTS:
            raise InvalidInput(f"StartingPosition must be TRIM_HORIZON or LATEST, not {start}")
        batch_size = _number(properties, "BatchSize", DEFAULT_STREAM_BATCH_SIZE, range(1, MAX_BATCH_SIZE + 1))
        # More of it than one batch of a shard at a time is not needed here; the order of each key is kept by one too.
        _number(properties, "ParallelizationFactor", 1, range(1, MAX_PARALLELISATION + 1))
        return cls(
            starts_at_latest=start == "LATEST",
            batch_size=batch_size,
            window_seconds=_number(properties, "MaximumBatchingWindowInSeconds", 0, range(MAX_WINDOW_SECONDS + 1)),
            enabled=_flag(properties, "Enabled", default=True),
            reports_failures=_reports_failures(properties),
            bisects=_flag(properties, "BisectBatchOnFunctionError", default=False),
            max_retries=_number_or_endless(properties, "MaximumRetryAttempts", range(MAX_RETRIES + 1)),
            max_age_seconds=_number_or_endless(
                properties, "MaximumRecordAgeInSeconds", range(MIN_RECORD_AGE_SECONDS, MAX_RECORD_AGE_SECONDS + 1)
            ),
            on_failure=on_failure(properties.get("DestinationConfig")),
            filters=Filters.parse(properties.get("FilterCriteria") or {}),
        )


@dataclass(frozen=True)
class StreamMapping:
    """A function, by its logical id, and the stream of a table that it works on."""

    name: str
    function: str
    function_arn: str
    stream_arn: str
    options: StreamOptions

    @property
    def table(self) -> str:
        return self.stream_arn.split("/")[1]


def _number(properties: Mapping[str, Any], name: str, default: int, allowed: range) -> int:
    value = properties.get(name, default)
    if not str(value).isdecimal() or int(value) not in allowed:
        raise InvalidInput(f"{name} must be from {allowed[0]} to {allowed[-1]}, not {value}")
    return int(value)


def _number_or_endless(properties: Mapping[str, Any], name: str, allowed: range) -> int | None:
    if str(properties.get(name, -1)) == "-1":
        return None
    return _number(properties, name, -1, allowed)


def _flag(properties: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = properties.get(name, default)
    if str(value).lower() not in {"true", "false"}:
        raise InvalidInput(f"{name} must be true or false, not {value}")
    return str(value).lower() == "true"


def _reports_failures(properties: Mapping[str, Any]) -> bool:
    responses = properties.get("FunctionResponseTypes") or []
    if set(responses) - {"ReportBatchItemFailures"}:
        raise InvalidInput(f"FunctionResponseTypes {responses}: only ReportBatchItemFailures is known")
    return bool(responses)


def on_failure(config: Any) -> str | None:
    """The ARN of a DestinationConfig."""
    if not config:
        return None
    if (
        not isinstance(config, dict)
        or set(config) != {"OnFailure"}
        or set(config["OnFailure"] or ()) != {"Destination"}
    ):
        raise InvalidInput("DestinationConfig must be {OnFailure: {Destination: ...}}")
    arn = str(config["OnFailure"]["Destination"])
    service = (arn.split(":") + [""] * 3)[2]
    if service not in {"s3", "sns", "sqs"}:
        raise InvalidInput(f"OnFailure leads to {arn}: the ARN of a queue, a topic or a bucket is needed")
    if arn.endswith(".fifo"):
        raise InvalidInput("OnFailure cannot lead to a FIFO queue or topic")
    return arn


def _max_concurrency(scaling: Any) -> int | None:
    if not isinstance(scaling, dict) or set(scaling) - {"MaximumConcurrency"}:
        raise InvalidInput(f"ScalingConfig {scaling}: only MaximumConcurrency is known")
    if "MaximumConcurrency" not in scaling:
        return None
    return _number(scaling, "MaximumConcurrency", MIN_CONCURRENCY, range(MIN_CONCURRENCY, MAX_CONCURRENCY + 1))
