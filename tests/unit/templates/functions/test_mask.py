"""MASK, and what other helpers make of masked text."""

import pytest

from shared.templates.environment import Mask, MaskedText
from shared.templates.errors import TemplateError
from shared.values import UNDEFINED
from tests.unit.templates.functions.calling import call

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("schedule", "after_ms"),
    [
        *((UNDEFINED, None), (None, None), ("", None), ("30s", 30_000), ("10m", 600_000), ("6h", 6 * HOUR_MS)),
        *(("7d", 168 * HOUR_MS), (" 6 h ", 6 * HOUR_MS), ("0m", 0)),
    ],
)
def test_the_whole_text_is_masked_at_once_or_by_the_schedule(schedule: object, after_ms: int | None) -> None:
    masked = call("MASK", "김철수", schedule)
    assert masked == "김철수"
    assert masked.masks == (Mask(0, 3, after_ms),)


@pytest.mark.parametrize("schedule", ["10", "m", "1.5h", "-1h", "6 hours", "10M", "내일", "９h", "1" * 7 + "d", 10, {}])
def test_a_schedule_that_does_not_parse_is_refused(schedule: object) -> None:
    with pytest.raises(TemplateError, match="schedule"):
        call("MASK", "x", schedule)


@pytest.mark.parametrize("nothing", [None, UNDEFINED, ""])
def test_nothing_has_nothing_to_mask(nothing: object) -> None:
    masked = call("MASK", nothing)
    assert isinstance(masked, MaskedText)
    assert (masked, masked.masks) == ("", ())


def test_numbers_are_masked_as_their_text() -> None:
    assert call("MASK", 1234).masks == (Mask(0, 4, None),)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("JOSA", ["이"], "김철수가"),
        ("QUOTE", [], '"김철수"'),
        ("ESCAPE", [], "%EA%B9%80%EC%B2%A0%EC%88%98"),
        ("TRUNCATE", [2, "…"], "김…"),
        ("FORMAT", [], "김철수"),
        ("DATE", [], "Invalid date"),
        ("RAND", [], "김철수"),
    ],
)
def test_what_is_made_from_masked_text_is_masked(name: str, arguments: list[object], expected: str) -> None:
    made = call(name, call("MASK", "김철수", "6h"), *arguments)
    assert made == expected
    assert made.masks == (Mask(0, len(expected), 6 * HOUR_MS),)


@pytest.mark.parametrize(
    ("inner", "outer", "after_ms"),
    [(None, "6h", None), ("6h", None, None), ("6h", "10m", 600_000), ("10m", "6h", 600_000)],
)
def test_of_two_masks_the_earlier_counts(inner: str | None, outer: str | None, after_ms: int | None) -> None:
    assert call("MASK", call("MASK", "x", inner), outer).masks == (Mask(0, 1, after_ms),)
