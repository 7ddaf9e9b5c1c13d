"""Transactions: whole or not at all, seen whole or not at all, and once per token."""

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.dynamodb.calls import Table, number, text


def cancelled(caught: pytest.ExceptionInfo[ClientError]) -> list[dict[str, Any]]:
    response: dict[str, Any] = dict(caught.value.response)
    assert response["Error"]["Code"] == "TransactionCanceledException"
    return list(response["CancellationReasons"])


def test_a_transaction_puts_updates_deletes_and_checks(table: Table) -> None:
    table.put("old")
    table.put("guard")
    table.transact(
        table.put_operation("new", {"a": number(1)}),
        table.update_operation("counter", "ADD n :one", {":one": number(1)}),
        table.delete_operation("old"),
        table.check_operation("guard", "attribute_exists(pk)"),
    )
    assert table.get("new") == {"a": number(1)}
    assert table.get("counter") == {"n": number(1)}
    assert table.get("old") is None


def test_one_failed_condition_undoes_everything_and_is_named(table: Table) -> None:
    table.put("taken", {"a": number(1)})
    with pytest.raises(ClientError) as caught:
        table.transact(
            table.put_operation("first"),
            table.put_operation(
                "taken",
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
            table.check_operation("nobody", "attribute_exists(pk)"),
        )
    reasons = cancelled(caught)
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "ConditionalCheckFailed"]
    assert reasons[1]["Item"]["a"] == number(1)
    assert table.get("first") is None


def test_an_update_that_cannot_be_computed_undoes_everything(table: Table) -> None:
    table.put("1", {"n": number(1)})
    with pytest.raises(ClientError) as caught:
        table.transact(
            table.update_operation("1", "SET n = :two", {":two": number(2)}),
            table.update_operation("2", "SET n = absent + :two", {":two": number(2)}),
        )
    assert [reason["Code"] for reason in cancelled(caught)] == ["None", "ValidationError"]
    assert table.get("1") == {"n": number(1)}
    assert table.get("2") is None
    assert table.stream_events() == ["INSERT"]


def test_conditions_see_the_state_before_the_transaction(table: Table) -> None:
    table.transact(table.put_operation("1"), table.check_operation("2", "attribute_not_exists(pk)"))
    assert table.get("1") == {}


def test_a_transaction_takes_a_hundred_operations(table: Table) -> None:
    table.transact(*[table.put_operation(f"{position:03}") for position in range(100)])
    assert table.query(Select="COUNT")["Count"] == 100


def test_a_transactional_read_keeps_order_and_gaps(table: Table) -> None:
    table.put("1", {"a": number(1)})
    table.put("3")
    assert ["Item" in found for found in table.transact_get("1", "2", "3")] == [True, False, True]


def test_a_transactional_read_takes_a_hundred_items(table: Table) -> None:
    table.put("042")
    found = table.transact_get(*[f"{position:03}" for position in range(100)])
    assert [position for position, entry in enumerate(found) if "Item" in entry] == [42]


def test_a_transactional_read_projects(table: Table) -> None:
    table.put("1", {"a": number(1), "b": number(2)})
    read = {"TableName": table.name, "Key": table.key("1"), "ProjectionExpression": "#a"}
    answer = table.client.transact_get_items(TransactItems=[{"Get": {**read, "ExpressionAttributeNames": {"#a": "a"}}}])
    assert answer["Responses"] == [{"Item": {"a": number(1)}}]


def test_a_replayed_token_changes_nothing(table: Table) -> None:
    token = uuid.uuid4().hex
    for _ in range(2):
        table.transact(
            table.update_operation("1", "ADD n :one", {":one": number(1)}),
            ClientRequestToken=token,
        )
    assert table.get("1") == {"n": number(1)}


def test_a_token_of_another_request_is_refused(table: Table) -> None:
    token = uuid.uuid4().hex
    table.transact(table.put_operation("1"), ClientRequestToken=token)
    with pytest.raises(ClientError) as caught:
        table.transact(table.put_operation("2"), ClientRequestToken=token)
    assert caught.value.response["Error"]["Code"] == "IdempotentParameterMismatchException"
    assert table.get("2") is None


def test_a_cancelled_transaction_leaves_its_token_unused(table: Table) -> None:
    token = uuid.uuid4().hex
    create = table.put_operation("1", {"a": text("x")}, ConditionExpression="attribute_not_exists(pk)")
    table.put("1")
    with pytest.raises(ClientError):
        table.transact(create, ClientRequestToken=token)
    table.delete("1")
    table.transact(create, ClientRequestToken=token)
    assert table.get("1") == {"a": text("x")}
