"""Short names for the calls that the checks make."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError


def eventually(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come about"
        time.sleep(0.05)
    return found


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    """The error code of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


@dataclass(frozen=True)
class Queue:
    client: Any
    url: str

    @classmethod
    def create(cls, client: Any, name: str | None = None, **attributes: str) -> "Queue":
        name = name or f"checks-{uuid.uuid4().hex[:8]}"
        return cls(client, client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    @classmethod
    def create_with_dead_letters(cls, client: Any, max_receives: int, **attributes: str) -> tuple["Queue", "Queue"]:
        """A queue, and the dead-letter queue for what was received so many times."""
        dead = cls.create(client)
        policy = f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": {max_receives}}}'
        return cls.create(client, RedrivePolicy=policy, **attributes), dead

    def attributes(self, *names: str) -> dict[str, str]:
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=list(names) or ["All"])
        return found.get("Attributes", {})

    @property
    def arn(self) -> str:
        return self.attributes("QueueArn")["QueueArn"]

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many can be received, are delayed, are received and not deleted."""
        found = self.attributes()
        suffixes = ("", "Delayed", "NotVisible")
        visible, delayed, away = (int(found[f"ApproximateNumberOfMessages{suffix}"]) for suffix in suffixes)
        return visible, delayed, away

    def set(self, **attributes: str) -> None:
        self.client.set_queue_attributes(QueueUrl=self.url, Attributes=attributes)

    def send(self, body: str = "body", **options: Any) -> str:
        return self.client.send_message(QueueUrl=self.url, MessageBody=body, **options)["MessageId"]

    def send_batch(self, *entries: dict[str, Any]) -> dict[str, Any]:
        return self.client.send_message_batch(QueueUrl=self.url, Entries=list(entries))

    def receive(self, count: int = 1, wait: int = 0, **options: Any) -> list[dict[str, Any]]:
        received = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            **options,
        )
        return received.get("Messages", [])

    def receive_one(self, **options: Any) -> dict[str, Any]:
        """Waits for the next message."""
        (message,) = self.receive(wait=20, **options)
        return message

    def bodies(self, count: int = 10, wait: int = 0) -> list[str]:
        return [message["Body"] for message in self.receive(count, wait)]

    def delete(self, message: dict[str, Any]) -> None:
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def change_visibility(self, message: dict[str, Any], seconds: int) -> None:
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )
