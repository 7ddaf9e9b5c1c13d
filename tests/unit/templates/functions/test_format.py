"""FORMAT beyond the golden rows: which values are numbers, numbers at the ends of a double, bounds."""

import pytest

from shared.templates.errors import TemplateError
from shared.values import UNDEFINED
from tests.unit.templates.functions.calling import call


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([10_000], "10,000"),
        (["01234.5"], "1,234.5"),
        (["안녕하세요"], "안녕하세요"),
        ([123.456, "0.00"], "123.46"),
        ([1_230_974, "0.0a"], "1.2m"),
    ],
)
def test_the_examples_of_the_guide(arguments: list[object], expected: str) -> None:
    assert call("FORMAT", *arguments) == expected


@pytest.mark.parametrize("text", ["", " ", "12abc", "1,234.5", "３", "1_000", "--1", "NaN"])
def test_text_that_is_no_number_is_returned_unchanged(text: str) -> None:
    assert call("FORMAT", text) == text
    assert call("FORMAT", text, "0,0.00") == text


@pytest.mark.parametrize(("text", "expected"), [(" 1234 ", "1,234"), ("1e3", "1,000"), ("-.5", "-0.5"), ("0x10", "16")])
def test_numeric_text_counts_as_a_number(text: str, expected: str) -> None:
    assert call("FORMAT", text) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (-0.0, "-0"),
        (-0.0001, "-0"),
        (0.0005, "0.001"),
        (1.0005, "1.001"),
        (-1234.5675, "-1,234.568"),
        (1e21, "1,000,000,000,000,000,000,000"),
        (2**53 + 1, "9,007,199,254,740,992"),
        (5e-324, "0"),
        (float("nan"), "NaN"),
        (float("inf"), "∞"),
        (-(10**400), "-∞"),
    ],
)
def test_without_a_format_numbers_are_written_as_to_locale_string_writes_them(number: float, expected: str) -> None:
    assert call("FORMAT", number) == expected


def test_the_largest_double_is_written_in_full() -> None:
    assert call("FORMAT", 1e300) == "1" + ",000" * 100


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ""), (UNDEFINED, ""), (True, "true"), ([1234, "a"], "1234,a"), ({"a": 1}, '{"a":1}')]
)
def test_without_a_format_what_is_no_number_prints_as_everywhere(value: object, expected: str) -> None:
    assert call("FORMAT", value) == expected


@pytest.mark.parametrize("value", [None, UNDEFINED, [], {}, False, float("nan")])
def test_with_a_format_nothing_counts_as_zero(value: object) -> None:
    assert call("FORMAT", value, "0.00") == "0.00"


def test_an_empty_format_groups_whole_numbers() -> None:
    assert call("FORMAT", 1234.5, "") == "1,235"
    assert call("FORMAT", 1234.5, None) == "1,234.5"


@pytest.mark.parametrize(
    ("number", "pattern", "expected"),
    [
        (1e12, "0 a", "1 t"),
        (1.5e15, "0,0 a", "1.5 t"),
        (999_999, "0 a", "1 k"),
        (999_999, "0a", "1m"),
        (1e-7, "0.00", "NaN"),
        (1e30, "0b", "NaN"),
        (float("inf"), "0:00", "NaN"),
        (10**400, "$0,0", "NaN"),
        (-1.005, "0.00", "-1.00"),
        (0.5, "0", "1"),
        (-0.5, "0", "0"),
        (2**50 + 0.25, "0.0", "1125899906842624.3"),
        (1.5, "0.0🙂", "1.500"),
        (12.5, "0|0", "13"),
    ],
)
def test_quirks_of_numeral_are_kept(number: float, pattern: str, expected: str) -> None:
    assert call("FORMAT", number, pattern) == expected


def test_an_unreasonable_format_is_refused() -> None:
    assert len(call("FORMAT", 1, "0" * 1_000)) == 1_000
    with pytest.raises(TemplateError, match="format is too long"):
        call("FORMAT", 1, "0" * 5_000)
    with pytest.raises(TemplateError, match="too many decimals"):
        call("FORMAT", 1, "0." + "0" * 101)
