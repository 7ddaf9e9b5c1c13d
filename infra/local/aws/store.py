"""What survives a restart of the local cloud: tables, items, stream records, buckets, objects, queues and their
messages, secrets and mail, in one SQLite file.

Rows are written before a call is acknowledged; SQLite's write-ahead log keeps them through a killed process.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from shared.errors import Unavailable

FORMAT: Final = 1
"""PRAGMA user_version of the file; a file of another format is refused, not guessed at."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS tables (region TEXT, name TEXT, definition TEXT NOT NULL, PRIMARY KEY (region, name));
CREATE TABLE IF NOT EXISTS items (region TEXT, table_name TEXT, key TEXT, item TEXT NOT NULL,
                                  PRIMARY KEY (region, table_name, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, region TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS objects (bucket TEXT, key TEXT, body BLOB NOT NULL, attributes TEXT NOT NULL,
                                    PRIMARY KEY (bucket, key));
CREATE TABLE IF NOT EXISTS queues (region TEXT, name TEXT, attributes TEXT NOT NULL, PRIMARY KEY (region, name));
CREATE TABLE IF NOT EXISTS messages (region TEXT, queue TEXT, id TEXT, body TEXT NOT NULL, state TEXT NOT NULL,
                                     PRIMARY KEY (region, queue, id));
CREATE TABLE IF NOT EXISTS stream_records (number INTEGER PRIMARY KEY AUTOINCREMENT, region TEXT NOT NULL,
                                           table_name TEXT NOT NULL, label TEXT NOT NULL, made_at REAL NOT NULL,
                                           size INTEGER NOT NULL, record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS stream_order ON stream_records (region, table_name, label, number);
CREATE INDEX IF NOT EXISTS stream_age ON stream_records (made_at);
CREATE TABLE IF NOT EXISTS kept (kind TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, name));
"""


class ItemRow(NamedTuple):
    region: str
    table: str
    key: dict[str, Any]
    item: dict[str, Any] | None
    """None: the item is gone."""


class StreamName(NamedTuple):
    region: str
    table: str
    label: str
    """Tells the streams of a table apart: a new one each time that its stream is enabled."""


class StreamRow(NamedTuple):
    """A record without its number, which it gets when it is written."""

    stream: StreamName
    made_at: float
    size: int
    record: dict[str, Any]


class MessageRow(NamedTuple):
    region: str
    queue: str
    id: str
    body: str
    state: dict[str, Any] | None
    """None: the message is gone."""


class Store:
    """The file. `path` None keeps nothing (tests that need no restart)."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._path = path
        try:
            self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version not in {0, FORMAT}:
                raise Unavailable(f"{path} was written by another version of the local cloud: remove it to start empty")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
            self._database.execute(f"PRAGMA user_version = {FORMAT}")
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> Unavailable:
        return Unavailable(f"{self._path} cannot be read ({error}): remove it to start empty")

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._database.execute(query).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def write_items(self, rows: Iterable[ItemRow], told: Iterable[StreamRow] = ()) -> None:
        """Puts or removes items, with the stream records that tell of it; all or none of them."""
        rows = list(rows)
        if not rows:
            return
        with self._transaction() as database:
            for stream, made_at, size, record in told:
                database.execute(
                    "INSERT INTO stream_records (region, table_name, label, made_at, size, record)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (*stream, made_at, size, json.dumps(record)),
                )
            for row in rows:
                key = json.dumps(row.key, sort_keys=True)
                if row.item is None:
                    database.execute(
                        "DELETE FROM items WHERE region = ? AND table_name = ? AND key = ?",
                        (row.region, row.table, key),
                    )
                else:
                    database.execute(
                        "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)",
                        (row.region, row.table, key, json.dumps(row.item)),
                    )

    def stream_records(
        self, stream: StreamName, after: int, most: int, most_bytes: int, since: float
    ) -> list[tuple[int, dict[str, Any]]]:
        """(number, record) in the order of writing: what follows a number, at least one record and no more than fit."""
        found: list[tuple[int, dict[str, Any]]] = []
        total = 0
        with self._lock:
            rows = self._database.execute(
                "SELECT number, size, record FROM stream_records WHERE region = ? AND table_name = ? AND label = ?"
                " AND number > ? AND made_at > ? ORDER BY number LIMIT ?",
                (*stream, after, since, most),
            )
            for number, size, record in rows:
                total += size
                if found and total > most_bytes:
                    break
                found.append((number, json.loads(record)))
        return found

    def first_stream_number(self, stream: StreamName) -> int | None:
        """The number of a stream's oldest record; None when it has none."""
        with self._lock:
            row = self._database.execute(
                "SELECT min(number) FROM stream_records WHERE region = ? AND table_name = ? AND label = ?", stream
            ).fetchone()
        return None if row[0] is None else int(row[0])

    def last_stream_number(self) -> int:
        """The number that was given last, to a record of whatever stream; 0 before the first."""
        with self._lock:
            row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'stream_records'").fetchone()
        return int(row[0]) if row else 0

    def has_stream_number(self, stream: StreamName, number: int) -> bool:
        with self._lock:
            row = self._database.execute(
                "SELECT 1 FROM stream_records WHERE number = ? AND region = ? AND table_name = ? AND label = ?",
                (number, *stream),
            ).fetchone()
        return row is not None

    def drop_stream_records(self, made_before: float) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM stream_records WHERE made_at <= ?", (made_before,))

    def items(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(region, table, item) of every item."""
        for region, table, item in self._rows("SELECT region, table_name, item FROM items"):
            yield region, table, json.loads(item)

    def write_table(self, region: str, name: str, definition: dict[str, Any]) -> None:
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO tables VALUES (?, ?, ?)", (region, name, json.dumps(definition)))

    def delete_table(self, region: str, name: str) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM items WHERE region = ? AND table_name = ?", (region, name))
            database.execute("DELETE FROM stream_records WHERE region = ? AND table_name = ?", (region, name))
            database.execute("DELETE FROM tables WHERE region = ? AND name = ?", (region, name))

    def tables(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(region, name, definition) of every table."""
        for region, name, definition in self._rows("SELECT region, name, definition FROM tables"):
            yield region, name, json.loads(definition)

    def write_bucket(self, name: str, region: str) -> None:
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO buckets VALUES (?, ?)", (name, region))

    def delete_bucket(self, name: str) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM objects WHERE bucket = ?", (name,))
            database.execute("DELETE FROM buckets WHERE name = ?", (name,))

    def buckets(self) -> Iterator[tuple[str, str]]:
        """(name, region) of every bucket."""
        yield from self._rows("SELECT name, region FROM buckets")

    def write_object(self, bucket: str, key: str, body: bytes, attributes: dict[str, Any]) -> None:
        with self._transaction() as database:
            database.execute(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", (bucket, key, body, json.dumps(attributes))
            )

    def delete_object(self, bucket: str, key: str) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))

    def objects(self) -> Iterator[tuple[str, str, bytes, dict[str, Any]]]:
        """(bucket, key, body, attributes) of every object."""
        for bucket, key, body, attributes in self._rows("SELECT bucket, key, body, attributes FROM objects"):
            yield bucket, key, body, json.loads(attributes)

    def write_queue(self, region: str, name: str, attributes: dict[str, Any]) -> None:
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO queues VALUES (?, ?, ?)", (region, name, json.dumps(attributes)))

    def delete_queue(self, region: str, name: str) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM messages WHERE region = ? AND queue = ?", (region, name))
            database.execute("DELETE FROM queues WHERE region = ? AND name = ?", (region, name))

    def queues(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(region, name, attributes) of every queue."""
        for region, name, attributes in self._rows("SELECT region, name, attributes FROM queues"):
            yield region, name, json.loads(attributes)

    def write_messages(self, rows: Iterable[MessageRow]) -> None:
        """Puts, changes or removes messages, all or none of them. A message's body never changes."""
        rows = list(rows)
        if not rows:
            return
        with self._transaction() as database:
            for region, queue, identifier, body, state in rows:
                if state is None:
                    database.execute(
                        "DELETE FROM messages WHERE region = ? AND queue = ? AND id = ?", (region, queue, identifier)
                    )
                else:
                    database.execute(
                        "INSERT INTO messages VALUES (?, ?, ?, ?, ?) "
                        "ON CONFLICT (region, queue, id) DO UPDATE SET state = excluded.state",
                        (region, queue, identifier, body, json.dumps(state)),
                    )

    def delete_messages(self, region: str, queue: str) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM messages WHERE region = ? AND queue = ?", (region, queue))

    def messages(self) -> Iterator[tuple[str, str, str, str, dict[str, Any]]]:
        """(region, queue, id, body, state) of every message, in the order in which they were sent."""
        for *columns, state in self._rows("SELECT region, queue, id, body, state FROM messages ORDER BY rowid"):
            region, queue, identifier, body = columns
            yield region, queue, identifier, body, json.loads(state)

    def keep(self, kind: str, name: str, value: str) -> None:
        """Puts a text of a kind that has no table of its own."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (kind, name, value))

    def drop(self, kind: str, name: str) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM kept WHERE kind = ? AND name = ?", (kind, name))

    def kept(self, kind: str) -> list[tuple[str, str]]:
        """(name, value) of every text of a kind, by name."""
        rows = self._rows("SELECT kind, name, value FROM kept ORDER BY name")
        return [(name, value) for found, name, value in rows if found == kind]
