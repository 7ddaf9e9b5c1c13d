"""JSON from outside is parsed within bounds or refused with its place."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.json_input import clean_text, parse_json, plain_json
from shared.templates import Mask, MaskedText
from shared.values import UNDEFINED, PrintsAs


def parse(raw: bytes):
    return parse_json(raw, max_bytes=1_000_000)


def refusal(raw: bytes) -> str:
    with pytest.raises(InvalidInput) as refused:
        parse(raw)
    return str(refused.value)


def test_ordinary_json_is_parsed():
    assert parse('{"글": [1, 2.5, -3e2, true, null, "\\ud83d\\ude00"]}'.encode()) == {
        "글": [1, 2.5, -300.0, True, None, "😀"]
    }


def test_a_byte_order_mark_is_accepted():
    assert parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_of_duplicate_keys_the_last_wins():
    assert parse(b'{"a": 1, "a": 2}') == {"a": 2}


def test_a_body_over_the_size_limit_is_refused():
    with pytest.raises(InvalidInput, match="11 bytes, at most 10"):
        parse_json(b'"' + b"a" * 9 + b'"', max_bytes=10)


def test_a_body_of_exactly_the_size_limit_is_parsed():
    assert parse_json(b'"' + b"a" * 8 + b'"', max_bytes=10) == "a" * 8


def test_broken_json_is_refused_with_line_and_column():
    assert refusal(b'{\n  "a": ,\n}') == "body: line 2 column 8: Expecting value"


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_json_cannot_carry_are_refused_with_their_place(literal):
    raw = f'{{"{literal}": "{literal}",\n "b": {literal}}}'.encode()
    assert refusal(raw) == f"body: line 2 column 7: {literal} is not a number that JSON can carry"


@pytest.mark.parametrize("literal", ["9" * 5_000, "-" + "9" * 5_000, "1." + "0" * 5_000, "1e" + "0" * 5_000])
def test_numbers_of_thousands_of_digits_are_refused(literal):
    assert refusal(f"[{literal}]".encode()) == (
        f"body: line 1 column 2: {literal[:20]}... is not a number that JSON can carry"
    )


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_of_a_hundred_thousand_levels_is_refused(opening):
    assert "nested deeper than 64" in refusal(opening * 100_000)


def test_nesting_up_to_the_limit_is_parsed():
    assert parse_json(b"[" * 64 + b"]" * 64, max_bytes=1_000, max_depth=64)


def test_one_level_more_than_the_limit_is_refused_with_its_place():
    with pytest.raises(InvalidInput, match="line 1 column 65: nested deeper than 64"):
        parse_json(b"[" * 65 + b"]" * 65, max_bytes=1_000, max_depth=64)


def test_brackets_inside_strings_are_no_nesting():
    assert parse(json.dumps(["[" * 1_000 + '"{\\' * 100]).encode()) == ["[" * 1_000 + '"{\\' * 100]


def test_text_in_cp949_is_refused_with_a_hint():
    assert refusal('{"text": "안녕하세요"}'.encode("cp949")) == "body: byte 10: not UTF-8 (it looks like CP949/EUC-KR)"


def test_other_bytes_are_refused_without_the_hint():
    assert refusal(b'\xef\xbb\xbf"\xff"') == "body: byte 4: not UTF-8"


def test_lone_surrogates_become_replacement_characters_in_strings_and_keys():
    assert parse(rb'{"\ud83d": ["a\udc00b"]}') == {"\ufffd": ["a\ufffdb"]}


def test_nul_characters_are_removed_from_strings_and_keys():
    assert parse(rb'{"a\u0000": "b\u0000c"}') == {"a": "bc"}


def test_clean_text_leaves_other_text_as_it_is():
    assert clean_text("가\u200d\ufeff😀\n") == "가\u200d\ufeff😀\n"


def test_an_unterminated_string_full_of_escapes_is_refused():
    assert "Unterminated string" in refusal(b'["' + rb"\"" * 400_000)


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(raw):
    try:
        value = parse(raw)
    except InvalidInput:
        return
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


STORABLE_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
        | STORABLE_TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STORABLE_TEXT, inner, max_size=4),
        max_leaves=12,
    ),
    st.booleans(),
)  # fmt: skip
def test_any_storable_value_survives_the_round_trip(value, ensure_ascii):
    assert parse(json.dumps(value, ensure_ascii=ensure_ascii).encode()) == value


def test_plain_json_is_a_copy_that_every_store_can_hold() -> None:
    masked = MaskedText("가\x00", (Mask(0, 1, None),))
    value = {"a": [masked, math.nan, -math.inf, 10**400, True, None, 1.5], 5: PrintsAs({"text": "\ud800"}, "text")}
    plain = plain_json(value)
    assert plain == {"a": ["가", None, None, None, True, None, 1.5], "5": {"text": "\ufffd"}}
    assert (type(plain["a"][0]), type(plain["5"])) == (str, dict)
    assert plain["a"] is not value["a"]


@pytest.mark.parametrize(("depth", "fits"), [(64, True), (65, False)])
def test_plain_json_is_as_deep_as_allowed(depth: int, fits: bool) -> None:
    value: Any = json.loads("[" * depth + "]" * depth)
    if fits:
        assert plain_json(value) == value
    else:
        with pytest.raises(InvalidInput, match="nested too deeply"):
            plain_json(value)


@pytest.mark.parametrize("value", [b"x", {1}, object(), [UNDEFINED]])
def test_what_is_no_json_value_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="not JSON"):
        plain_json(value)
