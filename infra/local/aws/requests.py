"""What a DynamoDB request can be refused for before it touches an item.

`check` also rewrites the request's values into their canonical form, so that moto only ever sees and stores those.
Errors are the service's: a ValidationException with its wording as far as it is documented.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from moto.dynamodb.exceptions import (
    InvalidAttributeTypeError,
    MockValidationException,
    ProvidedKeyDoesNotExist,
    TooManyTransactionsException,
)

from infra.local.aws import conditions
from infra.local.aws.values import item_size, normalised

MAX_BATCH_WRITES: Final = 25
"""BatchWriteItem: up to 25 put or delete requests."""
MAX_TRANSACTION_ITEMS: Final = 100
"""TransactWriteItems and TransactGetItems: up to 100 actions."""
MAX_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
"""TransactWriteItems: the items together are at most 4 MB."""

_EXPRESSIONS: Final = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_PLACEHOLDER: Final = re.compile(r"[:#][A-Za-z0-9_]+")

FindTable = Callable[[str], Any]
"""Gives moto's table of a name or ARN; raises ResourceNotFoundException."""


def check(action: str, body: dict[str, Any], find_table: FindTable) -> None:
    """Refuses a malformed request of an action ("put_item"), and normalises its values in place."""
    if action == "batch_write_item":
        _check_batch_write(body)
    parts = list(_parts(action, body))
    if action.startswith("transact_"):
        _check_transaction_length(parts)
    for part in parts:
        table = find_table(part["TableName"])
        _normalise(part)
        if "Key" in part:
            _check_key(part["Key"], table)
        if "Item" in part:
            _check_item(part["Item"], table)
        _check_expressions(part, table)
    if action == "batch_write_item":
        _check_distinct(parts, find_table)
    if action == "transact_write_items" and sum(map(_part_size, parts)) > MAX_TRANSACTION_BYTES:
        raise MockValidationException("Transaction payload size cannot exceed 4MB")


def _parts(action: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The single-item requests inside a request, each with its TableName."""
    if action.startswith("transact_"):
        for entry in body["TransactItems"]:
            yield from (operation for operation in entry.values() if operation)
    elif action == "batch_write_item":
        for table_name, requests in body["RequestItems"].items():
            for request in requests:
                (operation,) = request.values()
                operation["TableName"] = table_name
                yield operation
    elif action == "batch_get_item":
        for table_name, request in body["RequestItems"].items():
            for position, key in enumerate(request["Keys"]):
                part = {"TableName": table_name, "Key": key}
                yield part
                request["Keys"][position] = part["Key"]
    else:
        yield body


def _normalise(part: dict[str, Any]) -> None:
    for field in ("Key", "Item", "ExpressionAttributeValues", "ExclusiveStartKey"):
        if isinstance(part.get(field), dict):
            part[field] = {name: normalised(value) for name, value in part[field].items()}


def _check_batch_write(body: dict[str, Any]) -> None:
    count = sum(len(requests) for requests in body["RequestItems"].values())
    if not 1 <= count <= MAX_BATCH_WRITES:
        raise MockValidationException(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Member must have "
            f"length less than or equal to {MAX_BATCH_WRITES}, and greater than or equal to 1"
        )


def _check_transaction_length(parts: list[dict[str, Any]]) -> None:
    if len(parts) > MAX_TRANSACTION_ITEMS:
        raise TooManyTransactionsException
    if not parts:
        raise MockValidationException(
            "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )


def _check_distinct(parts: list[dict[str, Any]], find_table: FindTable) -> None:
    seen = set()
    for part in parts:
        table = find_table(part["TableName"])
        key = part.get("Key") or {name: part["Item"][name] for name in table.table_key_attrs}
        seen.add((table.name, json.dumps(key, sort_keys=True)))
    if len(seen) < len(parts):
        raise MockValidationException("Provided list of item keys contains duplicates")


def _part_size(part: dict[str, Any]) -> int:
    values = part.get("ExpressionAttributeValues") or {}
    return item_size(part.get("Item") or part["Key"]) + (0 if "Item" in part else item_size(values))


def _key_types(table: Any) -> dict[str, str]:
    return {entry["AttributeName"]: entry["AttributeType"] for entry in table.attr}


def _check_key(key: dict[str, Any], table: Any) -> None:
    types = _key_types(table)
    if set(key) != set(table.table_key_attrs):
        raise ProvidedKeyDoesNotExist
    for name, value in key.items():
        ((kind, content),) = value.items()
        if kind != types[name]:
            raise ProvidedKeyDoesNotExist
        _check_not_empty(name, content)


def _check_not_empty(name: str, content: Any) -> None:
    if content == "":
        raise MockValidationException(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty string value. Key: {name}"
        )


def _check_item(item: dict[str, Any], table: Any) -> None:
    types = _key_types(table)
    for name in table.table_key_attrs:
        if name not in item:
            raise MockValidationException(
                f"One or more parameter values were invalid: Missing the key {name} in the item"
            )
        ((kind, content),) = item[name].items()
        if kind != types[name]:
            raise InvalidAttributeTypeError(name, types[name], kind)
        _check_not_empty(name, content)
    check_index_keys(item, table)


def check_index_keys(item: dict[str, Any], table: Any) -> None:
    """An attribute that an index is keyed by has the index's type and is not empty, or is absent."""
    types = _key_types(table)
    for index in table.all_indexes():
        for name in index.schema_key_attrs:
            if name not in item:
                continue
            ((kind, content),) = item[name].items()
            if kind != types[name]:
                raise MockValidationException(
                    f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
                    f"Expected: {types[name]} Actual: {kind} IndexName: {index.name}"
                )
            if content == "":
                raise MockValidationException(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not "
                    "supported. The AttributeValue for a key attribute cannot contain an empty string value. "
                    f"IndexName: {index.name}, IndexKey: {name}"
                )


def _check_expressions(part: dict[str, Any], table: Any) -> None:
    texts = [part[field] for field in _EXPRESSIONS if isinstance(part.get(field), str)]
    used = {placeholder for text in texts for placeholder in _PLACEHOLDER.findall(text)}
    for field in ("Names", "Values"):
        provided = part.get(f"ExpressionAttribute{field}")
        if provided is None:
            continue
        if not texts:
            raise MockValidationException(
                f"ExpressionAttribute{field} can only be specified when using expressions: expression is null"
            )
        if not provided:
            raise MockValidationException(f"ExpressionAttribute{field} must not be empty")
        unused = sorted(set(provided) - used)
        if unused:
            raise MockValidationException(
                f"Value provided in ExpressionAttribute{field} unused in expressions: keys: {{{', '.join(unused)}}}"
            )
    for field in ("ConditionExpression", "FilterExpression"):
        if isinstance(part.get(field), str):
            _check_condition(field, part, table)


def _check_condition(field: str, part: dict[str, Any], table: Any) -> None:
    try:
        condition = conditions.parse(
            part[field], part.get("ExpressionAttributeNames"), part.get("ExpressionAttributeValues")
        )
    except conditions.ExpressionError as error:
        raise MockValidationException(f"Invalid {field}: {error}") from None
    if field != "FilterExpression" or "KeyConditionExpression" not in part:
        return
    index = part.get("IndexName")
    keys = table.get_index(index, error_if_not=True).schema_key_attrs if index else table.table_key_attrs
    for name in condition.attributes:
        if name in keys:
            raise MockValidationException(
                "Filter Expression can only contain non-primary key attributes: Primary key attribute: " + name
            )
