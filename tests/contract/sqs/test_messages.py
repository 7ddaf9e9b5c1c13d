"""Messages are received, come back, are delayed and are deleted as on SQS."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from infra.local.embedded import client
from tests.contract.sqs.calls import Queue, eventually, refusal


def test_a_message_tells_when_it_was_sent_and_how_often_it_was_received(queue: Queue) -> None:
    identifier = queue.send("안녕", MessageAttributes={"kind": {"DataType": "String", "StringValue": "greeting"}})
    first, second = queue.receive_one(), queue.receive_one()
    assert first["MessageId"] == second["MessageId"] == identifier
    assert first["Body"] == "안녕"
    assert first["MessageAttributes"] == {"kind": {"DataType": "String", "StringValue": "greeting"}}
    assert abs(int(first["Attributes"]["SentTimestamp"]) / 1000 - time.time()) < 60
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in (first, second)] == ["1", "2"]
    received_at = [message["Attributes"]["ApproximateFirstReceiveTimestamp"] for message in (first, second)]
    assert received_at[0] == received_at[1]
    assert first["Attributes"]["SenderId"]


def test_a_received_message_is_away_until_its_visibility_time_out(queue: Queue) -> None:
    queue.send()
    queue.receive_one(VisibilityTimeout=60)
    assert queue.receive() == []
    assert queue.counts == (0, 0, 1)


def test_a_message_whose_visibility_is_set_to_nothing_comes_back_at_once(queue: Queue) -> None:
    queue.send()
    message = queue.receive_one(VisibilityTimeout=60)
    queue.change_visibility(message, 0)
    assert queue.receive_one()["MessageId"] == message["MessageId"]


def test_a_deleted_message_is_gone_and_may_be_deleted_again(queue: Queue) -> None:
    queue.send()
    message = queue.receive_one()
    queue.delete(message)
    queue.delete(message)
    assert queue.counts == (0, 0, 0)


def test_a_receipt_handle_is_outdated_once_the_message_is_received_again(queue: Queue) -> None:
    queue.send()
    first = queue.receive_one()
    second = queue.receive_one(VisibilityTimeout=60)
    queue.delete(first)
    assert queue.counts == (0, 0, 1)
    assert refusal(queue.change_visibility, message=first, seconds=0) == "InvalidParameterValue"
    queue.delete(second)
    assert queue.counts == (0, 0, 0)


def test_visibility_is_changed_only_while_a_message_is_away(queue: Queue) -> None:
    queue.send()
    message = queue.receive_one()
    eventually(lambda: queue.counts == (1, 0, 0))
    assert "MessageNotInflight" in refusal(queue.change_visibility, message=message, seconds=5)
    assert refusal(queue.change_visibility, message=message, seconds=43_201) == "InvalidParameterValue"


@pytest.mark.parametrize("handle", ["nonsense", "Zm9yZWlnbg=="])
def test_a_receipt_handle_of_nobody_is_refused(queue: Queue, handle: str) -> None:
    assert refusal(queue.delete, message={"ReceiptHandle": handle}) == "ReceiptHandleIsInvalid"


def test_a_receipt_handle_of_another_queue_is_refused(queue: Queue, sqs: Any) -> None:
    queue.send()
    message = queue.receive_one()
    assert refusal(Queue.create(sqs).delete, message=message) == "ReceiptHandleIsInvalid"


def test_a_delayed_message_comes_when_its_delay_is_over(queue: Queue) -> None:
    queue.send(DelaySeconds=1)
    assert queue.receive() == []
    assert queue.counts[1] == 1
    assert queue.receive_one()["Body"] == "body"


def test_a_queue_delays_what_has_no_delay_of_its_own(sqs: Any) -> None:
    queue = Queue.create(sqs, DelaySeconds="60")
    queue.send("late")
    queue.send("at once", DelaySeconds=0)
    assert queue.bodies() == ["at once"]
    assert queue.counts[1] == 1


@pytest.mark.parametrize("seconds", [-1, 901])
def test_a_delay_is_at_most_a_quarter_of_an_hour(queue: Queue, seconds: int) -> None:
    assert refusal(queue.send, DelaySeconds=seconds) == "InvalidParameterValue"


def test_a_waiting_consumer_is_told_at_once(queue: Queue) -> None:
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(queue.receive, wait=20)
        queue.send()
        assert len(waiting.result(timeout=15)) == 1


def test_a_waiting_consumer_gets_what_becomes_visible_meanwhile(queue: Queue, sqs_endpoint: str) -> None:
    """Long before its wait ends: the consumer would hang up."""
    impatient = client("sqs", sqs_endpoint, config=Config(read_timeout=15, retries={"total_max_attempts": 1}))
    queue.send()
    queue.receive_one()
    assert len(Queue(impatient, queue.url).receive(wait=20)) == 1


def test_a_waiting_consumer_gets_nothing_when_nothing_comes(queue: Queue) -> None:
    assert queue.receive(wait=1) == []


def test_a_consumer_that_left_takes_no_message_along(sqs_endpoint: str, queue: Queue) -> None:
    impatient = client("sqs", sqs_endpoint, config=Config(read_timeout=1, retries={"total_max_attempts": 1}))
    with pytest.raises(ReadTimeoutError):
        Queue(impatient, queue.url).receive(wait=20, VisibilityTimeout=600)
    queue.send()
    assert queue.receive_one()["Attributes"]["ApproximateReceiveCount"] == "1"


def test_nobody_receives_what_another_has_and_nothing_is_lost(sqs: Any) -> None:
    """Producers, consumers and deletes at once."""
    queue = Queue.create(sqs, VisibilityTimeout="600")
    sent: list[str] = []
    received: list[str] = []
    lock = threading.Lock()

    def produce(worker: int) -> None:
        for number in range(25):
            body = f"{worker}-{number}"
            queue.send(body)
            with lock:
                sent.append(body)

    def consume(_worker: int) -> None:
        while messages := queue.receive(5, wait=2):
            for message in messages:
                queue.delete(message)
                with lock:
                    received.append(message["Body"])

    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(produce, worker) for worker in range(4)]
        done += [threads.submit(consume, worker) for worker in range(4)]
        for task in done:
            task.result()
    assert sorted(received) == sorted(sent)
    assert queue.counts == (0, 0, 0)


def test_purging_leaves_nothing(queue: Queue) -> None:
    queue.send()
    queue.send(DelaySeconds=60)
    queue.client.purge_queue(QueueUrl=queue.url)
    assert queue.counts == (0, 0, 0)


def test_a_deleted_queue_ends_the_wait_for_its_messages(queue: Queue) -> None:
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(refusal, queue.receive, wait=20)
        queue.client.delete_queue(QueueUrl=queue.url)
        assert waiting.result(timeout=15) == "AWS.SimpleQueueService.NonExistentQueue"


def test_a_group_of_a_fifo_queue_waits_for_its_message_and_others_go_on(sqs: Any) -> None:
    name = "checks.fifo"
    queue = Queue.create(sqs, name, FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="60")
    for body in ("a1", "a2", "b1", "a1"):
        queue.send(body, MessageGroupId=body[0])
    (first,) = queue.receive()
    assert first["Body"] == "a1"
    assert queue.bodies(1) == ["b1"]
    assert queue.bodies() == []
    queue.delete(first)
    assert queue.bodies() == ["a2"]
