"""`malgil kakao` against the skill URL of the local cloud: the way from a tap through the function and back."""

from pathlib import Path

from tests.integration.cli.conftest import Malgil
from tests.integration.cli.test_bot import told, write
from tests.integration.cli.test_chat import bot_lines


def test_a_bot_is_met_as_on_a_phone(malgil: Malgil, bot: str) -> None:
    shown = told(malgil("kakao", bot, typed="1\n진행\n2\n"))
    assert bot_lines(shown) == ["0", "1", "2", "(뒤로가기)", "1"]
    assert "[1] 진행  [2] 뒤로" in shown


def test_the_kakao_bot_id_of_the_settings_is_sent_along(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "guarded.json", "들어오세요"), "--publish"))
    told(malgil("bot", "connect", "guarded", "--kakao-bot-id", "67a961ce1e098a447d574fe7"))
    assert bot_lines(told(malgil("kakao", "guarded"))) == ["들어오세요"]


def test_a_bot_that_is_not_connected_says_how_to_connect_it(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "alone.json"), "--publish"))
    done = malgil("kakao", "alone")
    assert "malgil bot connect alone" in done.stderr
    assert done.returncode == 1
