"""What SQS refuses: sizes are bytes, a bad entry of a batch stops no other, attributes are in their ranges."""

from typing import Any

import pytest

from tests.contract.sqs.calls import Queue, refusal

MEBIBYTE = 1024 * 1024


def entry(identifier: str, body: str = "body", **options: Any) -> dict[str, Any]:
    return {"Id": identifier, "MessageBody": body, **options}


def test_a_message_is_at_most_a_mebibyte_of_bytes(queue: Queue) -> None:
    queue.send("x" * MEBIBYTE)
    assert refusal(queue.send, body="x" * (MEBIBYTE + 1)) == "InvalidParameterValue"
    assert refusal(queue.send, body="말" * (MEBIBYTE // 3 + 1)) == "InvalidParameterValue"


def test_attributes_count_with_the_message(queue: Queue) -> None:
    attributes = {"name": {"DataType": "String", "StringValue": "x"}}
    assert refusal(queue.send, body="x" * (MEBIBYTE - 10), MessageAttributes=attributes) == "InvalidParameterValue"


def test_a_queue_may_take_less(sqs: Any) -> None:
    queue = Queue.create(sqs, MaximumMessageSize="1024")
    queue.send("x" * 1024)
    assert refusal(queue.send, body="x" * 1025) == "InvalidParameterValue"


def test_an_empty_message_is_refused(queue: Queue) -> None:
    assert refusal(queue.send, body="") == "MissingParameter"


def test_control_characters_are_refused(queue: Queue) -> None:
    queue.send("tab\t line\n")
    assert refusal(queue.send, body="bell\x07") == "InvalidMessageContents"


def test_a_message_has_at_most_ten_attributes(queue: Queue) -> None:
    attributes = {f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(11)}
    assert refusal(queue.send, MessageAttributes=attributes) == "InvalidParameterValue"


def test_a_batch_sends_each_entry(queue: Queue) -> None:
    answer = queue.send_batch(entry("one", "first"), entry("two", "second"))
    assert [done["Id"] for done in answer["Successful"]] == ["one", "two"]
    assert queue.bodies() == ["first", "second"]


def test_a_bad_entry_of_a_batch_stops_no_other(queue: Queue) -> None:
    answer = queue.send_batch(entry("bad", "bell\x07"), entry("late", DelaySeconds=901), entry("good"))
    assert [done["Id"] for done in answer["Successful"]] == ["good"]
    failed = {failure["Id"]: (failure["Code"], failure["SenderFault"]) for failure in answer["Failed"]}
    assert failed == {"bad": ("InvalidMessageContents", True), "late": ("InvalidParameterValue", True)}


def test_a_batch_of_none_or_more_than_ten_or_of_equal_ids_is_refused(queue: Queue) -> None:
    send = queue.client.send_message_batch
    assert "EmptyBatchRequest" in refusal(send, QueueUrl=queue.url, Entries=[])
    eleven = [entry(str(number)) for number in range(11)]
    assert "TooManyEntriesInBatchRequest" in refusal(send, QueueUrl=queue.url, Entries=eleven)
    assert "BatchEntryIdsNotDistinct" in refusal(send, QueueUrl=queue.url, Entries=[entry("a"), entry("a")])
    assert "InvalidBatchEntryId" in refusal(send, QueueUrl=queue.url, Entries=[entry("a b")])
    assert queue.counts == (0, 0, 0)


def test_a_batch_is_at_most_a_mebibyte_together(queue: Queue) -> None:
    half = "x" * (MEBIBYTE // 2)
    entries = [entry("a", half), entry("b", half + "x")]
    code = refusal(queue.client.send_message_batch, QueueUrl=queue.url, Entries=entries)
    assert "BatchRequestTooLong" in code


def test_a_batch_of_deletes_tells_of_each(queue: Queue) -> None:
    queue.send()
    message = queue.receive_one()
    answer = queue.client.delete_message_batch(
        QueueUrl=queue.url,
        Entries=[
            {"Id": "good", "ReceiptHandle": message["ReceiptHandle"]},
            {"Id": "bad", "ReceiptHandle": "nonsense"},
        ],
    )
    assert [done["Id"] for done in answer["Successful"]] == ["good"]
    assert [(failure["Id"], failure["Code"]) for failure in answer["Failed"]] == [("bad", "ReceiptHandleIsInvalid")]


@pytest.mark.parametrize("count", [0, 11])
def test_one_to_ten_messages_are_received(queue: Queue, count: int) -> None:
    assert refusal(queue.receive, count=count) == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("VisibilityTimeout", "43201", "InvalidAttributeValue"),
        ("DelaySeconds", "901", "InvalidAttributeValue"),
        ("MessageRetentionPeriod", "59", "InvalidAttributeValue"),
        ("ReceiveMessageWaitTimeSeconds", "21", "InvalidAttributeValue"),
        ("MaximumMessageSize", "1023", "InvalidAttributeValue"),
        ("SqsManagedSseEnabled", "maybe", "InvalidAttributeValue"),
        ("VisibilityTimeOut", "30", "InvalidAttributeName"),
        ("RedrivePolicy", "{}", "InvalidParameterValue"),
        ("RedrivePolicy", '{"deadLetterTargetArn": "arn", "maxReceiveCount": 0}', "InvalidParameterValue"),
    ],
)
def test_an_attribute_out_of_its_range_is_refused(queue: Queue, name: str, value: str, code: str) -> None:
    before = queue.attributes()
    assert refusal(queue.set, **{name: value}) == code
    assert queue.attributes() == before


def test_setting_one_attribute_leaves_the_others(sqs: Any) -> None:
    queue, dead = Queue.create_with_dead_letters(sqs, 3, VisibilityTimeout="7")
    queue.set(Policy='{"Statement": [{"Effect": "Deny"}]}', RedriveAllowPolicy='{"redrivePermission": "denyAll"}')
    queue.set(DelaySeconds="2")
    found = queue.attributes()
    assert (found["VisibilityTimeout"], found["DelaySeconds"]) == ("7", "2")
    assert "Deny" in found["Policy"]
    assert "denyAll" in found["RedriveAllowPolicy"]
    assert dead.arn in found["RedrivePolicy"]
