"""The topic `events` on SNS, and the queue of what it can never carry."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote_plus

from botocore.exceptions import ClientError

from shared.aws import BoundedClient, session
from shared.errors import Unavailable
from shared.storage.turn_stream import set_aside_text
from shared.webhooks.grouping import EventMessage, Published

JsonObject = dict[str, Any]

LONG_VALUE: Final = 128
"""Characters; the messages, not their ids and groups."""
REFUSED_FOR_ITS_CONTENT: Final = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid"})


def _write_form(**call: Any) -> None:
    """Write the call's form in the SDK's place: SNS takes forms, and percent-encoding letter by letter in Python costs
    more than all the rest of the relay. Of a long value every byte is encoded: SNS reads the same, and C does it."""
    params = call["params"]
    form = params["body"]
    if isinstance(form, dict):
        params["body"] = b"&".join([f"{quote_plus(name)}=".encode() + _form_value(str(form[name])) for name in form])


def _form_value(value: str) -> bytes:
    if len(value) < LONG_VALUE:
        return quote_plus(value).encode()
    return b"%" + value.encode().hex("%").encode()


class SnsEventTopic:
    """The port EventTopic."""

    def __init__(self, topic_arn: str, client: BoundedClient | None = None) -> None:
        self._topic_arn = topic_arn
        self._client = client or BoundedClient("sns")
        session().register("before-call.sns.PublishBatch", _write_form)

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
