"""What is received too often goes to the dead-letter queue, and can be moved back from it."""

from typing import Any

from tests.contract.sqs.calls import Queue, eventually, refusal


def give_up_on(queue: Queue, dead: Queue, *bodies: str) -> None:
    """Receives every message until it is a dead letter."""
    for body in bodies:
        queue.send(body)

    def all_dead() -> bool:
        queue.receive(10, VisibilityTimeout=0)
        return dead.counts[0] == len(bodies)

    eventually(all_dead)


def move(queue: Queue, **options: Any) -> Any:
    return queue.client.start_message_move_task(SourceArn=queue.arn, **options)


def tasks_of(queue: Queue) -> Any:
    return queue.client.list_message_move_tasks(SourceArn=queue.arn, MaxResults=10)["Results"]


def test_a_message_is_received_as_often_as_allowed_and_then_is_a_dead_letter(sqs: Any) -> None:
    queue, dead = Queue.create_with_dead_letters(sqs, 2, VisibilityTimeout="0")
    identifier = queue.send("poison")
    counts = [queue.receive_one()["Attributes"]["ApproximateReceiveCount"] for _ in range(2)]
    assert counts == ["1", "2"]
    assert queue.receive() == []
    letter = dead.receive_one()
    assert (letter["MessageId"], letter["Body"]) == (identifier, "poison")
    assert queue.counts == (0, 0, 0)


def test_a_queue_without_a_redrive_policy_gives_up_on_nothing(sqs: Any) -> None:
    queue, dead = Queue.create_with_dead_letters(sqs, 1, VisibilityTimeout="0")
    queue.set(RedrivePolicy="")
    queue.send()
    assert [queue.receive_one()["Attributes"]["ApproximateReceiveCount"] for _ in range(3)] == ["1", "2", "3"]
    assert dead.counts == (0, 0, 0)


def test_a_dead_letter_queue_knows_its_sources(sqs: Any) -> None:
    queue, dead = Queue.create_with_dead_letters(sqs, 1)
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead.url)["queueUrls"] == [queue.url]


def test_dead_letters_are_moved_back_as_new_messages(sqs: Any) -> None:
    queue, dead = Queue.create_with_dead_letters(sqs, 1, VisibilityTimeout="0")
    give_up_on(queue, dead, "a", "b")
    letters = {message["MessageId"] for message in dead.receive(10, VisibilityTimeout=0)}
    move(dead)
    eventually(lambda: tasks_of(dead)[0]["Status"] == "COMPLETED")
    task = tasks_of(dead)[0]
    assert task["ApproximateNumberOfMessagesMoved"] == task["ApproximateNumberOfMessagesToMove"] == 2
    assert "TaskHandle" not in task
    assert dead.counts == (0, 0, 0)
    queue.set(RedrivePolicy="", VisibilityTimeout="60")
    back = queue.receive(10)
    assert sorted(message["Body"] for message in back) == ["a", "b"]
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in back} == {"1"}
    assert letters.isdisjoint(message["MessageId"] for message in back)


def test_dead_letters_can_be_moved_elsewhere(sqs: Any) -> None:
    queue, dead = Queue.create_with_dead_letters(sqs, 1, VisibilityTimeout="0")
    elsewhere = Queue.create(sqs)
    give_up_on(queue, dead, "a")
    dead.send("sent here")
    move(dead, DestinationArn=elsewhere.arn)
    eventually(lambda: elsewhere.counts[0] == 2)
    assert queue.counts == (0, 0, 0)


def test_what_was_sent_to_the_dead_letter_queue_itself_has_no_way_back(sqs: Any) -> None:
    _, dead = Queue.create_with_dead_letters(sqs, 1)
    dead.send()
    move(dead)
    eventually(lambda: tasks_of(dead)[0]["Status"] == "FAILED")
    assert tasks_of(dead)[0]["FailureReason"] == "CouldNotDetermineMessageSource"
    assert dead.counts == (1, 0, 0)


def test_one_move_at_a_time_and_it_can_be_cancelled(sqs: Any) -> None:
    queue, dead = Queue.create_with_dead_letters(sqs, 1, VisibilityTimeout="0")
    give_up_on(queue, dead, *(str(number) for number in range(30)))
    handle = move(dead, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    assert "UnsupportedOperation" in refusal(move, queue=dead)
    assert tasks_of(dead)[0]["TaskHandle"] == handle
    sqs.cancel_message_move_task(TaskHandle=handle)
    assert tasks_of(dead)[0]["Status"] == "CANCELLED"
    assert dead.counts[0] > 0
    assert refusal(sqs.cancel_message_move_task, TaskHandle=handle) == "ResourceNotFoundException"


def test_only_dead_letter_queues_are_moved(queue: Queue, sqs: Any) -> None:
    assert refusal(move, queue=queue) == "InvalidParameterValue"
    _, dead = Queue.create_with_dead_letters(sqs, 1)
    assert refusal(move, queue=dead, MaxNumberOfMessagesPerSecond=501) == "InvalidParameterValue"
    assert refusal(move, queue=dead, DestinationArn=dead.arn) == "InvalidParameterValue"
    assert refusal(move, queue=dead, DestinationArn=dead.arn + "x") == "ResourceNotFoundException"
