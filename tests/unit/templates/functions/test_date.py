"""DATE beyond the golden rows: what a value may be, what is printed without a format, zones, bounds."""

import pytest

from shared.templates.errors import TemplateError
from tests.unit.templates.functions.calling import call

SEOUL = "Asia/Seoul"


@pytest.mark.parametrize("arguments", [[], [None], [None, None], [None, None, None], [None, None, ""]])
def test_no_value_no_format_and_no_zone_is_now_as_iso_in_utc_with_milliseconds(arguments: list[object]) -> None:
    assert call("DATE", *arguments) == "2018-12-07T05:47:14.667Z"


def test_a_time_without_milliseconds_still_prints_them() -> None:
    assert call("DATE", "2018-12-07T05:47:14Z") == "2018-12-07T05:47:14.000Z"


def test_an_empty_format_is_the_iso_text_of_moment_with_the_offset_of_the_zone() -> None:
    assert call("DATE", None, "") == "2018-12-07T05:47:14Z"
    assert call("DATE", None, "", SEOUL) == "2018-12-07T14:47:14+09:00"


def test_a_zone_without_a_format_is_respected() -> None:
    assert call("DATE", None, None, SEOUL) == "2018-12-07T14:47:14+09:00"


def test_names_follow_the_language_of_the_bot() -> None:
    assert call("DATE", None, "LLLL", SEOUL, language="ko") == "2018년 12월 7일 금요일 오후 2:47"
    assert call("DATE", None, "LLLL", SEOUL, language="en") == "Friday, December 7, 2018 2:47 PM"


@pytest.mark.parametrize("value", [1_544_161_634, 1_544_161_634.0, "1544161634", 1_544_161_634_000, "1544161634000"])
def test_epoch_time_is_seconds_with_ten_digits_and_milliseconds_otherwise(value: object) -> None:
    assert call("DATE", value) == "2018-12-07T05:47:14.000Z"


@pytest.mark.parametrize(
    ("value", "expected"), [(999_999_999, "1970-01-12T13:46:39.999Z"), ("10000000000", "1970-04-26T17:46:40.000Z")]
)
def test_nine_and_eleven_digits_are_milliseconds(value: object, expected: str) -> None:
    assert call("DATE", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2018", "2018-01-01T00:00:00.000Z"),
        ("201812", "2018-12-01T00:00:00.000Z"),
        ("2018341", "2018-12-07T00:00:00.000Z"),
        ("2018-W49", "2018-12-03T00:00:00.000Z"),
        ("2018W495T0547", "2018-12-07T05:47:00.000Z"),
        ("2020-W53-7", "2021-01-03T00:00:00.000Z"),
        ("+002018-12-07", "2018-12-07T00:00:00.000Z"),
        ("2018-12-07T05", "2018-12-07T05:00:00.000Z"),
        ("2018-12-07T05+09", "2018-12-06T20:00:00.000Z"),
        ("2018-12-07T05:47:14,5Z", "2018-12-07T05:47:14.500Z"),
        ("2018-12-07T05:47:14.6679999Z", "2018-12-07T05:47:14.667Z"),
        ("2018-12-07T24:00", "2018-12-08T00:00:00.000Z"),
        ("2018-12-07 05:47 -0330", "2018-12-07T09:17:00.000Z"),
        (" 2018-12-07 ", "2018-12-07T00:00:00.000Z"),
        ("7 Dec 18 05:47 EST", "2018-12-07T10:47:00.000Z"),
        ("Fri, 7 Dec 2018 (a comment) 05:47:14 GMT", "2018-12-07T05:47:14.000Z"),
        ("7 Dec 74 05:47 Z", "1974-12-07T05:47:00.000Z"),
        ("2018.12.7", "2018-12-07T00:00:00.000Z"),
        ("2018. 12. 7.", "2018-12-07T00:00:00.000Z"),
        ("2018/1/5 5:47:14", "2018-01-05T05:47:14.000Z"),
    ],
)
def test_text_is_read_as_moment_reads_it(value: str, expected: str) -> None:
    assert call("DATE", value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "내일", "2018-02-30", "2018-13-01", "2018-00-01", "2018-W53", "2018-366", "2018-000", "2018-12-7-1"),
        *("2018-12-07T25:00", "2018-12-07T24:01", "2018-12-07T05:60", "2018-12-07T05:47:60", "2018-12T05:00"),
        *("Thu, 07 Dec 2018 05:47:14 GMT", "Fri, 37 Dec 2018 05:47:14 GMT", "２０１８-12-07", "2018.2.30"),
        *("0000-01-01", "+099999-01-01", "9999-366", "0001-01-01", "9999-12-31", "9999-W52-7", "9" * 400, "1" * 5000),
        *(99_999 * 31_556_952_000, -1e300, 1e300, 10**400, -(10**400), float("nan"), float("inf"), float("-inf")),
        *(True, False, [], ["2018-12-07"], {}, {"year": 2018}),
    ],
)
def test_what_is_no_date_of_the_years_1_to_9999_is_an_invalid_date(value: object) -> None:
    assert call("DATE", value) == "Invalid date"
    assert call("DATE", value, "YYYY", SEOUL) == "Invalid date"


@pytest.mark.parametrize("value", ["0001-01-08", "9999-12-23"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_both_ends_of_the_calendar_are_formatted_in_every_zone(value: str, zone: str) -> None:
    assert call("DATE", value, "gggg-ww GGGG-WW", zone)[:4] == value[:4]


@pytest.mark.parametrize("zone", ["asia/seoul", "ASIA/SEOUL", "Asia_Seoul", "ROK"])
def test_zones_are_found_as_moment_timezone_finds_them(zone: str) -> None:
    assert call("DATE", None, "HH:mm Z", zone) == "14:47 +09:00"


@pytest.mark.parametrize(
    "zone", ["No/Such", "../../etc/passwd", "/etc/passwd", "Asia/", "\0", "가", "KST ", "x" * 9999]
)
def test_a_zone_that_does_not_exist_counts_as_utc_and_is_no_path(zone: str) -> None:
    assert call("DATE", None, "HH:mm Z", zone) == "05:47 +00:00"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yo NNNN NNNNN", "2018th Anno Domini AD"),
        ("YYY ggg dddddd", "182018 18g FridayFr"),
        ("\\YYYY \\[YYYY\\]", "YYYY [2018]"),
        ("LLLLLL", "Friday, December 7, 2018 5:47 AMDecember 7, 2018"),
        ("[LT] \\LT", "LT LT"),
        ("YYYY\nMM\u2028DD", "20181207"),
    ],
)
def test_format_tokens_are_cut_as_moment_cuts_them(pattern: str, expected: str) -> None:
    assert call("DATE", None, pattern, language="en") == expected


def test_ordinals_of_english_numbers() -> None:
    days = ["01", "02", "03", "04", "11", "12", "13", "21", "22", "23", "31"]
    expected = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st"]
    assert [call("DATE", f"2018-12-{day}", "Do", language="en") for day in days] == expected


def test_a_format_over_the_limit_is_refused() -> None:
    assert len(call("DATE", None, "LLLL" * 250)) < 10_000
    with pytest.raises(TemplateError, match="format is too long"):
        call("DATE", None, "Y" * 5_000)
