"""CLOSER's receiver with its table in memory, or in a PostgreSQL server of ours."""

import uuid
from collections.abc import Iterator

import pytest

from tests.contract.closer_receiver import postgres
from tests.contract.closer_receiver.table import MemoryTable, PostgresTable


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    programs = postgres.folder_of_programs()
    if programs is None:
        pytest.skip(postgres.MISSING)
    with postgres.server(programs) as address:
        yield address


@pytest.fixture
def postgres_table(postgres_address: str) -> Iterator[PostgresTable]:
    with postgres.connect(postgres_address) as connection:
        yield PostgresTable(connection, f"test_{uuid.uuid4().hex}")


@pytest.fixture(params=["memory", "postgresql"])
def table(request: pytest.FixtureRequest) -> MemoryTable | PostgresTable:
    """Both must say the same: one is what tests without a database trust."""
    if request.param == "memory":
        return MemoryTable()
    found: PostgresTable = request.getfixturevalue("postgres_table")
    return found
