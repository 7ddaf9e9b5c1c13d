"""Every event of every turn reaches every endpoint, whatever dies, fails, comes twice or late, and whoever interferes.

    MALGIL_SOAK_STEPS=50000 MALGIL_SOAK_SEEDS=1,2,3 .venv/bin/pytest tests/unit/webhooks/test_soak.py

A failure names its seed; the same seed and steps are the same run.
"""

import os

import pytest

from tests.webhook_storm import Storm

STEPS = int(os.environ.get("MALGIL_SOAK_STEPS", "1500"))
LONG_ENOUGH = 1500
CERTAIN = (
    "crash before the put of a turn",
    "crash after the put of a turn",
    "a message was faster",
    "a record cannot be read",
    "a batch of the stream was halved",
    "a batch came again from its lowest failure",
    "an entry of PublishBatch failed",
    "crash after deliveries.put",
    "the sender is quicker than who sends",
    "crash after jobs are sent",
    "a queue hands a message out twice",
    "a message that is done comes again",
    "a message failed alone",
    "crash after a post",
    "crash after deliveries.note_attempt",
    "an owner: off",
    "an owner: url",
    "an owner: secret",
    "an owner: send held",
)
"""What every storm of the usual size has seen."""
SEEDS = [int(seed) for seed in os.environ.get("MALGIL_SOAK_SEEDS", "7,2026,1122").split(",")]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_invented_in_a_storm(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    storm = Storm(seed, monkeypatch)
    try:
        storm.blow(STEPS)
        storm.recover()
        storm.check()
        assert STEPS < LONG_ENOUGH or [what for what in CERTAIN if not storm.weather.happened[what]] == []
    except BaseException as exc:
        exc.add_note(f"seed {seed}, {STEPS} steps")
        raise
