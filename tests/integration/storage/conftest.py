"""The log of turns on real storage semantics, through a client that fails when it is told to."""

import pytest

from shared.storage.turns import DynamoTurns
from tests.integration.conftest import Stack
from tests.integration.storage.faults import FaultyClient


@pytest.fixture
def client() -> FaultyClient:
    return FaultyClient()


@pytest.fixture
def turns(stack: Stack, client: FaultyClient) -> DynamoTurns:
    return DynamoTurns(stack.turns_table, client)
