"""Single-item writes and reads, queries and scans, as DynamoDB documents them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.dynamodb.calls import Table, number, text


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_a_put_replaces_the_whole_item(table: Table) -> None:
    table.put(attributes={"a": text("1"), "b": text("2")})
    table.put(attributes={"a": text("3")})
    assert table.get() == {"a": text("3")}


def test_a_put_gives_the_old_item_back_when_asked(table: Table) -> None:
    table.put(attributes={"a": text("1")})
    assert table.put(ReturnValues="ALL_OLD")["Attributes"]["a"] == text("1")


def test_a_conditional_put_of_an_existing_item_fails(table: Table) -> None:
    table.put(attributes={"a": text("1")})
    with pytest.raises(ClientError) as caught:
        table.put(attributes={"a": text("2")}, ConditionExpression="attribute_not_exists(pk)")
    assert code_of(caught) == "ConditionalCheckFailedException"
    assert table.get() == {"a": text("1")}


def test_a_failed_condition_gives_the_item_back_when_asked(table: Table) -> None:
    table.put(attributes={"a": text("1")})
    with pytest.raises(ClientError) as caught:
        table.put(ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD")
    response: dict[str, Any] = dict(caught.value.response)
    assert response["Item"]["a"] == text("1")


def test_deleting_an_item_that_is_not_there_succeeds(table: Table) -> None:
    table.delete("never written")
    assert table.get("never written") is None


def test_a_conditional_delete_keeps_the_item(table: Table) -> None:
    table.put(attributes={"a": number(1)})
    with pytest.raises(ClientError) as caught:
        table.delete(ConditionExpression="a = :two", ExpressionAttributeValues={":two": number(2)})
    assert code_of(caught) == "ConditionalCheckFailedException"
    assert table.get() == {"a": number(1)}


def test_an_update_creates_the_item_with_its_key(table: Table) -> None:
    table.update("SET a = :a", {":a": text("1")})
    assert table.get() == {"a": text("1")}


def test_an_update_sets_defaults_appends_to_lists_and_adds_to_sets(table: Table) -> None:
    table.update(
        "SET n = if_not_exists(n, :zero) + :one, l = list_append(if_not_exists(l, :empty), :element) ADD s :members",
        {
            ":zero": number(0),
            ":one": number(1),
            ":empty": {"L": []},
            ":element": {"L": [text("a")]},
            ":members": {"SS": ["x"]},
        },
    )
    assert table.get() == {"n": number(1), "l": {"L": [text("a")]}, "s": {"SS": ["x"]}}


def test_a_set_without_members_is_no_attribute(table: Table) -> None:
    table.put(attributes={"s": {"SS": ["x"]}, "l": {"L": [text("a"), text("b")]}})
    table.update("REMOVE l[0] DELETE s :members", {":members": {"SS": ["x"]}})
    assert table.get() == {"l": {"L": [text("b")]}}


def test_an_update_reads_the_item_as_it_was_before(table: Table) -> None:
    table.put(attributes={"a": number(1), "b": number(2)})
    table.update("SET a = b, b = a")
    assert table.get() == {"a": number(2), "b": number(1)}


def test_an_update_adds_exactly_with_38_digits(table: Table) -> None:
    table.put(attributes={"n": number("1" * 37)})
    table.update("ADD n :one", {":one": number(1)})
    assert table.get() == {"n": number("1" * 36 + "2")}


def test_a_failed_update_leaves_no_item_behind(table: Table) -> None:
    with pytest.raises(ClientError) as caught:
        table.update("SET a = missing + :one", {":one": number(1)})
    assert code_of(caught) == "ValidationException"
    assert table.get() is None


def test_updated_old_gives_only_what_changed(table: Table) -> None:
    table.put(attributes={"a": number(1), "b": number(1)})
    changed = table.update("SET a = :a", {":a": number(2)}, ReturnValues="UPDATED_OLD")
    assert changed["Attributes"] == {"a": number(1)}


def test_all_new_gives_the_whole_item(table: Table) -> None:
    table.put(attributes={"a": number(1)})
    changed = table.update("SET b = :b", {":b": number(2)}, ReturnValues="ALL_NEW")
    assert changed["Attributes"] == {**table.key(), "a": number(1), "b": number(2)}


def test_a_projection_reaches_into_maps(table: Table) -> None:
    table.put(attributes={"m": {"M": {"x": number(1), "y": number(2)}}, "other": number(3)})
    assert table.get(ProjectionExpression="m.x") == {"m": {"M": {"x": number(1)}}}


def test_binary_values_come_back_as_they_were(table: Table) -> None:
    table.put(attributes={"b": {"B": b"\x00\xff"}, "bs": {"BS": [b"a", b"b"]}})
    item = table.get()
    assert item is not None
    assert item["b"] == {"B": b"\x00\xff"}
    assert sorted(item["bs"]["BS"]) == [b"a", b"b"]


@pytest.mark.parametrize(
    ("written", "read"), [("007.50", "7.5"), ("1E3", "1000"), ("-0", "0"), ("0.10", "0.1"), ("-2.00", "-2")]
)
def test_numbers_come_back_in_canonical_form(table: Table, written: str, read: str) -> None:
    table.put(attributes={"n": number(written)})
    assert table.get() == {"n": number(read)}


def ten_items(table: Table) -> Table:
    for position in range(10):
        order = position * 3 if position % 2 else position
        table.put(f"s{position}", {"gpk": text(f"g{table.partition}"), "gsk": number(order), "v": number(position)})
    return table


def test_a_query_pages_backwards_through_a_prefix(table: Table) -> None:
    ten_items(table)
    options: dict[str, Any] = {"ScanIndexForward": False, "Limit": 3}
    first = table.query("pk = :pk AND begins_with(sk, :s)", {":s": text("s")}, **options)
    second = table.query(
        "pk = :pk AND begins_with(sk, :s)",
        {":s": text("s")},
        ExclusiveStartKey=first["LastEvaluatedKey"],
        **options,
    )
    found = [item["sk"]["S"] for item in (*first["Items"], *second["Items"])]
    assert found == ["s9", "s8", "s7", "s6", "s5", "s4"]


def test_a_query_of_an_empty_partition_finds_nothing(table: Table) -> None:
    assert table.query()["Items"] == []


def index_query(table: Table, **options: Any) -> Any:
    return table.client.query(
        TableName=table.name,
        IndexName="index",
        KeyConditionExpression="gpk = :g",
        ExpressionAttributeValues={":g": text(f"g{table.partition}")},
        **options,
    )


def test_an_index_orders_numbers_as_numbers(table: Table) -> None:
    found = [int(item["gsk"]["N"]) for item in index_query(ten_items(table))["Items"]]
    assert found == sorted(found)
    assert len(found) == 10


def test_an_index_page_ends_with_both_keys(table: Table) -> None:
    page = index_query(ten_items(table), Limit=4)
    assert set(page["LastEvaluatedKey"]) == {"pk", "sk", "gpk", "gsk"}
    rest = index_query(table, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert page["Count"] + rest["Count"] == 10


def test_an_index_holds_only_items_with_its_key(table: Table) -> None:
    table.put("without", {"gpk": text(f"g{table.partition}")})
    assert index_query(table)["Count"] == 0


def test_an_index_cannot_be_read_consistently(table: Table) -> None:
    with pytest.raises(ClientError, match=r"(?i)consistent"):
        index_query(table, ConsistentRead=True)


def test_a_limit_counts_items_before_the_filter(table: Table) -> None:
    page = ten_items(table).query(values={":v": number(9)}, FilterExpression="v = :v", Limit=3)
    assert (page["Count"], page["ScannedCount"]) == (0, 3)


def test_a_query_page_ends_at_one_megabyte(table: Table) -> None:
    for position in range(4):
        table.put(str(position), {"fat": text("x" * 390_000)})
    page = table.query()
    assert 1 <= page["Count"] <= 3
    assert "LastEvaluatedKey" in page


def test_parallel_scan_segments_cover_everything_once(table: Table) -> None:
    ten_items(table)
    pages = table.client.get_paginator("scan")
    options: dict[str, Any] = {
        "TableName": table.name,
        "Select": "COUNT",
        "FilterExpression": "gpk = :g",
        "ExpressionAttributeValues": {":g": text(f"g{table.partition}")},
    }
    counts = [
        sum(page["Count"] for page in pages.paginate(Segment=segment, TotalSegments=3, **options))
        for segment in range(3)
    ]
    assert sum(counts) == 10


def test_consumed_capacity_is_reported_when_asked(table: Table) -> None:
    assert table.put(ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]["CapacityUnits"] >= 1


def test_a_batch_get_finds_a_hundred_items(table: Table) -> None:
    names = [str(position) for position in range(100)]
    for start in range(0, 100, 25):
        table.batch_put(*names[start : start + 25])
    assert len(table.batch_get(*names)["Responses"][table.name]) == 100


def test_a_batch_get_beyond_16_megabytes_leaves_keys_unprocessed(table: Table) -> None:
    names = [str(position) for position in range(43)]
    for name in names:
        table.put(name, {"fat": text("y" * 395_000)})
    answer = table.batch_get(*names)
    unprocessed = answer["UnprocessedKeys"][table.name]["Keys"]
    assert len(answer["Responses"][table.name]) + len(unprocessed) == 43
    for name in names:
        table.delete(name)


def test_an_unknown_table_is_not_found(dynamodb: Any) -> None:
    with pytest.raises(ClientError) as caught:
        dynamodb.get_item(TableName="no-such-table", Key={"pk": text("a"), "sk": text("b")})
    assert code_of(caught) == "ResourceNotFoundException"
