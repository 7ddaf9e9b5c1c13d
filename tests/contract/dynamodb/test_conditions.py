"""Condition and filter expressions, asked of an item through the write that they guard."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.dynamodb.calls import Table, number, text

ITEM: dict[str, Any] = {
    "n": number(5),
    "s": text("hello"),
    "l": {"L": [number(index) for index in range(12)]},
    "m": {"M": {"x": number(1), "y": {"L": [text("deep")]}}},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "flag": {"BOOL": True},
    "nothing": {"NULL": True},
    "b": {"B": b"\x01\x02"},
}
VALUES: dict[str, Any] = {
    ":five": number("5.0"),
    ":six": number(6),
    ":four": number(4),
    ":one": number(1),
    ":eleven": number(11),
    ":hello": text("hello"),
    ":he": text("he"),
    ":ll": text("ll"),
    ":a": text("a"),
    ":z": text("z"),
    ":deep": text("deep"),
    ":N": text("N"),
    ":true": {"BOOL": True},
    ":null": {"NULL": True},
    ":b": {"B": b"\x01"},
    ":ba": {"SS": ["b", "a"]},
}


@pytest.fixture
def item(table: Table) -> Table:
    table.put(attributes=ITEM)
    return table


def holds(table: Table, condition: str) -> bool:
    used = {
        name: value for name, value in VALUES.items() if name in condition.replace(")", " ").replace(",", " ").split()
    }
    return table.holds(condition, used)


@pytest.mark.parametrize(
    "condition",
    [
        "n = :five",
        "n <> :six AND n < :six AND n <= :five AND n > :four AND n >= :five",
        "n BETWEEN :four AND :six",
        "n IN ( :four , :five )",
        "NOT n = :six",
        "n = :six OR s = :hello",
        "n = :six AND s = :z OR s = :hello",
        "( n = :six OR n = :five ) AND s = :hello",
        "attribute_exists(m.y[0])",
        "attribute_not_exists(m.z)",
        "attribute_type(n, :N )",
        "begins_with(s, :he )",
        "begins_with(b, :b )",
        "contains(s, :ll )",
        "contains(ss, :a )",
        "contains(ns, :one )",
        "contains(l, :eleven )",
        "size(s) = :five",
        "size(l) > size(ss)",
        "l[11] = :eleven",
        "m.y[0] = :deep",
        "flag = :true",
        "nothing = :null",
        "ss = :ba",
        "absent <> :five",
    ],
)
def test_a_true_condition_lets_the_write_through(item: Table, condition: str) -> None:
    assert holds(item, condition)


@pytest.mark.parametrize(
    "condition",
    [
        "absent = :five",
        "absent < :five",
        "absent = :null",
        "n = :true",
        "n < :he",
        "flag = :one",
        "s BETWEEN :four AND :six",
        "contains(s, :five )",
        "begins_with(n, :he )",
        "size(n) = :one",
        "size(absent) >= :one",
        "l[12] = :one",
        "attribute_exists(n.deeper)",
    ],
)
def test_missing_attributes_and_other_types_make_a_condition_false(item: Table, condition: str) -> None:
    assert not holds(item, condition)


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ("attribute_not_exists(pk", "syntax"),
        ("pk", "syntax"),
        ("n = ", "syntax"),
        ("n == n", "syntax"),
        ("n = n extra", "syntax"),
        ("attribute_not_exist(pk)", "function"),
        ("attribute_exists(pk, sk)", "number of operands"),
        ("((n = n))", "redundant parentheses"),
        ("status = n", "reserved keyword"),
        ("n = :undefined", "not defined"),
        ("#undefined = n", "not defined"),
        (" ", "empty"),
    ],
)
def test_a_malformed_condition_is_refused(table: Table, condition: str, complaint: str) -> None:
    with pytest.raises(ClientError, match=f"(?i){complaint}") as caught:
        table.put(ConditionExpression=condition)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert table.get() is None


def test_an_ordering_of_booleans_is_refused(table: Table) -> None:
    with pytest.raises(ClientError, match="Incorrect operand type") as caught:
        table.put(ConditionExpression="n < :true", ExpressionAttributeValues={":true": {"BOOL": True}})
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_reserved_word_can_be_named(table: Table) -> None:
    table.put(attributes={"status": text("open")})
    assert table.holds("#s = :open", {":open": text("open")}, {"#s": "status"})


def test_a_filter_uses_the_same_conditions(item: Table) -> None:
    found = item.query(
        FilterExpression="size(ss) = :two AND contains(l, :eleven)",
        values={":two": number(2), ":eleven": number(11)},
    )
    assert found["Count"] == 1


def test_a_filter_on_a_key_is_refused(table: Table) -> None:
    with pytest.raises(ClientError, match=r"(?i)primary key"):
        table.query(FilterExpression="sk = :sk", values={":sk": text("1")})
