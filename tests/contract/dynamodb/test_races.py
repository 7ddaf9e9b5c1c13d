"""Eight writers at once: exactly one wins, nothing is lost, and readers never see a half."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.embedded import client
from tests.contract.dynamodb.calls import Table, number

WRITERS = 8


@pytest.fixture(scope="module")
def clients(endpoint: str) -> list[Any]:
    return [client("dynamodb", endpoint) for _ in range(WRITERS)]


def at_once(tasks: list[Callable[[], Any]]) -> list[Any]:
    """Runs the tasks from one starting line; gives what they returned, or the error code that they ended with."""
    line = threading.Barrier(len(tasks))
    results: list[Any] = [None] * len(tasks)

    def run(position: int, task: Callable[[], Any]) -> None:
        line.wait()
        try:
            results[position] = task()
        except ClientError as error:
            results[position] = error.response["Error"]["Code"]

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_race_to_create_one_item_has_exactly_one_winner(table: Table, clients: list[Any]) -> None:
    for race in range(30):

        def create(writer: int, race: int = race) -> str:
            mine = table.with_client(clients[writer])
            mine.transact(
                mine.put_operation(f"{race}", ConditionExpression="attribute_not_exists(pk)"),
                mine.put_operation(f"{race}-{writer}"),
            )
            return "won"

        results = at_once([lambda writer=writer: create(writer) for writer in range(WRITERS)])  # type: ignore[misc]
        assert results.count("won") == 1
        assert results.count("TransactionCanceledException") == WRITERS - 1
        assert table.query("pk = :pk AND begins_with(sk, :race)", {":race": {"S": f"{race}-"}})["Count"] == 1


def test_concurrent_additions_are_all_counted(table: Table, clients: list[Any]) -> None:
    def add(writer: int) -> None:
        mine = table.with_client(clients[writer])
        for _ in range(25):
            mine.update("ADD n :one", {":one": number(1)})

    at_once([lambda writer=writer: add(writer) for writer in range(WRITERS)])  # type: ignore[misc]
    assert table.get() == {"n": number(WRITERS * 25)}


def test_a_version_condition_lets_each_version_through_once(table: Table, clients: list[Any]) -> None:
    table.put(attributes={"version": number(0)})

    def bump(writer: int) -> int:
        mine = table.with_client(clients[writer])
        wins = 0
        for _ in range(15):
            seen = int((mine.get() or {})["version"]["N"])
            wins += mine_is_next(mine, seen)
        return wins

    def mine_is_next(mine: Table, seen: int) -> bool:
        try:
            mine.update(
                "SET version = :next",
                {":seen": number(seen), ":next": number(seen + 1)},
                ConditionExpression="version = :seen",
            )
        except mine.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    wins = at_once([lambda writer=writer: bump(writer) for writer in range(WRITERS)])  # type: ignore[misc]
    assert table.get() == {"version": number(sum(wins))}


def test_transactional_reads_never_see_half_a_transfer(table: Table, clients: list[Any]) -> None:
    accounts = [f"account-{position}" for position in range(4)]
    for account in accounts:
        table.put(account, {"balance": number(100)})
    moving = threading.Event()
    moving.set()
    sums: set[int] = set()

    def move(writer: int) -> None:
        mine = table.with_client(clients[writer])
        dice = random.Random(writer)
        for _ in range(25):
            source, target = dice.sample(accounts, 2)
            one = {":one": number(1)}
            mine.transact(
                mine.update_operation(
                    source, "SET balance = balance - :one", one, ConditionExpression="balance >= :one"
                ),
                mine.update_operation(target, "SET balance = balance + :one", one),
            )

    def read() -> None:
        mine = table.with_client(clients[-1])
        while moving.is_set():
            sums.add(sum(int(found["Item"]["balance"]["N"]) for found in mine.transact_get(*accounts)))

    reader = threading.Thread(target=read)
    reader.start()
    results = at_once([lambda writer=writer: move(writer) for writer in range(WRITERS - 1)])  # type: ignore[misc]
    moving.clear()
    reader.join()
    assert sums == {400}
    assert set(results) <= {None, "TransactionCanceledException"}
