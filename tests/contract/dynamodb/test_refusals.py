"""What DynamoDB refuses before it changes anything; every limit is the documented one."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.dynamodb.calls import Table, number, text

Call = Callable[[Table], Any]

REFUSED: list[tuple[str, Call, str]] = [
    ("an empty key", lambda t: t.put(""), "empty"),
    ("a missing range key", lambda t: t.client.put_item(TableName=t.name, Item={"pk": text("a")}), "sk"),
    (
        "a key of another type",
        lambda t: t.client.put_item(TableName=t.name, Item={"pk": number(1), "sk": text("1")}),
        "(?i)type mismatch",
    ),
    (
        "a read by a key of another type",
        lambda t: t.client.get_item(TableName=t.name, Key={"pk": number(1), "sk": text("1")}),
        "does not match the schema",
    ),
    (
        "a read by more than the key",
        lambda t: t.client.get_item(TableName=t.name, Key={**t.key(), "extra": text("1")}),
        "does not match the schema",
    ),
    ("an index key of another type", lambda t: t.put(attributes={"gpk": number(1)}), "(?i)type mismatch"),
    (
        "an index key updated to another type",
        lambda t: t.update("SET gpk = :n", {":n": number(1)}),
        "(?i)type mismatch",
    ),
    ("an empty index key", lambda t: t.put(attributes={"gpk": text("")}), "empty"),
    ("an empty set", lambda t: t.put(attributes={"s": {"SS": []}}), "empty"),
    ("a set with duplicates", lambda t: t.put(attributes={"s": {"SS": ["a", "a"]}}), "duplicate"),
    ("a number set with equal numbers", lambda t: t.put(attributes={"s": {"NS": ["1", "1.0"]}}), "duplicate"),
    ("39 digits", lambda t: t.put(attributes={"n": number("1" * 39)}), "38"),
    ("39 digits after an addition", lambda t: t.update("ADD n :n", {":n": number("1" * 39)}), "38"),
    ("a number too large", lambda t: t.put(attributes={"n": number("1E126")}), "overflow"),
    ("a number too small", lambda t: t.put(attributes={"n": number("1E-131")}), "underflow"),
    ("a text for a number", lambda t: t.put(attributes={"n": number("abc")}), "numeric"),
    ("not a number", lambda t: t.put(attributes={"n": number("NaN")}), "numeric"),
    ("an item over 400 KB", lambda t: t.put(attributes={"a": text("x" * 410_000)}), "size"),
    ("an update of a key", lambda t: t.update("SET pk = :p", {":p": text("z")}), "part of the key"),
    ("overlapping paths", lambda t: t.update("SET m = :p, m.a = :p", {":p": text("z")}), "overlap"),
    ("a reserved word in an update", lambda t: t.update("SET status = :p", {":p": text("z")}), "reserved"),
    ("an unused value", lambda t: t.update("SET q = :p", {":p": number(1), ":x": number(1)}), "unused"),
    ("an unused name", lambda t: t.update("SET q = :p", {":p": number(1)}, {"#x": "y"}), "unused"),
    ("an undefined value", lambda t: t.update("SET q = :undefined"), "not defined"),
    ("a misspelt update", lambda t: t.update("SETT q = :p", {":p": number(1)}), "(?i)syntax"),
    ("a path into nothing", lambda t: t.update("SET nomap.a = :p", {":p": number(1)}), "path"),
    (
        "an unused value in a put",
        lambda t: t.put(ConditionExpression="attribute_not_exists(pk)", ExpressionAttributeValues={":x": number(1)}),
        "unused",
    ),
    ("26 writes in a batch", lambda t: t.batch_put(*map(str, range(26))), "25"),
    ("a batch that writes an item twice", lambda t: t.batch_put("1", "1"), "duplicates"),
    ("101 reads in a batch", lambda t: t.batch_get(*map(str, range(101))), "100"),
    ("a batch that reads an item twice", lambda t: t.batch_get("1", "1"), "duplicates"),
    (
        "a query without the hash key",
        lambda t: t.client.query(
            TableName=t.name, KeyConditionExpression="sk = :s", ExpressionAttributeValues={":s": text("1")}
        ),
        "(?i)key",
    ),
    ("101 operations in a transaction", lambda t: t.transact(*[t.put_operation(str(n)) for n in range(101)]), "100"),
    (
        "two operations on one item",
        lambda t: t.transact(t.put_operation("1"), t.delete_operation("1")),
        "multiple operations on one item",
    ),
    (
        "a transaction over 4 MB",
        lambda t: t.transact(*[t.put_operation(str(n), {"a": text("x" * 390_000)}) for n in range(12)]),
        "4MB",
    ),
    (
        "an item over 400 KB in a transaction",
        lambda t: t.transact(t.put_operation("1", {"a": text("x" * 410_000)})),
        "size",
    ),
]


@pytest.mark.parametrize(("call", "complaint"), [pytest.param(call, said, id=name) for name, call, said in REFUSED])
def test_refused_with_nothing_written(table: Table, call: Call, complaint: str) -> None:
    with pytest.raises(ClientError, match=complaint) as caught:
        call(table)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert table.query()["Count"] == 0
    assert table.stream_events() == []


def test_an_update_may_not_grow_an_item_over_400_kilobytes(table: Table) -> None:
    table.put(attributes={"a": text("x" * 390_000)})
    with pytest.raises(ClientError, match=r"(?i)size"):
        table.update("SET b = :b", {":b": text("y" * 30_000)})
    assert set(table.get() or {}) == {"a"}


def test_an_item_of_exactly_400_kilobytes_is_kept(table: Table) -> None:
    names_and_key = len("pk") + len(table.partition) + len("sk") + len("1") + len("a")
    table.put(attributes={"a": text("x" * (400 * 1024 - names_and_key))})
    with pytest.raises(ClientError, match=r"(?i)size"):
        table.put(attributes={"a": text("x" * (400 * 1024 - names_and_key + 1))})
    assert table.get() is not None
