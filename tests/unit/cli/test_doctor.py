"""What `malgil doctor` makes of single measurements; beside a running cloud it is tested in tests/integration/cli."""

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cli import doctor, machine
from infra.cli.findings import Finding, State


class FakeLambda:
    def __init__(self, limit: int) -> None:
        self.limit = limit

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"ConcurrentExecutions": self.limit}}


@pytest.mark.parametrize(("limit", "state"), [(10, "doubtful"), (99, "doubtful"), (100, "good"), (1000, "good")])
def test_an_account_with_little_concurrency_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, limit: int, state: State
) -> None:
    monkeypatch.setattr(doctor, "_client", lambda _service: FakeLambda(limit))
    finding = doctor._concurrency()
    assert finding is not None
    assert (finding.state, str(limit) in finding.what) == (state, True)


def test_a_clock_is_compared_with_the_date_of_an_answer() -> None:
    past = datetime.now(UTC) - timedelta(minutes=10)
    skew = doctor._skew(format_datetime(past, usegmt=True))
    assert skew is not None
    assert timedelta(minutes=9) < skew < timedelta(minutes=11)


@pytest.mark.parametrize("date", [None, "yesterday", "Sun, 22 Nov 2026 02:00:00 -0000"])
def test_a_date_that_says_nothing_is_no_finding(date: str | None) -> None:
    assert doctor._skew(date) is None


def test_a_refused_service_is_a_finding_with_its_own_words() -> None:
    def refuse() -> Finding | None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "HeadBucket")

    finding = doctor._tried("버킷", "bucket", refuse)
    assert finding.state == "broken"
    assert "HeadBucket: AccessDenied: not you" in finding.remedy


def test_a_taken_port_is_doubtful_and_a_free_one_is_good() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert machine._port(port).state == "doubtful"
    assert machine._port(port).state == "good"


def test_ports_of_a_running_local_cloud_are_not_asked_for() -> None:
    findings = list(machine.examine_machine(is_running=True))
    assert not [finding for finding in findings if "port" in finding.what]


def test_a_missing_tool_says_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_first_of", lambda _commands: None)
    findings = list(machine.examine_machine(is_running=True))
    assert [finding.state for finding in findings[1:]] == ["doubtful"] * len(machine.TOOLS)
    assert all(finding.remedy for finding in findings[1:])
