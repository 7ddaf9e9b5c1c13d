"""The poller of a stream against a stream and a function that do as they are told: what is called with what, what the
checkpoint is, what is given up on."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.functions import MAX_EVENT_BYTES, Result
from infra.local.logs import Logs
from infra.local.pollers.calls import CallError
from infra.local.pollers.checkpoints import ENDED, Checkpoints
from infra.local.pollers.failures import GivenUp
from infra.local.pollers.mappings import StreamMapping, StreamOptions
from infra.local.pollers.streams import StreamPoller, StreamWorkshop

NOW = 1_800_000_000
ARN = "arn:aws:dynamodb:ap-northeast-2:123456789012:table/T/stream/label"
QUEUE = "arn:aws:sqs:ap-northeast-2:123456789012:lost"
ERROR = Result({"errorType": "ValueError", "errorMessage": "as told", "requestId": "r"}, failed=True)
THROTTLED = Result(
    {"errorType": "TooManyRequestsException", "errorMessage": "Rate Exceeded."}, failed=True, throttled=True
)


def failed(*numbers: int) -> Result:
    return Result({"batchItemFailures": [{"itemIdentifier": str(number)} for number in numbers]})


class Stream:
    """Shards with records numbered from 1; `faults` are raised first, one a call."""

    def __init__(self, *records: int, age: int = 0, **properties: Any) -> None:
        self.shards: dict[str, dict[str, Any]] = {}
        self.faults: list[tuple[str, CallError]] = []
        self.waits: list[float] = []
        self.add_shard("one", *records, age=age, **properties)

    def add_shard(
        self, name: str, *records: int, parent: str = "", ended: bool = False, age: int = 0, padding: int = 0
    ) -> None:
        made = [
            {
                "eventID": f"e{number}",
                "eventName": "INSERT",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "ap-northeast-2",
                "dynamodb": {
                    "SequenceNumber": str(number),
                    "ApproximateCreationDateTime": NOW - age,
                    "Keys": {"pk": {"S": "x" * padding + str(number)}},
                },
            }
            for number in records
        ]
        self.shards[name] = {"records": made, "parent": parent, "ended": ended}

    async def call(self, action: str, headers: dict[str, str] | None = None, **arguments: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self.faults and self.faults[0][0] == action:
            raise self.faults.pop(0)[1]
        if action == "DescribeStream":
            shards = [
                {"ShardId": name, **({"ParentShardId": shard["parent"]} if shard["parent"] else {})}
                for name, shard in self.shards.items()
            ]
            return {"StreamDescription": {"Shards": shards}}
        if action == "GetShardIterator":
            return {"ShardIterator": f"{arguments['ShardId']} {arguments.get('SequenceNumber', 0)}"}
        name, after = arguments["ShardIterator"].split()
        if headers:
            self.waits.append(float(headers["X-Malgil-Wait-Seconds"]))
        shard = self.shards[name]
        found = [record for record in shard["records"] if int(record["dynamodb"]["SequenceNumber"]) > int(after)]
        last = found[-1]["dynamodb"]["SequenceNumber"] if found else after
        answer: dict[str, Any] = {"Records": found}
        if not shard["ended"]:
            answer["NextShardIterator"] = f"{name} {last}"
        return answer


class Pool:
    """Answers as `answer` says, given the numbers of a batch."""

    def __init__(self, answer: Callable[[list[int]], Result]) -> None:
        self.batches: list[list[int]] = []
        self.sizes: list[int] = []
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._answer = answer

    async def invoke(self, event: Any, *, patience: float | None) -> Result:
        assert patience is None
        self.begun.set()
        await self.may_end.wait()
        self.batches.append([int(record["dynamodb"]["SequenceNumber"]) for record in event["Records"]])
        self.sizes.append(len(json.dumps(event)))
        return self._answer(self.batches[-1])


class Destinations:
    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.faults: list[ClientError] = []

    async def tell(self, given_up: GivenUp) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.told.append(given_up.description())

    @property
    def numbers(self) -> list[tuple[str, str, str]]:
        return [
            (
                told["requestContext"]["condition"],
                told["DDBStreamBatchInfo"]["startSequenceNumber"],
                told["DDBStreamBatchInfo"]["endSequenceNumber"],
            )
            for told in self.told
        ]


class Now:
    def now(self) -> float:
        return NOW

    async def sleep_until(self, when: float) -> None:
        raise AssertionError(f"nothing sleeps until {when}")


class Run:
    """A poller at work on a stream until a checkpoint is reached."""

    def __init__(self, folder: Path, stream: Stream, answer: Callable[[list[int]], Result], **options: Any) -> None:
        properties = {"StartingPosition": "TRIM_HORIZON", **options}
        self.stream = stream
        self.mapping = StreamMapping("Map", "F", "arn:function", ARN, StreamOptions.parse(properties))
        self.pool = Pool(answer)
        self.destinations = Destinations()
        self.checkpoints = Checkpoints(folder / "checkpoints.json")
        self.folder = folder
        workshop: Any = StreamWorkshop(stream, self.checkpoints, self.destinations, Logs(folder, None), Now())  # type: ignore[arg-type]
        self.poller = StreamPoller(self.mapping, self.pool, workshop)  # type: ignore[arg-type]

    async def until(self, position: str, shard: str = "one") -> "Run":
        await self.poller.settle()
        self.poller.start()
        try:
            await self.reaches(position, shard)
        finally:
            await self.poller.kill()
        return self

    async def reaches(self, position: str, shard: str = "one") -> None:
        async with asyncio.timeout(30):
            while self.checkpoints.of(self.mapping, shard) != position:
                assert self.poller.is_running, self.log()
                await asyncio.sleep(0.005)

    def log(self) -> str:
        path = self.folder / "F.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def run(folder: Path, stream: Stream, answer: Callable[[list[int]], Result], until: str, **options: Any) -> Run:
    async def work() -> Run:
        return await Run(folder, stream, answer, **options).until(until)

    return asyncio.run(work())


def poison(*numbers: int) -> Callable[[list[int]], Result]:
    return lambda batch: ERROR if set(batch) & set(numbers) else Result(None)


def one_after_another(*answers: Result) -> Callable[[list[int]], Result]:
    left = list(answers)
    return lambda _: left.pop(0) if left else Result(None)


REPORTS = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def test_bisecting_finds_the_poison_record_and_does_not_count_as_a_retry(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        Stream(*range(1, 11)),
        poison(3),
        until="10",
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": QUEUE}},
    )
    assert done.pool.batches == [
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        [1, 2, 3, 4, 5],
        [1, 2],
        [3, 4, 5],
        [3],
        [3],
        [4, 5],
        [6, 7, 8, 9, 10],
    ]
    assert done.destinations.numbers == [("RetryAttemptsExhausted", "3", "3")]


def test_without_bisecting_the_whole_batch_is_given_up_on(tmp_path: Path) -> None:
    done = run(tmp_path, Stream(1, 2, 3), poison(2), until="3", MaximumRetryAttempts=2)
    assert done.pool.batches == [[1, 2, 3]] * 3
    assert done.destinations.numbers == [("RetryAttemptsExhausted", "1", "3")]
    assert done.destinations.told[0]["requestContext"]["approximateInvokeCount"] == 3


def test_without_a_limit_it_is_tried_again_for_ever(tmp_path: Path) -> None:
    done = run(tmp_path, Stream(1), one_after_another(*[ERROR] * 4), until="1", MaximumRetryAttempts=-1)
    assert done.pool.batches == [[1]] * 5
    assert done.destinations.told == []


def test_a_partial_failure_moves_the_checkpoint_and_does_not_bisect(tmp_path: Path) -> None:
    answers = one_after_another(failed(5, 3), failed(3))
    done = run(tmp_path, Stream(*range(1, 7)), answers, until="6", BisectBatchOnFunctionError=True, **REPORTS)
    assert done.pool.batches == [[1, 2, 3, 4, 5, 6], [3, 4, 5, 6], [3, 4, 5, 6]]


def test_what_a_partial_failure_leaves_is_given_up_on_after_its_retries(tmp_path: Path) -> None:
    done = run(
        tmp_path, Stream(1, 2, 3, 4), one_after_another(*[failed(3)] * 3), until="4", MaximumRetryAttempts=1, **REPORTS
    )
    assert done.pool.batches == [[1, 2, 3, 4], [3, 4]]
    assert done.destinations.numbers == [("RetryAttemptsExhausted", "3", "4")]
    assert done.destinations.told[0]["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_a_report_that_is_not_valid_neither_bisects_nor_moves(tmp_path: Path) -> None:
    answers = one_after_another(failed(99), Result({"batchItemFailures": [{"itemIdentifier": ""}]}), Result("x"))
    done = run(tmp_path, Stream(1, 2), answers, until="2", BisectBatchOnFunctionError=True, **REPORTS)
    assert done.pool.batches == [[1, 2]] * 4


def test_the_checkpoint_lies_at_the_lowest_failed_number(tmp_path: Path) -> None:
    async def work() -> None:
        going = Run(tmp_path, Stream(1, 2, 3), one_after_another(*[failed(2)] * 1000), **REPORTS)
        await going.until("1")
        assert Checkpoints(tmp_path / "checkpoints.json").of(going.mapping, "one") == "1"

    asyncio.run(work())


def test_a_mapping_without_reports_ignores_them(tmp_path: Path) -> None:
    assert run(tmp_path, Stream(1, 2), lambda _: failed(1), until="2").pool.batches == [[1, 2]]


def test_throttling_counts_for_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, Stream(1), one_after_another(THROTTLED), until="1", MaximumRetryAttempts=0)
    assert done.pool.batches == [[1], [1]]
    assert done.destinations.told == []


def test_records_that_are_too_old_are_given_up_on_unseen(tmp_path: Path) -> None:
    stream = Stream(1, 2, age=61)
    stream.shards["one"]["records"] += Stream(3).shards["one"]["records"]
    done = run(tmp_path, stream, lambda _: Result(None), until="3", MaximumRecordAgeInSeconds=60)
    assert done.pool.batches == [[3]]
    assert done.destinations.numbers == [("RecordAgeExceeded", "1", "2")]
    assert done.destinations.told[0]["responseContext"] is None
    assert done.destinations.told[0]["requestContext"]["approximateInvokeCount"] == 0


def test_a_destination_that_cannot_be_told_is_told_later(tmp_path: Path) -> None:
    async def work() -> Run:
        going = Run(tmp_path, Stream(1, 2), poison(1), MaximumRetryAttempts=0, BatchSize=1)
        going.destinations.faults.append(ClientError({"Error": {"Code": "QueueDoesNotExist"}}, "GetQueueUrl"))
        return await going.until("2")

    done = asyncio.run(work())
    assert done.destinations.numbers == [("RetryAttemptsExhausted", "1", "1")]
    assert done.pool.batches == [[1], [2]]
    assert "cannot be told, tried again" in done.log()


@pytest.mark.parametrize("code", ["ExpiredIteratorException", "TrimmedDataAccessException"])
def test_an_iterator_that_is_good_no_longer_is_got_anew(tmp_path: Path, code: str) -> None:
    stream = Stream(1, 2)
    stream.faults.append(("GetRecords", CallError("no", code)))
    assert run(tmp_path, stream, lambda _: Result(None), until="2").pool.batches == [[1, 2]]


def test_a_stream_that_cannot_be_read_is_tried_again_with_one_line(tmp_path: Path) -> None:
    stream = Stream(1)
    stream.faults += [("DescribeStream", CallError("down")), ("GetShardIterator", CallError("down too"))]
    done = run(tmp_path, stream, lambda _: Result(None), until="1")
    assert [line.partition(":")[0] for line in done.log().splitlines()] == ["stream of T"] * 2


def test_a_shard_is_read_after_the_one_that_it_follows(tmp_path: Path) -> None:
    async def work() -> Run:
        stream = Stream(1, 2, ended=True)
        stream.add_shard("two", 3, 4, parent="one")
        return await Run(tmp_path, stream, one_after_another(ERROR)).until("4", "two")

    done = asyncio.run(work())
    assert done.pool.batches == [[1, 2], [1, 2], [3, 4]]
    assert done.checkpoints.of(done.mapping, "one") == ENDED


def test_large_records_come_in_events_that_they_fit_into(tmp_path: Path) -> None:
    done = run(tmp_path, Stream(*range(1, 9), padding=1_000_000), lambda _: Result(None), until="8")
    assert [number for batch in done.pool.batches for number in batch] == list(range(1, 9))
    assert max(done.pool.sizes) <= MAX_EVENT_BYTES + 100
    assert len(done.pool.batches) == 2


def test_a_start_at_the_end_reads_nothing_that_was_there(tmp_path: Path) -> None:
    async def work() -> Run:
        going = Run(tmp_path, Stream(1, 2), lambda _: Result(None), StartingPosition="LATEST")
        await going.poller.settle()
        going.stream.shards["one"]["records"] += Stream(3).shards["one"]["records"]
        return await going.until("3")

    assert asyncio.run(work()).pool.batches == [[3]]


def test_a_stop_finishes_what_the_function_works_on_and_begins_nothing_else(tmp_path: Path) -> None:
    async def work() -> Run:
        going = Run(tmp_path, Stream(1, 2), lambda _: Result(None), BatchSize=1)
        going.pool.may_end.clear()
        going.poller.start()
        await going.pool.begun.wait()
        going.poller.stop()
        going.pool.may_end.set()
        await going.poller.ended()
        return going

    done = asyncio.run(work())
    assert done.pool.batches == [[1]]
    assert done.checkpoints.of(done.mapping, "one") == "1"


def test_a_poller_waits_for_the_one_before_it(tmp_path: Path) -> None:
    async def work() -> tuple[Run, Run]:
        stream = Stream(1, 2)
        before = Run(tmp_path, stream, lambda _: Result(None), BatchSize=1)
        before.pool.may_end.clear()
        before.poller.start()
        await before.pool.begun.wait()
        before.poller.stop()
        after = Run(tmp_path, stream, lambda _: Result(None))
        after.checkpoints = before.checkpoints
        after.poller._workshop = before.poller._workshop
        after.poller.start(after=before.poller)
        # Far more rounds of the loop than it would need to begin.
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not after.pool.begun.is_set()
        before.pool.may_end.set()
        await after.reaches("2")
        await after.poller.kill()
        return before, after

    before, after = asyncio.run(work())
    assert (before.pool.batches, after.pool.batches) == ([[1]], [[2]])


def test_an_error_of_the_poller_itself_ends_it_with_one_line(tmp_path: Path) -> None:
    async def work() -> Run:
        stream = Stream(1)
        del stream.shards["one"]["records"][0]["eventName"]
        going = Run(tmp_path, stream, lambda _: Result(None))
        going.poller.start()
        await going.poller.ended()
        return going

    assert asyncio.run(work()).log().splitlines() == [
        "stream of T: KeyError('eventName'): not read until the template changes or the local cloud is started again"
    ]
