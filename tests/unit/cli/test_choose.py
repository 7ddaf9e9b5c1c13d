"""What people type for a thing of a list, and for a moment; and tables."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from infra.cli.choose import moment, one_of, typed
from infra.cli.table import columns
from shared.errors import InvalidInput, NotFound

NOW_MS = 1_795_219_200_123


@dataclass(frozen=True)
class Thing:
    id: str
    name: str


THINGS = [Thing("a1b2", "주문"), Thing("a1c3", "a1b2"), Thing("d4e5", "창고"), Thing("d4", "창고")]


def chosen(given: str) -> Thing:
    return one_of(THINGS, given, "thing", identity=lambda thing: thing.id, name=lambda thing: thing.name)


@pytest.mark.parametrize(
    ("given", "id_"),
    [("a1b2", "a1b2"), ("a1b", "a1b2"), ("주문", "a1b2"), ("a1c", "a1c3"), ("d4e", "d4e5"), ("d4", "d4")],
)
def test_an_id_comes_before_a_name_and_a_name_before_a_beginning(given: str, id_: str) -> None:
    assert chosen(given).id == id_


@pytest.mark.parametrize("given", ["a1", "창고"])
def test_what_means_several_is_refused_with_their_ids(given: str) -> None:
    with pytest.raises(InvalidInput, match=r"more than one thing: \w+, \w+"):
        chosen(given)


@pytest.mark.parametrize("given", ["", "x", "주문x"])
def test_what_means_none_is_told(given: str) -> None:
    with pytest.raises(NotFound, match="no thing"):
        chosen(given)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-21", 1_795_219_200_000),
        ("2026-11-21T00:00:00.5", 1_795_219_200_500),
        ("2026-11-21T09:00+09:00", 1_795_219_200_000),
        ("90s", NOW_MS - 90_000),
        ("2h", NOW_MS - 7_200_000),
        ("30d", NOW_MS - 2_592_000_000),
    ],
)
def test_a_moment_is_a_time_or_how_long_ago(text: str, ms: int) -> None:
    assert moment(text, NOW_MS, "--from") == ms


@pytest.mark.parametrize("text", ["", "yesterday", "2h ago", "-2h", "2026-13-01", "9999999d"])
def test_another_text_is_no_moment(text: str) -> None:
    with pytest.raises(InvalidInput, match="--from: a time such as"):
        moment(text, NOW_MS, "--from")


@given(st.integers(0, 4_000_000_000_000))
def test_a_moment_that_was_printed_is_read_back(ms: int) -> None:
    assert moment(typed(ms), NOW_MS, "--from") == ms


def test_columns_are_aligned_with_korean_letters_counting_twice() -> None:
    lines = columns(("id", "name", "url"), [("1", "주문 서버", "u"), ("22", "b", "v")])
    assert lines == ["id  name       url", "1   주문 서버  u", "22  b          v"]
    assert {cell_len(line[: line.rindex(" ")]) for line in lines} == {14}


def test_a_cell_can_neither_make_lines_nor_move_the_cursor() -> None:
    assert columns(("a", "b"), [("x\n\x1b[2Jy", "z")])[1] == "x [2Jy  z"
