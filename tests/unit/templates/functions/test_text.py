"""QUOTE, ESCAPE and TRUNCATE."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.templates.errors import TemplateError
from shared.values import UNDEFINED
from tests.unit.templates.functions.calling import call


def test_quote_writes_the_example_of_the_guide() -> None:
    expected = r'"안녕하세요? 저는 \"개똥이\" 입니다."'
    assert call("QUOTE", '안녕하세요? 저는 "개똥이" 입니다.', '"') == expected


@given(st.text())
def test_quote_without_a_quote_writes_a_json_string(text: str) -> None:
    assert json.loads(call("QUOTE", text)) == text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["it's", "'"], r"'it\'s'"),
        (["it's"], '"it\'s"'),
        (["a\\b"], r'"a\\b"'),
        (["a\nb\tc\x00\x7f"], r'"a\nb\tc\u0000\u007f"'),
        (["`", "`"], r"`\``"),
        ([None], '""'),
        ([UNDEFINED], '""'),
        ([1.0], '"1"'),
        (["x", None], '"x"'),
        (["x", ""], '"x"'),
    ],
)
def test_quote_escapes_its_quote_the_backslash_and_control_characters(arguments: list[object], expected: str) -> None:
    assert call("QUOTE", *arguments) == expected


@pytest.mark.parametrize("quote", ["''", "\\", "aa"])
def test_quote_refuses_what_cannot_quote(quote: str) -> None:
    with pytest.raises(TemplateError, match="one character"):
        call("QUOTE", "x", quote)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("name=홍길동", "name%3D%ED%99%8D%EA%B8%B8%EB%8F%99"),
        ("AZaz09-_.!~*'()", "AZaz09-_.!~*'()"),
        (' +/?#[]@$&,;:=%"<>\\^`{|}', "%20%2B%2F%3F%23%5B%5D%40%24%26%2C%3B%3A%3D%25%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("😀", "%F0%9F%98%80"),
        ("\ud83d\ude00", "%F0%9F%98%80"),
        ("a\ud83d", "a%EF%BF%BD"),
        ("\ude00a", "%EF%BF%BDa"),
        (None, ""),
        ([1, 2], "1%2C2"),
    ],
)
def test_escape_is_encode_uri_component(value: object, expected: str) -> None:
    assert call("ESCAPE", value) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["ABCDEFGHIJKLMNOP", 10], "ABCDEFGHIJ"),
        (["ABCDEFGHIJKLMNOP", 10, "..."], "ABCDEFG..."),
        (["ABC", 3, "..."], "ABC"),
        (["ABCD", 3, "..."], "..."),
        (["ABCD", 2, "..."], ".."),
        (["ABCD", 0, "..."], ""),
        (["ABCD", -1], ""),
        (["ABCD", 2.9], "AB"),
        (["ABCD", "2"], "AB"),
        (["ABCD", float("inf")], "ABCD"),
        (["ABCD", 10**400], "ABCD"),
        (["ABCD", float("-inf"), "..."], ""),
        (["👨‍👩‍👧👍🏽🇰🇷x", 3], "👨‍👩‍👧👍🏽🇰🇷"),
        (["👨‍👩‍👧👍🏽🇰🇷", 3, "…"], "👨‍👩‍👧👍🏽🇰🇷"),
        (["가나다", 2], "가나"),
        (["e\u0301a", 1], "e\u0301"),
        ([12345, 3], "123"),
        ([None, 3, "…"], ""),
        (["ABCD", 3, None], "ABC"),
    ],
)
def test_truncate_counts_user_perceived_characters_omission_included(arguments: list[object], expected: str) -> None:
    assert call("TRUNCATE", *arguments) == expected


@pytest.mark.parametrize("length", [None, UNDEFINED, "긴", float("nan"), {}])
def test_truncate_refuses_a_length_that_is_no_number(length: object) -> None:
    with pytest.raises(TemplateError, match="length is not a number"):
        call("TRUNCATE", "ABC", length)
