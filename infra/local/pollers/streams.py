"""The poller of one table's stream: reads records in their order, hands them to the function in batches, and keeps how
far everything is done.

Where a batch fails it is tried again, from the first record that is not done, until the mapping's limits are reached:
then its destination is told, and the stream goes on. A function can see a record twice, as on AWS, and never one of a
key before another that was written earlier.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.functions import MAX_EVENT_BYTES, FunctionPool, Result
from infra.local.logs import Logs
from infra.local.pollers.answers import failed_items, one_line
from infra.local.pollers.calls import CallError, Calls
from infra.local.pollers.checkpoints import ENDED, FROM_THE_START, Checkpoints
from infra.local.pollers.clock import Clock
from infra.local.pollers.failures import RETRIES_EXHAUSTED, TOO_OLD, FailureDestinations, GivenUp
from infra.local.pollers.mappings import StreamMapping

WAIT_SECONDS: Final = 20.0
WAIT_HEADER: Final = "X-Malgil-Wait-Seconds"
"""The embedded AWS answers when there are records; another server at once."""
POLL_SECONDS: Final = 0.25
"""Between two empty answers of a server that does not wait: Lambda reads a shard four times a second."""
RETENTION_SECONDS: Final = 24 * 3600
MAX_RECORDS: Final = 1000
FIRST_PAUSE_SECONDS: Final = 0.1
MAX_PAUSE_SECONDS: Final = 10.0
SHARDS_SECONDS: Final = 60.0
"""How often is looked for new shards, which only servers other than the embedded one have."""

Value = TypeVar("Value")


class _StoppedError(Exception):
    """The poller is to end, and nothing is under way that would have to be finished first."""


@dataclass(frozen=True)
class _Read:
    """A record for the function. `through` is what is done when it is done: itself, and what is filtered out after."""

    record: dict[str, Any]
    size: int
    through: str

    @property
    def sequence_number(self) -> str:
        return str(self.record["dynamodb"]["SequenceNumber"])


@dataclass(frozen=True)
class _Batch:
    records: list[_Read]
    failures: int = 0
    """Attempts that count: not those after which it was split, nor those that were throttled."""
    invocations: int = 0
    last: Result | None = None


@dataclass(frozen=True)
class StreamWorkshop:
    """What the pollers of streams have in common."""

    calls: Calls
    checkpoints: Checkpoints
    destinations: FailureDestinations
    logs: Logs
    clock: Clock


class StreamPoller:
    """Runs one mapping from `start` to `stop` or `kill`."""

    def __init__(self, mapping: StreamMapping, pool: FunctionPool, workshop: StreamWorkshop) -> None:
        self.mapping = mapping
        self._pool = pool
        self._workshop = workshop
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def settle(self) -> None:
        """Notes where the stream ends now, for a mapping that starts there and has not begun to read."""
        if self.mapping.options.starts_at_latest and not self._workshop.checkpoints.knows(self.mapping):
            for shard in await self._shards():
                await self._skip_to_the_end(shard["ShardId"])

    def start(self, after: "StreamPoller | None" = None) -> None:
        """Begins when the poller before has finished: two at once would break the order."""
        self._running = asyncio.create_task(self._run(after))

    def stop(self) -> None:
        """Ends soon: what the function works on is finished, and nothing else is begun."""
        self._stopping.set()

    async def ended(self) -> None:
        if self._running is not None:
            await asyncio.wait({self._running})

    async def kill(self) -> None:
        """Interrupts everything: what is under way is worked on again after a restart."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    @property
    def is_running(self) -> bool:
        return self._running is not None and not self._running.done()

    def say(self, text: str) -> None:
        self._workshop.logs.write(self.mapping.function, f"stream of {self.mapping.table}: {text}")

    async def _run(self, after: "StreamPoller | None") -> None:
        if after is not None:
            await after.ended()
        readers: dict[str, asyncio.Task[None]] = {}
        try:
            await self._read_shards(readers)
        except _StoppedError:
            pass
        # Whatever it is, it must not end the local cloud, nor this in silence.
        except Exception as error:  # noqa: BLE001
            self.say(f"{error!r}: not read until the template changes or the local cloud is started again")
        finally:
            for reader in readers.values():
                reader.cancel()
            await asyncio.gather(*readers.values(), return_exceptions=True)

    async def _read_shards(self, readers: dict[str, asyncio.Task[None]]) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while not self._stopping.is_set():
                for shard in await self._patiently(self._shards_to_read):
                    if shard not in readers:
                        readers[shard] = asyncio.create_task(_ShardReader(self, shard).run())
                done, _ = await asyncio.wait(
                    {stopping, *readers.values()}, timeout=SHARDS_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for shard in [shard for shard, reader in readers.items() if reader in done]:
                    readers.pop(shard).result()
            await asyncio.gather(*readers.values())
        finally:
            stopping.cancel()

    async def _shards(self) -> list[dict[str, Any]]:
        shards: list[dict[str, Any]] = []
        arguments: dict[str, Any] = {"StreamArn": self.mapping.stream_arn}
        while True:
            answer = (await self._workshop.calls.call("DescribeStream", **arguments))["StreamDescription"]
            shards += answer["Shards"]
            if "LastEvaluatedShardId" not in answer:
                return shards
            arguments["ExclusiveStartShardId"] = answer["LastEvaluatedShardId"]

    async def _shards_to_read(self) -> list[str]:
        """A shard is read when the one that it follows has ended, or is gone."""
        await self.settle()
        shards = await self._shards()
        unfinished = {shard["ShardId"] for shard in shards if self.position(shard["ShardId"]) != ENDED}
        return [
            shard["ShardId"]
            for shard in shards
            if shard["ShardId"] in unfinished and shard.get("ParentShardId") not in unfinished
        ]

    async def _skip_to_the_end(self, shard: str) -> None:
        iterator: str | None = await self.iterator(shard, FROM_THE_START)
        position = FROM_THE_START
        while iterator:
            page = await self._workshop.calls.call("GetRecords", ShardIterator=iterator)
            if not page["Records"]:
                break
            position = page["Records"][-1]["dynamodb"]["SequenceNumber"]
            iterator = page.get("NextShardIterator")
        self.done(shard, position if iterator else ENDED)

    async def iterator(self, shard: str, position: str) -> str:
        arguments: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if position:
            arguments = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": position}
        found = await self._workshop.calls.call(
            "GetShardIterator", StreamArn=self.mapping.stream_arn, ShardId=shard, **arguments
        )
        return str(found["ShardIterator"])

    async def page(self, iterator: str, seconds: float) -> dict[str, Any]:
        return await self._workshop.calls.call(
            "GetRecords", headers={WAIT_HEADER: f"{seconds:.3f}"}, ShardIterator=iterator, Limit=MAX_RECORDS
        )

    def position(self, shard: str) -> str:
        return self._workshop.checkpoints.of(self.mapping, shard) or FROM_THE_START

    def done(self, shard: str, position: str) -> None:
        self._workshop.checkpoints.set(self.mapping, shard, position)

    def now(self) -> float:
        return self._workshop.clock.now()

    async def invoke(self, batch: _Batch) -> Result:
        if self._stopping.is_set():
            raise _StoppedError
        return await self._pool.invoke({"Records": [read.record for read in batch.records]}, patience=None)

    async def tell(self, given_up: GivenUp) -> None:
        await self._workshop.destinations.tell(given_up)

    async def unless_stopped(self, work: Awaitable[Value]) -> Value:
        """The result of a wait that a stop may cut short."""
        waiting, stopping = asyncio.ensure_future(work), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise _StoppedError
            return waiting.result()
        finally:
            stopping.cancel()
            if not waiting.done():
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)

    async def pause(self, seconds: float) -> None:
        await self.unless_stopped(asyncio.sleep(seconds))

    async def _patiently(self, work: Any) -> Any:
        """Tries again what a server that cannot be reached, or refuses, keeps from being done."""
        seconds = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self.unless_stopped(work())
            except (CallError, aiohttp.ClientError, OSError) as error:
                self.say(f"cannot be read, tried again in {seconds:g} s: {error}")
                await self.pause(seconds)
                seconds = min(2 * seconds, MAX_PAUSE_SECONDS)


class _ShardReader:
    """One shard, from the checkpoint to its end."""

    def __init__(self, poller: StreamPoller, shard: str) -> None:
        self._poller = poller
        self._shard = shard
        self._options = poller.mapping.options
        self._iterator: str | None = None
        self._has_ended = False
        self._read_through = poller.position(shard)
        self._waiting: deque[_Read] = deque()
        """Read, and not yet handed to the function."""

    async def run(self) -> None:
        try:
            while batch := await self._next_batch():
                await self._work_on(batch)
        except _StoppedError:
            return
        self._poller.done(self._shard, ENDED)

    async def _next_batch(self) -> _Batch | None:
        """None when the shard has ended, and everything of it is done."""
        while not self._waiting:
            if self._has_ended:
                return None
            await self._read(WAIT_SECONDS)
        deadline = time.monotonic() + self._options.window_seconds
        while not self._is_full() and not self._has_ended and (left := deadline - time.monotonic()) > 0:
            await self._read(min(left, WAIT_SECONDS))
        records: list[_Read] = []
        size = 0
        while self._waiting and len(records) < self._options.batch_size:
            size += self._waiting[0].size
            if records and size > MAX_EVENT_BYTES:
                break
            records.append(self._waiting.popleft())
        return _Batch(records)

    def _is_full(self) -> bool:
        if len(self._waiting) >= self._options.batch_size:
            return True
        return sum(read.size for read in self._waiting) > MAX_EVENT_BYTES

    async def _read(self, seconds: float) -> None:
        """One page, or nothing after so many seconds."""
        asked_at = time.monotonic()
        page = await self._page(seconds)
        self._take(page)
        unspent = min(seconds, POLL_SECONDS) - (time.monotonic() - asked_at)
        if not page["Records"] and not self._has_ended and unspent > 0:
            await self._poller.pause(unspent)

    async def _page(self, seconds: float) -> dict[str, Any]:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if self._iterator is None:
                    self._iterator = await self._poller.unless_stopped(
                        self._poller.iterator(self._shard, self._read_through)
                    )
                return await self._poller.unless_stopped(self._poller.page(self._iterator, seconds))
            except (CallError, aiohttp.ClientError, OSError) as error:
                self._iterator = None
                code = getattr(error, "code", "")
                if code == "TrimmedDataAccessException":
                    # 24 hours have passed since that record: what there is begins after it.
                    self._read_through = FROM_THE_START
                elif code != "ExpiredIteratorException":
                    self._poller.say(f"cannot be read, tried again in {pause:g} s: {error}")
                    await self._poller.pause(pause)
                    pause = min(2 * pause, MAX_PAUSE_SECONDS)

    def _take(self, page: dict[str, Any]) -> None:
        for raw in page["Records"]:
            record = stream_record(raw, self._poller.mapping.stream_arn)
            self._read_through = record["dynamodb"]["SequenceNumber"]
            if self._options.filters.match_stream(record):
                self._waiting.append(_Read(record, len(json.dumps(record)), self._read_through))
            elif self._waiting:
                self._waiting.append(replace(self._waiting.pop(), through=self._read_through))
        if page["Records"] and not self._waiting:
            self._poller.done(self._shard, self._read_through)
        self._iterator = page.get("NextShardIterator")
        self._has_ended = self._iterator is None

    async def _work_on(self, batch: _Batch) -> None:
        """Returns when every record is done, or given up on."""
        parts = [batch]
        while parts:
            part = await self._without_old_records(parts.pop())
            if not part.records:
                continue
            result = await self._poller.invoke(part)
            if result.throttled:
                self._poller.say(f"{one_line(result.payload)}: tried again")
                parts.append(part)
                await self._poller.pause(1)
                continue
            part = replace(part, invocations=part.invocations + 1, last=result)
            if result.failed and self._options.bisects and len(part.records) > 1:
                half = len(part.records) // 2
                self._poller.say(f"{one_line(result.payload)}: {len(part.records)} records, tried again in halves")
                parts += [replace(part, records=part.records[half:]), replace(part, records=part.records[:half])]
                continue
            rest = self._not_done(part)
            if rest is None:
                continue
            if self._options.max_retries is not None and rest.failures > self._options.max_retries:
                await self._give_up(rest, RETRIES_EXHAUSTED)
                continue
            parts.append(rest)
            await self._poller.pause(min(FIRST_PAUSE_SECONDS * 2 ** min(rest.failures - 1, 16), MAX_PAUSE_SECONDS))

    def _not_done(self, part: _Batch) -> _Batch | None:
        """What an answer leaves to be done; the checkpoint is moved past the rest."""
        assert part.last is not None  # noqa: S101 - it has just been invoked
        again = f"{len(part.records)} record(s) are tried again"
        if part.last.failed:
            self._poller.say(f"{one_line(part.last.payload)}: {again}")
            return replace(part, failures=part.failures + 1)
        failed: set[str] | None = set()
        if self._options.reports_failures:
            failed = failed_items(part.last.payload, [read.sequence_number for read in part.records])
        if failed is None:
            self._poller.say(f"answered with batchItemFailures that are none of this batch's: {again}")
            return replace(part, failures=part.failures + 1)
        if not failed:
            self._done(part.records[-1])
            return None
        first = next(number for number, read in enumerate(part.records) if read.sequence_number in failed)
        if not first:
            self._poller.say(f"the first of {len(part.records)} record(s) failed: {again}")
            return replace(part, failures=part.failures + 1)
        self._done(part.records[first - 1])
        rest = part.records[first:]
        self._poller.say(f"record {first + 1} of {len(part.records)} failed: it and what follows are tried again")
        # What comes first now has failed once.
        return replace(part, records=rest, failures=1, invocations=1)

    async def _without_old_records(self, part: _Batch) -> _Batch:
        limit = min(self._options.max_age_seconds or RETENTION_SECONDS, RETENTION_SECONDS)
        oldest = self._poller.now() - limit
        old = 0
        while old < len(part.records) and part.records[old].record["dynamodb"]["ApproximateCreationDateTime"] < oldest:
            old += 1
        if old:
            await self._give_up(replace(part, records=part.records[:old]), TOO_OLD)
        return replace(part, records=part.records[old:])

    async def _give_up(self, part: _Batch, condition: str) -> None:
        mapping = self._poller.mapping
        records = [read.record for read in part.records]
        given_up = GivenUp(mapping, self._shard, records, condition, part.invocations, part.last, self._poller.now())
        where = f"{mapping.options.on_failure} is told" if mapping.options.on_failure else "nobody is told"
        self._poller.say(f"{condition}: {len(records)} record(s) are given up on, {where}")
        seconds = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._poller.tell(given_up)
                break
            except (BotoCoreError, ClientError) as error:
                self._poller.say(f"cannot be told, tried again in {seconds:g} s: {error}")
                await self._poller.pause(seconds)
                seconds = min(2 * seconds, MAX_PAUSE_SECONDS)
        self._done(part.records[-1])

    def _done(self, read: _Read) -> None:
        self._poller.done(self._shard, read.through)


def stream_record(raw: dict[str, Any], stream_arn: str) -> dict[str, Any]:
    """A record as Lambda puts it into the event of a function; `raw` is the JSON of GetRecords, bytes in base64."""
    record = {
        "eventID": raw["eventID"],
        "eventName": raw["eventName"],
        "eventVersion": raw["eventVersion"],
        "eventSource": raw["eventSource"],
        "awsRegion": raw["awsRegion"],
        "dynamodb": dict(raw["dynamodb"]),
        "eventSourceARN": stream_arn,
    }
    identity = raw.get("userIdentity")
    if identity:
        # Streams spell these two in capitals, Lambda does not.
        record["userIdentity"] = {"type": identity["Type"], "principalId": identity["PrincipalId"]}
    return record
