"""Claims: one has it at a time, also when the answer to the taking is lost."""

import uuid

import pytest

from shared.errors import Unavailable
from shared.runtime.settings import CORE_TABLE
from shared.storage.claims import DynamoClaims
from tests.integration.conftest import Stack
from tests.integration.storage.faults import FaultyClient


@pytest.fixture
def claims(stack: Stack, client: FaultyClient) -> DynamoClaims:
    return DynamoClaims(stack.environment[CORE_TABLE], client)


@pytest.fixture
def log() -> str:
    return uuid.uuid4().hex


def test_a_claim_is_taken_once_until_its_time_is_over(claims: DynamoClaims, log: str) -> None:
    assert claims.take("bot", log, "walk/1", now_ms=1_000, until_ms=2_000)
    assert not claims.take("bot", log, "walk/1", now_ms=2_000, until_ms=3_000)
    assert claims.take("bot", log, "walk/1", now_ms=2_001, until_ms=3_000)
    assert claims.take("bot", log, "walk/2", now_ms=2_001, until_ms=3_000)


def test_a_claim_was_taken_also_when_it_is_over(claims: DynamoClaims, log: str) -> None:
    assert not claims.is_taken("bot", log, "callback/1")
    claims.take("bot", log, "callback/1", now_ms=1_000, until_ms=2_000)
    assert claims.is_taken("bot", log, "callback/1")


@pytest.mark.parametrize("fault", ["throttled", "server_fault", "lost_request", "lost_answer"])
def test_one_fault_does_not_keep_us_from_our_own_claim(
    claims: DynamoClaims, client: FaultyClient, log: str, fault: str
) -> None:
    client.faults["put_item"] = [fault]
    assert claims.take("bot", log, "walk/1", now_ms=1_000, until_ms=2_000)
    assert not claims.take("bot", log, "walk/1", now_ms=1_000, until_ms=2_000)


def test_a_claim_that_nobody_knows_of_is_not_ours(claims: DynamoClaims, client: FaultyClient, log: str) -> None:
    client.faults["put_item"] = ["lost_answer", "lost_answer"]
    with pytest.raises(Unavailable):
        claims.take("bot", log, "walk/1", now_ms=1_000, until_ms=2_000)
    assert not claims.take("bot", log, "walk/1", now_ms=1_000, until_ms=2_000)
