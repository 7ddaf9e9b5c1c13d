"""Whatever an author or end user hands a helper, it answers with a value or a TemplateError, in bounded time."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.templates.errors import TemplateError
from shared.templates.functions import CALLS
from shared.values import UNDEFINED
from tests.unit.templates.functions.calling import call

SURPRISING_NUMBERS = st.sampled_from(
    [10**400, -(10**400), 2**53, 1e308, 5e-324, -0.0, 1e21, 9_999_999_999, 99999 * 10**12]
)
SURPRISING_TEXTS = st.sampled_from(
    ["9999-12-31", "99999-01-01", "0x" + "f" * 400, "\ud800", "[" * 900, "(" * 900, "$" * 900, "LLLL" * 200, "0" * 5000]
)
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="YMDHhmsSdwWEgGQLlTXxzZAaNko[]\\. ", max_size=30),
    st.text(alphabet="0,.[]()+-$%abkmtioeBPS: |", max_size=20),
    st.text(alphabet="0123456789-+:.TWZ/ ", max_size=30),
    SURPRISING_TEXTS,
)
SCALARS = st.one_of(st.none(), st.just(UNDEFINED), st.booleans(), st.integers(), st.floats(), SURPRISING_NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, list[Any]]:
    helper = CALLS[draw(st.sampled_from(sorted(CALLS)))]
    most = 5 if helper.max_arguments is None else helper.max_arguments
    return helper.name, draw(st.lists(VALUES, min_size=helper.min_arguments, max_size=most))


@settings(max_examples=1_000, deadline=None)
@given(calls(), st.sampled_from(["ko", "en"]))
def test_no_input_raises_anything_but_a_template_error(named: tuple[str, list[Any]], language: str) -> None:
    name, arguments = named
    try:
        result = call(name, *arguments, language=language)
    except TemplateError:
        return
    assert name == "RAND" or isinstance(result, str)


@pytest.mark.parametrize(
    ("name", "others"), [("QUOTE", []), ("ESCAPE", []), ("JOSA", ["을"]), ("MASK", []), ("FORMAT", [])]
)
def test_a_value_nested_beyond_the_stack_is_a_template_error(name: str, others: list[Any]) -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(TemplateError, match="nested too deeply"):
        call(name, nested, *others)


def test_every_helper_of_the_language_is_callable_by_name() -> None:
    assert {name: (helper.min_arguments, helper.max_arguments) for name, helper in CALLS.items()} == {
        "RAND": (1, None),
        "JOSA": (2, 2),
        "QUOTE": (1, 2),
        "ESCAPE": (1, 1),
        "FORMAT": (1, 2),
        "TRUNCATE": (2, 3),
        "DATE": (0, 3),
        "MASK": (1, 2),
    }
