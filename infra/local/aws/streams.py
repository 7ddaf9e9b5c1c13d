"""DynamoDB Streams as the service keeps them, in the place of moto's: records are rows of the state, written together
with the items that they tell of, and go after 24 hours. Guarded by tests/contract/dynamodb.

moto keeps records and every iterator it ever gave out in memory, for ever and not over a restart; it encodes binary
values twice, and cannot enable a stream again.

A reader of the local cloud may wait: `X-Malgil-Wait-Seconds` on GetRecords answers when there are records, or empty
handed after so many seconds. The service itself knows no such header, and nobody has to send it.
"""

import base64
import json
import time
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.dynamodb import models
from moto.dynamodb.exceptions import StreamAlreadyEnabledException
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler

from infra.local.aws import values
from infra.local.aws.journal import LOCK, RECORDED
from infra.local.aws.store import Store, StreamName, StreamRow

RETENTION_SECONDS: Final = 24 * 3600
ITERATOR_SECONDS: Final = 15 * 60
"""A shard iterator is good for 15 minutes."""
MAX_RECORDS: Final = 1000
MAX_PAGE_BYTES: Final = 1024 * 1024
"""GetRecords: at most 1,000 records, and 1 MB of them."""
WAIT_HEADER: Final = "X-Malgil-Wait-Seconds"
MAX_WAIT_SECONDS: Final = 20.0

_FIRST_SEQUENCE_NUMBER: Final = 1_100_000_000_017_454_423_009
"""Numbers of the service have 21 digits or more; added to a row's number."""


def install(store: Store) -> None:
    """From now on streams are read from the store."""
    reader = _Reader(store)
    StreamShard.add = lambda _shard, _old, _new: None
    models.DynamoDBBackend.update_table_streams = _update_table_streams
    for operation in (reader.describe_stream, reader.get_shard_iterator, reader.get_records):
        setattr(DynamoDBStreamsHandler, operation.__name__, _of_handler(operation))


def _of_handler(operation: Callable[[Any], str]) -> Callable[[Any], str]:
    """A method of moto's handler: a method of the reader would not be given one."""

    @wraps(operation)
    def answer(handler: Any) -> str:
        return operation(handler)

    return answer


def stream_row(table: Any, before: dict[str, Any] | None, after: dict[str, Any] | None, now: float) -> StreamRow | None:
    """What a table's stream tells of a change between two plain items; None when the table has no stream."""
    if not (table.stream_specification or {}).get("StreamEnabled"):
        return None
    view = table.stream_specification["StreamViewType"]
    item = after if after is not None else before
    assert item is not None  # noqa: S101 - nothing became nothing: that is no change
    keys = {name: item[name] for name in table.table_key_attrs}
    told: dict[str, Any] = {"ApproximateCreationDateTime": int(now), "Keys": keys}
    size = values.item_size(keys)
    for name, image, views in (
        ("NewImage", after, ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")),
        ("OldImage", before, ("OLD_IMAGE", "NEW_AND_OLD_IMAGES")),
    ):
        if image is not None and view in views:
            told[name] = image
            size += values.item_size(image)
    record = {
        "eventName": "INSERT" if before is None else "REMOVE" if after is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": table.region_name,
        "dynamodb": {**told, "SizeBytes": size, "StreamViewType": view},
    }
    return StreamRow(StreamName(table.region_name, table.name, table.latest_stream_label), now, size, record)


def _update_table_streams(_backend: Any, table: Any, specification: dict[str, Any]) -> None:
    wanted = bool(specification.get("StreamEnabled"))
    if wanted and (table.stream_specification or {}).get("StreamEnabled"):
        raise StreamAlreadyEnabledException
    table.set_stream_specification(specification)
    if not wanted:
        table.stream_shard = None


def _shard_id(name: StreamName) -> str:
    return f"shardId-00000001541626099285-{sum(name.label.encode()):08x}"


class _Reader:
    """The API's operations. `handler` is moto's, which has parsed the request; every call holds the lock."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe_stream(self, handler: Any) -> str:
        arn = _text(handler, "StreamArn")
        name, table = self._stream(handler, arn)
        specification = table.stream_specification or {}
        enabled = bool(specification.get("StreamEnabled")) and table.latest_stream_label == name.label
        first = self._store.first_stream_number(name)
        numbers = {"StartingSequenceNumber": _sequence_number(first or 0)}
        if not enabled:
            numbers["EndingSequenceNumber"] = _sequence_number(self._store.last_stream_number())
        description = {
            "StreamArn": arn,
            "StreamLabel": name.label,
            "StreamStatus": "ENABLED" if enabled else "DISABLED",
            "StreamViewType": specification.get("StreamViewType", "KEYS_ONLY"),
            "TableName": table.name,
            "KeySchema": table.schema,
            "Shards": [{"ShardId": _shard_id(name), "SequenceNumberRange": numbers}],
        }
        return json.dumps({"StreamDescription": description})

    def get_shard_iterator(self, handler: Any) -> str:
        arn = _text(handler, "StreamArn")
        name, _ = self._stream(handler, arn)
        if _text(handler, "ShardId") != _shard_id(name):
            raise JsonRESTError("ResourceNotFoundException", "Requested resource not found: Shard does not exist")
        kind = _text(handler, "ShardIteratorType")
        if kind == "TRIM_HORIZON":
            after = 0
        elif kind == "LATEST":
            after = self._store.last_stream_number()
        elif kind in {"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"}:
            number = self._number(name, handler._get_param("SequenceNumber"))  # noqa: SLF001 - as moto's own do
            after = number - (kind == "AT_SEQUENCE_NUMBER")
        else:
            raise JsonRESTError("ValidationException", f"{kind} is no ShardIteratorType")
        return json.dumps({"ShardIterator": _iterator(arn, after)})

    def _number(self, name: StreamName, sequence_number: Any) -> int:
        text = str(sequence_number or "")
        number = int(text) - _FIRST_SEQUENCE_NUMBER if text.isdecimal() else -1
        if not 0 < number <= self._store.last_stream_number():
            raise JsonRESTError("ValidationException", f"Invalid SequenceNumber {text}")
        if not self._store.has_stream_number(name, number):
            raise JsonRESTError(
                "TrimmedDataAccessException",
                "The operation attempted to read past the oldest stream record in a shard.",
            )
        return number

    def get_records(self, handler: Any) -> str:
        arn, after = _position(_text(handler, "ShardIterator"))
        limit = handler._get_param("Limit")  # noqa: SLF001
        if limit is None:
            limit = MAX_RECORDS
        if not isinstance(limit, int) or not 1 <= limit <= MAX_RECORDS:
            raise JsonRESTError("ValidationException", f"Limit must be from 1 to {MAX_RECORDS}")
        deadline = time.monotonic() + _wait_seconds(handler.headers.get(WAIT_HEADER))
        while True:
            name, table = self._stream(handler, arn)
            found = self._store.stream_records(name, after, limit, MAX_PAGE_BYTES, time.time() - RETENTION_SECONDS)
            left = deadline - time.monotonic()
            if found or left <= 0:
                break
            # Gives the lock up while it waits.
            RECORDED.wait(left)
        records = []
        for number, record in found:
            record["eventID"] = uuid.uuid5(uuid.NAMESPACE_URL, f"{arn}/{number}").hex
            record["dynamodb"]["SequenceNumber"] = _sequence_number(number)
            after = number
            records.append(record)
        answer: dict[str, Any] = {"Records": records}
        if records or self._is_open(name, table):
            answer["NextShardIterator"] = _iterator(arn, after)
        return json.dumps(answer)

    @staticmethod
    def _is_open(name: StreamName, table: Any) -> bool:
        return bool((table.stream_specification or {}).get("StreamEnabled")) and table.latest_stream_label == name.label

    def _stream(self, handler: Any, arn: str) -> tuple[StreamName, Any]:
        resource = arn.split(":", 5)[-1].split("/")
        backend = dynamodb_backends[handler.current_account][handler.region]
        if len(resource) == 4 and resource[1] in backend.tables:  # noqa: PLR2004 - table/name/stream/label
            table = backend.tables[resource[1]]
            name = StreamName(handler.region, table.name, resource[3])
            if name.label == table.latest_stream_label or self._store.first_stream_number(name) is not None:
                return name, table
        raise JsonRESTError("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found")


def trim(store: Store, now: float) -> None:
    """Forgets records that are older than 24 hours."""
    with LOCK:
        store.drop_stream_records(now - RETENTION_SECONDS)


def _text(handler: Any, parameter: str) -> str:
    value = handler._get_param(parameter)  # noqa: SLF001
    if not isinstance(value, str) or not value:
        raise JsonRESTError("ValidationException", f"{parameter} is missing")
    return value


def _sequence_number(number: int) -> str:
    return str(_FIRST_SEQUENCE_NUMBER + number)


def _iterator(arn: str, after: int) -> str:
    position = base64.urlsafe_b64encode(json.dumps([after, int(time.time())]).encode()).decode()
    return f"{arn}|1|{position}"


def _position(iterator: str) -> tuple[str, int]:
    """The stream that an iterator reads, and the number after which it goes on."""
    arn, _, text = iterator.rpartition("|1|")
    try:
        after, made_at = json.loads(base64.urlsafe_b64decode(text))
    except ValueError:
        raise JsonRESTError("ValidationException", "Invalid ShardIterator") from None
    if time.time() - made_at > ITERATOR_SECONDS:
        raise JsonRESTError("ExpiredIteratorException", "Iterator expired. The iterator was created too long ago.")
    return arn, int(after)


def _wait_seconds(header: str | None) -> float:
    try:
        return min(float(header or 0), MAX_WAIT_SECONDS)
    except ValueError:
        return 0.0
