"""Functions work on the streams of tables: batches, order, failures, destinations, restarts.

Each test writes to a partition of its own, and counts what its functions wrote down of it.
"""

import base64
import json
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from shared.errors import Unavailable
from tests.integration.local.conftest import FIXTURES, eventually


class Works:
    """A local cloud of the streams' template, and what its functions wrote down."""

    def __init__(self, cloud: LocalCloud, notes: Path) -> None:
        self.cloud = cloud
        self._notes = notes
        self._dynamodb = cloud.client("dynamodb")

    def put(self, table: str, partition: str, *items: dict[str, Any]) -> None:
        """Items in one transaction, so that their records come together."""
        puts = [
            {"Put": {"TableName": self.cloud.outputs[table], "Item": attributes(partition, item)}} for item in items
        ]
        self._dynamodb.transact_write_items(TransactItems=puts)

    def notes(self, kind: str, function: str, name: str | None = None) -> list[dict[str, Any]]:
        text = self._notes.read_text(encoding="utf-8") if self._notes.exists() else ""
        # What follows the last line end is still being written.
        notes = [json.loads(line) for line in text.split("\n")[:-1]]
        return [
            note
            for note in notes
            if (note["kind"], note["function"]) == (kind, function) and name in (None, note.get("name"))
        ]

    def names(self, kind: str, function: str, *items: dict[str, Any]) -> list[str]:
        """What was seen or done of these items, in its order."""
        wanted = {item["name"] for item in items}
        return [note["name"] for note in self.notes(kind, function) if note["name"] in wanted]

    def done(self, function: str, *items: dict[str, Any]) -> bool:
        return set(self.names("done", function, *items)) == {item["name"] for item in items}

    def batches(self, function: str, *items: dict[str, Any]) -> list[list[dict[str, Any]]]:
        """The records of each batch that had one of these items."""
        wanted = {item["name"] for item in items}
        batches = [note["event"]["Records"] for note in self.notes("batch", function)]
        return [batch for batch in batches if wanted & {record["dynamodb"]["Keys"]["sk"]["S"] for record in batch}]

    def told(self, queue: str) -> list[dict[str, Any]]:
        """What the failure destination has been told; it stays there."""
        found = self.cloud.client("sqs").receive_message(
            QueueUrl=self.cloud.outputs[queue], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    def log(self, function: str) -> str:
        path = self.cloud.state / "logs" / f"{function}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def checkpoint(self, mapping: str) -> str:
        text = (self.cloud.state / "checkpoints.json").read_text(encoding="utf-8")
        found = [shards for name, shards in json.loads(text).items() if name.split()[0] == mapping]
        return next(iter(found[0].values())) if found else ""


def attributes(partition: str, item: dict[str, Any]) -> dict[str, Any]:
    kinds = {str: "S", int: "N", bytes: "B"}
    rest = {
        key: {kinds[type(value)]: str(value) if isinstance(value, int) else value}
        for key, value in item.items()
        if key != "name"
    }
    return {"pk": {"S": partition}, "sk": {"S": item["name"]}, **rest}


def named(**properties: Any) -> dict[str, Any]:
    """An item with a name of its own."""
    return {"name": uuid.uuid4().hex[:8], **properties}


def faulty(fault: str, times: int = 1, **properties: Any) -> dict[str, Any]:
    return named(fault=fault, times=times, **properties)


def started(folder: Path, **options: Any) -> LocalCloud:
    parameters = {"Notes": str(folder / "notes"), **options.pop("parameters", {})}
    template = folder / "app" / "template.yaml"
    if not template.exists():
        shutil.copytree(FIXTURES / "streams", folder / "app")
    options = {"watch": False, **options}
    return LocalCloud(
        template=template, state=folder / "state", http_port=0, aws_port=0, parameters=parameters, **options
    )


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("streams")
    with started(folder) as cloud:
        yield Works(cloud, folder / "notes")


def test_a_record_comes_as_lambda_makes_it(works: Works) -> None:
    item = named(raw=b"\x00\xff", n=7)
    works.put("Turns", "T#record", item)
    eventually(lambda: works.done("Reports", item))
    ((record,),) = works.batches("Reports", item)
    told = record.pop("dynamodb")
    assert len(record.pop("eventID")) == 32
    stream = works.cloud.outputs["TurnsStream"]
    assert stream.startswith("arn:aws:dynamodb:ap-northeast-2:123456789012:table/malgil-local-Turns/stream/")
    assert record == {
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "ap-northeast-2",
        "eventSourceARN": stream,
    }
    keys = {"pk": {"S": "T#record"}, "sk": {"S": item["name"]}}
    assert abs(told.pop("ApproximateCreationDateTime") - time.time()) < 3600
    assert told.pop("SequenceNumber").isdecimal()
    assert told.pop("SizeBytes") > 0
    raw = base64.b64encode(b"\x00\xff").decode()
    assert told == {
        "Keys": keys,
        "NewImage": {**keys, "raw": {"B": raw}, "n": {"N": "7"}},
        "StreamViewType": "NEW_IMAGE",
    }


def test_a_record_of_an_expired_item_says_who_removed_it(works: Works) -> None:
    item = named(expires=int(time.time()) - 60)
    works.put("Others", "ttl", item)
    eventually(lambda: len(works.batches("Archives", item)) > 1)
    removal = works.batches("Archives", item)[-1][-1]
    assert removal["eventName"] == "REMOVE"
    assert removal["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert removal["dynamodb"]["OldImage"]["sk"] == {"S": item["name"]}


def test_a_batch_is_no_larger_than_asked_for(works: Works) -> None:
    items = [named() for _ in range(25)]
    works.put("Turns", "T#size", *items)
    eventually(lambda: works.done("Reports", *items))
    assert [len(batch) for batch in works.batches("Reports", *items)] == [10, 10, 5]
    assert works.names("done", "Reports", *items) == [item["name"] for item in items]


def test_a_window_gathers_records_into_one_batch(works: Works) -> None:
    items = [named() for _ in range(4)]
    for item in items:
        works.put("Turns", "B#window", item)
    eventually(lambda: works.done("Bisects", *items))
    assert len(works.batches("Bisects", *items)) < 4


def test_what_a_filter_leaves_out_moves_the_checkpoint(works: Works) -> None:
    wanted, other_event, other_key = named(), named(), named()
    works.put("Turns", "T#filter", other_event)
    eventually(lambda: works.done("Reports", other_event))
    before = works.checkpoint("ReportsTurns")
    works.put("Turns", "T#filter", {**other_event, "changed": 1})
    works.put("Turns", "X#filter", other_key)
    eventually(lambda: int(works.checkpoint("ReportsTurns")) == int(before) + 2)
    works.put("Turns", "T#filter", wanted)
    eventually(lambda: works.done("Reports", wanted))
    assert works.names("seen", "Reports", other_event) == [other_event["name"]]
    assert works.names("seen", "Reports", other_key) == []


def test_after_a_partial_failure_what_came_before_it_is_done_and_the_rest_comes_again(works: Works) -> None:
    items = [named(), named(), faulty("fail"), named(), named()]
    works.put("Turns", "T#partial", *items)
    eventually(lambda: works.done("Reports", *items))
    names = [item["name"] for item in items]
    # The handler went on after the failure: what follows it is done again.
    assert works.names("seen", "Reports", *items) == names + names[2:]
    assert "stream of malgil-local-Turns: record 3 of 5 failed" in works.log("Reports")


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": "1"}]},
        {"batchItemFailures": [{"identifier": "x"}]},
        "done",
    ],
)
def test_after_a_report_that_is_not_valid_the_whole_batch_comes_again(works: Works, answer: Any) -> None:
    items = [named(), faulty("answer", answer=json.dumps(answer)), named()]
    works.put("Turns", "T#invalid", *items)
    eventually(lambda: works.done("Reports", *items))
    names = [item["name"] for item in items]
    assert works.names("seen", "Reports", *items) == names[:2] + names


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_a_report_of_nothing_is_success(works: Works, answer: Any) -> None:
    item, after = faulty("answer", 9, answer=json.dumps(answer)), named()
    works.put("Turns", "T#nothing", item)
    eventually(lambda: works.names("seen", "Reports", item))
    works.put("Turns", "T#nothing", after)
    eventually(lambda: works.done("Reports", after))
    assert works.names("seen", "Reports", item) == [item["name"]]


@pytest.mark.parametrize("fault", ["raise", "kill", "hang"])
def test_after_an_error_the_whole_batch_comes_again_before_what_follows(works: Works, fault: str) -> None:
    items = [named(), faulty(fault, 2), named()]
    works.put("Turns", "T#error", *items)
    after = named()
    works.put("Turns", "T#error", after)
    eventually(lambda: works.done("Reports", *items, after))
    names = [item["name"] for item in items]
    assert works.names("seen", "Reports", *items, after) == names[:2] * 2 + names + [after["name"]]


def test_an_error_is_logged_in_one_line_with_the_table(works: Works) -> None:
    item = faulty("raise")
    works.put("Turns", "T#log", item)
    eventually(lambda: works.done("Reports", item))
    assert "stream of malgil-local-Turns: ValueError: as told: 1 record(s) are tried again\n" in works.log("Reports")


def test_a_poison_record_is_isolated_and_the_others_pass_in_order(works: Works) -> None:
    items = [named() for _ in range(10)]
    items[2] = faulty("raise", 99, **items[2])
    poison, others = items[2], [*items[:2], *items[3:]]
    works.put("Turns", "B#poison", *items)
    eventually(lambda: works.done("Bisects", *others))
    first_done = list(dict.fromkeys(works.names("done", "Bisects", *others)))
    assert first_done == [item["name"] for item in others]
    # Alone it was tried once, and once again.
    alone = [batch for batch in works.batches("Bisects", poison) if len(batch) == 1]
    assert len(alone) == 2
    number = alone[0][0]["dynamodb"]["SequenceNumber"]
    (told,) = [told for told in works.told("Lost") if told["DDBStreamBatchInfo"]["startSequenceNumber"] == number]
    context = told["requestContext"]
    assert len(context.pop("requestId")) == 36
    assert context.pop("approximateInvokeCount") > 2
    assert context == {
        "functionArn": "arn:aws:lambda:ap-northeast-2:123456789012:function:malgil-local-Bisects",
        "condition": "RetryAttemptsExhausted",
    }
    assert told["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert told["version"] == "1.0"
    assert told["timestamp"].endswith("Z")
    batch = told["DDBStreamBatchInfo"]
    assert batch.pop("shardId").startswith("shardId-")
    assert batch.pop("approximateArrivalOfFirstRecord") == batch.pop("approximateArrivalOfLastRecord")
    assert batch == {
        "startSequenceNumber": number,
        "endSequenceNumber": number,
        "batchSize": 1,
        "streamArn": works.cloud.outputs["TurnsStream"],
    }


def test_a_failed_batch_is_given_up_on_and_a_topic_and_a_bucket_are_told(works: Works) -> None:
    items, after = [faulty("raise", 9), named()], named()
    works.put("Others", "lost", *items)
    # Else it could be in the same batch.
    eventually(lambda: works.batches("Gives", *items) and works.batches("Archives", *items))
    works.put("Others", "lost", after)
    eventually(lambda: works.done("Gives", after) and works.done("Archives", after))
    for function in ("Gives", "Archives"):
        assert works.names("seen", function, *items) == [items[0]["name"]]
    (batch,) = works.batches("Gives", *items)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    told = eventually(lambda: works.told("LostTold"))[0]["DDBStreamBatchInfo"]
    assert (told["startSequenceNumber"], told["endSequenceNumber"], told["batchSize"]) == (*numbers, 2)
    s3 = works.cloud.client("s3")
    bucket = works.cloud.outputs["Archive"]
    (found,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"].startswith("aws/lambda/")
    told = json.loads(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    records = json.loads(told["payload"])["Records"]
    assert [record["dynamodb"]["SequenceNumber"] for record in records] == numbers


def test_the_order_of_a_key_is_kept_through_failures(works: Works) -> None:
    """Two writers, and faults of every kind between."""
    faults = ["fail", "raise", "kill"]
    items = [faulty(faults[number % 3]) if number % 7 == 3 else named() for number in range(40)]
    for number in range(0, 40, 2):
        works.put("Turns", "T#a", items[number])
        works.put("Turns", "T#b", items[number + 1])
    eventually(lambda: works.done("Reports", *items), seconds=60)
    for own in (items[::2], items[1::2]):
        # The last time counts: a handler that goes on after a failure does what follows it again.
        last_done = list(dict.fromkeys(reversed(works.names("done", "Reports", *own))))
        assert last_done[::-1] == [item["name"] for item in own]


def test_records_written_before_a_restart_are_worked_on_after_it(tmp_path: Path) -> None:
    items = [named() for _ in range(3)]
    with started(tmp_path, parameters={"ReportsEnabled": "false"}) as cloud:
        Works(cloud, tmp_path / "notes").put("Turns", "T#1", *items)
    with started(tmp_path) as cloud:
        works = Works(cloud, tmp_path / "notes")
        eventually(lambda: works.done("Reports", *items))


def test_a_restart_goes_on_where_the_work_stopped(tmp_path: Path) -> None:
    done, hanging, behind = named(), faulty("hang"), named()
    with started(tmp_path) as cloud:
        works = Works(cloud, tmp_path / "notes")
        works.put("Turns", "T#1", done)
        eventually(lambda: works.checkpoint("ReportsTurns"))
        works.put("Turns", "T#1", hanging)
        works.put("Turns", "T#1", behind)
        eventually(lambda: works.names("seen", "Reports", hanging))
    with started(tmp_path) as cloud:
        works, after = Works(cloud, tmp_path / "notes"), named()
        works.put("Turns", "T#1", after)
        everything = (done, hanging, behind, after)
        eventually(lambda: works.done("Reports", *everything))
        assert works.names("done", "Reports", *everything) == [item["name"] for item in everything]


def test_a_reader_that_starts_at_the_end_stays_there_over_a_restart(tmp_path: Path) -> None:
    """What was written before it began is not for it; what was written after is, though nothing was read yet."""
    before, after = named(), faulty("hang")
    template = tmp_path / "app" / "template.yaml"
    shutil.copytree(FIXTURES / "streams", tmp_path / "app")
    text = template.read_text(encoding="utf-8")
    template.write_text(
        text.replace("StartingPosition: LATEST\n", "StartingPosition: LATEST\n            Enabled: false\n", 1)
    )
    with started(tmp_path) as cloud:
        Works(cloud, tmp_path / "notes").put("Turns", "B#1", before)
    template.write_text(text, encoding="utf-8")
    with started(tmp_path) as cloud:
        works = Works(cloud, tmp_path / "notes")
        works.put("Turns", "B#1", after)
        eventually(lambda: works.names("seen", "Bisects", after))
    with started(tmp_path) as cloud:
        works = Works(cloud, tmp_path / "notes")
        eventually(lambda: works.done("Bisects", after))
        assert works.names("seen", "Bisects", before) == []


def test_a_changed_template_changes_readers_at_once_and_loses_nothing(tmp_path: Path) -> None:
    with started(tmp_path, watch=True) as cloud:
        works, first, second = Works(cloud, tmp_path / "notes"), named(), named()
        works.put("Turns", "T#1", first)
        eventually(lambda: works.done("Reports", first))
        template = tmp_path / "app" / "template.yaml"
        text = template.read_text(encoding="utf-8")
        deployed = (tmp_path / "state" / "local.json").stat().st_mtime_ns
        template.write_text(text.replace("BatchSize: 10", "BatchSize: 1"), encoding="utf-8")
        works.put("Turns", "T#1", *(items := [named() for _ in range(3)]))
        eventually(lambda: (tmp_path / "state" / "local.json").stat().st_mtime_ns > deployed)
        eventually(lambda: works.done("Reports", *items))
        works.put("Turns", "T#1", second, *(more := [named()]))
        eventually(lambda: works.done("Reports", second, *more))
        assert len(works.batches("Reports", second, *more)) == 2
        everything = [first, *items, second, *more]
        assert works.names("done", "Reports", *everything) == [item["name"] for item in everything]


def test_another_kind_of_stream_is_another_stream(tmp_path: Path) -> None:
    with started(tmp_path) as cloud:
        works, before = Works(cloud, tmp_path / "notes"), named()
        works.put("Turns", "T#1", before)
        eventually(lambda: works.done("Reports", before))
        stream = cloud.outputs["TurnsStream"]
    template = tmp_path / "app" / "template.yaml"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace("{StreamViewType: NEW_IMAGE}", "{StreamViewType: NEW_AND_OLD_IMAGES}"))
    with started(tmp_path) as cloud:
        works, after = Works(cloud, tmp_path / "notes"), named()
        assert cloud.outputs["TurnsStream"] != stream
        works.put("Turns", "T#1", after)
        eventually(lambda: works.done("Reports", after))
        assert works.names("seen", "Reports", before) == [before["name"]]


def test_a_damaged_file_of_checkpoints_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "checkpoints.json").write_text("{", encoding="utf-8")
    with pytest.raises(Unavailable, match=r"checkpoints\.json cannot be read .*: remove it"):
        started(tmp_path).start()
