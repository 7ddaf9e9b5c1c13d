"""Stream records tell what changed, once, in order; expired items say so."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.dynamodb.calls import Table, number, text
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


def shard_of(table: Table) -> dict[str, str]:
    arn = table.client.describe_table(TableName=table.name)["Table"]["LatestStreamArn"]
    (shard,) = table.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    return {"StreamArn": arn, "ShardId": shard["ShardId"]}


def iterator(table: Table, kind: str, number: str | None = None) -> str:
    numbers = {"SequenceNumber": number} if number else {}
    return table.streams.get_shard_iterator(**shard_of(table), ShardIteratorType=kind, **numbers)["ShardIterator"]


def sorts(page: dict[str, Any]) -> list[str]:
    return [record["dynamodb"]["Keys"]["sk"]["S"] for record in page["Records"]]


def test_sequence_numbers_grow_and_event_ids_differ(table: Table) -> None:
    for sort in ("1", "2", "3"):
        table.put(sort)
    records = table.stream_records()
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
    assert numbers == sorted(set(numbers))
    assert len({record["eventID"] for record in records}) == 3
    assert [record["eventID"] for record in table.stream_records()] == [record["eventID"] for record in records]


def test_an_iterator_begins_at_or_after_a_sequence_number_or_at_the_end(table: Table) -> None:
    for sort in ("1", "2", "3"):
        table.put(sort)
    second = table.stream_records()[1]["dynamodb"]["SequenceNumber"]
    at, after = iterator(table, "AT_SEQUENCE_NUMBER", second), iterator(table, "AFTER_SEQUENCE_NUMBER", second)
    assert sorts(table.streams.get_records(ShardIterator=at)) == ["2", "3"]
    assert sorts(table.streams.get_records(ShardIterator=after)) == ["3"]
    page = table.streams.get_records(ShardIterator=iterator(table, "LATEST"))
    assert page["Records"] == []
    table.put("4")
    assert sorts(table.streams.get_records(ShardIterator=page["NextShardIterator"])) == ["4"]


def test_an_iterator_can_be_used_again(table: Table) -> None:
    start = iterator(table, "LATEST")
    table.put("1")
    assert sorts(table.streams.get_records(ShardIterator=start)) == ["1"]
    assert sorts(table.streams.get_records(ShardIterator=start)) == ["1"]


def test_pages_follow_one_another(table: Table) -> None:
    start: str | None = iterator(table, "LATEST")
    for sort in ("1", "2", "3"):
        table.put(sort)
    pages = []
    while start and (page := table.streams.get_records(ShardIterator=start, Limit=2))["Records"]:
        pages.append(sorts(page))
        start = page.get("NextShardIterator")
    assert pages == [["1", "2"], ["3"]]


def test_a_page_is_at_most_a_megabyte(table: Table) -> None:
    start = iterator(table, "LATEST")
    for sort in ("1", "2", "3", "4"):
        table.put(sort, {"a": text("x" * 390_000)})
    page = table.streams.get_records(ShardIterator=start)
    assert 0 < len(page["Records"]) < 4
    assert sorts(page)[0] == "1"


def test_bytes_numbers_and_sets_come_as_they_were_put(table: Table) -> None:
    put = {
        "b": {"B": b"\x00\xff"},
        "bs": {"BS": [b"a", b"b"]},
        "n": number("7.50"),
        "m": {"M": {"l": {"L": [{"B": b"z"}]}}},
    }
    table.put(attributes=put)
    (record,) = table.stream_records()
    assert record["dynamodb"]["NewImage"] == {**table.key(), **put, "n": number("7.5")}


def test_the_size_of_a_record_counts_keys_and_images(table: Table) -> None:
    table.put(attributes={"a": text("x" * 1000)})
    table.put(attributes={"a": text("y" * 1000)})
    inserted, modified = (record["dynamodb"]["SizeBytes"] for record in table.stream_records())
    assert 1000 < inserted < 1100
    assert 2000 < modified < 2200


@pytest.mark.parametrize(
    ("view", "names"),
    [
        ("KEYS_ONLY", set()),
        ("NEW_IMAGE", {"NewImage"}),
        ("OLD_IMAGE", {"OldImage"}),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
    ],
)
def test_a_stream_has_the_images_of_its_view(own_table: Table, view: str, names: set[str]) -> None:
    table = own_table.with_stream(view)
    table.put(attributes={"a": number(1)})
    table.put(attributes={"a": number(2)})
    record = table.stream_records()[-1]["dynamodb"]
    assert record["StreamViewType"] == view
    assert {"NewImage", "OldImage"} & set(record) == names


def test_a_stream_enabled_again_is_another_one(own_table: Table) -> None:
    first = own_table.with_stream("NEW_IMAGE")
    first.put("1")
    before = shard_of(first)
    second = first.with_stream("KEYS_ONLY")
    second.put("2")
    assert shard_of(second)["StreamArn"] != before["StreamArn"]
    assert [record["dynamodb"]["Keys"]["sk"]["S"] for record in second.stream_records()] == ["2"]
    # What the first one told can still be read, and then it has ended.
    start = first.streams.get_shard_iterator(**before, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    page = first.streams.get_records(ShardIterator=start)
    assert sorts(page) == ["1"]
    while "NextShardIterator" in page:
        page = first.streams.get_records(ShardIterator=page["NextShardIterator"])
        assert page["Records"] == []


def test_a_table_whose_stream_is_enabled_cannot_enable_it_again(own_table: Table) -> None:
    specification = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    with pytest.raises(ClientError, match=r"ValidationException|ResourceInUseException"):
        own_table.client.update_table(TableName=own_table.name, StreamSpecification=specification)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ShardId": "shardId-00000000000000000000-00000000"}, "ResourceNotFoundException"),
        (
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": "900000000000000000000000000"},
            "ValidationException",
        ),
        ({"ShardIteratorType": "AFTER_SEQUENCE_NUMBER"}, "ValidationException"),
    ],
)
def test_an_iterator_of_nothing_is_refused(table: Table, wrong: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        table.streams.get_shard_iterator(**{**shard_of(table), "ShardIteratorType": "TRIM_HORIZON", **wrong})
    assert caught.value.response["Error"]["Code"] == code


def test_what_is_no_stream_or_no_iterator_is_refused(table: Table) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        table.streams.describe_stream(
            StreamArn=shard_of(table)["StreamArn"].rpartition("/")[0] + "/2020-01-01T00:00:00.000"
        )
    with pytest.raises(ClientError, match="ValidationException"):
        table.streams.get_records(ShardIterator="this is no iterator")


@pytest.mark.skipif(ENDPOINT is not None, reason="other servers answer at once")
def test_a_reader_may_wait_for_records(table: Table) -> None:
    """No time is asserted: a reader that came back at once would come back with nothing."""
    streams = table.streams
    start = iterator(table, "LATEST")

    def wait_header(request: Any, **_: Any) -> None:
        request.headers["X-Malgil-Wait-Seconds"] = "20"

    def read() -> list[str]:
        return sorts(streams.get_records(ShardIterator=start))

    streams.meta.events.register("before-send.dynamodb-streams.GetRecords", wait_header)
    try:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(read)
            eventually(lambda: waiting.running() or waiting.done())
            table.put("1")
            assert waiting.result() == ["1"]
    finally:
        streams.meta.events.unregister("before-send.dynamodb-streams.GetRecords", wait_header)


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
