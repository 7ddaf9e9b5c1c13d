"""The queue of the sender on SQS: each message asks for one try of one delivery.

The message of a new delivery carries its events: packed as its row will have them, in base64, because SQS refuses
characters that people type.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.errors import InvalidInput, Unavailable
from shared.storage.deliveries import FORMAT, pack, unpack
from shared.webhooks.delivery import DeliveryJob, DeliveryKey

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 1_000_000
"""SQS, of one SendMessageBatch: it takes ten messages, and 1 MiB. One message has at most a third of that."""
TRIES: Final = 2


def to_body(job: DeliveryJob) -> str:
    """A message of the queue: ASCII."""
    asks = {
        "botId": job.bot_id,
        "webhookId": job.key.webhook_id,
        "at": job.key.at_ms,
        "deliveryId": job.key.delivery_id,
        "round": job.round,
        "tried": job.tried,
    }
    carries = {"n": job.count, "f": FORMAT, "z": b64encode(pack(job.events)).decode()} if job.events else {}
    return json.dumps({**asks, **carries}, separators=(",", ":"))


def from_body(text: str) -> DeliveryJob:
    """Raises InvalidInput; Unavailable for events of a newer format."""
    try:
        data: Any = json.loads(text)
        key = DeliveryKey(webhook_id=str(data["webhookId"]), at_ms=int(data["at"]), delivery_id=str(data["deliveryId"]))
        return DeliveryJob(
            bot_id=str(data["botId"]),
            key=key,
            round=int(data["round"]),
            tried=int(data["tried"]),
            events=unpack(b64decode(data["z"], validate=True), int(data["f"])) if "z" in data else b"",
            count=int(data.get("n", 0)),
        )
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error) as exc:
        raise InvalidInput("a message of the deliveries queue cannot be read") from exc


class SqsDeliveryQueue:
    """The port DeliveryQueue."""

    def __init__(self, queue_url: str, client: BoundedClient | None = None) -> None:
        self._queue_url = queue_url
        self._client = client or BoundedClient("sqs")

    def send(self, jobs: Iterable[DeliveryJob], *, delay_seconds: int = 0) -> None:
        """Jobs of an endpoint are one group: SQS hands out fairly, so that a slow endpoint delays nobody else.

        Raises Unavailable when the queue did not take one of them, or nobody knows; to send it twice does no harm.
        """
        for batch in _batches(_entry(job, delay_seconds) for job in jobs):
            untaken = batch
            for _ in range(TRIES):
                untaken = self._untaken(untaken)
                if not untaken:
                    break
            if untaken:
                raise Unavailable("the queue of deliveries did not take jobs", jobs=len(untaken))

    def _untaken(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        entries = [{"Id": str(index), **entry} for index, entry in enumerate(batch)]
        try:
            answer = self._client.call("send_message_batch", None, QueueUrl=self._queue_url, Entries=entries)
        except ClientError as exc:
            raise Unavailable("the queue of deliveries refuses a call", code=exc.response["Error"]["Code"]) from exc
        return [batch[int(failed["Id"])] for failed in answer.get("Failed", ())]


def _entry(job: DeliveryJob, delay_seconds: int) -> dict[str, Any]:
    return {
        "MessageBody": to_body(job),
        "MessageGroupId": job.key.webhook_id,
        **({"DelaySeconds": delay_seconds} if delay_seconds else {}),
    }


def _batches(entries: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """What one call may take each."""
    taken: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        more = len(entry["MessageBody"])
        if taken and (len(taken) == MAX_ENTRIES or size + more > MAX_BYTES):
            yield taken
            taken, size = [], 0
        taken.append(entry)
        size += more
    if taken:
        yield taken
