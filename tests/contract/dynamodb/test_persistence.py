"""Nothing that was acknowledged is lost when the embedded AWS is killed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from infra.local.embedded import EmbeddedAws, client
from shared.errors import Unavailable
from tests.contract.dynamodb.calls import Table, number, text
from tests.contract.dynamodb.test_streams import eventually


def table_on(endpoint: str, *, create: bool) -> Table:
    dynamodb, streams = client("dynamodb", endpoint), client("dynamodbstreams", endpoint)
    table = Table.create(dynamodb, streams, "kept") if create else Table(dynamodb, streams, "kept")
    return table.in_partition("default")


def test_items_indexes_and_settings_survive_a_killed_process(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    aws = EmbeddedAws(state=state).start()
    table = table_on(aws.endpoint, create=True)
    described = table.client.describe_table(TableName="kept")["Table"]
    table.put("1", {"gpk": text("g"), "gsk": number(7), "b": {"B": b"\x00\xff"}, "ss": {"SS": ["a", "b"]}})
    table.put("gone")
    table.delete("gone")
    table.transact(table.put_operation("2"), table.update_operation("3", "ADD n :n", {":n": number(1)}))
    aws.kill()

    with EmbeddedAws(state=state) as again:
        kept = table_on(again.endpoint, create=False)
        assert kept.get("1") == {
            "gpk": text("g"),
            "gsk": number(7),
            "b": {"B": b"\x00\xff"},
            "ss": {"SS": ["a", "b"]},
        }
        assert [item["sk"]["S"] for item in kept.query()["Items"]] == ["1", "2", "3"]
        found = kept.client.query(
            TableName="kept",
            IndexName="index",
            KeyConditionExpression="gpk = :g",
            ExpressionAttributeValues={":g": text("g")},
        )
        assert found["Count"] == 1
        ttl = kept.client.describe_time_to_live(TableName="kept")["TimeToLiveDescription"]
        assert ttl["AttributeName"] == "expires"
        assert kept.client.describe_table(TableName="kept")["Table"]["LatestStreamArn"] == described["LatestStreamArn"]
        kept.put("4")
        assert kept.stream_events() == ["INSERT"]


def test_stream_records_survive_a_killed_process_and_numbers_go_on(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    aws = EmbeddedAws(state=state).start()
    table = table_on(aws.endpoint, create=True)
    table.put("1", {"b": {"B": b"\x00\xff"}})
    table.put("2")
    before = table.stream_records()
    iterator = table.stream_start[0]
    aws.kill()

    with EmbeddedAws(state=state) as again:
        kept = table_on(again.endpoint, create=False)
        kept.put("3")
        records = kept.streams.get_records(ShardIterator=iterator)["Records"]
        assert records[:2] == before
        assert [record["dynamodb"]["Keys"]["sk"]["S"] for record in records] == ["1", "2", "3"]
        numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
        assert numbers == sorted(set(numbers))


def test_stream_records_go_after_24_hours_and_numbers_go_on(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with EmbeddedAws(state=state) as aws:
        table = table_on(aws.endpoint, create=True)
        for sort in ("1", "2"):
            table.put(sort)
        old = table.stream_records()
    with closing(sqlite3.connect(state)) as database, database:
        database.execute("UPDATE stream_records SET made_at = made_at - 86401")
    with EmbeddedAws(state=state, ttl_seconds=0.05) as again:
        kept = table_on(again.endpoint, create=False)
        arn = kept.client.describe_table(TableName="kept")["Table"]["LatestStreamArn"]
        (shard,) = kept.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        where = {"StreamArn": arn, "ShardId": shard["ShardId"]}
        start = kept.streams.get_shard_iterator(**where, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        assert kept.streams.get_records(ShardIterator=start)["Records"] == []
        eventually(lambda: count_of_records(state) == 0)
        kept.put("3")
        (record,) = kept.streams.get_records(ShardIterator=start)["Records"]
        number = old[-1]["dynamodb"]["SequenceNumber"]
        assert int(record["dynamodb"]["SequenceNumber"]) > int(number)
        with pytest.raises(ClientError, match="TrimmedDataAccessException"):
            kept.streams.get_shard_iterator(**where, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=number)


def count_of_records(state: Path) -> int:
    with closing(sqlite3.connect(state)) as database:
        return int(database.execute("SELECT count(*) FROM stream_records").fetchone()[0])


def test_objects_survive_a_killed_process(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    aws = EmbeddedAws(state=state).start()
    s3 = client("s3", aws.endpoint)
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    s3.put_object(Bucket="kept", Key="a/b.json", Body=b"{}", ContentType="application/json", Metadata={"by": "test"})
    s3.put_object(Bucket="kept", Key="gone", Body=b"")
    s3.delete_object(Bucket="kept", Key="gone")
    s3.copy_object(Bucket="kept", Key="copy", CopySource="kept/a/b.json")
    aws.kill()

    with EmbeddedAws(state=state) as again:
        s3 = client("s3", again.endpoint)
        kept = s3.get_object(Bucket="kept", Key="a/b.json")
        assert (kept["Body"].read(), kept["ContentType"], kept["Metadata"]) == (
            b"{}",
            "application/json",
            {"by": "test"},
        )
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="kept")["Contents"]] == ["a/b.json", "copy"]


def test_the_largest_item_survives_a_restart(tmp_path: Path) -> None:
    fat = {"a": text("x" * (400 * 1024 - 100))}
    with EmbeddedAws(state=tmp_path / "state.db") as aws:
        table_on(aws.endpoint, create=True).put("1", fat)
    with EmbeddedAws(state=tmp_path / "state.db") as again:
        assert table_on(again.endpoint, create=False).get("1") == fat


def test_a_deleted_table_stays_deleted(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with EmbeddedAws(state=state) as aws:
        table = table_on(aws.endpoint, create=True)
        table.put("1")
        table.client.delete_table(TableName="kept")
    with EmbeddedAws(state=state) as again:
        assert client("dynamodb", again.endpoint).list_tables()["TableNames"] == []


def test_a_damaged_state_file_is_named(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    state.write_bytes(b"this is no database" * 100)
    with pytest.raises(Unavailable, match=r"state\.db cannot be read.*remove it"):
        EmbeddedAws(state=state).start()


def test_a_state_file_of_another_version_is_named(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with sqlite3.connect(state) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(Unavailable, match="another version"):
        EmbeddedAws(state=state).start()


def test_services_that_are_not_embedded_are_refused() -> None:
    with EmbeddedAws() as aws:
        functions = client("lambda", aws.endpoint)
        with pytest.raises(functions.exceptions.ClientError, match="501"):
            functions.list_functions()
