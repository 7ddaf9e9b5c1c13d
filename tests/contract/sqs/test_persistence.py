"""No acknowledged message is lost when the embedded AWS is killed, and none that was deleted comes back."""

from pathlib import Path

from infra.local.embedded import EmbeddedAws, client
from tests.contract.sqs.calls import Queue


def test_queues_and_messages_survive_a_killed_process(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    aws = EmbeddedAws(state=state).start()
    sqs = client("sqs", aws.endpoint)
    dead = Queue.create(sqs, "a-dead")
    policy = f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": 2}}'
    queue = Queue.create(sqs, "work", VisibilityTimeout="1", RedrivePolicy=policy)
    attributes = {
        "text": {"DataType": "String", "StringValue": "말"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    queue.send("in flight", MessageAttributes=attributes)
    in_flight = queue.receive_one()
    queue.send("first")
    queue.send("late", DelaySeconds=900)
    queue.send("second")
    queue.send("deleted", DelaySeconds=0)
    (deleted,) = [message for message in queue.receive(10, VisibilityTimeout=0) if message["Body"] == "deleted"]
    queue.delete(deleted)
    aws.kill()

    with EmbeddedAws(state=state) as again:
        kept = Queue.create(client("sqs", again.endpoint), "work")
        assert kept.attributes("VisibilityTimeout")["VisibilityTimeout"] == "1"
        back: list[dict] = []
        while len(back) < 3:
            back += kept.receive(10, wait=20, VisibilityTimeout=600)
        bodies = [message["Body"] for message in back]
        assert sorted(bodies) == ["first", "in flight", "second"]
        assert bodies.index("first") < bodies.index("second")
        again_in_flight = next(message for message in back if message["Body"] == "in flight")
        assert again_in_flight["MessageId"] == in_flight["MessageId"]
        assert again_in_flight["Attributes"]["ApproximateReceiveCount"] == "2"
        assert again_in_flight["MessageAttributes"] == attributes
        assert kept.counts == (0, 1, 3)
        for message in back:
            kept.delete(message)
        assert kept.counts == (0, 1, 0)


def test_who_received_a_message_before_may_delete_it_after(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with EmbeddedAws(state=state) as aws:
        queue = Queue.create(client("sqs", aws.endpoint), "work", VisibilityTimeout="600")
        queue.send()
        message = queue.receive_one()
    with EmbeddedAws(state=state) as again:
        queue = Queue.create(client("sqs", again.endpoint), "work")
        assert queue.counts == (0, 0, 1)
        queue.delete(message)
        assert queue.counts == (0, 0, 0)


def test_a_dead_letter_knows_its_way_back_after_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with EmbeddedAws(state=state) as aws:
        sqs = client("sqs", aws.endpoint)
        queue, dead = Queue.create_with_dead_letters(sqs, 1, VisibilityTimeout="0")
        queue.send("poison")
        queue.receive_one()
        assert queue.receive() == []
        names = [url.url.rsplit("/", 1)[1] for url in (queue, dead)]
    with EmbeddedAws(state=state) as again:
        queue, dead = (Queue.create(client("sqs", again.endpoint), name) for name in names)
        assert dead.counts == (1, 0, 0)
        dead.client.start_message_move_task(SourceArn=dead.arn)
        assert queue.receive_one()["Body"] == "poison"


def test_purged_messages_and_deleted_queues_stay_away(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with EmbeddedAws(state=state) as aws:
        sqs = client("sqs", aws.endpoint)
        purged, deleted = Queue.create(sqs, "purged"), Queue.create(sqs, "deleted")
        purged.send()
        deleted.send()
        sqs.purge_queue(QueueUrl=purged.url)
        sqs.delete_queue(QueueUrl=deleted.url)
    with EmbeddedAws(state=state) as again:
        sqs = client("sqs", again.endpoint)
        assert [url.rsplit("/", 1)[1] for url in sqs.list_queues()["QueueUrls"]] == ["purged"]
        assert Queue.create(sqs, "purged").counts == (0, 0, 0)
        assert Queue.create(sqs, "deleted").counts == (0, 0, 0)
