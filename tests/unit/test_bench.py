"""What the benchmarks judge by: DynamoDB's published sizes, and the rows that are written."""

import base64
import json
import sys

import pytest

from bench import __main__ as command
from bench import meter, turn
from bench.measure import CannotRun, Quantity, Worker, python_worker, rows

COLUMNS = {"name", "value", "unit", "better", "goal", "peer", "peer_value", "ratio", "at", "machine"}
SPEED = Quantity(name="some.speed", unit="1/s", better="higher", goal=10, of=lambda seconds: 1 / seconds)
TIME = Quantity(name="some.time", unit="s", better="lower", goal=2)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "abc"}, 3),
        ({"S": "말길"}, 6),
        ({"B": base64.b64encode(b"12345").decode()}, 5),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "bc"]}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"BOOL": False}]}, 3 + (1 + 2) + (1 + 1)),
        ({"M": {}}, 3),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
    ],
)
def test_a_value_is_as_large_as_dynamodb_says(value, size) -> None:
    assert meter.value_bytes(value) == size


@pytest.mark.parametrize(
    ("number", "size"),
    [("0", 1), ("7", 2), ("42", 2), ("123", 3), ("-42", 3), ("1000000", 2), ("0.005", 2), ("1795219200123", 8)],
)
def test_a_number_takes_a_byte_for_two_digits(number, size) -> None:
    assert meter.number_bytes(number) == size


def test_an_item_is_its_names_and_values() -> None:
    assert meter.item_bytes({"pk": {"S": "abc"}, "n": {"N": "1"}}) == 2 + 3 + 1 + 2


@pytest.mark.parametrize(("size", "units"), [(1, 1), (1024, 1), (1025, 2), (2048, 2)])
def test_a_write_unit_is_a_kilobyte_and_transactions_pay_twice(size, units) -> None:
    assert meter.write_units(size) == units
    assert meter.write_units(size, in_transaction=True) == 2 * units


def test_a_read_rounds_the_sum_of_its_items_up() -> None:
    assert meter.read_units([], is_consistent=True) == 1
    assert meter.read_units([4000, 96], is_consistent=True) == 1
    assert meter.read_units([4000, 97], is_consistent=True) == 2
    assert meter.read_units([4000, 97], is_consistent=False) == 1


def test_the_ratio_is_the_median_of_the_pairs_and_not_of_the_medians() -> None:
    (row,) = rows(TIME, [1.0, 2.0, 30.0], {"peer": [1.0, 1.0, 10.0]})
    assert (row.value, row.peer_value, row.ratio) == (2.0, 1.0, 2.0)


def test_each_peer_has_a_row_and_one_that_could_not_run_says_why() -> None:
    ran, missing = rows(SPEED, [0.1], {"one": [0.2], "two": CannotRun("not installed")})
    assert (ran.peer, ran.value, ran.peer_value, ran.ratio) == ("one", 10.0, 5.0, 2.0)
    assert (missing.peer, missing.peer_value, missing.ratio) == ("two (could not run: not installed)", None, None)
    assert missing.value == 10.0


def test_a_row_has_the_columns_of_the_results_file() -> None:
    (row,) = rows(TIME, [1.0], {})
    assert set(row.to_json()) == COLUMNS
    assert row.at.endswith("+00:00")
    assert row.machine


@pytest.mark.parametrize(("quantity", "value", "missed"), [(TIME, 2.0, False), (TIME, 2.1, True), (SPEED, 0.2, True)])
def test_a_missed_goal_is_marked_in_the_table(quantity, value, missed) -> None:
    made = rows(quantity, [value], {})
    assert made[0].misses_goal is missed
    assert (command.MISSED in command.table(made)) is missed


def test_results_that_were_not_measured_again_are_kept(tmp_path) -> None:
    results = tmp_path / "results.json"
    results.write_text(json.dumps([{"name": "some.time", "value": 9}, {"name": "other", "value": 1}]))
    assert command.kept(results, rows(TIME, [1.0], {})) == [{"name": "other", "value": 1}]


def test_a_worker_answers_with_the_time_and_the_result_of_an_operation() -> None:
    with Worker(python_worker("bench.engine:ours")) as worker:
        assert worker.run("step", 3)["seconds"] > 0
        with pytest.raises(CannotRun, match="no operation"):
            worker.run("fly")


def test_a_worker_that_cannot_start_says_why() -> None:
    with pytest.raises(CannotRun, match="No module named"):
        Worker(python_worker("bench.nowhere:ours"))
    with pytest.raises(CannotRun):
        Worker(["/nowhere/node"])
    with pytest.raises(CannotRun, match="without a word"):
        Worker([sys.executable, "-c", "pass"])


def test_the_reference_turn_makes_two_calls_within_its_write_units() -> None:
    """Bytes and calls do not depend on the machine, so that a regression is an error here already."""
    with Worker(python_worker("bench.turn:ours")) as worker:
        figures = worker.run("metered")["result"]
    assert figures["calls"] == turn.CALLS.goal
    assert figures["write_units"] <= turn.WRITE_UNITS.goal
    assert figures["read_units"] <= turn.READ_UNITS.goal
    assert figures["bytes_written"] <= turn.BYTES_WRITTEN.goal
