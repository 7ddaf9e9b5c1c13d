"""Whole talks, in and out. A bug report becomes one of these files first."""

import json
from pathlib import Path

import pytest

from tests.contract.kakao.skill_response import violations
from tests.golden.talk import ROOT, run

CONVERSATIONS = sorted(
    [
        *(Path(__file__).parent / "conversations").glob("*.json"),
        *(ROOT / "examples/bots").glob("*/conversations/*.json"),
    ]
)


def test_there_are_conversations_to_run() -> None:
    assert len(CONVERSATIONS) >= 5


@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
def test_the_bot_answers_as_recorded(path: Path) -> None:
    golden = json.loads(path.read_text(encoding="utf-8"))

    fresh, replies = run(golden)

    for number, (expected, turn) in enumerate(zip(golden["turns"], fresh["turns"], strict=True)):
        assert turn == expected, f"turn {number}"
    assert fresh["params"] == golden["params"]
    assert fresh.get("world") == golden.get("world")
    for reply in replies:
        assert violations(reply) == []
