"""RAND: whole numbers and choices from the environment's generator."""

from functools import partial

import pytest

from tests.unit.templates.functions.calling import call

ALMOST_ONE = 1 - 2**-53


@pytest.mark.parametrize(("draw", "expected"), [(0.0, 1), (0.1, 2), (0.55, 6), (ALMOST_ONE, 10)])
def test_two_integers_give_a_whole_number_between_them(draw: float, expected: int) -> None:
    assert call("RAND", 1, 10, random=lambda: draw) == expected


@pytest.mark.parametrize(("first", "last"), [(10, 1), (10.0, 1.0)])
def test_the_integers_may_come_in_either_order_and_as_whole_floats(first: float, last: float) -> None:
    assert [call("RAND", first, last, random=partial(float, draw)) for draw in (0.0, ALMOST_ONE)] == [1, 10]


@pytest.mark.parametrize(
    "choices", [("철수", "영희"), (1.5, 2), ("1", "10"), (True, 2), (1, 2**53), (10**400, 1), (float("nan"), 1)]
)
def test_two_arguments_that_are_not_both_integers_are_choices(choices: tuple[object, object]) -> None:
    assert call("RAND", *choices, random=lambda: 0.0) is choices[0]
    assert call("RAND", *choices, random=lambda: ALMOST_ONE) is choices[1]


def test_more_arguments_are_choices_even_when_they_are_integers() -> None:
    drawn = [call("RAND", 1, 5, 9, random=partial(float, draw)) for draw in (0.0, 0.5, ALMOST_ONE)]
    assert drawn == [1, 5, 9]


def test_one_argument_is_the_only_choice() -> None:
    assert call("RAND", "하나") == "하나"


def test_the_widest_range_never_leaves_its_end() -> None:
    limit = 2**53 - 1
    assert call("RAND", -limit, limit, random=lambda: ALMOST_ONE) <= limit
