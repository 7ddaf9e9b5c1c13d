"""Puts the mended parts in moto's place. `install` is the only entry; nothing else here patches anything.

Each replacement names what moto gets wrong. They are guarded by tests/contract/dynamodb.
"""

import copy
import inspect
import json
import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.dynamodb import models, responses
from moto.dynamodb.exceptions import (
    AttributeDoesNotExist,
    IncorrectDataType,
    InvalidUpdateExpressionInvalidDocumentPath,
    ItemSizeTooLarge,
    ItemSizeToUpdateTooLarge,
    MockValidationException,
    MultipleTransactionsException,
    TransactionCanceledException,
)
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler

from infra.local.aws import conditions, streams, values
from infra.local.aws.journal import LOCK, Journal, plain_item
from infra.local.aws.requests import MAX_TRANSACTION_BYTES, check, check_index_keys
from infra.local.aws.store import Store

TOKEN_SECONDS: Final = 600
"""TransactWriteItems: a client request token is remembered for 10 minutes after the request."""

_READS: Final = ("get_item", "batch_get_item", "query", "scan", "transact_get_items")
_WRITES: Final = ("put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items")
_TABLE_CHANGES: Final = ("create_table", "update_table", "delete_table", "update_time_to_live")
_NEEDS_THE_ITEM: Final = (
    AttributeDoesNotExist,
    IncorrectDataType,
    InvalidUpdateExpressionInvalidDocumentPath,
    ItemSizeToUpdateTooLarge,
)
"""What an update can only be refused for once its item is known: inside a transaction that is a cancellation reason."""

Method = Callable[..., Any]


def install(store: Store) -> Journal:
    """Mends moto's DynamoDB in this process and keeps what it changes in the store."""
    journal = Journal(store, streams.stream_row)
    streams.install(store)
    _serialise_calls()
    _check_and_journal_requests(journal)
    _touch_items(journal)
    _replace_conditions()
    _replace_arithmetic()
    _replace_transactions()
    _search_only_the_partition()
    _keep_table_definitions(store)
    return journal


def _serialise_calls() -> None:
    """moto answers each connection on a thread of its own and locks nothing."""
    for handler in (responses.DynamoHandler, DynamoDBStreamsHandler):
        handler.call_action = _locked(handler.call_action)


def _locked(method: Method) -> Method:
    @wraps(method)
    def locked(*arguments: Any, **options: Any) -> Any:
        with LOCK:
            return method(*arguments, **options)

    return locked


def _check_and_journal_requests(journal: Journal) -> None:
    def wrap(action: str, method: Method, writes: bool) -> Method:
        @wraps(method)
        def checked(handler: Any) -> Any:
            check(action, handler.body, handler.dynamodb_backend.get_table)
            if not writes:
                return method(handler)
            with journal.call():
                return method(handler)

        return checked

    # The token replay goes around the journal, and so is put on last.
    for action in (*_READS, *_WRITES):
        method = _transact_get_items if action == "transact_get_items" else getattr(responses.DynamoHandler, action)
        setattr(responses.DynamoHandler, action, wrap(action, method, action in _WRITES))
    responses.DynamoHandler.execute_statement = _partiql_refused
    responses.DynamoHandler.execute_transaction = _partiql_refused
    responses.DynamoHandler.batch_execute_statement = _partiql_refused


def _partiql_refused(_handler: Any) -> Any:
    raise MockValidationException("PartiQL is not run by the local cloud: use the item operations")


def _touch_items(journal: Journal) -> None:
    """Every way in which moto changes an item tells the journal first, and keeps the size limit of items.

    moto changes an item in place while it still evaluates the update, and tells streams as it goes.
    """
    put, delete, update = Table.put_item, Table.delete_item, models.DynamoDBBackend.update_item

    def put_item(table: Any, item_attrs: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        if values.item_size(item_attrs) > values.MAX_ITEM_BYTES:
            raise ItemSizeTooLarge
        journal.touch(table, *_keys(table, item_attrs))
        return put(table, item_attrs, *arguments, **options)

    def delete_item(table: Any, hash_key: Any, range_key: Any) -> Any:
        journal.touch(table, hash_key, range_key)
        return delete(table, hash_key, range_key)

    def update_item(backend: Any, table_name: str, key: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        table = backend.get_table(table_name)
        journal.touch(table, *_keys(table, key))
        item = update(backend, table_name, key, *arguments, **options)
        attributes = plain_item(item)
        if values.item_size(attributes) > values.MAX_ITEM_BYTES:
            raise ItemSizeToUpdateTooLarge
        check_index_keys(attributes, table)
        return item

    Table.put_item, Table.delete_item, models.DynamoDBBackend.update_item = put_item, delete_item, update_item
    # Sized by the service's rules above; moto's own check costs a pass over the item for every attribute.
    LimitedSizeDict.__setitem__ = dict.__setitem__


def _keys(table: Any, attributes: dict[str, Any]) -> tuple[Any, Any]:
    range_key = DynamoType(attributes[table.range_key_attr]) if table.range_key_attr else None
    return DynamoType(attributes[table.hash_key_attr]), range_key


class _ConditionParser:
    """What moto's callers see of a condition parser."""

    def __init__(self, text: str | None, names: dict[str, str] | None, literals: dict[str, Any] | None) -> None:
        self._text, self._names, self._literals = text, names, literals
        self.expr_attr_names_found: list[str] = []
        self.expr_attr_values_found: list[str] = []

    def parse(self) -> conditions.Condition:
        if self._text is None:
            return conditions.ALWAYS
        try:
            condition = conditions.parse(self._text, self._names, self._literals)
        except conditions.ExpressionError as error:
            raise MockValidationException(f"Invalid expression: {error}") from None
        self.expr_attr_names_found = condition.names
        self.expr_attr_values_found = condition.values
        return condition


def _replace_conditions() -> None:
    from moto.dynamodb.models import table as table_module  # noqa: PLC0415 - only its names are replaced

    for module in (models, responses):
        module.create_condition_expression_parser = _ConditionParser
    for module in (models, table_module):
        module.get_filter_expression = lambda *arguments: _ConditionParser(*arguments).parse()


def _replace_arithmetic() -> None:
    """moto adds with 28 digits and without bounds, and keeps trailing zeroes."""

    def operation(sign: int) -> Method:
        def operate(left: Any, right: Any) -> Any:
            if not (left.is_number() and right.is_number()):
                raise IncorrectDataType
            return DynamoType({"N": values.arithmetic(left.value, right.value, sign)})

        return operate

    DynamoType.__add__, DynamoType.__sub__ = operation(1), operation(-1)


def _replace_transactions() -> None:
    """moto copies whole tables, without a lock, and applies as it checks; and it ignores ClientRequestToken."""
    models.DynamoDBBackend.transact_write_items = _transact_write_items
    write = responses.DynamoHandler.transact_write_items
    remembered: dict[tuple[str, str], tuple[float, str, Any]] = {}

    def transact_write_items(handler: Any) -> Any:
        token = handler.body.get("ClientRequestToken")
        if token is None:
            return write(handler)
        now = time.time()
        for known in [known for known, (at, _, _) in remembered.items() if now - at > TOKEN_SECONDS]:
            del remembered[known]
        request = json.dumps(handler.body["TransactItems"], sort_keys=True, default=repr)
        known = (handler.region, token)
        if known not in remembered:
            remembered[known] = (now, request, write(handler))
        elif remembered[known][1] != request:
            raise JsonRESTError(
                "IdempotentParameterMismatchException",
                "The request uses the same client token as a previous, but non-identical request.",
            )
        return remembered[known][2]

    responses.DynamoHandler.transact_write_items = transact_write_items


def _transact_write_items(backend: Any, transact_items: list[dict[str, Any]]) -> None:
    """All conditions against the state before the transaction, then all changes; the journal undoes a half of it."""
    operations = []
    targets = set()
    for entry in transact_items:
        ((kind, operation),) = entry.items()
        table = backend.get_table(operation["TableName"])
        source = operation["Item"] if kind == "Put" else operation["Key"]
        key = {name: source[name] for name in table.table_key_attrs}
        target = (table.name, json.dumps(key, sort_keys=True))
        if target in targets:
            raise MultipleTransactionsException
        targets.add(target)
        operations.append((kind, operation, key))
    reasons = [_failed_condition(backend, operation, key) for _, operation, key in operations]
    if any(code for code, _, _ in reasons):
        raise TransactionCanceledException(reasons)
    for position, (kind, operation, key) in enumerate(operations):
        try:
            _apply(backend, kind, operation, key)
        except _NEEDS_THE_ITEM as error:
            reasons[position] = ("ValidationError", error.exception_msg, None)
            raise TransactionCanceledException(reasons) from None


Reason = tuple[str | None, str | None, dict[str, Any] | None]


def _failed_condition(backend: Any, operation: dict[str, Any], key: dict[str, Any]) -> Reason:
    item = backend.get_item(operation["TableName"], key)
    condition = _ConditionParser(
        operation.get("ConditionExpression"),
        operation.get("ExpressionAttributeNames"),
        operation.get("ExpressionAttributeValues"),
    ).parse()
    if condition.expr(item):
        return (None, None, None)
    wanted = item is not None and operation.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return ("ConditionalCheckFailed", "The conditional request failed", plain_item(item) if wanted else None)


def _apply(backend: Any, kind: str, operation: dict[str, Any], key: dict[str, Any]) -> None:
    if kind == "Put":
        backend.put_item(operation["TableName"], operation["Item"])
    elif kind == "Delete":
        backend.delete_item(operation["TableName"], key)
    elif kind == "Update":
        backend.update_item(
            operation["TableName"],
            key,
            operation["UpdateExpression"],
            operation.get("ExpressionAttributeNames") or {},
            operation.get("ExpressionAttributeValues") or {},
        )


def _transact_get_items(handler: Any) -> Any:
    """moto allows 25 items, ignores projections and knows no size limit."""
    found = []
    total = 0
    for entry in handler.body["TransactItems"]:
        request = entry["Get"]
        parser = responses.ProjectionExpressionParser(
            request.get("ProjectionExpression"), request.get("ExpressionAttributeNames")
        )
        item = handler.dynamodb_backend.get_item(request["TableName"], request["Key"], parser.parse())
        total += item.size() if item else 0
        found.append({"Item": copy.copy(item.attrs)} if item else {})
    if total > MAX_TRANSACTION_BYTES:
        raise MockValidationException("Transaction payload size cannot exceed 4MB")
    return responses.DynamoResult({"Responses": found})


def _search_only_the_partition() -> None:
    """moto sorts every item of the table for each query; a query can only answer with one partition's."""
    query, all_items = Table.query, Table.all_items
    signature = inspect.signature(query)

    def partition_query(table: Any, *arguments: Any, **options: Any) -> Any:
        bound = signature.bind(table, *arguments, **options).arguments
        if bound.get("index_name") is None:
            partition = table.items.get(bound["hash_key"])
            candidates = items_of(table, [partition] if partition else [])
        else:
            hash_names = [name for name, _ in bound.get("hash_key_conditions") or ()]
            every = items_of(table, table.items.values())
            candidates = [item for item in every if all(name in item.attrs for name in hash_names)]
        table.query_candidates = candidates
        try:
            return query(table, *arguments, **options)
        finally:
            table.query_candidates = None

    def candidates_or_all(table: Any) -> Any:
        candidates = getattr(table, "query_candidates", None)
        return all_items(table) if candidates is None else candidates

    Table.query, Table.all_items = partition_query, candidates_or_all


def items_of(table: Any, partitions: Iterable[Any]) -> list[Any]:
    """The items in some of a table's partitions, unsorted."""
    if not table.has_range_key:
        return list(partitions)
    return [item for partition in partitions for item in partition.values()]


def _keep_table_definitions(store: Store) -> None:
    def wrap(action: str, method: Method) -> Method:
        @wraps(method)
        def kept(handler: Any) -> ActionResult:
            result = method(handler)
            name = handler.body["TableName"].rsplit("/", 1)[-1]
            if action == "delete_table":
                store.delete_table(handler.region, name)
            else:
                table = handler.dynamodb_backend.get_table(name)
                store.write_table(handler.region, table.name, table_definition(table))
            return result

        return kept

    for action in _TABLE_CHANGES:
        setattr(responses.DynamoHandler, action, wrap(action, getattr(responses.DynamoHandler, action)))


def table_definition(table: Any) -> dict[str, Any]:
    """What restore_table needs to make the same empty table again."""
    return {
        "attr": table.attr,
        "schema": table.schema,
        "billing_mode": table.billing_mode,
        "global_indexes": [_index_definition(index) for index in table.global_indexes],
        "indexes": [_index_definition(index) for index in table.indexes],
        "streams": table.stream_specification,
        "stream_label": table.latest_stream_label,
        "ttl": table.ttl,
    }


def _index_definition(index: Any) -> dict[str, Any]:
    return {"IndexName": index.name, "KeySchema": index.schema, "Projection": index.projection}


def restore_table(backend: Any, name: str, definition: dict[str, Any]) -> Any:
    """Makes a table of its definition, with the stream ARN that it had."""
    table = backend.create_table(
        name,
        schema=definition["schema"],
        throughput=None,
        attr=definition["attr"],
        global_indexes=definition["global_indexes"],
        indexes=definition["indexes"],
        streams=definition["streams"],
        billing_mode=definition["billing_mode"],
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
    table.latest_stream_label = definition["stream_label"]
    table.ttl = definition["ttl"]
    return table
