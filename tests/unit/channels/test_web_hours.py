from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.channels.web.hours import DAYS, WeeklyHours
from shared.errors import InvalidInput

SEOUL = "Asia/Seoul"
BERLIN = "Europe/Berlin"  # forward on 2026-03-29 at 2:00, back on 2026-10-25 at 3:00
MONDAY, TUESDAY, FRIDAY, SATURDAY, SUNDAY = (f"2026-11-{day}" for day in (23, 24, 27, 28, 29))


def at(text: str, zone: str = SEOUL, fold: int = 0) -> int:
    return int(1_000 * datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


def told(hours: WeeklyHours, text: str, fold: int = 0) -> tuple[bool, str, str | None]:
    """Whether it is open, today's text, when it opens on the zone's own clocks."""
    zone = hours.time_zone
    now = hours.at(at(text, zone, fold))
    opens = None if now.opens_at_ms is None else datetime.fromtimestamp(now.opens_at_ms / 1_000, ZoneInfo(zone))
    return now.is_open, now.text, None if opens is None else opens.isoformat()[:16]


OFFICE = WeeklyHours.of_rules(["mon-fri 10:00-12:00, 13:00-18:00"], SEOUL)
NIGHT = WeeklyHours.of_rules(["fri,sat 22:00-02:00"], SEOUL)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (f"{MONDAY}T09:59:59", (False, "10:00 ~ 12:00, 13:00 ~ 18:00", f"{MONDAY}T10:00")),
        (f"{MONDAY}T10:00", (True, "10:00 ~ 12:00, 13:00 ~ 18:00", None)),
        (f"{MONDAY}T12:00", (False, "10:00 ~ 12:00, 13:00 ~ 18:00", f"{MONDAY}T13:00")),
        (f"{MONDAY}T18:00", (False, "10:00 ~ 12:00, 13:00 ~ 18:00", f"{TUESDAY}T10:00")),
        (f"{FRIDAY}T18:00", (False, "10:00 ~ 12:00, 13:00 ~ 18:00", "2026-11-30T10:00")),
        (f"{SATURDAY}T12:00", (False, "", "2026-11-30T10:00")),
    ],
)
def test_an_office_is_open_from_its_first_minute_to_before_its_last(when, expected):
    assert told(OFFICE, when) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (f"{FRIDAY}T21:59", (False, "22:00 ~ 02:00", f"{FRIDAY}T22:00")),
        (f"{FRIDAY}T23:59", (True, "22:00 ~ 02:00", None)),
        (f"{SUNDAY}T01:59", (True, "22:00 ~ 02:00", None)),
        (f"{SUNDAY}T02:00", (False, "", "2026-12-04T22:00")),
    ],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_began(when, expected):
    assert told(NIGHT, when) == expected


def test_a_single_hour_of_the_week_opens_a_week_later_when_it_is_over():
    hours = WeeklyHours.of_rules(["mon 10:00-11:00"], SEOUL)
    assert told(hours, f"{MONDAY}T11:00") == (False, "10:00 ~ 11:00", "2026-11-30T10:00")


def test_whole_days_follow_each_other_without_a_gap():
    hours = WeeklyHours.of_rules(["mon-sun 00:00-24:00"], SEOUL)
    for when in (f"{MONDAY}T00:00", f"{MONDAY}T23:59:59", f"{SUNDAY}T23:59:59"):
        assert told(hours, when) == (True, "00:00 ~ 24:00", None)


def test_hours_are_those_of_their_zone():
    hours = WeeklyHours.of_rules(["mon 09:00-10:00"], "America/New_York")
    assert hours.at(at("2026-11-23T23:30", SEOUL)).is_open
    assert not hours.at(at("2026-11-23T09:30", SEOUL)).is_open


def test_an_evening_stays_the_same_on_the_clock_when_clocks_change():
    hours = WeeklyHours.of_rules(["sat,sun 18:00-20:00"], BERLIN)
    winter, summer = hours.at(at("2026-03-28T12:00", BERLIN)), hours.at(at("2026-03-29T12:00", BERLIN))
    assert winter.opens_at_ms == at("2026-03-28T17:00", "UTC")
    assert summer.opens_at_ms == at("2026-03-29T16:00", "UTC")


def test_a_time_that_does_not_come_is_as_much_later():
    hours = WeeklyHours.of_rules(["sun 02:30-04:00"], BERLIN)
    assert told(hours, "2026-03-29T01:59") == (False, "02:30 ~ 04:00", "2026-03-29T03:30")
    assert told(hours, "2026-03-29T03:29")[0] is False
    assert told(hours, "2026-03-29T03:30") == (True, "02:30 ~ 04:00", None)


def test_a_time_that_comes_twice_begins_at_the_first_and_ends_at_the_second():
    begins, ends = WeeklyHours.of_rules(["sun 02:30-05:00"], BERLIN), WeeklyHours.of_rules(["sun 01:00-02:30"], BERLIN)
    for fold in (0, 1):
        assert told(begins, "2026-10-25T02:30", fold)[0]
        assert told(ends, "2026-10-25T02:29", fold)[0]
    assert not told(begins, "2026-10-25T02:29", 0)[0]
    assert not told(ends, "2026-10-25T02:30", 1)[0]


@pytest.mark.parametrize(
    ("when", "until"),
    [
        (f"{MONDAY}T09:00", f"{MONDAY}T10:00"),
        (f"{MONDAY}T10:00", f"{MONDAY}T12:00"),
        (f"{MONDAY}T18:00", f"{TUESDAY}T00:00"),
    ],
)
def test_what_is_told_is_true_until_the_next_change_or_the_next_day(when, until):
    assert OFFICE.at(at(when)).until_ms == at(until)


YEARS_MS = st.integers(at("2025-01-01T00:00"), at("2028-01-01T00:00"))
ZONES = st.sampled_from([SEOUL, BERLIN, "America/Santiago", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"])
RULES = st.lists(
    st.builds(
        lambda day, start, end: f"{day} {start // 4:02}:{start % 4 * 15:02}-{end // 4:02}:{end % 4 * 15:02}",
        st.sampled_from(DAYS),
        st.integers(0, 95),
        st.integers(0, 95),
    ).filter(lambda rule: rule[4:9] != rule[10:]),
    min_size=1,
    max_size=7,
    unique_by=lambda rule: rule[:3],
)


@settings(deadline=None)
@given(YEARS_MS, ZONES, RULES)
def test_whatever_is_told_is_true_until_it_says_and_an_opening_opens(at_ms, zone, rules):
    hours = WeeklyHours.of_rules(rules, zone)
    now = hours.at(at_ms)
    assert at_ms < now.until_ms
    last = hours.at(now.until_ms - 1)
    assert (last.is_open, last.text, last.opens_at_ms) == (now.is_open, now.text, now.opens_at_ms)
    assert now.is_open == (now.opens_at_ms is None)
    if now.opens_at_ms is not None:
        assert not hours.at(now.opens_at_ms - 1).is_open
        assert hours.at(now.opens_at_ms).is_open


def test_hours_are_read_back_as_they_were_stored():
    for hours in (OFFICE, NIGHT, WeeklyHours.of_rules(["sun 00:00-24:00"], BERLIN)):
        assert WeeklyHours.parse(hours.to_dict(), "web.hours") == hours
    assert OFFICE.to_dict()["week"]["mon"] == ["10:00-12:00", "13:00-18:00"]
    assert "sat" not in OFFICE.to_dict()["week"]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("mon-fri 10:00-18:00", "mon tue wed thu fri"),
        ("월-금 10:00~18:00", "mon tue wed thu fri"),
        ("Sat-Mon 10:00-18:00", "mon sat sun"),
        ("mon,wed-thu,일 10:00 - 18:00", "mon wed thu sun"),
    ],
)
def test_rules_are_read_as_people_type_them(rule, days):
    week = WeeklyHours.of_rules([rule], SEOUL).to_dict()["week"]
    assert week == {day: ["10:00-18:00"] for day in days.split()}


def test_rules_add_up():
    week = WeeklyHours.of_rules(["mon-tue 13:00-18:00", "mon 09:00-12:00"], SEOUL).to_dict()["week"]
    assert week == {"mon": ["09:00-12:00", "13:00-18:00"], "tue": ["13:00-18:00"]}


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (["10:00-18:00"], "days and hours such as"),
        (["mon-fri"], "days and hours such as"),
        (["mo 10:00-18:00"], "days and hours such as"),
        (["mon 10-18"], "hours such as 10:00-18:00"),
        (["mon 25:00-26:00"], "hours such as 10:00-18:00"),
        (["mon 10:00-10:00"], "an end other than the beginning"),
        (["mon 10:00-12:00", "mon 11:00-13:00"], "hours: mon: 10:00-12:00 and 11:00-13:00 overlap"),
        ([f"mon {hour:02}:00-{hour:02}:30" for hour in range(6)], "at most 5"),
    ],
)
def test_wrong_rules_say_what_is_expected(rules, says):
    with pytest.raises(InvalidInput, match=says):
        WeeklyHours.of_rules(rules, SEOUL)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ("daily", "web.hours:"),
        ({"week": {}}, "web.hours:"),
        ({"week": []}, "web.hours.week:"),
        ({"week": {"monday": []}}, "web.hours.week.monday:"),
        ({"week": {"mon": "10:00-18:00"}}, "web.hours.week.mon:"),
        ({"week": {"mon": ["10:00-18:00", 7]}}, r"web.hours.week.mon\[1\]:"),
        ({"week": {"mon": ["10:00-18:00\n"]}}, r"web.hours.week.mon\[0\]:"),
        ({"week": {"mon": ["10:00-18:00", "17:00-19:00"]}}, "web.hours.week.mon:"),
        ({"week": {"mon": [f"{hour:02}:00-{hour:02}:30" for hour in range(9)]}}, "web.hours.week.mon:"),
        ({"timeZone": "Seoul/Asia", "week": {"mon": ["10:00-18:00"]}}, "web.hours.timeZone:"),
        ({"timeZone": "../../etc/passwd", "week": {"mon": ["10:00-18:00"]}}, "web.hours.timeZone:"),
        ({"timeZone": 9, "week": {"mon": ["10:00-18:00"]}}, "web.hours.timeZone:"),
        ({"timezone": SEOUL, "week": {"mon": ["10:00-18:00"]}}, "web.hours.timezone:"),
    ],
)
def test_wrong_hours_are_refused_with_their_place(data, place):
    with pytest.raises(InvalidInput, match=f"^{place}"):
        WeeklyHours.parse(data, "web.hours")
