"""Months and hours on people's clocks, to the millisecond."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from shared.errors import MalgilError
from shared.usage.calendar import SEOUL, UsageCalendar


def at(text: str) -> int:
    """Epoch milliseconds of an ISO time in UTC with three digits of milliseconds."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1_000 if moment.microsecond == 0 else int(moment.timestamp() * 1_000 + 0.5)


@pytest.mark.parametrize(
    ("moment", "month", "hour"),
    [
        ("2026-11-30T14:59:59.999", 202611, "2026-11-30T23"),
        ("2026-11-30T15:00:00.000", 202612, "2026-12-01T00"),
        ("2026-12-31T14:59:59.999", 202612, "2026-12-31T23"),
        ("2026-12-31T15:00:00.000", 202701, "2027-01-01T00"),
        ("2028-02-29T14:59:59.999", 202802, "2028-02-29T23"),
        ("2028-02-29T15:00:00.000", 202803, "2028-03-01T00"),
        ("2026-11-21T00:00:00.123", 202611, "2026-11-21T09"),
    ],
)
def test_a_korean_month_begins_at_midnight_in_korea(moment: str, month: int, hour: str) -> None:
    assert (SEOUL.month_of(at(moment)), SEOUL.hour_of(at(moment))) == (month, hour)


@pytest.mark.parametrize(
    ("zone", "moment", "month", "hour"),
    [
        ("UTC", "2026-11-30T23:59:59.999", 202611, "2026-11-30T23"),
        ("UTC", "2026-12-01T00:00:00.000", 202612, "2026-12-01T00"),
        ("America/New_York", "2026-04-01T03:59:59.999", 202603, "2026-03-31T23"),  # summer time: four hours
        ("America/New_York", "2026-04-01T04:00:00.000", 202604, "2026-04-01T00"),
        ("America/New_York", "2026-12-01T04:59:59.999", 202611, "2026-11-30T23"),  # winter: five
        ("America/New_York", "2026-12-01T05:00:00.000", 202612, "2026-12-01T00"),
        ("Europe/Berlin", "2026-03-29T00:59:59.999", 202603, "2026-03-29T01"),  # the clock goes from 1:59 to 3:00
        ("Europe/Berlin", "2026-03-29T01:00:00.000", 202603, "2026-03-29T03"),
        ("Europe/Berlin", "2026-10-25T00:30:00.000", 202610, "2026-10-25T02"),  # 2:30 comes twice
        ("Europe/Berlin", "2026-10-25T01:30:00.000", 202610, "2026-10-25T02"),
        ("Asia/Kolkata", "2026-11-30T18:29:59.999", 202611, "2026-11-30T23"),
        ("Asia/Kolkata", "2026-11-30T18:30:00.000", 202612, "2026-12-01T00"),
    ],
)
def test_other_zones_have_their_own_months_in_summer_too(zone: str, moment: str, month: int, hour: str) -> None:
    calendar = UsageCalendar(zone)
    assert (calendar.month_of(at(moment)), calendar.hour_of(at(moment))) == (month, hour)


@pytest.mark.parametrize("name", ["Asia/Soul", "", "../etc/passwd", "/etc/localtime", "America", "KST", "Asia/Seoul\0"])
def test_an_unknown_zone_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(MalgilError, match="time zone"):
        UsageCalendar(name)


def test_korean_time_does_not_load_the_database_of_zones() -> None:
    program = (
        "import sys; from shared.usage.calendar import UsageCalendar;"
        "UsageCalendar().month_of(0); sys.exit('zoneinfo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
