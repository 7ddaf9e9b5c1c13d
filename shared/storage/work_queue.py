"""The worker's queue on SQS: each message names a log to look at."""

import json

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.errors import Unavailable


class SqsWorkQueue:
    """The port WorkQueue."""

    def __init__(self, queue_url: str, client: BoundedClient | None = None) -> None:
        self._queue_url = queue_url
        self._client = client or BoundedClient("sqs")

    def send(
        self, bot_id: str, platform: str, user_key: str, *, delay_seconds: int, deadline_ns: int | None = None
    ) -> None:
        """Raises Unavailable when the queue did not take it, or nobody knows."""
        try:
            self._client.call(
                "send_message",
                deadline_ns,
                QueueUrl=self._queue_url,
                MessageBody=json.dumps({"botId": bot_id, "platform": platform, "userKey": user_key}),
                DelaySeconds=delay_seconds,
            )
        except ClientError as exc:
            raise Unavailable("the worker's queue refused a job", code=exc.response["Error"]["Code"]) from exc
