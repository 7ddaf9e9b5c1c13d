"""Expressions mean what V8 says they mean, and cannot hurt us.

tests/data/regex/corpus.json holds V8's answers (generate.mjs beside it makes them).
"""

import json
import sys
from pathlib import Path

import pytest

from shared.conditions.javascript_case import _CASED_BLOCKS
from shared.conditions.javascript_regex import (
    MAX_GROUP_DEPTH,
    MAX_PATTERN,
    compile_javascript_regex,
)
from shared.conditions.limits import MAX_TEXT, RegexSyntaxError

CORPUS = json.loads((Path(__file__).parents[2] / "data/regex/corpus.json").read_text("utf-8"))


def answers(source):
    """As the corpus has them: None for a refused expression, otherwise 1 or 0 for each text."""
    try:
        expression = compile_javascript_regex(source)
    except RegexSyntaxError:
        return None
    return "".join("1" if expression.test(text) else "0" for text in CORPUS["texts"])


@pytest.mark.parametrize(("source", "expected"), CORPUS["patterns"], ids=lambda value: ascii(value)[:40])
def test_an_expression_gives_the_answers_of_v8(source, expected):
    actual = answers(source)
    if expected is None or actual is None:
        assert actual == expected
    else:
        assert [text for text, ours, v8 in zip(CORPUS["texts"], actual, expected, strict=True) if ours != v8] == []


@pytest.mark.parametrize(("source", "expected"), CORPUS["different"], ids=lambda value: ascii(value)[:40])
def test_the_listed_differences_are_still_differences(source, expected):
    assert answers(source) != expected


def test_the_corpus_is_large():
    assert len(CORPUS["patterns"]) > 400
    assert len(CORPUS["texts"]) > 150


@pytest.mark.parametrize(
    "source",
    [
        "(a+)+$",
        "(a|a)*$",
        "^(?:a|aa)+$",
        "(.*a){25}$",
        r"(?=(a+)+c)b|(a*)*[^ab]$",
        "/(A+)+$/i",
        "((a{0,4001}){0,4001}){0,4001}$",
    ],
)
def test_an_evil_expression_runs_out_of_time(source):
    with pytest.raises(TimeoutError):
        compile_javascript_regex(source).test("a" * (MAX_TEXT - 1) + "b")


def test_only_the_first_characters_of_a_text_are_searched():
    expression = compile_javascript_regex("b")
    assert expression.test("a" * (MAX_TEXT - 1) + "b")
    assert not expression.test("a" * MAX_TEXT + "b")


def test_a_longer_expression_than_the_limit_is_refused():
    assert compile_javascript_regex("a" * MAX_PATTERN).test("a" * MAX_PATTERN)
    with pytest.raises(RegexSyntaxError, match="more than"):
        compile_javascript_regex("a" * (MAX_PATTERN + 1))


@pytest.mark.parametrize(
    "source",
    [
        "(?:a{1000}){1000}",
        "(?:(?:a{100,}){100,}){100,}",
        "(?:(?:(?:|a){4001}){4001}){4001}",
        "(?:(){100000}){100000}",
        "(a{4001}|){4001,}",
        "(?=(?:a{999}){999})*",
    ],
)
def test_repeats_that_would_fill_the_memory_are_refused(source):
    with pytest.raises(RegexSyntaxError, match="repeats too much"):
        compile_javascript_regex(source)


@pytest.mark.parametrize("opening", ["(", "(?:", "(?=", "(?<="])
def test_groups_nest_to_a_bound(opening):
    def nested(depth):
        return f"{opening * depth}a{')' * depth}"

    assert compile_javascript_regex(nested(MAX_GROUP_DEPTH)).test("aa")
    with pytest.raises(RegexSyntaxError, match="nest deeper"):
        compile_javascript_regex(nested(MAX_GROUP_DEPTH + 1))


def test_an_expression_grows_to_a_bound():
    with pytest.raises(RegexSyntaxError, match="too large"):
        compile_javascript_regex("/" + r"\b" * 490 + "/u")


def test_a_repeat_above_the_length_of_any_text_means_the_same_as_that_length():
    assert not compile_javascript_regex("a{999999999999}").test("a" * MAX_TEXT)
    assert compile_javascript_regex("^a{2,999999999999}$").test("a" * MAX_TEXT)
    assert compile_javascript_regex("^(?:a?){5000}$").test("aaa")


def test_a_refusal_says_where():
    with pytest.raises(RegexSyntaxError, match=r"nothing to repeat at character 3"):
        compile_javascript_regex("a|*")


def test_the_blocks_with_case_are_complete():
    looked_at = {code for block in _CASED_BLOCKS for code in block}
    others = [chr(code) for code in range(sys.maxunicode + 1) if code not in looked_at]
    assert [
        character for character in others if character.upper() != character or character.casefold() != character
    ] == []
