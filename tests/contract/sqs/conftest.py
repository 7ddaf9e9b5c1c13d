"""An SQS to check: the embedded one, or the one that MALGIL_TEST_SQS_ENDPOINT names."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.embedded import EmbeddedAws, client
from tests.contract.sqs.calls import Queue

ENDPOINT = os.environ.get("MALGIL_TEST_SQS_ENDPOINT")


@pytest.fixture(scope="session")
def sqs_endpoint() -> Iterator[str]:
    if ENDPOINT:
        yield ENDPOINT
        return
    with EmbeddedAws() as aws:
        yield aws.endpoint


@pytest.fixture(scope="session")
def sqs(sqs_endpoint: str) -> Any:
    return client("sqs", sqs_endpoint)


@pytest.fixture
def queue(sqs: Any) -> Queue:
    """A queue of its own, whose messages come back after a second."""
    return Queue.create(sqs, VisibilityTimeout="1")
