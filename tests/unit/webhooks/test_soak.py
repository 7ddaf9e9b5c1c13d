"""Every event of every turn reaches every endpoint, whatever dies, fails, comes twice or late, and whoever interferes.

    MALGIL_SOAK_STEPS=50000 MALGIL_SOAK_SEEDS=1,2,3 .venv/bin/pytest tests/unit/webhooks/test_soak.py

A failure names its seed; the same seed and steps are the same run.
"""

import os
from collections import Counter
from functools import cache

import pytest

from tests.webhook_storm import Storm

STEPS = int(os.environ.get("MALGIL_SOAK_STEPS", "1000"))
SEEDS = [int(seed) for seed in os.environ.get("MALGIL_SOAK_SEEDS", "7,2026,1122").split(",")]
LONG_ENOUGH = 3_000
CERTAIN = (
    *[f"{what} {when} the put of a turn" for what in ("crash", "fault") for when in ("before", "after")],
    *[f"{what} {when} a publish" for what in ("crash", "fault") for when in ("before", "after")],
    *[f"crash {when} deliveries.{what}" for what in ("put", "get", "note_attempt") for when in ("before", "after")],
    "a message was faster",
    *[f"the answer of deliveries.{what} was lost" for what in ("put", "note_attempt")],
    "a record cannot be read",
    "a batch of the stream was halved",
    "a batch of the stream came twice",
    "a batch came again from its lowest failure",
    "an entry of PublishBatch failed",
    "the topic tells its queue twice",
    "the sender is quicker than who sends",
    "crash before a job is sent",
    "crash after jobs are sent",
    "a queue hands a message out twice",
    "a message that is done comes again",
    "a message failed alone",
    "crash after a post",
    "something happens during a post",
    *[f"an owner: {act}" for act in ("off", "on", "url", "secret", "send held", "new")],
)
"""What the storms have seen, as long as they are together."""


@cache
def after_the_storm(seed: int) -> Storm:
    with pytest.MonkeyPatch.context() as patch:
        storm = Storm(seed, patch)
        try:
            storm.blow(STEPS)
            storm.recover()
        except BaseException as exc:
            exc.add_note(f"seed {seed}, {STEPS} steps")
            raise
    return storm


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_invented_in_a_storm(seed: int) -> None:
    after_the_storm(seed).check()


def test_the_storms_were_some() -> None:
    if len(SEEDS) * STEPS < LONG_ENOUGH:
        pytest.skip("these are too short to have seen everything")
    happened = sum((after_the_storm(seed).weather.happened for seed in SEEDS), Counter[str]())
    assert [what for what in CERTAIN if not happened[what]] == []
