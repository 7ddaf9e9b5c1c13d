"""Schedules: when the next occurrence is, what is refused, and what functions are called with. No test waits for an
hour to strike: time is set."""

import asyncio
import json
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from infra.local.cloud import LocalCloud
from infra.local.pollers.clock import SystemClock
from infra.local.pollers.expressions import parse_expression
from infra.local.pollers.schedules import schedule
from shared.errors import InvalidInput
from tests.integration.local.conftest import FIXTURES, eventually
from tests.integration.local.test_template import function, refusal, write

START = datetime(2026, 11, 22, 6, 0, 30, tzinfo=UTC)
"""A Sunday."""


def occurrences(
    expression: str, count: int, *, zone: str = "UTC", start: datetime = START, is_rule: bool = False
) -> list[str]:
    parsed = parse_expression(expression, is_rule=is_rule)
    found: list[str] = []
    begin = moment = start.timestamp()
    while len(found) < count and (following := parsed.next_after(moment, ZoneInfo(zone), begin)) is not None:
        found.append(datetime.fromtimestamp(following, UTC).strftime("%Y-%m-%d %H:%M"))
        moment = following
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", ["2026-11-22 06:01", "2026-11-22 06:02"]),
        ("rate(12 hours)", ["2026-11-22 18:00", "2026-11-23 06:00"]),
        ("rate(7 days)", ["2026-11-29 06:00", "2026-12-06 06:00"]),
        ("cron(* * * * ? *)", ["2026-11-22 06:01", "2026-11-22 06:02"]),
        ("cron(0/20 6 * * ? *)", ["2026-11-22 06:20", "2026-11-22 06:40", "2026-11-23 06:00"]),
        ("cron(15 10 ? * 6L 2026-2027)", ["2026-11-27 10:15", "2026-12-25 10:15", "2027-01-29 10:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-11-23 18:00", "2026-11-24 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-12-01 08:00", "2027-01-01 08:00"]),
        ("cron(0 0 L * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-31 00:00", "2027-02-28 00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("cron(0 0 ? FEB 5#5 *)", ["2052-02-29 00:00"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-12-07 09:00", "2027-01-04 09:00"]),
        ("cron(0 9 1W * ? *)", ["2026-12-01 09:00", "2027-01-01 09:00", "2027-02-01 09:00"]),
        ("cron(0 9 1W 5 ? 2027)", ["2027-05-03 09:00"]),
        ("cron(0 9 31W * ? *)", ["2026-12-31 09:00", "2027-01-29 09:00", "2027-03-31 09:00"]),
        ("cron(0 9 LW * ? *)", ["2026-11-30 09:00", "2026-12-31 09:00", "2027-01-29 09:00"]),
        ("cron(0,30 6-7 22 11 ? *)", ["2026-11-22 06:30", "2026-11-22 07:00", "2026-11-22 07:30", "2027-11-22 06:00"]),
        ("cron(0 6 ? * FRI-SUN *)", ["2026-11-27 06:00", "2026-11-28 06:00", "2026-11-29 06:00", "2026-12-04 06:00"]),
        ("cron(0 0 1 1 ? 2020)", []),
        ("at(2026-11-22T07:00:00)", ["2026-11-22 07:00"]),
        ("at(2026-11-22T05:00:00)", []),
    ],
)
def test_the_next_occurrences(expression: str, expected: list[str]) -> None:
    assert occurrences(expression, max(len(expected), 1)) == expected


def test_a_schedule_has_a_time_zone() -> None:
    assert occurrences("cron(0 9 * * ? *)", 2, zone="Asia/Seoul") == ["2026-11-23 00:00", "2026-11-24 00:00"]
    assert occurrences("at(2026-11-22T16:00:00)", 1, zone="Asia/Seoul") == ["2026-11-22 07:00"]


def test_a_time_that_does_not_exist_is_left_out_and_one_that_exists_twice_counts_once() -> None:
    spring = datetime(2027, 3, 13, 12, tzinfo=UTC)
    found = occurrences("cron(30 2 * * ? *)", 2, zone="America/New_York", start=spring)
    assert found == ["2027-03-15 06:30", "2027-03-16 06:30"]
    autumn = datetime(2027, 11, 6, 12, tzinfo=UTC)
    found = occurrences("cron(30 1 * * ? *)", 2, zone="America/New_York", start=autumn)
    assert found == ["2027-11-07 05:30", "2027-11-08 06:30"]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "is not rate"),
        ("hourly", "is not rate"),
        ("rate(0 minutes)", "not a number from 1"),
        ("rate(5 seconds)", "not a number from 1"),
        ("rate(1 minutes)", "refused by EventBridge"),
        ("rate(5 minute)", "refused by EventBridge"),
        ("at(2026-11-22T07:00:00)", "is not rate"),
        ("cron(0 9 * * ?)", "six fields"),
        ("cron(0 9 * * * *)", "must be ?"),
        ("cron(0 9 ? * ? *)", "must be ?"),
        ("cron(60 9 * * ? *)", "60 is not from 0 to 59"),
        ("cron(0 24 * * ? *)", "24 is not from 0 to 23"),
        ("cron(0 9 32 * ? *)", "32 is not from 1 to 31"),
        ("cron(0 9 * 13 ? *)", "13 is not from 1 to 12"),
        ("cron(0 9 ? * 8 *)", "8 is not from 1 to 7"),
        ("cron(0 9 ? * 2#6 *)", "6 is not from 1 to 5"),
        ("cron(0 9 L-3 * ? *)", "L is not from 1 to 31"),
        ("cron(0/0 9 * * ? *)", "0 is not from 1 to 60"),
        ("cron(, 9 * * ? *)", "nothing is not from 0 to 59"),
    ],
)
def test_an_expression_that_eventbridge_refuses_is_refused(expression: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match="ScheduleExpression") as caught:
        parse_expression(expression, is_rule=True)
    assert complaint in str(caught.value)


RULE: dict[str, Any] = {
    "ScheduleExpression": "rate(1 day)",
    "Targets": [{"Id": "a", "Arn": {"Fn::GetAtt": ["F", "Arn"]}}],
}
SCHEDULE: dict[str, Any] = {
    "ScheduleExpression": "rate(1 day)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": {"Fn::GetAtt": ["F", "Arn"]}, "RoleArn": "arn:aws:iam::123456789012:role/r"},
}


@pytest.mark.parametrize(
    ("kind", "properties", "complaint"),
    [
        ("Events::Rule", {"ScheduleExpression": "rate(1 days)"}, "ScheduleExpression rate(1 days): 1 days is refused"),
        ("Events::Rule", {"ScheduleExpression": None}, "rules without a ScheduleExpression are not run; F would never"),
        ("Events::Rule", {"EventPattern": {"source": ["a"]}}, "EventPattern of a schedule: unknown to the local cloud"),
        ("Events::Rule", {"EventBusName": "mine"}, "only rules of the default bus have schedules"),
        ("Events::Rule", {"State": "OFF"}, "State must be ENABLED or DISABLED, not OFF"),
        ("Events::Rule", {"Targets": []}, "a rule with one target is run by the local cloud"),
        ("Events::Rule", {"Targets": [{"Id": "a", "Arn": "arn:aws:sqs:::q"}]}, "arn:aws:sqs:::q is no function"),
        (
            "Events::Rule",
            {"Targets": [{**RULE["Targets"][0], "InputPath": "$.detail"}]},
            "InputPath of a schedule: unknown",
        ),
        (
            "Scheduler::Schedule",
            {"ScheduleExpressionTimezone": "Seoul"},
            "ScheduleExpressionTimezone Seoul is no time zone",
        ),
        ("Scheduler::Schedule", {"Target": {**SCHEDULE["Target"], "Input": "{"}}, "Input { is no JSON"),
        ("Scheduler::Schedule", {"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"}}, "is no function"),
        ("Scheduler::Schedule", {"StartDate": "soon"}, "StartDate soon is no date"),
        ("Scheduler::Schedule", {"Retries": 1}, "Retries of a schedule: unknown"),
    ],
)
def test_a_schedule_that_cannot_be_run_is_named(
    tmp_path: Path, kind: str, properties: dict[str, Any], complaint: str
) -> None:
    base = RULE if kind == "Events::Rule" else SCHEDULE
    kept = {key: value for key, value in {**base, **properties}.items() if value is not None}
    message = refusal(write(tmp_path, {"F": function(), "S": {"Type": f"AWS::{kind}", "Properties": kept}}))
    assert f"S (AWS::{kind}): " in message
    assert complaint in message


def test_a_schedule_lasts_from_its_start_to_its_end() -> None:
    dates = {"StartDate": "2026-11-23T00:00:00Z", "EndDate": "2026-11-25T00:00:00Z"}
    properties = {**SCHEDULE, **dates, "ScheduleExpression": "cron(0 0 * * ? *)"}
    made = schedule("S", "F", "arn:aws:scheduler:r:1:schedule/default/S", properties)
    found, moment = [], START.timestamp()
    while (following := made.next_after(moment, START.timestamp())) is not None:
        found.append(datetime.fromtimestamp(following, UTC).day)
        moment = following
    assert found == [23, 24, 25]


class SetClock:
    """Goes on when it is told to. Set on the test's thread, read on the local cloud's."""

    def __init__(self, start: datetime) -> None:
        self._now = start.timestamp()
        self._lock = threading.Lock()
        self.awaited: set[float] = set()

    def now(self) -> float:
        with self._lock:
            return self._now

    def set(self, moment: datetime) -> None:
        with self._lock:
            self._now = moment.timestamp()

    async def sleep_until(self, when: float) -> None:
        self.awaited.add(when)
        while self.now() < when:  # noqa: ASYNC110 - it is set on another thread
            await asyncio.sleep(0.01)

    def awaits(self, *moments: datetime) -> bool:
        return self.awaited >= {moment.timestamp() for moment in moments}


def notes(folder: Path) -> list[dict[str, Any]]:
    path = folder / "notes"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [note["event"] for line in text.split("\n")[:-1] if (note := json.loads(line))["kind"] == "batch"]


def events_of(folder: Path, name: str) -> list[dict[str, Any]]:
    return [event for event in notes(folder) if name in json.dumps(event)]


def started(folder: Path, clock: SetClock, **options: Any) -> LocalCloud:
    template = folder / "app" / "template.yaml"
    if not template.exists():
        shutil.copytree(FIXTURES / "schedules", folder / "app")
        shutil.copytree(FIXTURES / "streams" / "projector", folder / "app" / "projector")
    options = {"watch": False, **options}
    return LocalCloud(
        template=template,
        state=folder / "state",
        http_port=0,
        aws_port=0,
        parameters={"Notes": str(folder / "notes")},
        clock=clock,
        **options,
    )


def test_functions_are_called_when_their_time_comes(tmp_path: Path) -> None:
    clock = SetClock(START)
    half_past, nine = datetime(2026, 11, 22, 6, 30, 30, tzinfo=UTC), datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    with started(tmp_path, clock):
        assert eventually(lambda: clock.awaits(half_past, nine))
        assert notes(tmp_path) == []
        clock.set(half_past)
        (event,) = eventually(lambda: events_of(tmp_path, "Rule"))
        assert len(event.pop("id")) == 36
        assert event == {
            "version": "0",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "123456789012",
            "time": "2026-11-22T06:30:30Z",
            "region": "ap-northeast-2",
            "resources": ["arn:aws:events:ap-northeast-2:123456789012:rule/malgil-local-NightlyRule"],
            "detail": {},
        }
        assert events_of(tmp_path, "scheduler") == []
        clock.set(nine)
        (event,) = eventually(lambda: events_of(tmp_path, "aws.scheduler"))
        assert event["resources"] == ["arn:aws:scheduler:ap-northeast-2:123456789012:schedule/default/morning"]
        assert (event["time"], event["detail"]) == ("2026-11-23T00:00:00Z", "{}")
        (event,) = eventually(lambda: events_of(tmp_path, "given"))
        assert event == {
            "given": "2026-11-23T00:00:00Z",
            "by": "arn:aws:scheduler:ap-northeast-2:123456789012:schedule/default/malgil-local-Given",
        }
        assert events_of(tmp_path, "never") == []


def test_a_changed_template_changes_schedules_and_leaves_the_others_their_rhythm(tmp_path: Path) -> None:
    clock = SetClock(START)
    nine, ten = datetime(2026, 11, 23, 0, 0, tzinfo=UTC), datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    with started(tmp_path, clock, watch=True):
        eventually(lambda: clock.awaits(nine))
        template = tmp_path / "app" / "template.yaml"
        text = template.read_text(encoding="utf-8").replace("cron(0 9 * * ? *)", "cron(0 10 * * ? *)")
        clock.set(datetime(2026, 11, 22, 6, 20, tzinfo=UTC))
        template.write_text(text, encoding="utf-8")
        eventually(lambda: clock.awaits(ten))
        # Begun at 6:00:30, not at the change.
        clock.set(datetime(2026, 11, 22, 6, 30, 30, tzinfo=UTC))
        eventually(lambda: events_of(tmp_path, "Rule"))
        clock.set(ten)
        eventually(
            lambda: [event for event in events_of(tmp_path, "morning") if event["time"] == "2026-11-23T01:00:00Z"]
        )
        assert [event["time"] for event in events_of(tmp_path, "morning")] == ["2026-11-23T01:00:00Z"]


def test_a_call_that_fails_is_one_line_and_the_next_one_comes(tmp_path: Path) -> None:
    clock = SetClock(START)
    with started(tmp_path, clock) as cloud:
        clock.set(datetime(2026, 11, 23, 0, 0, tzinfo=UTC))
        log = cloud.state / "logs" / "Broken.log"
        eventually(
            lambda: log.exists() and "schedule BrokenDaily: ZeroDivisionError: division by zero\n" in log.read_text()
        )
        clock.set(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))
        eventually(lambda: log.read_text().count("schedule BrokenDaily: ") == 2)


def test_the_systems_clock_sleeps_until_a_moment() -> None:
    clock = SystemClock()
    moment = clock.now() + 0.05
    asyncio.run(clock.sleep_until(moment))
    assert clock.now() >= moment
