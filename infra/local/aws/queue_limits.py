"""What SQS takes: attributes of queues, messages, batches. What it does not take raises its error."""

import json
import re
from typing import Any, Final

from moto.sqs.exceptions import (
    BatchEntryIdsNotDistinct,
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidBatchEntryId,
    InvalidParameterValue,
    MissingParameter,
    SQSException,
    TooManyEntriesInBatchRequest,
)

MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""A message with its attributes, and a batch of messages."""
MAX_BATCH_ENTRIES: Final = 10
MAX_MESSAGE_ATTRIBUTES: Final = 10
MAX_VISIBILITY_SECONDS: Final = 43_200

_NUMBERS: Final = {
    "DelaySeconds": range(900 + 1),
    "KmsDataKeyReusePeriodSeconds": range(60, 86_400 + 1),
    "MaximumMessageSize": range(1024, MAX_MESSAGE_BYTES + 1),
    "MessageRetentionPeriod": range(60, 1_209_600 + 1),
    "ReceiveMessageWaitTimeSeconds": range(20 + 1),
    "VisibilityTimeout": range(MAX_VISIBILITY_SECONDS + 1),
}
_BOOLEANS: Final = frozenset({"ContentBasedDeduplication", "FifoQueue", "SqsManagedSseEnabled"})
_OTHERS: Final = frozenset(
    {"DeduplicationScope", "FifoThroughputLimit", "KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy"}
)
_MAX_RECEIVE_COUNTS: Final = range(1, 1000 + 1)
_BATCH_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""SendMessage: what a message may not contain."""


def check_attributes(attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        if name in _NUMBERS:
            if not str(value).isdecimal() or int(value) not in _NUMBERS[name]:
                raise InvalidAttributeValue(name)
        elif name in _BOOLEANS:
            if str(value).lower() not in {"true", "false"}:
                raise InvalidAttributeValue(name)
        elif name not in _OTHERS:
            raise InvalidAttributeName(name)
        elif name in {"RedrivePolicy", "RedriveAllowPolicy"} and value:
            _check_redrive(name, value)


def _check_redrive(name: str, value: str) -> None:
    try:
        policy = json.loads(value)
        right = name != "RedrivePolicy" or int(policy["maxReceiveCount"]) in _MAX_RECEIVE_COUNTS
    except (ValueError, TypeError, KeyError):
        right = False
    if not right:
        raise InvalidParameterValue(f"Value {value} for parameter {name} is invalid.")


def check_message(queue: Any, body: str, attributes: dict[str, Any], delay_seconds: Any) -> None:
    if not body:
        raise MissingParameter("MessageBody")
    if _FORBIDDEN.search(body):
        raise SQSException("InvalidMessageContents", "Invalid characters found in the message.")
    if len(attributes) > MAX_MESSAGE_ATTRIBUTES:
        raise InvalidParameterValue(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MAX_MESSAGE_ATTRIBUTES}]."
        )
    if message_bytes(body, attributes) > queue.maximum_message_size:
        raise InvalidParameterValue(
            "One or more parameters are invalid. Reason: Message must be shorter than "
            f"{queue.maximum_message_size} bytes."
        )
    if int(delay_seconds or 0) not in _NUMBERS["DelaySeconds"]:
        raise InvalidParameterValue(
            f"Value {delay_seconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= "
            "900."
        )


def message_bytes(body: str, attributes: dict[str, Any]) -> int:
    size = len(body.encode())
    for name, value in attributes.items():
        size += len(name.encode()) + len(value["DataType"].encode())
        size += len((value.get("StringValue") or "").encode()) + len(value.get("BinaryValue") or b"")
    return size


def check_batch(entries: list[dict[str, Any]]) -> None:
    if len(entries) > MAX_BATCH_ENTRIES:
        raise TooManyEntriesInBatchRequest(len(entries))
    seen: set[str] = set()
    for entry in entries:
        if not _BATCH_ID.fullmatch(entry["Id"]):
            raise InvalidBatchEntryId
        if entry["Id"] in seen:
            raise BatchEntryIdsNotDistinct(entry["Id"])
        seen.add(entry["Id"])
