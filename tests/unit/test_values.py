"""JavaScript's own answers (Node 22) for the values that templates and conditions meet."""

import math
import operator

import pytest

from shared import values
from shared.values import UNDEFINED, PrintsAs


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (-2.5e16, "-25000000000000000"),
        (1e20, "100000000000000000000"),
        (12345678901234567890.0, "12345678901234567000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.000001, "0.000001"),
        (1.25e-6, "0.00000125"),
        (1e-7, "1e-7"),
        (-1.5e-9, "-1.5e-9"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (10**21, "1e+21"),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
    ],
)
def test_numbers_print_as_javascript_prints_them(number, text):
    assert values.number_text(number) == text


def test_whole_numbers_keep_the_digits_of_foreign_ids():
    assert values.number_text(9007199254740993) == "9007199254740993"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (UNDEFINED, ""),
        (True, "true"),
        ([1, None, [2, "b"], UNDEFINED], "1,,2,b,"),
        ({"a": [1.0, None], "b": {"c": "d"}}, '{"a":[1,null],"b":{"c":"d"}}'),
        (PrintsAs({"type": "text", "text": "예"}, "text"), "예"),
        (PrintsAs({"type": "media"}, "text"), ""),
        ([PrintsAs({"text": "예"}, "text")], "예"),
    ],
)
def test_values_print_as_text(value, text):
    assert values.to_text(value) == text


@pytest.mark.parametrize(
    ("value", "json"),
    [
        ({"2": "b", "x": 1, "1": "a", "01": 0}, '{"1":"a","2":"b","x":1,"01":0}'),
        ([math.nan, math.inf, 10**400], "[null,null,null]"),
        ('"\\\n\x01가😀', '"\\"\\\\\\n\\u0001가😀"'),
    ],
)
def test_json_is_what_json_stringify_writes(value, json):
    assert values.to_json(value) == json


@pytest.mark.parametrize(
    ("value", "key", "found"),
    [
        ({"a": 1}, "a", 1),
        ({"a": 1}, "b", UNDEFINED),
        ({"length": 7}, "length", 7),
        ({"a": 1}, "length", UNDEFINED),
        (["a", "b"], "1", "b"),
        (["a", "b"], "2", UNDEFINED),
        (["a", "b"], "01", UNDEFINED),
        (["a", "b"], "-1", UNDEFINED),
        (["a", "b"], "9" * 5000, UNDEFINED),
        (["a", "b"], "٠", UNDEFINED),
        (["a", "b"], "length", 2),
        (["a", "b"], "append", UNDEFINED),
        ("가나", "1", "나"),
        ("가😀", "length", 3),
        ("가나", "upper", UNDEFINED),
        (5, "real", UNDEFINED),
        (None, "a", UNDEFINED),
        (True, "__class__", UNDEFINED),
        ({}, "__class__", UNDEFINED),
        ([], "__len__", UNDEFINED),
    ],
)
def test_members_are_own_keys_and_indices_and_nothing_of_the_host(value, key, found):
    assert values.member(value, key) is found or values.member(value, key) == found


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("", 0),
        (" \ufeff12.5\n", 12.5),
        ("0x1F", 31),
        ("0b101", 5),
        ("1e3", 1000),
        (".5", 0.5),
        ("-Infinity", -math.inf),
        (None, 0),
        (True, 1),
        ([], 0),
        (["7"], 7),
    ],
)
def test_text_converts_to_the_number_it_writes(value, number):
    assert values.to_number(value) == number


@pytest.mark.parametrize(
    "value", ["1_000", "0x", "0x-5", "0x 5", "--5", "1 2", "inf", "nan", "١", "--Infinity", {}, UNDEFINED]
)
def test_everything_else_is_not_a_number(value):
    assert math.isnan(values.to_number(value))


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        ("1", 1, False),
        (None, UNDEFINED, False),
        (None, None, True),
        ([], [], False),
        (math.nan, math.nan, False),
    ],
)
def test_strict_equality_converts_nothing(left, right, equal):
    assert values.strict_equals(left, right) is equal


@pytest.mark.parametrize(
    ("left", "right", "less"),
    [
        (2, "10", True),
        ("2", "10", False),
        ("a", "b", True),
        ("\uffff", "😀", False),
        (None, 1, True),
        (UNDEFINED, 1, False),
        ([1], 2, True),
        (["b"], "a", False),
    ],
)
def test_less_than_compares_texts_as_texts_and_the_rest_as_numbers(left, right, less):
    assert values.compare(left, right, operator.lt) is less


@pytest.mark.parametrize("value", [0, 0.0, "", None, UNDEFINED, False, [], math.nan])
def test_nothing_and_empty_lists_are_false(value):
    assert values.is_truthy(value) is False


@pytest.mark.parametrize("value", [1, "0", {}, [0], True, -1.5, PrintsAs({}, "text")])
def test_objects_and_all_else_are_true(value):
    assert values.is_truthy(value) is True
