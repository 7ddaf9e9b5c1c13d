"""Logs never show secrets or masked text; Lambda can tell their levels."""

import json
import warnings
from datetime import datetime
from typing import Any

import pytest

from shared.runtime import observability
from shared.runtime.observability import logger, masked, report_own_fault
from shared.templates import MaskedText
from shared.templates.environment import Mask


def test_secrets_are_stars_at_any_depth() -> None:
    value = {
        "data": {
            "headers": {"Authorization": "Bearer x", "X-Api-Key": "k", "accept": "json"},
            "list": [{"password": "p"}],
        }
    }
    assert masked(value) == {
        "data": {
            "headers": {"Authorization": "***", "X-Api-Key": "***", "accept": "json"},
            "list": [{"password": "***"}],
        }
    }


def test_masked_text_is_stars_whatever_its_schedule() -> None:
    text = MaskedText("전화 010-1234", (Mask(3, 11, 600_000),))
    assert masked({"messages": [{"text": text}]}) == {"messages": [{"text": "전화 ***"}]}


@pytest.fixture
def printed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a new process prints, as JSON, whose log level is set by Lambda and by us to the same."""

    def lines(level: str) -> list[dict[str, Any]]:
        monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", level)
        monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", level)
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"{request.node.name}-{level}")  # a logger of its own
        observability.logger.cache_clear()
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the logger's, when the two levels differ
            for write in (logger().debug, logger().info, logger().warning, logger().error):
                write(write.__name__)
            report_own_fault(ValueError("broken"))
        observability.logger.cache_clear()
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 4), ("INFO", 3), ("WARN", 2), ("ERROR", 1)])
def test_the_level_that_the_stack_was_given_is_that_of_our_lines(printed: Any, level: str, count: int) -> None:
    words = ["debug", "info", "warning", "error"][-count:]
    assert [line["message"] for line in printed(level) if "_aws" not in line] == [*words, "own fault"]


@pytest.mark.parametrize("level", ["DEBUG", "ERROR"])
def test_lambda_can_read_level_and_time_of_every_line_lest_it_takes_faults_for_information(
    printed: Any, level: str
) -> None:
    """It drops what is below the level, and takes a line for INFO whose time is not RFC 3339."""
    lines = printed(level)
    assert lines
    for line in lines:
        assert line["level"] in ("DEBUG", "INFO", "WARNING", "ERROR")
        assert "T" in line["timestamp"]
        assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None


def test_a_fault_is_still_counted_by_a_line_of_the_embedded_metric_format(printed: Any) -> None:
    (metric,) = [line for line in printed("ERROR") if "_aws" in line]
    assert metric["level"] == "ERROR"
    assert metric["OwnFault"] == 1
    (told,) = metric["_aws"]["CloudWatchMetrics"]
    assert told["Dimensions"] == [["service"]]
    assert metric["service"]
