"""The poller of one queue: waits for messages, hands them to the function, deletes those that it is done with.

What is not deleted comes back when its visibility time-out ends, whatever was the reason: an error, a time-out, a
killed environment, a stopped local cloud. So a function can see a message twice, as on AWS.
"""

import asyncio
import json
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import aiohttp

from infra.local.functions import MAX_EVENT_BYTES, FunctionPool
from infra.local.logs import Logs
from infra.local.pollers.answers import failed_items, one_line
from infra.local.pollers.calls import CallError, Calls
from infra.local.pollers.mappings import QueueMapping

WAIT_SECONDS: Final = 20
"""The longest that SQS lets a consumer wait: an idle queue costs three requests a minute."""
MAX_RECEIVED: Final = 10
"""ReceiveMessage and DeleteMessageBatch: messages at a time."""
FIRST_PAUSE_SECONDS: Final = 0.5
MAX_PAUSE_SECONDS: Final = 10.0
"""Between attempts to reach a queue that cannot be reached."""


class QueuePoller:
    """Runs one mapping from `start` to `stop`. Batches that a function works on are put into `batches` meanwhile."""

    def __init__(
        self,
        mapping: QueueMapping,
        pool: FunctionPool,
        calls: Calls,
        logs: Logs,
        batches: "set[asyncio.Task[None]]",
    ) -> None:
        self._mapping = mapping
        self._pool = pool
        self._calls = calls
        self._logs = logs
        self._batches = batches
        wanted = mapping.options.max_concurrency or pool.max_workers
        # A batch beyond the environments would only wait for one while its visibility time-out runs.
        self._slots = asyncio.Semaphore(min(wanted, pool.max_workers))
        self._polling: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._polling = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """No more messages are received. Batches go on: they are the caller's to wait for or to cancel."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
            # The connection is closed in the loop's next round: from then on the queue gives it nothing.
            await asyncio.sleep(0)

    def _say(self, text: str) -> None:
        queue = self._mapping.queue_arn.rpartition(":")[2]
        self._logs.write(self._mapping.function, f"queue {queue}: {text}")

    async def _poll(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            # First a slot, then messages: nothing is received that nobody can work on yet.
            await self._slots.acquire()
            try:
                messages = await self._receive_batch()
            except (CallError, aiohttp.ClientError, OSError) as error:
                self._slots.release()
                self._say(f"cannot be read, tried again in {pause:g} s: {error}")
                await asyncio.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE_SECONDS)
                continue
            pause = FIRST_PAUSE_SECONDS
            if not messages:
                self._slots.release()
                continue
            batch = asyncio.create_task(self._work_on(messages))
            self._batches.add(batch)
            batch.add_done_callback(self._batch_ended)

    def _batch_ended(self, batch: "asyncio.Task[None]") -> None:
        self._batches.discard(batch)
        self._slots.release()
        if not batch.cancelled() and batch.exception() is not None:
            self._say(f"{batch.exception()!r}: what was received comes back after its visibility time-out")

    async def _receive_batch(self) -> list[dict[str, Any]]:
        options = self._mapping.options
        messages = await self._receive(WAIT_SECONDS, options.batch_size)
        deadline = time.monotonic() + options.window_seconds
        while messages and len(messages) < options.batch_size and (left := deadline - time.monotonic()) > 0:
            # Waits are whole seconds: a window may end up to a second late.
            messages += await self._receive(min(math.ceil(left), WAIT_SECONDS), options.batch_size - len(messages))
        return messages

    async def _receive(self, seconds: int, count: int) -> list[dict[str, Any]]:
        answer = await self._calls.call(
            "ReceiveMessage",
            QueueUrl=self._mapping.queue_url,
            MaxNumberOfMessages=min(count, MAX_RECEIVED),
            WaitTimeSeconds=seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages") or []
        return messages

    async def _work_on(self, messages: list[dict[str, Any]]) -> None:
        records = [sqs_record(message, self._mapping.queue_arn) for message in messages]
        wanted = [record for record in records if self._mapping.options.filters.match(record)]
        await self._delete([record for record in records if record not in wanted])
        for batch in _small_enough(wanted):
            await self._delete(await self._invoke(batch))

    async def _invoke(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The records that the function is done with."""
        result = await self._pool.invoke({"Records": records}, patience=None)
        coming_back = f"{len(records)} message(s) come back after the visibility time-out"
        if result.failed:
            self._say(f"{one_line(result.payload)}: {coming_back}")
            return []
        if not self._mapping.options.reports_failures:
            return records
        failed = failed_items(result.payload, [record["messageId"] for record in records])
        if failed is None:
            self._say(f"answered with batchItemFailures that are none of this batch's: {coming_back}")
            return []
        if failed:
            self._say(
                f"{len(failed)} of {len(records)} message(s) handed back: they come again after the visibility time-out"
            )
        return [record for record in records if record["messageId"] not in failed]

    async def _delete(self, records: list[dict[str, Any]]) -> None:
        for start in range(0, len(records), MAX_RECEIVED):
            entries = [
                {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
                for number, record in enumerate(records[start : start + MAX_RECEIVED])
            ]
            answer = await self._calls.call("DeleteMessageBatch", QueueUrl=self._mapping.queue_url, Entries=entries)
            for failure in answer.get("Failed") or ():
                self._say(f"a message that was worked on cannot be deleted and comes back: {failure.get('Code')}")


def sqs_record(message: Mapping[str, Any], queue_arn: str) -> dict[str, Any]:
    """A message as Lambda puts it into the event of a function."""
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {
            name: _message_attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _message_attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    attribute = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    for name in ("StringValue", "BinaryValue"):
        # Over JSON both are text: bytes come as base64, and so does Lambda hand them on.
        if value.get(name) is not None:
            attribute[name[0].lower() + name[1:]] = value[name]
    return attribute


def _small_enough(records: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Batches that fit into an event."""
    batch: list[dict[str, Any]] = []
    size = 0
    for record in records:
        # The longest way to write a message is as the gateway hands it to an environment.
        length = len(json.dumps(record))
        if batch and size + length > MAX_EVENT_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield batch
