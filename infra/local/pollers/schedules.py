"""Schedules as the template asks for them: rules of EventBridge with a ScheduleExpression, and schedules of its
Scheduler."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from infra.local.pollers.expressions import Expression, parse_expression
from shared.errors import InvalidInput

_RULE: Final = frozenset({"Description", "EventBusName", "Name", "ScheduleExpression", "State", "Tags", "Targets"})
_RULE_TARGET: Final = frozenset({"Arn", "DeadLetterConfig", "Id", "Input", "RetryPolicy"})
_SCHEDULE: Final = frozenset(
    {
        "Description",
        "EndDate",
        "FlexibleTimeWindow",
        "GroupName",
        "KmsKeyArn",
        "Name",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "StartDate",
        "State",
        "Target",
    }
)
_SCHEDULE_TARGET: Final = frozenset({"Arn", "DeadLetterConfig", "Input", "RetryPolicy", "RoleArn"})


@dataclass(frozen=True)
class Schedule:
    """When a function, by its logical id, is called with what. `text` None: with the event of the service itself."""

    name: str
    function: str
    arn: str
    expression: Expression
    zone: tzinfo
    source: str
    """aws.events or aws.scheduler."""
    enabled: bool = True
    text: str | None = None
    starts_at: float | None = None
    ends_at: float | None = None

    def next_after(self, moment: float, begun_at: float) -> float | None:
        """Seconds since the epoch; None when it will not be called again. `begun_at` is when it was put in force."""
        begin = begun_at if self.starts_at is None else max(begun_at, self.starts_at)
        found = self.expression.next_after(max(moment, begin - 1e-3), self.zone, begin)
        return None if found is None or (self.ends_at is not None and found > self.ends_at) else found

    def event(self, due: float) -> Any:
        at = datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        execution = str(uuid.uuid4())
        if self.text is not None:
            text = self.text
            if self.source == "aws.scheduler":
                for name, value in (
                    ("schedule-arn", self.arn),
                    ("scheduled-time", at),
                    ("execution-id", execution),
                    ("attempt-number", "1"),
                ):
                    text = text.replace(f"<aws.scheduler.{name}>", value)
            return json.loads(text)
        _, _, _, region, account, _ = self.arn.split(":", 5)
        return {
            "version": "0",
            "id": execution,
            "detail-type": "Scheduled Event",
            "source": self.source,
            "account": account,
            "time": at,
            "region": region,
            "resources": [self.arn],
            # As the two services have it: an object of the one, text of the other.
            "detail": {} if self.source == "aws.events" else "{}",
        }


def rule_target(properties: Mapping[str, Any]) -> str:
    """The ARN that a rule calls. Raises InvalidInput for what is not run."""
    _check_names(properties, _RULE)
    if properties.get("EventBusName", "default") != "default":
        raise InvalidInput("only rules of the default bus have schedules")
    targets = properties.get("Targets") or []
    if len(targets) != 1:
        raise InvalidInput("a rule with one target is run by the local cloud, no other")
    _check_names(targets[0], _RULE_TARGET)
    return str(targets[0].get("Arn"))


def rule(name: str, function: str, arn: str, properties: Mapping[str, Any]) -> Schedule:
    """Of an AWS::Events::Rule. Raises InvalidInput, without the place."""
    return Schedule(
        name=name,
        function=function,
        arn=arn,
        expression=parse_expression(properties.get("ScheduleExpression"), is_rule=True),
        zone=UTC,
        source="aws.events",
        enabled=_is_enabled(properties),
        text=_input(properties["Targets"][0]),
    )


def schedule_target(properties: Mapping[str, Any]) -> str:
    """The ARN that a schedule calls. Raises InvalidInput for what is not run."""
    _check_names(properties, _SCHEDULE)
    target = properties.get("Target") or {}
    _check_names(target, _SCHEDULE_TARGET)
    return str(target.get("Arn"))


def schedule(name: str, function: str, arn: str, properties: Mapping[str, Any]) -> Schedule:
    """Of an AWS::Scheduler::Schedule. Raises InvalidInput, without the place."""
    zone_name = properties.get("ScheduleExpressionTimezone", "UTC")
    try:
        zone = ZoneInfo(zone_name)
    except (KeyError, OSError, TypeError, ValueError):
        raise InvalidInput(f"ScheduleExpressionTimezone {zone_name} is no time zone") from None
    return Schedule(
        name=name,
        function=function,
        arn=arn,
        expression=parse_expression(properties.get("ScheduleExpression"), is_rule=False),
        zone=zone,
        source="aws.scheduler",
        enabled=_is_enabled(properties),
        text=_input(properties["Target"]),
        starts_at=_date(properties, "StartDate"),
        ends_at=_date(properties, "EndDate"),
    )


def _check_names(properties: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(properties) - known)
    if unknown:
        raise InvalidInput(f"{', '.join(unknown)} of a schedule: unknown to the local cloud")


def _is_enabled(properties: Mapping[str, Any]) -> bool:
    state = properties.get("State", "ENABLED")
    if state not in {"ENABLED", "DISABLED"}:
        raise InvalidInput(f"State must be ENABLED or DISABLED, not {state}")
    return bool(state == "ENABLED")


def _input(target: Mapping[str, Any]) -> str | None:
    text = target.get("Input")
    if text is None:
        return None
    try:
        json.loads(text)
    except (TypeError, ValueError):
        raise InvalidInput(f"Input {text} is no JSON") from None
    return str(text)


def _date(properties: Mapping[str, Any], name: str) -> float | None:
    if name not in properties:
        return None
    try:
        at = datetime.fromisoformat(str(properties[name]))
    except ValueError:
        raise InvalidInput(f"{name} {properties[name]} is no date") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
