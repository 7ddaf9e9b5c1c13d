"""Functions work on queues: batches, failures, time-outs, dead letters, filters, restarts.

Each test counts what the worker wrote down of its own messages; a message is only asserted to be seen once where
nothing that would bring it back has happened.
"""

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.functions import MAX_EVENT_BYTES
from tests.integration.local.conftest import FIXTURES, eventually


class Works:
    """A local cloud of the queues' template, and what its worker wrote down."""

    def __init__(self, cloud: LocalCloud, notes: Path) -> None:
        self.cloud = cloud
        self._notes = notes
        self._sqs = cloud.client("sqs")

    def send(self, queue: str, *messages: dict[str, Any], **options: Any) -> None:
        """All at once, so that they can be one batch."""
        entries = [
            {"Id": str(number), "MessageBody": json.dumps(message), **options}
            for number, message in enumerate(messages)
        ]
        self._sqs.send_message_batch(QueueUrl=self.cloud.outputs[queue], Entries=entries)

    def notes(self, kind: str, name: str | None = None) -> list[dict[str, Any]]:
        text = self._notes.read_text(encoding="utf-8") if self._notes.exists() else ""
        # What follows the last line end is still being written.
        notes = [json.loads(line) for line in text.split("\n")[:-1]]
        return [note for note in notes if note["kind"] == kind and name in (None, note.get("name"))]

    def counts_of(self, kind: str, name: str) -> list[int]:
        """The receive counts with which a message was seen or done."""
        return [note["count"] for note in self.notes(kind, name)]

    def batch_with(self, name: str) -> list[dict[str, Any]]:
        """The records of the first batch that had the message."""
        batches = [note["event"]["Records"] for note in self.notes("batch")]
        return next(batch for batch in batches if any(json.loads(record["body"])["name"] == name for record in batch))

    def done(self, *names: str) -> bool:
        return {note["name"] for note in self.notes("done")} >= set(names)

    def is_empty(self, queue: str) -> bool:
        found = self._sqs.get_queue_attributes(QueueUrl=self.cloud.outputs[queue], AttributeNames=["All"])["Attributes"]
        return not any(int(found[f"ApproximateNumberOfMessages{suffix}"]) for suffix in ("", "Delayed", "NotVisible"))

    def received(self, queue: str) -> list[str]:
        """Names of the messages that somebody else can receive."""
        found = self._sqs.receive_message(
            QueueUrl=self.cloud.outputs[queue], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"])["name"] for message in found.get("Messages", [])]

    def log(self) -> str:
        path = self.cloud.state / "logs" / "WorkerFunction.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def named(**properties: Any) -> dict[str, Any]:
    """A message with a name of its own."""
    return {"name": uuid.uuid4().hex[:8], **properties}


def started(folder: Path, **options: Any) -> LocalCloud:
    parameters = {"Notes": str(folder / "notes"), **options.pop("parameters", {})}
    template = folder / "app" / "template.yaml"
    if not template.exists():
        shutil.copytree(FIXTURES / "queues", folder / "app")
    return LocalCloud(
        template=template, state=folder / "state", http_port=0, aws_port=0, parameters=parameters, **options
    )


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("queues")
    with started(folder, watch=False) as cloud:
        yield Works(cloud, folder / "notes")


def test_a_message_comes_as_the_record_that_lambda_makes_of_it(works: Works) -> None:
    message = named()
    works.cloud.client("sqs").send_message(
        QueueUrl=works.cloud.outputs["Work"],
        MessageBody=json.dumps(message),
        MessageAttributes={
            "kind": {"DataType": "String", "StringValue": "말"},
            "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
    )
    eventually(lambda: works.done(message["name"]))
    (record,) = works.batch_with(message["name"])
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == "arn:aws:sqs:ap-northeast-2:123456789012:malgil-local-Work"
    assert record["awsRegion"] == "ap-northeast-2"
    assert len(record["messageId"]) == 36
    assert record["receiptHandle"]
    assert len(record["md5OfBody"]) == len(record["md5OfMessageAttributes"]) == 32
    assert set(record["attributes"]) == {
        "ApproximateReceiveCount",
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    }
    lists: dict[str, list[str]] = {"stringListValues": [], "binaryListValues": []}
    assert record["messageAttributes"] == {
        "kind": {"stringValue": "말", "dataType": "String", **lists},
        "raw": {"binaryValue": "AP8=", "dataType": "Binary", **lists},
    }


def test_a_batch_that_succeeds_is_deleted(works: Works) -> None:
    messages = [named() for _ in range(3)]
    works.send("Work", *messages)
    eventually(lambda: works.is_empty("Work"))
    assert [works.counts_of("done", message["name"]) for message in messages] == [[1], [1], [1]]
    assert len(works.batch_with(messages[0]["name"])) == 3


def test_only_what_failed_comes_back(works: Works) -> None:
    good, bad, other = named(), named(fault="fail", times=1), named()
    works.send("Work", good, bad, other)
    eventually(lambda: works.done(bad["name"]) and works.is_empty("Work"))
    assert works.counts_of("seen", bad["name"]) == [1, 2]
    assert works.counts_of("seen", good["name"]) == works.counts_of("seen", other["name"]) == [1]
    assert "queue malgil-local-Work: 1 of 3 message(s) handed back" in works.log()


@pytest.mark.parametrize("fault", ["raise", "kill", "hang"])
def test_after_an_error_the_whole_batch_comes_back_what_was_done_of_it_is_done_again(works: Works, fault: str) -> None:
    first, bad, last = named(), named(fault=fault, times=1), named()
    works.send("Work", first, bad, last)
    eventually(lambda: works.done(first["name"], bad["name"], last["name"]) and works.is_empty("Work"))
    assert works.counts_of("done", first["name"]) == [1, 2]
    assert works.counts_of("done", bad["name"]) == works.counts_of("done", last["name"]) == [2]


def test_an_error_is_logged_in_one_line_with_the_queue(works: Works) -> None:
    bad = named(fault="raise", times=1)
    works.send("Work", bad)
    eventually(lambda: works.done(bad["name"]))
    assert "queue malgil-local-Work: ValueError: as told: 1 message(s) come back" in works.log()


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": "nobody"}]},
        {"batchItemFailures": [{"identifier": "x"}]},
        {"batchItemFailures": ["x"]},
        {"batchItemFailures": "all"},
        "done",
    ],
)
def test_a_report_that_is_not_valid_brings_everything_back(works: Works, answer: Any) -> None:
    message = named(answer=answer, times=1)
    works.send("Single", message)
    eventually(lambda: works.done(message["name"]))
    assert works.counts_of("seen", message["name"]) == [1, 2]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_a_report_of_nothing_is_success(works: Works, answer: Any) -> None:
    message = named(answer=answer)
    works.send("Single", message)
    eventually(lambda: works.notes("seen", message["name"]) and works.is_empty("Single"))
    assert works.counts_of("seen", message["name"]) == [1]


def test_a_mapping_without_reports_ignores_them(works: Works) -> None:
    message = named(fault="fail")
    works.send("Plain", message)
    eventually(lambda: works.notes("seen", message["name"]) and works.is_empty("Plain"))
    assert works.counts_of("seen", message["name"]) == [1]


def test_a_poison_message_ends_as_a_dead_letter_and_the_others_pass(works: Works) -> None:
    poison, others = named(fault="fail"), [named() for _ in range(5)]
    works.send("Work", others[0], poison, *others[1:])
    eventually(lambda: poison["name"] in works.received("Dead"))
    assert works.counts_of("seen", poison["name"]) == [1, 2, 3]
    assert [works.counts_of("done", other["name"]) for other in others] == [[1]] * 5
    assert works.is_empty("Work")


def test_dead_letters_moved_back_are_worked_on_again(works: Works) -> None:
    poison = named(fault="fail")
    works.send("Work", poison)
    eventually(lambda: poison["name"] in works.received("Dead"))
    works.cloud.client("sqs").start_message_move_task(SourceArn=works.cloud.outputs["DeadArn"])
    eventually(lambda: len(works.counts_of("seen", poison["name"])) > 3)
    assert works.counts_of("seen", poison["name"])[3] == 1
    eventually(lambda: poison["name"] in works.received("Dead"))


def test_a_delayed_message_comes_after_one_that_is_not(works: Works) -> None:
    late, early = named(), named()
    works.send("Work", late, DelaySeconds=2)
    works.send("Work", early)
    eventually(lambda: works.done(late["name"]))
    names = [note["name"] for note in works.notes("done") if note["name"] in (late["name"], early["name"])]
    assert names == [early["name"], late["name"]]


def test_batches_are_no_larger_than_asked_for(works: Works) -> None:
    messages = [named() for _ in range(5)]
    works.send("Single", *messages)
    eventually(lambda: works.done(*(message["name"] for message in messages)))
    assert {len(works.batch_with(message["name"])) for message in messages} == {1}


def test_a_window_gathers_messages_into_one_batch(works: Works) -> None:
    messages = [named() for _ in range(12)]
    works.send("Windowed", *messages[:2])
    works.send("Windowed", *messages[2:])
    eventually(lambda: works.done(*(message["name"] for message in messages)))
    assert max(len(works.batch_with(message["name"])) for message in messages) > 10


def test_filtered_out_messages_are_deleted_unseen(works: Works) -> None:
    wanted, unwanted = named(kind="wanted"), named(kind="other")
    works.send("Filtered", unwanted, wanted)
    works.cloud.client("sqs").send_message(QueueUrl=works.cloud.outputs["Filtered"], MessageBody="no JSON")
    eventually(lambda: works.done(wanted["name"]) and works.is_empty("Filtered"))
    assert works.notes("seen", unwanted["name"]) == []


def test_a_disabled_mapping_takes_nothing(works: Works) -> None:
    message, after = named(), named()
    works.send("Disabled", message)
    works.send("Plain", after)
    eventually(lambda: works.done(after["name"]))
    assert works.received("Disabled") == [message["name"]]
    assert works.cloud.outputs["DisabledName"] == "malgil-local-Disabled"


def test_messages_of_a_group_come_one_after_another(works: Works) -> None:
    messages = [named(fault="raise", times=1), named(), named()]
    works.send("Ordered", *messages, MessageGroupId="one")
    eventually(lambda: works.done(*(message["name"] for message in messages)))
    names = [message["name"] for message in messages]
    assert [note["name"] for note in works.notes("done") if note["name"] in names] == names


def test_many_messages_are_all_worked_on(works: Works) -> None:
    """On a queue that gives up on nothing: a machine that stalls for seconds makes dead letters of good messages."""
    messages = [named() for _ in range(200)]
    for start in range(0, 200, 10):
        works.send("Plain", *messages[start : start + 10])
    eventually(lambda: works.done(*(message["name"] for message in messages)), seconds=60)
    eventually(lambda: works.is_empty("Plain"))


def test_large_messages_that_fit_no_event_together_come_in_several(works: Works) -> None:
    messages = [named(padding="x" * 1_000_000) for _ in range(8)]
    for message in messages:
        works.send("Windowed", message)
    eventually(lambda: works.done(*(message["name"] for message in messages)))
    eventually(lambda: works.is_empty("Windowed"))
    batches = [note["event"]["Records"] for note in works.notes("batch")]
    assert max(len(json.dumps(batch)) for batch in batches) <= MAX_EVENT_BYTES


def test_messages_sent_before_a_restart_are_worked_on_after_it(tmp_path: Path) -> None:
    message = named()
    with started(tmp_path, watch=False, parameters={"WorkEnabled": "false"}) as cloud:
        Works(cloud, tmp_path / "notes").send("Work", message)
    with started(tmp_path, watch=False) as cloud:
        works = Works(cloud, tmp_path / "notes")
        eventually(lambda: works.done(message["name"]) and works.is_empty("Work"))
        assert works.counts_of("done", message["name"]) == [1]


def test_messages_in_flight_at_the_stop_come_back_after_it(tmp_path: Path) -> None:
    message = named(fault="hang", times=1)
    with started(tmp_path, watch=False) as cloud:
        works = Works(cloud, tmp_path / "notes")
        works.send("Work", message)
        eventually(lambda: works.notes("seen", message["name"]))
    with started(tmp_path, watch=False) as cloud:
        eventually(lambda: Works(cloud, tmp_path / "notes").done(message["name"]))
        assert Works(cloud, tmp_path / "notes").counts_of("done", message["name"]) == [2]


def test_a_changed_template_changes_mappings_and_queues_at_once(tmp_path: Path) -> None:
    with started(tmp_path) as cloud:
        works, first = Works(cloud, tmp_path / "notes"), named()
        works.send("Disabled", first)
        template = tmp_path / "app" / "template.yaml"
        text = template.read_text().replace("Enabled: false", "Enabled: true")
        template.write_text(text.replace("{MessageRetentionPeriod: 1209600}", "{DelaySeconds: 3}"))
        eventually(lambda: works.done(first["name"]))
        queue = cloud.client("sqs").get_queue_attributes(QueueUrl=cloud.outputs["Dead"], AttributeNames=["All"])
        assert queue["Attributes"]["DelaySeconds"] == "3"
        assert queue["Attributes"]["MessageRetentionPeriod"] == "345600"
        template.write_text(text.replace("Enabled: true", "Enabled: false"))
        deployed = (tmp_path / "state" / "local.json").stat().st_mtime_ns
        eventually(lambda: (tmp_path / "state" / "local.json").stat().st_mtime_ns > deployed)
        second, after = named(), named()
        works.send("Disabled", second)
        works.send("Work", after)
        eventually(lambda: works.done(after["name"]))
        assert works.received("Disabled") == [second["name"]]


def test_a_queue_that_cannot_be_read_is_tried_again(tmp_path: Path) -> None:
    with started(tmp_path, watch=False) as cloud:
        works, message = Works(cloud, tmp_path / "notes"), named()
        sqs = cloud.client("sqs")
        sqs.delete_queue(QueueUrl=cloud.outputs["Plain"])
        eventually(lambda: "queue malgil-local-Plain: cannot be read, tried again" in works.log())
        sqs.create_queue(QueueName="malgil-local-Plain")
        works.send("Plain", message)
        eventually(lambda: works.done(message["name"]))
