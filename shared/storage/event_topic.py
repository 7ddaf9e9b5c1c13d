"""The topic `events` on SNS, and the queue of what it can never carry."""

from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.errors import Unavailable
from shared.storage.turn_stream import set_aside_text
from shared.webhooks.grouping import EventMessage, Published

JsonObject = dict[str, Any]

REFUSED_FOR_ITS_CONTENT: Final = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid"})


class SnsEventTopic:
    """The port EventTopic."""

    def __init__(self, topic_arn: str, client: BoundedClient | None = None) -> None:
        self._topic_arn = topic_arn
        self._client = client or BoundedClient("sns")

    def publish(self, messages: Sequence[EventMessage]) -> list[Published]:
        """One PublishBatch; an answer of 200 may still name entries that failed. Messages of a bot are one group, which
        SQS hands out fairly beside those of others."""
        entries = [
            {"Id": str(index), "Message": message.body(), "MessageGroupId": message.bot_id}
            for index, message in enumerate(messages)
        ]
        try:
            answer = self._client.call(
                "publish_batch", None, TopicArn=self._topic_arn, PublishBatchRequestEntries=entries
            )
        except ClientError as exc:
            raise Unavailable("the topic of events refuses a call", code=exc.response["Error"]["Code"]) from exc
        outcomes: list[Published] = ["published"] * len(messages)
        for failed in answer.get("Failed", ()):
            is_refused = bool(failed.get("SenderFault")) and failed.get("Code") in REFUSED_FOR_ITS_CONTENT
            outcomes[int(failed["Id"])] = "refused" if is_refused else "failed"
        return outcomes


class SqsSetAside:
    """The port SetAside: the queue that also gets what Lambda gives up."""

    def __init__(self, queue_url: str, client: BoundedClient | None = None) -> None:
        self._queue_url = queue_url
        self._client = client or BoundedClient("sqs")

    def __call__(self, row: JsonObject, reason: str) -> None:
        """Keep the key of a row of the turns table. Raises Unavailable."""
        try:
            self._client.call("send_message", None, QueueUrl=self._queue_url, MessageBody=set_aside_text(row, reason))
        except ClientError as exc:
            raise Unavailable("the queue of set-aside turns refuses one", code=exc.response["Error"]["Code"]) from exc
