"""The queue of the sender on SQS: each message asks for one try of one delivery."""

import json
from collections.abc import Iterable
from itertools import islice
from typing import Final

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.errors import Unavailable
from shared.webhooks.delivery import DeliveryJob

MAX_ENTRIES: Final = 10
"""SQS: of one SendMessageBatch."""
TRIES: Final = 2


class SqsDeliveryQueue:
    """The port DeliveryQueue."""

    def __init__(self, queue_url: str, client: BoundedClient | None = None) -> None:
        self._queue_url = queue_url
        self._client = client or BoundedClient("sqs")

    def send(self, jobs: Iterable[DeliveryJob], *, delay_seconds: int = 0) -> None:
        """Jobs of an endpoint are one group: SQS hands out fairly, so that a slow endpoint delays nobody else.

        Raises Unavailable when the queue did not take one of them, or nobody knows; to send it twice does no harm.
        """
        following = iter(jobs)
        while batch := list(islice(following, MAX_ENTRIES)):
            for _ in range(TRIES):
                batch = self._untaken(batch, delay_seconds)
                if not batch:
                    break
            if batch:
                raise Unavailable("the queue of deliveries did not take jobs", jobs=len(batch))

    def _untaken(self, batch: list[DeliveryJob], delay_seconds: int) -> list[DeliveryJob]:
        entries = [
            {
                "Id": str(index),
                "MessageBody": json.dumps(job.to_json(), separators=(",", ":")),
                "MessageGroupId": job.key.webhook_id,
                **({"DelaySeconds": delay_seconds} if delay_seconds else {}),
            }
            for index, job in enumerate(batch)
        ]
        try:
            answer = self._client.call("send_message_batch", None, QueueUrl=self._queue_url, Entries=entries)
        except ClientError as exc:
            raise Unavailable("the queue of deliveries refuses a call", code=exc.response["Error"]["Code"]) from exc
        return [batch[int(failed["Id"])] for failed in answer.get("Failed", ())]
