"""What Lambda tells a failure destination of stream records that it gives up on."""

import asyncio
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.local.endpoints import Endpoints
from infra.local.functions import Result
from infra.local.pollers.mappings import StreamMapping

RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"


@dataclass(frozen=True)
class GivenUp:
    """A batch that nobody will work on any more. `last` is what the function answered, if it was asked at all."""

    mapping: StreamMapping
    shard: str
    records: list[dict[str, Any]]
    condition: str
    invocations: int
    last: Result | None
    now: float

    def description(self) -> dict[str, Any]:
        response: dict[str, Any] | None = None
        request_id = ""
        if self.last is not None:
            response = {"statusCode": 200, "executedVersion": "$LATEST"}
            if self.last.failed:
                response["functionError"] = "Unhandled"
                if isinstance(self.last.payload, dict):
                    request_id = str(self.last.payload.get("requestId") or "")
        first, last = self.records[0]["dynamodb"], self.records[-1]["dynamodb"]
        return {
            "requestContext": {
                "requestId": request_id or str(uuid.uuid4()),
                "functionArn": self.mapping.function_arn,
                "condition": self.condition,
                "approximateInvokeCount": self.invocations,
            },
            "responseContext": response,
            "version": "1.0",
            "timestamp": _text(self.now),
            "DDBStreamBatchInfo": {
                "shardId": self.shard,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _text(first["ApproximateCreationDateTime"]),
                "approximateArrivalOfLastRecord": _text(last["ApproximateCreationDateTime"]),
                "batchSize": len(self.records),
                "streamArn": self.mapping.stream_arn,
            },
        }


class FailureDestinations:
    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    async def tell(self, given_up: GivenUp) -> None:
        """To the mapping's destination, if it has one. Raises what boto3 raises."""
        if given_up.mapping.options.on_failure is not None:
            await asyncio.to_thread(self._tell, given_up, given_up.mapping.options.on_failure)

    def _tell(self, given_up: GivenUp, destination: str) -> None:
        service, name = destination.split(":")[2], destination.rpartition(":")[2]
        client = self._endpoints.client(service)
        description = given_up.description()
        if service == "sqs":
            client.send_message(
                QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"], MessageBody=json.dumps(description)
            )
        elif service == "sns":
            client.publish(TopicArn=destination, Message=json.dumps(description))
        else:
            # A bucket has room for the records themselves.
            body = {**description, "payload": json.dumps({"Records": given_up.records})}
            client.put_object(Bucket=name, Key=_object_key(given_up), Body=json.dumps(body).encode())


def _object_key(given_up: GivenUp) -> str:
    at = datetime.fromtimestamp(given_up.now, UTC)
    mapping = uuid.uuid5(uuid.NAMESPACE_URL, given_up.mapping.name)
    return f"aws/lambda/{mapping}/{given_up.shard}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
