"""What `malgil enduser` shows of an erasure while it is done, and of a receipt."""

from dataclasses import replace

import pytest

from infra.cli import enduser
from shared.conversation.erasure import Counts, Erasure

ACCEPTED = Erasure(
    erasure_id="5d0f3c1f-7a10-4a53-9d5e-2a7d1c6e8f0b",
    bot_id="shop",
    end_user_id="9e7a2681-0f8a-50bc-9eae-8b21cd8194d8",
    log="abcdefghijklmnop",
    revision=3,
    sequence=9,
    requested_by="cli",
    requested_at_ms=1_795_219_200_000,
)
ERASED = replace(ACCEPTED, state="erased", erased_at_ms=1_795_219_300_000, counts=Counts(turns=2, conversations=1))
DONE = replace(ERASED, state="done", done_at_ms=1_795_220_300_000)


def test_a_line_is_shown_each_time_that_something_moved(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("infra.cli.enduser.time.sleep", lambda seconds: None)
    looks = [ACCEPTED, replace(ACCEPTED, counts=Counts(turns=2)), replace(ACCEPTED, counts=Counts(turns=2)), ERASED]
    enduser._follow(ACCEPTED, lambda: looks.pop(0))
    lines = [line.partition(" / ")[2] for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "accepted"
    assert [line.split(",")[0] for line in lines[2:4]] == ["turns 2", "turns 2"]
    assert lines[4] == "erased; looked at once more in 15 minutes"
    assert looks == []


def test_one_that_is_done_already_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    enduser._follow(DONE, lambda: pytest.fail("nothing to wait for"))
    assert capsys.readouterr().out == "끝났습니다 / done\n"


def test_a_receipt_says_what_stays_and_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    enduser.show(DONE)
    out = capsys.readouterr().out
    assert "완료 / done: 2026-11-21 00:18 UTC" in out
    assert "(user key): 2026-11-23 00:18 UTC" in out
    assert "point-in-time recovery of the tables: 2026-12-28 00:18 UTC" in out
    assert "LogRetentionDays: 정해진 날 없음 / no fixed day" in out


def test_before_it_is_done_nobody_knows_when_the_backups_end(capsys: pytest.CaptureFixture[str]) -> None:
    enduser.show(ACCEPTED)
    assert "point-in-time recovery of the tables: 정해진 날 없음 / no fixed day" in capsys.readouterr().out
