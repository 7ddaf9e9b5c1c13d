"""One lock, one undo log: a DynamoDB call is applied whole or not at all, and everything else follows from what it
really changed.

While a call runs, the first touch of every item keeps a copy of it. When the call ends well, the changes are compared
with those copies: each item that differs gets exactly one stream record and one row on disk, before the caller hears
of success. When it fails, the copies are put back. So a transaction is atomic, an update that changes nothing is
silent, an upsert is one INSERT, and a process killed at any moment has lost nothing that it acknowledged.
"""

import copy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from infra.local.aws.store import ItemRow, Store, StreamRow

LOCK: Final = threading.RLock()
"""Held by every DynamoDB and stream call: moto's own structures are not made for threads."""
RECORDED: Final = threading.Condition(LOCK)
"""Told when streams have got records."""

TTL_IDENTITY: Final = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
"""userIdentity of the stream record of an item that its time to live removed, as GetRecords spells it."""


class _Touched(NamedTuple):
    table: Any
    hash_key: Any
    range_key: Any
    before: Any


MakeStreamRow = Callable[[Any, dict[str, Any] | None, dict[str, Any] | None, float], StreamRow | None]
"""(table, item before, item after, seconds since the epoch) -> what the table's stream tells of it."""


class Journal:
    def __init__(self, store: Store, make_stream_row: MakeStreamRow) -> None:
        self._store = store
        self._make_stream_row = make_stream_row
        self._touched: dict[Any, _Touched] | None = None

    @contextmanager
    def call(self, user_identity: dict[str, str] | None = None) -> Iterator[None]:
        """Everything inside is one atomic, isolated call."""
        with LOCK:
            self._touched = {}
            try:
                yield
                self._commit(user_identity)
            except BaseException:
                self._undo()
                raise
            finally:
                self._touched = None

    def touch(self, table: Any, hash_key: Any, range_key: Any) -> None:
        """To be called before an item is put, changed in place or deleted. Outside a call it does nothing."""
        if self._touched is None:
            return
        identity = (table.region_name, table.name, hash_key, range_key)
        if identity not in self._touched:
            before = copy.deepcopy(find_item(table, hash_key, range_key))
            self._touched[identity] = _Touched(table, hash_key, range_key, before)

    def _commit(self, user_identity: dict[str, str] | None) -> None:
        items, told = [], []
        now = time.time()
        for touched in (self._touched or {}).values():
            table, hash_key, range_key, before = touched
            before, after = _plain_or_none(before), _plain_or_none(find_item(table, hash_key, range_key))
            if before == after:
                continue
            items.append(ItemRow(table.region_name, table.name, _key_of(touched), after))
            row = self._make_stream_row(table, before, after, now)
            if row is not None:
                if user_identity is not None:
                    row.record["userIdentity"] = user_identity
                told.append(row)
        self._store.write_items(items, told)
        if told:
            RECORDED.notify_all()

    def _undo(self) -> None:
        for table, hash_key, range_key, before in (self._touched or {}).values():
            if range_key is None:
                table.items.pop(hash_key, None)
                if before is not None:
                    table.items[hash_key] = before
            else:
                table.items[hash_key].pop(range_key, None)
                if before is not None:
                    table.items[hash_key][range_key] = before


def find_item(table: Any, hash_key: Any, range_key: Any) -> Any:
    """The stored item itself, or None; unlike moto's look-up it leaves no empty partition behind."""
    found = table.items.get(hash_key)
    if range_key is None or found is None:
        return found
    return found.get(range_key)


def _plain_or_none(item: Any) -> dict[str, Any] | None:
    return None if item is None else plain_item(item)


def plain_item(item: Any) -> dict[str, Any]:
    """An item as {name: attribute value} of plain JSON; sets sorted, for their order has no meaning."""
    return {name: _plain_value(value) for name, value in item.attrs.items()}


def _plain_value(value: Any) -> dict[str, Any]:
    if value.is_map():
        return {"M": {name: _plain_value(member) for name, member in value.value.items()}}
    if value.is_list():
        return {"L": [_plain_value(member) for member in value.value]}
    if value.is_set():
        return {value.type: sorted(value.value)}
    return {value.type: value.value}


def _key_of(touched: _Touched) -> dict[str, Any]:
    key = {touched.table.hash_key_attr: touched.hash_key.to_json()}
    if touched.range_key is not None:
        key[touched.table.range_key_attr] = touched.range_key.to_json()
    return key
