"""`malgil bot lint` on files: no cloud is needed."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import CLOSER, Malgil


def write_bot(path: Path, **node: object) -> Path:
    """A bot whose entry is followed by one more node."""
    nodes = [{"id": 1, "type": "entry", "data": {}, "next": [{"nodeId": 2}]}, {"id": 2, "next": [], **node}]
    bot = {"title": "봇", "flows": [{"id": 1, "title": "시작", "nodes": nodes}], "preference": {"entryFlowId": 1}}
    path.write_text(json.dumps(bot, ensure_ascii=False), encoding="utf-8")
    return path


def broken_bot(path: Path) -> Path:
    return write_bot(path, type="flow", data={"flowId": 14})


@pytest.mark.parametrize("file", sorted(CLOSER.glob("*.json")), ids=lambda file: file.stem)
def test_a_real_export_is_read_and_every_problem_has_its_place(malgil: Malgil, file: Path) -> None:
    result = malgil("bot", "lint", file, "--json")
    assert all({"path", "severity", "code", "message"} == problem.keys() for problem in json.loads(result.stdout))


def test_a_bot_without_errors_ends_with_0(malgil: Malgil) -> None:
    result = malgil("bot", "lint", CLOSER / "bot_back_node_test.json")
    assert result.exit_code == 0
    assert "0 errors, 1 warning" in result.stdout


def test_an_error_is_shown_with_its_path_and_ends_with_1(malgil: Malgil, tmp_path: Path) -> None:
    result = malgil("bot", "lint", broken_bot(tmp_path / "b.json"))
    assert "error   flows[0].nodes[1].data.flowId: no flow 14" in result.stdout
    assert result.exit_code == 1


def test_errors_end_with_1_as_json_too(malgil: Malgil, tmp_path: Path) -> None:
    result = malgil("bot", "lint", broken_bot(tmp_path / "b.json"), "--json")
    assert ("flows[0].nodes[1].data.flowId", "error") in {(p["path"], p["severity"]) for p in json.loads(result.stdout)}
    assert result.exit_code == 1


def test_sentences_are_korean_when_asked_for(malgil: Malgil, tmp_path: Path) -> None:
    assert (
        "플로우 14이(가) 없습니다" in malgil("bot", "lint", broken_bot(tmp_path / "b.json"), "--language", "ko").stdout
    )


def test_sentences_are_korean_in_a_korean_terminal(
    malgil: Malgil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    assert "플로우 14이(가) 없습니다" in malgil("bot", "lint", broken_bot(tmp_path / "b.json")).stdout


def test_what_is_no_bot_file_is_told_in_one_line(malgil: Malgil, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text("[1, 2")
    result = malgil("bot", "lint", path)
    assert result.stderr.startswith("malgil: this is not a bot file")
    assert result.stderr.count("\n") == 1
    assert result.exit_code == 1


def test_a_file_that_is_not_there_is_not_taken_for_a_bots_id(malgil: Malgil) -> None:
    assert "no file 'missing.json'" in malgil("bot", "lint", "missing.json").stderr


def test_an_id_without_a_cloud_says_how_to_get_one(malgil: Malgil) -> None:
    result = malgil("bot", "lint", "some-bot")
    assert result.stderr == (
        "malgil: 클라우드가 없습니다: `make run`으로 켜거나 --stack NAME으로 배포한 것을 고르세요 / "
        "no cloud to talk to: start the local one with `make run`, or name a deployed one with --stack NAME\n"
    )
    assert result.exit_code == 1
