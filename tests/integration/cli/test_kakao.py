"""`malgil kakao` against the skill URL of the local cloud: the way from a tap through the function and back."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.cli import kakao
from infra.cli.cloud import Cloud, CloudChoice
from shared.bot.record import BotRecord
from shared.errors import InvalidInput
from shared.runtime import wiring
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


def test_a_bot_just_published_needs_no_other_step_on_this_machine(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "alone.json", "반가워요"), "--publish"))
    assert bot_lines(told(malgil("kakao", "alone"))) == ["반가워요"]
    secret = told(malgil("bot", "connect", "alone"))
    assert bot_lines(told(malgil("kakao", "alone"))) == ["반가워요"]
    assert told(malgil("bot", "connect", "alone")) == secret


def test_a_deployed_bot_is_connected_only_when_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = Cloud(name="stack malgil", is_local=False, http_url="https://example.com", environment={})
    monkeypatch.setattr(kakao, "enter", lambda choice: deployed)
    record = BotRecord(bot_id="alone", profile={}, created_at_ms=0, updated_at_ms=0)
    monkeypatch.setattr(wiring, "authoring", lambda: SimpleNamespace(get=lambda bot_id: record))
    with pytest.raises(InvalidInput, match="`malgil bot connect alone`"):
        kakao.skill_of_bot(CloudChoice(stack="malgil"), "alone")
