"""A DynamoDB to check: the embedded one, or the one that MALGIL_TEST_DYNAMODB_ENDPOINT names."""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.embedded import EmbeddedAws, client
from tests.contract.dynamodb.calls import Table

ENDPOINT = os.environ.get("MALGIL_TEST_DYNAMODB_ENDPOINT")


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    if ENDPOINT:
        yield ENDPOINT
        return
    with EmbeddedAws(ttl_seconds=0.2) as aws:
        yield aws.endpoint


@pytest.fixture(scope="session")
def dynamodb(endpoint: str) -> Any:
    return client("dynamodb", endpoint)


@pytest.fixture(scope="session")
def streams(endpoint: str) -> Any:
    return client("dynamodbstreams", endpoint)


@pytest.fixture(scope="session")
def session_table(dynamodb: Any, streams: Any) -> Table:
    return Table.create(dynamodb, streams, f"checks-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def table(session_table: Table) -> Table:
    """The table, writing to a partition that no other test uses."""
    return session_table.in_partition(uuid.uuid4().hex[:8])


@pytest.fixture
def own_table(dynamodb: Any, streams: Any) -> Table:
    """A table whose settings a test may change."""
    return Table.create(dynamodb, streams, f"own-{uuid.uuid4().hex[:8]}")
