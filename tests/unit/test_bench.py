"""What the benchmarks judge by: DynamoDB's published sizes, and the rows that are written."""

import base64
import json
import sys

import pytest

from bench import __main__ as command
from bench import cost, meter, turn, web
from bench.account import Account
from bench.measure import PAIRS, CannotRun, Quantity, Worker, python_worker, rows

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


def test_a_turn_of_the_web_chat_makes_two_calls_and_a_third_for_whoever_is_fast() -> None:
    with Worker(python_worker("bench.turn:ours_on_the_web")) as worker:
        slow, fast = (worker.run(name)["result"] for name in ("metered", "metered_fast"))
    assert (slow["calls"], fast["calls"]) == (2, turn.WEB_CALLS.goal)
    assert slow["write_units"] <= turn.WEB_WRITE_UNITS.goal
    assert slow["read_units"] <= turn.WEB_READ_UNITS.goal


PRICES = cost.Prices(
    usd={
        "http_api_request": 1e-6,
        "lambda_request": 0.2e-6,
        "lambda_gb_second": 13e-6,
        "dynamodb_write_unit": 0.7e-6,
        "dynamodb_read_unit": 0.1e-6,
        "sns_request": 0.5e-6,
        "sqs_request": 0.4e-6,
        "log_byte": 1e-9,
        "egress_byte": 0.1e-9,
    },
    unverified=(),
)


def test_every_price_says_where_and_when_it_was_read_and_whether_that_was_checked() -> None:
    prices = json.loads(cost.PRICES.read_text(encoding="utf-8"))["prices"]
    assert set(prices) == set(PRICES.usd)
    for price in prices.values():
        assert price["usd"] > 0
        assert price["per"] in (1e6, 1e9)
        assert price["unit"]
        assert price["source"]
        assert price["date"].startswith("2026-")
        assert isinstance(price["verified"], bool)
    assert cost.Prices.read().usd["dynamodb_write_unit"] == 0.68 / 1e6


def test_an_invocation_costs_its_request_and_its_time_rounded_up() -> None:
    ten_ms = 10 * cost.MEMORY_MB / cost.MB_OF_A_VCPU
    assert PRICES.lambda_time(ten_ms, 5.5) == pytest.approx(0.2 + 13 * 0.016)
    assert PRICES.lambda_time(ten_ms, 5.5, cost.MEMORY_MB // 2) == pytest.approx(0.2 + 13 * 0.026 / 2)
    assert PRICES.lambda_time(0, 0) == pytest.approx(0.2)


def test_a_turn_without_webhooks_costs_its_request_time_units_and_bytes() -> None:
    figures = cost.TurnFigures(read_units=1, write_units=2, answer_bytes=1_700, logged=100, cpu_ms=0)
    lines = cost.turn_lines(PRICES, figures, projection_units=0.5)
    assert lines == pytest.approx(
        {
            "HTTP API": 1.0,
            "Lambda, the turn": 0.2 + 13 * 0.014,
            "DynamoDB, read": 0.1,
            "DynamoDB, write": 1.4,
            "projections": 0.35,
            "egress": 0.2,
            "logs": 100 / 1000,
        }
    )


def test_the_path_of_many_turns_costs_each_of_them_its_part() -> None:
    relay = cost.StageFigures(invocations=2, cpu_ms=0, logged=0, counted={"PublishBatch": 10, "sns_requests": 10})
    fanout = cost.StageFigures(
        invocations=10,
        cpu_ms=0,
        logged=0,
        counted={
            "Query": 100,
            "half_read_units": 200,
            "SendMessageBatch": 10,
            "sqs_requests": 10,
        },
    )
    deliver = cost.StageFigures(
        invocations=10, cpu_ms=0, logged=500, counted={"half_read_units": 400, "write_units": 300}
    )
    lines = cost.path_lines(
        PRICES,
        cost.PathFigures(
            relay=relay, fanout=fanout, deliver=deliver, messages=100, jobs=100, posted=100 * (5_000 - cost.TLS_BYTES)
        ),
    )
    assert lines["SNS"] == pytest.approx(0.05)
    assert lines["SQS"] == pytest.approx(0.4 * (1 + 0.1 + 0.4))  # SNS's own, jobs, polls
    assert lines["delivery log"] == pytest.approx(3 * 0.7 + 3 * 0.1)
    assert lines["egress"] == pytest.approx(0.5)
    assert lines["logs"] == pytest.approx(5 / 1000)
    assert lines["stream, relay"] == pytest.approx(0.02 * (0.2 + 13 * 0.050))
    assert lines["Lambda, sender"] == pytest.approx(0.1 * (0.2 + 13 * 0.228 / 2))
    assert cost.added({"egress": 1.0, "logs": 2.0}, {"egress": 0.5, "SNS": 1.0}) == {
        "egress": 1.5,
        "logs": 2.0,
        "SNS": 1.0,
    }


def test_projections_cost_what_was_measured_or_else_the_constant(tmp_path) -> None:
    results = tmp_path / "results.json"
    assert cost.projection_units(results) == cost.PROJECTION_WRITE_UNITS
    results.write_text(json.dumps([{"name": "other", "value": 9}]))
    assert cost.projection_units(results) == cost.PROJECTION_WRITE_UNITS
    results.write_text(json.dumps([{"name": cost.PROJECTION_ROW, "value": 0.6}]))
    assert cost.projection_units(results) == 0.6


class Asked:
    """A request as botocore hands it to its session."""

    def __init__(self, operation: str, **parameters) -> None:
        self.url = "https://dynamodb.example/"
        self.headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        self.body = json.dumps({"TableName": "core", **parameters})


def test_an_update_costs_the_larger_of_the_rows_before_and_after() -> None:
    account = Account(b"")
    key = {"pk": {"S": "p"}, "sk": {"S": "s"}}
    account.send(Asked("PutItem", Item={**key, "a": {"S": "x" * 2000}, "b": {"N": "1"}}))
    account.send(
        Asked(
            "UpdateItem",
            Key=key,
            UpdateExpression="SET #a = :a, c = :c REMOVE #b",
            ExpressionAttributeNames={"#a": "a", "#b": "b"},
            ExpressionAttributeValues={":a": {"S": "y"}, ":c": {"N": "2"}},
        )
    )
    assert account.tables["core"]["p"]["s"] == {**key, "a": {"S": "y"}, "c": {"N": "2"}}
    assert account.metered()["write_units"] == 2 + 2
    account.send(Asked("GetItem", Key=key))
    assert account.metered()["half_read_units"] == 1


def test_the_sum_stands_below_its_lines() -> None:
    text = cost.printed({"one": {"a": 1.0, "b": 2.0}, "two": {"b": 0.5}})
    assert [line.split() for line in text.splitlines()] == [
        ["one", "two"],
        ["a", "1.000"],
        ["b", "2.000", "0.500"],
        ["total", "3.000", "0.500"],
    ]


def test_ten_turns_of_a_bot_share_a_message_a_delivery_and_its_rows() -> None:
    """What a turn's events cost in units and bytes does not depend on the machine."""
    with Worker(python_worker("bench.cost:path_of_10")) as worker:
        path = cost.PathFigures.from_json(worker.run("path")["result"])
    assert (path.messages, path.jobs) == (10, 10)
    assert path.relay.counted["PublishBatch"] == 2
    assert "PutItem" not in path.fanout.counted
    assert path.fanout.counted["sqs_requests"] == 2
    assert path.deliver.counted["GetItem"] == 20
    assert path.deliver.counted["PutItem"] == 10
    assert path.deliver.counted["write_units"] <= 80
    assert path.posted > 100 * 4_000


class Visits:
    """A worker of widgets: visits that take as many milliseconds as there were before them; some widgets cannot run."""

    def __init__(self, broken: frozenset[str] = frozenset()) -> None:
        self.broken = broken
        self.made: list[str] = []

    def __call__(self, operation: str) -> dict[str, object]:
        _, name, _ = operation.split()
        if name in self.broken:
            raise CannotRun(f"no {name}")
        self.made.append(name)
        return {"label": f"{name} 1.0", **dict.fromkeys(web.TIMES, len(self.made))}


def test_each_round_of_visits_begins_with_another_widget_and_the_first_round_counts_for_nothing() -> None:
    worker = Visits()
    found = web.visits(worker, "local")
    names = [web.OURS, web.PLAIN_PAGE, *web.WIDGETS]
    assert len(worker.made) == len(names) * (PAIRS + 1)
    rounds = [worker.made[start : start + len(names)] for start in range(0, len(worker.made), len(names))]
    assert all(sorted(each) == sorted(names) for each in rounds)
    assert [each[0] for each in rounds[: len(names)]] == names
    ours = sorted(place + 1 for place, name in enumerate(worker.made) if name == web.OURS)[1:]
    launcher = next(row for row in found if row.name == "widget.launcher_ms")
    assert launcher.value == ours[PAIRS // 2]


def test_a_page_without_a_chat_is_compared_by_its_paint_alone() -> None:
    compared = {row.name for row in web.visits(Visits(), "slow_4g") if row.peer == "none 1.0"}
    assert compared == {"widget.slow_4g.first_paint_ms"}


def test_a_widget_that_cannot_be_visited_says_why_and_the_others_go_on() -> None:
    found = web.visits(Visits(frozenset({"rasa"})), "local")
    peers = {row.peer: row.peer_value for row in found if row.name == "widget.typing_ms"}
    assert set(peers) == {"typebot 1.0", "botpress 1.0", "rasa-webchat (could not run: no rasa)"}
    assert peers["rasa-webchat (could not run: no rasa)"] is None


def test_without_our_own_widget_there_is_nothing_to_compare() -> None:
    with pytest.raises(CannotRun, match="no ours"):
        web.visits(Visits(frozenset({"ours"})), "local")


def test_without_a_browser_the_sizes_are_still_there_and_what_is_missing_is_said(monkeypatch) -> None:
    class Worker:
        def __init__(self, command: list[str]) -> None:
            del command

        def __enter__(self) -> "Worker":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def run(self, operation: str, count: int = 1) -> dict[str, object]:
            if operation.startswith("visit"):
                raise CannotRun("there is no Chromium at /nowhere")
            return {"result": {"label": "other 1.0", "counted": "all.js", "bytes": 2048}}

    monkeypatch.setattr(web, "Worker", Worker)
    monkeypatch.setattr(web, "our_sizes", lambda: {quantity.name: 1.0 for quantity in web.SIZES})
    said: list[str] = []
    found = web.measure(said.append)
    assert {row.name for row in found} == {quantity.name for quantity in web.SIZES}
    assert {row.peer for row in found} == {None, "other 1.0 (all.js)"}
    assert any("there is no Chromium at /nowhere" in words for words in said)
