"""`malgil doctor` beside the local cloud."""

import json
from pathlib import Path

from infra.local.cloud import LocalCloud
from tests.integration.cli.conftest import Malgil, run_malgil
from tests.integration.cli.test_bot import told, write


def test_a_healthy_bot_has_a_healthy_connection(malgil: Malgil, bot: str) -> None:
    shown = told(malgil("doctor", bot))
    for good in (
        "✓ 테이블 malgil-local-TurnsTable",
        "✓ 버킷 malgil-local-botbucket",
        "✓ HTTP API",
        "✓ 시계 일치",
        "✓ 버전 1 게시됨",
        "✓ 스킬 호출 성공",
        "! 카카오 봇 ID 미설정",
        "□ 두 블록의 응답이 '스킬데이터 사용'인가요?",
    ):
        assert good in shown
    assert "✗" not in shown


def test_a_connected_bot_that_is_not_published_is_broken(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "silent.json")))
    told(malgil("bot", "connect", "silent"))
    done = malgil("doctor", "silent")
    assert "✗ 게시되지 않음 / not published\n  → malgil bot publish silent" in done.stdout
    assert done.returncode == 1


def test_a_credential_that_a_bot_names_must_be_stored(malgil: Malgil, tmp_path: Path) -> None:
    sheet = {"spreadsheetId": "s", "token": "google", "post": {"columns": ["a"], "values": ["b"]}}
    nodes = [
        {"id": 1, "type": "entry", "data": {}, "next": [{"nodeId": 2}]},
        {"id": 2, "type": "gsheet", "data": sheet, "next": []},
    ]
    file = tmp_path / "ledger.json"
    file.write_text(json.dumps({"title": "장부", "flows": [{"id": 1, "title": "시작", "nodes": nodes}]}))
    told(malgil("bot", "import", file, "--publish"))
    missing = "! 자격 증명 'google' 없음 / no credential 'google'\n  → malgil secret set ledger google"
    assert missing in malgil("doctor", "ledger").stdout
    told(malgil("secret", "set", "ledger", "google", typed="key"))
    assert "✓ 자격 증명 'google' 있음 / credential 'google' is stored" in malgil("doctor", "ledger").stdout
    told(malgil("secret", "delete", "ledger", "google", "--yes"))
    assert missing in malgil("doctor", "ledger").stdout


def test_an_api_that_is_gone_is_broken(cloud: LocalCloud, tmp_path: Path) -> None:
    description = json.loads((cloud.state / "local.json").read_text())
    (tmp_path / "local.json").write_text(json.dumps({**description, "http_url": "http://127.0.0.1:9"}))
    done = run_malgil("--state", tmp_path, "doctor")
    assert "✗ HTTP API 응답 없음" in done.stdout
    assert done.returncode == 1


def test_a_table_that_is_gone_is_broken(cloud: LocalCloud, tmp_path: Path) -> None:
    description = json.loads((cloud.state / "local.json").read_text())
    description["environment"]["KakaoSkillFunction"]["MALGIL_TURNS_TABLE"] = "gone"
    (tmp_path / "local.json").write_text(json.dumps(description))
    done = run_malgil("--state", tmp_path, "doctor")
    assert "✗ 테이블 gone: 실패 / table gone: failed" in done.stdout
    assert "ResourceNotFoundException" in done.stdout
    assert done.returncode == 1


def test_a_machine_without_a_cloud_is_no_fault(tmp_path: Path) -> None:
    done = run_malgil("--state", tmp_path, "doctor")
    assert "! 클라우드 없음 / no cloud" in done.stdout
    assert done.returncode == 0


def test_a_cloud_that_was_named_must_be_there(tmp_path: Path) -> None:
    done = run_malgil("--state", tmp_path, "--local", "doctor")
    assert "✗ 클라우드 없음 / no cloud" in done.stdout
    assert done.returncode == 1
