"""An AWS account as far as a turn and its events need one, in the place of botocore's HTTP session.

It keeps rows and messages, and every request, to be metered afterwards by AWS's published rules (bench/meter.py):
metering while somebody measures CPU would be measured too. Conditions always hold; nothing here is a test of them.
"""

import json
import math
import re
from collections import Counter
from copy import deepcopy
from typing import Any, Final
from urllib.parse import parse_qs

from bench import meter
from bench.measure import CannotRun
from bench.turn import aws_response

JsonObject = dict[str, Any]

BILLED_CHUNK_BYTES: Final = 64 * 1024
"""Of SNS and SQS: a request is billed once for so many bytes, a batch like a single message."""
PUBLISHED: Final = (
    b'<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Successful>'
    b"</Successful></PublishBatchResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
    b"</PublishBatchResponse>"
)
ASSIGNMENT: Final = re.compile(r"(#?\w+) = (:\w+)")


def requests_billed(size: int) -> int:
    """What SNS or SQS bills for a request of `size` bytes."""
    return max(1, math.ceil(size / BILLED_CHUNK_BYTES))


class Account:
    """`tables` are rows by table, partition and sort key; `put` what was newly put into a table, in order; `published`
    and `sent` the messages of SNS and SQS."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        self.tables: dict[str, dict[str, dict[str, meter.Item]]] = {}
        self.start_counting()

    def start_counting(self) -> None:
        self.put: list[tuple[str, meter.Item]] = []
        self.published: list[str] = []
        self.sent: list[str] = []
        self._meterings: list[tuple[str, Any]] = []

    def snapshot(self) -> Any:
        return deepcopy(self.tables)

    def restore(self, tables: Any) -> None:
        self.tables = deepcopy(tables)

    def add(self, table: str, row: meter.Item) -> None:
        self.tables.setdefault(table, {}).setdefault(row["pk"]["S"], {})[row["sk"]["S"]] = row

    def metered(self) -> Counter[str]:
        """Calls by name, and units: write_units, read_units, bytes_written, sns_requests, sqs_requests."""
        found: Counter[str] = Counter()
        for operation, detail in self._meterings:
            found[operation] += 1
            match operation:
                case "PutItem" | "UpdateItem":
                    size = max(meter.item_bytes(item) for item in detail)
                    found["write_units"] += meter.write_units(size)
                    found["bytes_written"] += size
                case "GetItem" | "Query":
                    items, is_consistent = detail
                    half_units = meter.read_units(map(meter.item_bytes, items), is_consistent=is_consistent) * 2
                    found["half_read_units"] += round(half_units)
                case "PublishBatch":
                    found["sns_requests"] += requests_billed(detail)
                case "SendMessageBatch":
                    found["sqs_requests"] += requests_billed(detail)
                case _:
                    pass  # billed by the call, and too rarely made to matter: GetObject
        return found

    def send(self, request: Any) -> Any:
        if "sns" in request.url:
            body = request.body if isinstance(request.body, str) else request.body.decode()
            messages = [value for name, (value,) in parse_qs(body).items() if name.endswith(".Message")]
            self.published += messages
            self._meterings.append(("PublishBatch", sum(len(message.encode()) for message in messages)))
            return aws_response(request.url, PUBLISHED)
        target = request.headers.get("X-Amz-Target")
        if target is None:
            self._meterings.append(("GetObject", None))
            return aws_response(request.url, self._document)
        operation = (target.decode() if isinstance(target, bytes) else target).partition(".")[2]
        answer = json.dumps(self._answer(operation, json.loads(request.body)), ensure_ascii=False).encode()
        return aws_response(request.url, answer)

    def _answer(self, operation: str, asked: JsonObject) -> JsonObject:
        match operation:
            case "PutItem":
                self.add(asked["TableName"], asked["Item"])
                self.put.append((asked["TableName"], asked["Item"]))
                self._meterings.append((operation, [asked["Item"]]))
                return {}
            case "UpdateItem":
                before = self._row(asked)
                if before is None:
                    raise CannotRun("the path of a turn updates a row that is not there")
                after = _updated(before, asked)
                self.add(asked["TableName"], after)
                self._meterings.append((operation, [before, after]))
                return {}
            case "GetItem":
                item = self._row(asked)
                items = [] if item is None else [item]
                self._meterings.append((operation, (items, bool(asked.get("ConsistentRead")))))
                return {} if item is None else {"Item": item}
            case "Query":
                items = self._found(asked)
                self._meterings.append((operation, (items, bool(asked.get("ConsistentRead")))))
                return {"Items": items, "Count": len(items), "ScannedCount": len(items)}
            case "SendMessageBatch":
                bodies = [entry["MessageBody"] for entry in asked["Entries"]]
                self.sent += bodies
                self._meterings.append((operation, sum(len(body.encode()) for body in bodies)))
                return {"Successful": [], "Failed": []}
            case _:
                raise CannotRun(f"the path of a turn calls {operation}")

    def _row(self, asked: JsonObject) -> meter.Item | None:
        key = asked["Key"]
        return self.tables[asked["TableName"]].get(key["pk"]["S"], {}).get(key["sk"]["S"])

    def _found(self, asked: JsonObject) -> list[meter.Item]:
        values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
        rows = self.tables.get(asked["TableName"], {}).get(values.pop(":pk"), {})
        if ":first" in values:
            names = [name for name in sorted(rows) if values[":first"] <= name <= values[":last"]]
        else:
            (prefix,) = values.values()
            names = [name for name in sorted(rows) if name.startswith(prefix)]
        if asked.get("ScanIndexForward") is False:
            names.reverse()
        return [rows[name] for name in names[: asked.get("Limit")]]


def _updated(item: meter.Item, asked: JsonObject) -> meter.Item:
    """SET and REMOVE of plain attributes, which is all that the path does."""
    names, values = asked.get("ExpressionAttributeNames", {}), asked["ExpressionAttributeValues"]
    assigned, _, removed = asked["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    after = {**item, **{names.get(name, name): values[value] for name, value in ASSIGNMENT.findall(assigned)}}
    for name in filter(None, removed.split(", ")):
        after.pop(names.get(name, name), None)
    return after
