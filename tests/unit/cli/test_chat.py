"""`malgil chat` with a bot file and lines on standard input."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cli.chat import talk_with_file
from infra.cli.terminal import parse_line
from tests.unit.cli.conftest import CLOSER, Malgil

ENTRY = {"id": 1, "type": "entry", "data": {}, "next": [{"nodeId": 2}]}


LISTEN = {"id": 3, "type": "keyboard", "data": {}, "next": [{"nodeId": 4}]}


def say(node_id: int, *next_ids: int, **message: Any) -> dict[str, Any]:
    return {
        "id": node_id,
        "type": "response",
        "data": {"message": {"type": "text", **message}},
        "next": [{"nodeId": target} for target in next_ids],
    }


def write(path: Path, *nodes: dict[str, Any]) -> Path:
    """A flow file; its entry leads to node 2."""
    path.write_text(json.dumps({"id": 1, "title": "시작", "nodes": [ENTRY, *nodes]}), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bot.json"


def bot_lines(output: str) -> list[str]:
    return [line.removeprefix("● ") for line in output.splitlines() if line.startswith("● ")]


def test_the_back_node_bot_goes_back_as_the_real_product_did(malgil: Malgil) -> None:
    typed = "진행\n진행\n진행\n뒤로\n뒤로\n스킵(drop)\n뒤로\n"
    result = malgil("chat", CLOSER / "bot_back_node_test.json", typed=typed)
    answers = [*"0123", "(뒤로가기)", "2", "(뒤로가기)", "1", "2", "(뒤로가기)", "0"]
    assert bot_lines(result.stdout) == answers
    assert result.exit_code == 0


def test_piped_lines_are_echoed(malgil: Malgil) -> None:
    assert "\n> 진행\n● 1\n" in malgil("chat", CLOSER / "bot_back_node_test.json", typed="진행\n").stdout


def test_a_number_presses_the_button_before_which_it_stands(malgil: Malgil) -> None:
    result = malgil("chat", CLOSER / "bot_back_node_test.json", typed="1\n4\n")
    assert "[1] 진행  [2] 뒤로" in result.stdout
    assert bot_lines(result.stdout) == ["0", "1", "2"]


def test_over_the_quota_the_answers_show_the_brand_line_and_an_agents_message_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("infra.cli.chat.lines", lambda: map(parse_line, ("진행", "/join", "/say 안녕하세요")))
    talk = talk_with_file(CLOSER / "bot_back_node_test.json", platform="test", user_key=None)
    talk.brand_line = lambda: "powered by Malgil"
    talk.run()
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert shown[shown.index("● 1") + 1 :][:2] == ["", "powered by Malgil"]
    assert shown[-1] != "powered by Malgil"
    assert shown.count("powered by Malgil") == 2


def test_a_number_that_stands_before_nothing_is_said(malgil: Malgil, file: Path) -> None:
    write(file, say(2, 3, text="?"), LISTEN, say(4, text="{{message}}"))
    assert bot_lines(malgil("chat", file, typed="7\n").stdout) == ["?", "7"]


def test_text_says_a_number_even_if_it_stands_before_a_button(malgil: Malgil, file: Path) -> None:
    write(file, say(2, 3, text="?", buttons=[{"label": "하나"}]), LISTEN, say(4, text="{{message}}"))
    assert bot_lines(malgil("chat", file, typed="/text 1\n").stdout) == ["?", "1"]


def test_a_pressed_postback_carries_its_payload(malgil: Malgil, file: Path) -> None:
    button = {"type": "postback", "label": "하나", "payload": '{"n": 41}'}
    write(file, say(2, 3, text="?", buttons=[button]), LISTEN, say(4, text="{{message.payload.n}} {{message}}"))
    assert bot_lines(malgil("chat", file, typed="1\n").stdout) == ["?", "41 하나"]


def test_a_goto_button_jumps(malgil: Malgil, file: Path) -> None:
    write(
        file,
        say(2, text="?", buttons=[{"type": "goto", "label": "가기", "flowId": 1, "nodeId": 5}]),
        say(5, text="여기"),
    )
    assert bot_lines(malgil("chat", file, typed="1\n").stdout) == ["?", "여기"]


def test_a_link_is_shown_and_tells_the_bot_nothing(malgil: Malgil, file: Path) -> None:
    write(file, say(2, text="?", buttons=[{"type": "link", "label": "집", "uri": "https://example.com/"}]))
    result = malgil("chat", file, typed="1\n")
    assert bot_lines(result.stdout) == ["?"]
    assert result.stdout.endswith("> 1\n  집 https://example.com/\n")


def test_cards_are_boxes_with_their_buttons(malgil: Malgil, file: Path) -> None:
    cards = [{"title": "제목", "description": "설명", "buttons": [{"label": "고르기"}]}, {"title": "둘째"}]
    write(file, say(2, type="cards", cards=cards))
    shown = malgil("chat", file).stdout
    assert all(text in shown for text in ("제목", "설명", "[1] 고르기", "둘째"))


def test_control_characters_of_a_bot_do_not_reach_the_terminal(malgil: Malgil, file: Path) -> None:
    write(
        file,
        say(2, 3, text="a\x1b[2Jb", buttons=[{"label": "c\x9b1m"}]),
        say(3, type="cards", cards=[{"title": "t\x1b]0;x\x07", "description": "d\r"}]),
    )
    assert not set(malgil("chat", file).stdout) & {"\x1b", "\x9b", "\x07", "\r"}


def test_an_agent_joins_speaks_and_leaves_again(malgil: Malgil) -> None:
    typed = "/join\n/say 무엇을 도와드릴까요?\n진행\n/complete\n안녕\n"
    result = malgil("chat", CLOSER / "bot_back_node_test.json", "--platform", "web", typed=typed)
    assert "malgil chat: 무엇을 도와드릴까요?" in result.stdout
    assert bot_lines(result.stdout) == ["0", "0"]  # nothing while the agent is there, then the entry flow


def test_restart_begins_with_the_welcome_and_without_parameters(malgil: Malgil, file: Path) -> None:
    parameter = {"type": "parameter", "data": {"type": "set", "set": [{"key": "n", "value": "1"}]}}
    write(file, say(2, 3, text="어서 오세요{{n}}"), {"id": 3, **parameter, "next": []})
    result = malgil("chat", file, typed="/params\n/restart\n")
    assert '"n": "1"' in result.stdout
    assert bot_lines(result.stdout) == ["어서 오세요", "어서 오세요"]


def test_opening_again_shows_the_keyboard_and_nothing_else(malgil: Malgil) -> None:
    result = malgil("chat", CLOSER / "bot_back_node_test.json", typed="/open\n")
    assert result.stdout.endswith("> /open\n  [1] 진행  [2] 뒤로\n")


def test_nothing_is_heard_after_quit(malgil: Malgil) -> None:
    assert bot_lines(malgil("chat", CLOSER / "bot_back_node_test.json", typed="/quit\n진행\n").stdout) == ["0"]


def test_an_unknown_command_is_not_said_to_the_bot(malgil: Malgil) -> None:
    result = malgil("chat", CLOSER / "bot_back_node_test.json", typed="/jump\n")
    assert bot_lines(result.stdout) == ["0"]
    assert "/help" in result.stdout


def test_the_trace_tells_of_every_node(malgil: Malgil) -> None:
    shown = malgil("chat", CLOSER / "bot_back_node_test.json", "--trace").stdout
    assert [line.split()[:2] for line in shown.splitlines() if " ms" in line] == [
        ["1/1", "entry"],
        ["1/2", "response"],
        ["1/3", "keyboard"],
    ]
    assert 'data: {"message": {"text": "0", "type": "text"}}' in shown
    assert 'changes: {"keyboard": {"status": "PENDING"}}' in shown


def test_the_trace_hides_secrets(malgil: Malgil, file: Path) -> None:
    headers = {"Authorization": "Bearer s3cret"}
    fetch = {"id": 2, "type": "fetch", "data": {"uri": "http://127.0.0.1/", "headers": headers}, "next": []}
    write(file, fetch)
    shown = malgil("chat", file, "--trace").stdout
    assert "Authorization" in shown
    assert "s3cret" not in shown


def test_a_file_cannot_reach_this_machine(malgil: Malgil, file: Path) -> None:
    fetch = {"id": 2, "type": "fetch", "data": {"uri": "http://127.0.0.1/"}, "next": [{"nodeId": 3}]}
    write(file, fetch, say(3, text="{{fetch.error.message}}"))
    assert bot_lines(malgil("chat", file).stdout) == ["Cannot use private IP address for request url"]


def test_there_is_no_end_user_id_on_platform_test_and_one_elsewhere(malgil: Malgil, file: Path) -> None:
    write(file, say(2, text="<{{endUserId}}>"))
    assert bot_lines(malgil("chat", file).stdout) == ["<>"]
    assert bot_lines(malgil("chat", file, "--platform", "web").stdout) != ["<>"]


def test_a_draft_is_only_met_on_platform_test(malgil: Malgil) -> None:
    result = malgil("chat", "some-bot", "--draft", "--platform", "kakao")
    assert result.exit_code == 1
    assert "platform test" in result.stderr
