"""`malgil kakao` against the skill URL of the local cloud: the way from a tap through the function and back."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.cli import kakao
from infra.cli.cloud import Cloud, CloudChoice
from shared.bot.record import BotRecord
from shared.channels.kakao.settings import KakaoSettings
from shared.errors import InvalidInput
from shared.runtime import wiring
from tests.factories import a_node
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


SLOW = {
    "title": "느린 봇",
    "flows": [
        {
            "id": 1,
            "nodes": [
                a_node(1, "entry", {}, 2),
                a_node(2, "response", {"message": {"type": "text", "text": "알아볼게요."}}, 3),
                a_node(3, "fetch", {"uri": "https://127.0.0.1/refused", "method": "POST", "slow": True}, 4),
                a_node(4, "response", {"message": {"type": "text", "text": "{{message}}: {{fetch.error.name}}"}}, 5),
                a_node(5, "keyboard", {}, 2),
            ],
        }
    ],
    "preference": {"entryFlowId": 1, "systemMessage": {"waiting": "기다려 주세요."}},
}


@pytest.fixture
def slow(malgil: Malgil, tmp_path: Path) -> str:
    """A published bot whose author calls its company's system slow."""
    path = tmp_path / "slow.json"
    path.write_text(json.dumps(SLOW), encoding="utf-8")
    told(malgil("bot", "import", path, "--publish"))
    return "slow"


def test_a_late_reply_is_posted_by_the_worker_and_drawn(malgil: Malgil, slow: str) -> None:
    shown = bot_lines(told(malgil("kakao", slow, "--callback", typed="주문\n")))
    assert shown[1:] == [
        "알아볼게요.",
        ": BlockedAddressError",
        "(callback) 기다려 주세요.",
        "알아볼게요.",
        "주문: BlockedAddressError",
    ]


def test_a_callback_needs_the_local_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = Cloud(name="stack malgil", is_local=False, http_url="https://example.com", environment={})
    settings = KakaoSettings(path_secret="p" * 32, header_secrets=("s" * 32,))
    monkeypatch.setattr(kakao, "enter", lambda choice: deployed)
    record = BotRecord(bot_id="a", profile={}, created_at_ms=0, updated_at_ms=0, channels={"kakao": settings.to_dict()})
    monkeypatch.setattr(wiring, "authoring", lambda: SimpleNamespace(get=lambda bot_id: record))
    with pytest.raises(InvalidInput, match="make run"):
        kakao.skill_of_bot(CloudChoice(stack="malgil"), "a", with_callback=True)


def test_a_deployed_bot_is_connected_only_when_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = Cloud(name="stack malgil", is_local=False, http_url="https://example.com", environment={})
    monkeypatch.setattr(kakao, "enter", lambda choice: deployed)
    record = BotRecord(bot_id="alone", profile={}, created_at_ms=0, updated_at_ms=0)
    monkeypatch.setattr(wiring, "authoring", lambda: SimpleNamespace(get=lambda bot_id: record))
    with pytest.raises(InvalidInput, match="`malgil bot connect alone`"):
        kakao.skill_of_bot(CloudChoice(stack="malgil"), "alone")
