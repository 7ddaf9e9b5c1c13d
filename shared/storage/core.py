"""The core table: everything but the logs, on PynamoDB. One row shape for all kinds; the key says what a row is."""

from typing import Any, Final

from pynamodb.attributes import JSONAttribute, TTLAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.connection.base import Connection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from shared.aws import CONNECT_TIMEOUT_SECONDS, share_session

READ_TIMEOUT_SECONDS: Final = 1.0
RETRIES: Final = 1
"""Beside the first try."""


class FirstIndex(GlobalSecondaryIndex["CoreRow"]):  # type: ignore[no-untyped-call]  # PynamoDB's stubs
    """GSI1: whatever a row is listed by; sparse."""

    class Meta:
        index_name = "GSI1"
        projection = AllProjection()

    gsi1pk = UnicodeAttribute(hash_key=True)
    gsi1sk = UnicodeAttribute(range_key=True)


class CoreRow(Model):
    """A row. `data` is the kind's own; `version` is PynamoDB's optimistic lock."""

    class Meta:
        table_name = "unbound"  # bind_core_table() names it once, at cold start
        region: str | None = None

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    gsi1pk = UnicodeAttribute(null=True)
    gsi1sk = UnicodeAttribute(null=True)
    gsi2pk = UnicodeAttribute(null=True)
    gsi2sk = UnicodeAttribute(null=True)
    data: JSONAttribute = JSONAttribute()
    version = VersionAttribute()
    ttl = TTLAttribute(null=True)
    by_first_index = FirstIndex()


def bind_core_table(name: str, region: str) -> None:
    """Name the table and bound its calls. Nothing is read from the environment at import."""
    meta: Any = CoreRow.Meta
    meta.table_name, meta.region = name, region
    meta.connect_timeout_seconds = CONNECT_TIMEOUT_SECONDS
    meta.read_timeout_seconds = READ_TIMEOUT_SECONDS
    meta.max_retry_attempts = RETRIES
    CoreRow._connection = None  # noqa: SLF001 - it would keep to the address of whatever was bound before


def core_table() -> str:
    """The table's name."""
    return CoreRow.Meta.table_name


def core_connection() -> Connection:
    """PynamoDB's connection for transactions, on our session."""
    connection = CoreRow._get_connection().connection  # noqa: SLF001 - PynamoDB has no public way to it
    share_session(connection)
    return connection
