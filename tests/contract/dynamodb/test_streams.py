"""Stream records tell what changed, once, in order; expired items say so."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.dynamodb.calls import Table, number
from tests.contract.dynamodb.conftest import ENDPOINT


def eventually(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come about"
        time.sleep(0.05)
    return found


def images(record: dict[str, Any]) -> tuple[str, bool, bool]:
    return record["eventName"], "OldImage" in record["dynamodb"], "NewImage" in record["dynamodb"]


def test_insert_modify_and_remove_carry_their_images(table: Table) -> None:
    table.put(attributes={"a": number(1)})
    table.update("SET a = :a", {":a": number(2)})
    table.delete()
    assert [images(record) for record in table.stream_records()] == [
        ("INSERT", False, True),
        ("MODIFY", True, True),
        ("REMOVE", True, False),
    ]


def test_a_record_keeps_the_images_of_its_moment(table: Table) -> None:
    table.put(attributes={"m": {"M": {"a": number(1)}}})
    table.update("SET m.a = :a", {":a": number(2)})
    table.update("SET m.a = :a", {":a": number(3)})
    second = table.stream_records()[1]["dynamodb"]
    assert second["OldImage"]["m"] == {"M": {"a": number(1)}}
    assert second["NewImage"]["m"] == {"M": {"a": number(2)}}


def test_an_upsert_is_a_single_insert_of_the_whole_item(table: Table) -> None:
    table.update("SET a = :a", {":a": number(1)})
    (record,) = table.stream_records()
    assert record["eventName"] == "INSERT"
    assert record["dynamodb"]["NewImage"] == {**table.key(), "a": number(1)}


def test_writes_that_change_nothing_are_silent(table: Table) -> None:
    table.put(attributes={"a": number(1), "s": {"SS": ["x", "y"]}})
    table.update("SET a = :a", {":a": number("1.0")})
    table.put(attributes={"a": number(1), "s": {"SS": ["y", "x"]}})
    table.delete("never written")
    assert table.stream_events() == ["INSERT"]


def test_refused_writes_are_silent(table: Table) -> None:
    table.put()
    for refused in (
        lambda: table.put(attributes={"a": number(1)}, ConditionExpression="attribute_not_exists(pk)"),
        lambda: table.transact(table.put_operation("2"), table.check_operation("3", "attribute_exists(pk)")),
    ):
        try:
            refused()
        except ClientError:
            continue
        raise AssertionError("the write was let through")
    assert table.stream_events() == ["INSERT"]


def test_a_transaction_has_a_record_for_each_item(table: Table) -> None:
    table.put("1")
    table.transact(table.delete_operation("1"), table.put_operation("2"), table.put_operation("3"))
    assert table.stream_events() == ["INSERT", "REMOVE", "INSERT", "INSERT"]


def test_a_reader_continues_after_a_sequence_number(table: Table) -> None:
    for sort in ("1", "2", "3"):
        table.put(sort)
    second = table.stream_records()[1]["dynamodb"]["SequenceNumber"]
    arn = table.client.describe_table(TableName=table.name)["Table"]["LatestStreamArn"]
    (shard,) = table.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = table.streams.get_shard_iterator(
        StreamArn=arn,
        ShardId=shard["ShardId"],
        ShardIteratorType="AFTER_SEQUENCE_NUMBER",
        SequenceNumber=second,
    )["ShardIterator"]
    (record,) = table.streams.get_records(ShardIterator=iterator, Limit=1)["Records"]
    assert record["dynamodb"]["Keys"] == table.key("3")


def test_records_name_their_source_and_region(table: Table) -> None:
    table.put()
    (record,) = table.stream_records()
    assert (record["eventSource"], record["awsRegion"]) == ("aws:dynamodb", "ap-northeast-2")


@pytest.mark.skipif(ENDPOINT is not None, reason="other servers remove expired items when they like")
def test_an_expired_item_is_removed_by_the_service(table: Table) -> None:
    table.put("later", {"expires": number(int(time.time()) + 3600)})
    table.put("ancient", {"expires": number(1)})
    table.put("expired", {"expires": number(int(time.time()) - 60)})  # last: its removal may come at any moment
    eventually(lambda: table.get("expired") is None)
    assert table.get("later") is not None
    assert table.get("ancient") is not None
    removed = table.stream_records()[-1]
    assert removed["eventName"] == "REMOVE"
    assert removed["userIdentity"]["PrincipalId"] == "dynamodb.amazonaws.com"


def test_the_time_to_live_setting_is_described(table: Table) -> None:
    setting = table.client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    assert setting == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
