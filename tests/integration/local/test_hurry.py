"""`--hurry`: waits for other people's servers pass faster, waits that keep order do not."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.__main__ import main
from infra.local.embedded import EmbeddedAws, client
from tests.contract.sqs.calls import Queue


@pytest.fixture(scope="module")
def hurried() -> Iterator[Any]:
    with EmbeddedAws(hurry=900) as aws:
        yield client("sqs", aws.endpoint)


def test_a_long_delay_is_shorter_by_the_factor(hurried: Any) -> None:
    queue = Queue.create(hurried)
    sent = queue.send(DelaySeconds=900)
    assert queue.receive_one()["MessageId"] == sent


def test_a_delay_below_a_minute_stays(hurried: Any) -> None:
    queue = Queue.create(hurried)
    queue.send(DelaySeconds=59)
    assert queue.receive() == []
    assert queue.counts == (0, 1, 0)


@pytest.mark.parametrize("factor", ["0", "901", "-1", "fast"])
def test_a_factor_out_of_range_is_refused_by_name(factor: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--hurry", factor])
    assert "is not a number from 1 to 900" in capsys.readouterr().err
