"""The table `events` of CLOSER's receiver, in memory and in PostgreSQL. Its columns: id UUID primary key; event,
source_id and source_type of at most 255 characters; data JSONB; timestamp with time zone. Only data may be null."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import psycopg
from psycopg import sql

from tests.contract.closer_receiver.receiver import JsonObject, Receiver, Row

MAX_CHARACTERS: Final = 255


class Duplicate(Exception):
    """A row of this id is there."""


class MemoryTable:
    """The rules without a database."""

    def __init__(self) -> None:
        self.rows: dict[uuid.UUID, Row] = {}

    def receiver(self) -> Receiver:
        return Receiver(self.insert, lambda exc: isinstance(exc, Duplicate))

    def insert(self, row: Row) -> None:
        identity = uuid.UUID(row.id)
        if max(len(row.event), len(row.source_id), len(row.source_type)) > MAX_CHARACTERS:
            raise ValueError("too long for its column")
        if _has_nul((row.event, row.source_id, row.source_type, row.data)):
            raise ValueError("PostgreSQL has no NUL in text")
        if identity in self.rows:
            raise Duplicate
        self.rows[identity] = row

    def ids(self) -> set[str]:
        return {str(identity) for identity in self.rows}

    def data_of(self, event_id: str) -> JsonObject | None:
        return self.rows[uuid.UUID(event_id)].data


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list | tuple) and any(_has_nul(item) for item in value)


class PostgresTable:
    """The table in a schema of its own on a server of ours."""

    def __init__(self, connection: "psycopg.Connection[Any]", schema: str) -> None:
        self.connection = connection
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        connection.execute(sql.SQL("SET search_path TO {}").format(name))
        connection.execute(
            "CREATE TABLE events (timestamp timestamptz NOT NULL, id uuid PRIMARY KEY, event varchar(255) NOT NULL,"
            " source_type varchar(255) NOT NULL, source_id varchar(255) NOT NULL, data jsonb DEFAULT '{}')"
        )

    def receiver(self) -> Receiver:
        return Receiver(self.insert, lambda exc: "events_pkey" in str(exc))

    def insert(self, row: Row) -> None:
        values = {**asdict(row), "data": json.dumps(row.data)}
        self.connection.execute(
            "INSERT INTO events (id, event, source_type, source_id, data, timestamp) VALUES"
            " (%(id)s, %(event)s, %(source_type)s, %(source_id)s, %(data)s, %(timestamp)s)",
            values,
        )

    def ids(self) -> set[str]:
        return {str(identity) for (identity,) in self.ask("SELECT id FROM events")}

    def data_of(self, event_id: str) -> JsonObject | None:
        ((data,),) = self.connection.execute("SELECT data FROM events WHERE id = %s", [event_id]).fetchall()
        return data

    def ask(self, query: str) -> Sequence[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()
