"""Jobs in batches that SQS takes."""

import base64
import random
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.storage.delivery_queue import MAX_BYTES, MAX_ENTRIES, SqsDeliveryQueue, from_body
from shared.webhooks.delivery import DeliveryJob, batches, first_try, make
from tests.webhook_world import BOT, WEBHOOK, an_event


class Sqs:
    """SendMessageBatch: `fails` are places of entries that the next calls do not take."""

    def __init__(self, *fails: list[int]) -> None:
        self.fails = list(fails)
        self.calls: list[list[dict[str, Any]]] = []

    def call(self, operation: str, deadline_ns: int | None, **parameters: Any) -> Any:
        assert (operation, parameters["QueueUrl"]) == ("send_message_batch", "q")
        self.calls.append(parameters["Entries"])
        failed = self.fails.pop(0) if self.fails else []
        return {"Failed": [{"Id": parameters["Entries"][place]["Id"]} for place in failed]}

    @property
    def bodies(self) -> list[list[str]]:
        return [[entry["MessageBody"] for entry in entries] for entries in self.calls]


def a_queue(sqs: Any) -> SqsDeliveryQueue:
    return SqsDeliveryQueue("q", sqs)


def jobs_of(count: int, size: int = 0) -> list[DeliveryJob]:
    noise = random.Random(1)
    events = [an_event(number, text=base64.b64encode(noise.randbytes(size)).decode()) for number in range(1, count + 1)]
    return [first_try(make(BOT, WEBHOOK, batch)) for event in events for batch in batches([event])]


def test_ten_jobs_are_one_call():
    sqs = Sqs()
    jobs = jobs_of(25)
    a_queue(sqs).send(jobs, delay_seconds=7)
    assert [len(call) for call in sqs.calls] == [MAX_ENTRIES, MAX_ENTRIES, 5]
    assert [from_body(body) for bodies in sqs.bodies for body in bodies] == jobs
    entries = [entry for call in sqs.calls for entry in call]
    assert {(entry["MessageGroupId"], entry["DelaySeconds"]) for entry in entries} == {(WEBHOOK, 7)}


@pytest.mark.parametrize("size", [60_000, 190_000])
def test_large_jobs_are_cut_into_calls_below_a_mebibyte(size):
    sqs = Sqs()
    jobs = jobs_of(12, size)
    a_queue(sqs).send(jobs)
    assert len(sqs.calls) > 1
    assert all(sum(map(len, bodies)) <= MAX_BYTES < 1024 * 1024 for bodies in sqs.bodies)
    assert [from_body(body) for bodies in sqs.bodies for body in bodies] == jobs


def test_what_was_not_taken_is_sent_once_more_alone():
    sqs = Sqs([1, 3])
    a_queue(sqs).send(jobs_of(5))
    first, second = sqs.bodies
    assert second == [first[1], first[3]]


def test_what_is_not_taken_twice_is_told():
    with pytest.raises(Unavailable, match="did not take jobs"):
        a_queue(Sqs([0], [0])).send(jobs_of(1))


def test_nothing_is_no_call():
    sqs = Sqs()
    a_queue(sqs).send([])
    assert sqs.calls == []
