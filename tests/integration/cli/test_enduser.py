"""`malgil enduser` beside a running local cloud."""

import re

import pytest

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_somebody_is_erased_and_has_a_receipt(cloud, malgil, bot):
    assert malgil("chat", bot, "--user", "kim-erased", typed="안녕\n/quit\n").returncode == 0
    done = malgil("enduser", "erase", bot, "--platform", "test", "--user", "kim-erased", "--yes", "--no-wait")
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(rf"영수증 / receipt: back ({UUID})\n", done.stdout)
    assert found is not None
    receipt = malgil("enduser", "receipt", bot, found[1])
    assert receipt.returncode == 0, receipt.stderr
    assert "접수했습니다 / accepted" in receipt.stdout
    assert "요청한 이 / requested by: cli" in receipt.stdout
    assert "point-in-time recovery" in receipt.stdout
    assert "kim-erased" not in receipt.stdout
    again = malgil("enduser", "erase", bot, "--platform", "test", "--user", "kim-erased", "--yes", "--no-wait")
    assert again.stdout == done.stdout, "one erasure, however often it is asked for"


def test_whoever_is_not_there_is_told(malgil, bot):
    done = malgil("enduser", "erase", bot, "nobody", "--yes")
    assert (done.returncode, done.stderr) == (1, "malgil: no such end user\n")
    done = malgil("enduser", "receipt", bot, "nothing")
    assert (done.returncode, done.stderr) == (1, "malgil: no such erasure\n")


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--platform", "kakao"],
        ["--user", "kim"],
        ["id", "--user", "kim"],
        ["id", "--platform", "kakao", "--user", "kim"],
    ],
)
def test_it_must_be_clear_who_is_meant(malgil, bot, options):
    done = malgil("enduser", "erase", bot, *options, "--yes")
    assert (done.returncode, done.stderr) == (1, "malgil: give the end user's id, or --platform and --user\n")


def test_erasing_asks_first(malgil, bot):
    assert malgil("chat", bot, "--user", "lee", typed="안녕\n/quit\n").returncode == 0
    assert malgil("enduser", "erase", bot, "--platform", "test", "--user", "lee", typed="n\n").returncode == 1
