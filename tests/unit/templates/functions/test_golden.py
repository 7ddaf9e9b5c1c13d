"""DATE and FORMAT against the rows that Moment.js and Numeral.js themselves wrote (tests/data/golden/SOURCES.md)."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.unit.templates.functions.calling import call

GOLDEN = Path(__file__).parents[3] / "data" / "golden"

TEXTS_THAT_ARE_NO_NUMBERS = {
    *("1,234.5", "안녕하세요", "", "12abc", "$10,000.00", "3.4%", "1.2m", "2k", "0:25:14", "-76%")
}


def rows(name: str) -> Iterator[list[Any]]:
    with gzip.open(GOLDEN / name, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def test_date_writes_every_golden_row_as_moment_does() -> None:
    corrected = {json.dumps(row[:4]): row[4] for row in rows("moment-corrections.jsonl.gz")}
    counts: Counter[str] = Counter()
    different = []
    for *row, expected in rows("moment.jsonl.gz"):
        language, zone, pattern, value = row
        wanted = corrected.get(json.dumps(row), expected)
        counts["as golden" if wanted == expected else "corrected"] += 1
        if call("DATE", value, pattern, zone, language=language) != wanted:
            different.append((*row, wanted))
    assert different == []
    assert counts == {"as golden": 54_323, "corrected": 590}


def test_only_times_beyond_the_golden_zone_data_are_corrected() -> None:
    corrected = list(rows("moment-corrections.jsonl.gz"))
    assert {zone for _, zone, *_ in corrected} == {"America/New_York", "Australia/Lord_Howe", "Europe/London"}
    end_of_2037_ms = 2_145_916_800_000
    values = {value for _, _, _, value, _ in corrected}
    assert all(value == "0099-06-01T00:00:00Z" or value > end_of_2037_ms for value in values)


def test_format_writes_every_golden_row_as_numeral_does_and_leaves_text_that_is_no_number() -> None:
    different = []
    unchanged: Counter[str] = Counter()
    compared = 0
    for value, pattern, expected in rows("numeral.jsonl.gz"):
        if isinstance(value, str) and value in TEXTS_THAT_ARE_NO_NUMBERS:
            unchanged[value] += 1
            wanted = value
        else:
            compared += 1
            wanted = expected
        if call("FORMAT", value, pattern) != wanted:
            different.append((value, pattern, wanted))
    assert different == []
    assert unchanged.keys() == TEXTS_THAT_ARE_NO_NUMBERS
    assert (compared, unchanged.total()) == (8_404, 877)


def test_format_without_a_format_writes_every_golden_row_as_javascript_does() -> None:
    lines = (GOLDEN / "locale.jsonl").read_text("utf-8").splitlines()
    different = []
    for value, expected in map(json.loads, lines):
        number = -0.0 if expected == "-0" else value
        if call("FORMAT", number) != (expected or ""):
            different.append((number, expected))
    assert different == []
    assert len(lines) == 106
