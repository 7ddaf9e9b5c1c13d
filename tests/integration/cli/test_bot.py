"""`malgil bot` on the tables and the bucket of the local cloud."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import jwt

from infra.local.cloud import LocalCloud
from tests.integration.cli.conftest import BACK_NODE_BOT, REPOSITORY, Malgil, run_malgil

SITE = "https://m.shop.example"


def write(path: Path, text: str = "안녕", target: int = 2) -> Path:
    """A bot file whose entry leads to a message; a target that is not there is an error."""
    message = {"id": 2, "type": "response", "data": {"message": {"type": "text", "text": text}}, "next": []}
    entry = {"id": 1, "type": "entry", "data": {}, "next": [{"nodeId": target}]}
    flows = [{"id": 1, "title": "시작", "nodes": [entry, message]}]
    path.write_text(json.dumps({"title": path.stem, "flows": flows, "preference": {"entryFlowId": 1}}))
    return path


def told(done: Any) -> str:
    assert done.returncode == 0, done.stderr
    text: str = done.stdout
    return text


def listed(malgil: Malgil, bot_id: str) -> list[str]:
    """[id, title, draft, published, ...] of a bot in the list; nothing when it is not there."""
    rows = (line.split() for line in told(malgil("bot", "list")).splitlines())
    return next((row for row in rows if row[0] == bot_id), [])


def test_a_file_becomes_a_draft_named_after_it(malgil: Malgil, tmp_path: Path) -> None:
    path = write(tmp_path / "draft-only.json")
    assert "draft-only: imported as version 1 (0 errors" in told(malgil("bot", "import", path))
    assert listed(malgil, "draft-only")[2:4] == ["1", "-"]


def test_the_same_file_is_no_new_version(malgil: Malgil, tmp_path: Path) -> None:
    path = write(tmp_path / "same.json")
    told(malgil("bot", "import", path))
    assert "same: unchanged since version 1" in told(malgil("bot", "import", path))


def test_an_export_is_the_imported_file(malgil: Malgil, bot: str, tmp_path: Path) -> None:
    exported = tmp_path / "exported.json"
    told(malgil("bot", "export", bot, "-o", exported))
    assert json.loads(exported.read_text(encoding="utf-8")) == json.loads(BACK_NODE_BOT.read_text(encoding="utf-8"))


def test_an_export_is_readable_korean(malgil: Malgil, bot: str) -> None:
    assert "뒤로가기" in told(malgil("bot", "export", bot))


def test_one_flow_is_exported_as_a_flow_file(malgil: Malgil, bot: str) -> None:
    flow = json.loads(told(malgil("bot", "export", bot, "--flow", 2)))
    assert flow in json.loads(BACK_NODE_BOT.read_text(encoding="utf-8"))["flows"]
    assert "no flow 9" in malgil("bot", "export", bot, "--flow", 9).stderr


def test_publishing_and_rolling_back_move_what_is_published(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "moving.json", "하나"), "--publish"))
    told(malgil("bot", "import", write(tmp_path / "moving.json", "둘")))
    assert "version 2 is published" in told(malgil("bot", "publish", "moving"))
    assert "version 1 is published" in told(malgil("bot", "rollback", "moving"))
    assert "version 2 is published" in told(malgil("bot", "rollback", "moving", "--to", 2))


def test_a_draft_with_errors_is_not_published(malgil: Malgil, tmp_path: Path) -> None:
    done = malgil("bot", "import", write(tmp_path / "faulty.json", target=9), "--publish")
    assert done.returncode == 1
    assert "no node 9" in done.stdout
    assert done.stderr == "malgil: 오류가 있어 게시하지 않았습니다 / not published: it has errors\n"
    assert listed(malgil, "faulty")[2:4] == ["1", "-"]


def test_lint_reads_a_draft_by_its_id(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "linted.json", target=9)))
    done = malgil("bot", "lint", "linted")
    assert "no node 9" in done.stdout
    assert done.returncode == 1


def test_deleting_asks_first(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "leaving.json")))
    assert malgil("bot", "delete", "leaving", typed="n\n").returncode == 1
    assert listed(malgil, "leaving")
    told(malgil("bot", "delete", "leaving", typed="y\n"))
    assert not listed(malgil, "leaving")


def test_connect_tells_the_same_values_until_they_are_rotated(malgil: Malgil, tmp_path: Path) -> None:
    told(malgil("bot", "import", write(tmp_path / "connected.json")))
    first = told(malgil("bot", "connect", "connected"))
    assert told(malgil("bot", "connect", "connected")) == first
    rotated = told(malgil("bot", "connect", "connected", "--rotate"))
    changed = [line for line in rotated.splitlines() if line not in first.splitlines()]
    assert [line.split(":")[0] for line in changed] == ["헤더 값 / header value"]


def test_the_told_url_and_header_open_the_skill(malgil: Malgil, bot: str) -> None:
    shown = dict(line.split(": ", 1) for line in told(malgil("bot", "connect", bot)).splitlines()[:3])
    url, name, value = shown.values()
    body = {"userRequest": {"user": {"id": "u", "type": "botUserKey"}, "utterance": ""}}
    assert httpx.post(url, json=body).status_code == 401
    assert httpx.post(url, json=body, headers={name: value}).status_code == 200


def test_a_bot_that_is_not_there_is_one_line(malgil: Malgil) -> None:
    done = malgil("bot", "publish", "nobody")
    assert done.stderr == "malgil: no bot 'nobody'\n"
    assert done.returncode == 1


def test_an_id_that_cannot_be_one_says_how_to_give_one(malgil: Malgil, tmp_path: Path) -> None:
    assert "--id" in malgil("bot", "import", write(tmp_path / "내 봇.json")).stderr


def test_an_unreachable_cloud_is_one_line(tmp_path: Path) -> None:
    environment = {
        "MALGIL_TURNS_TABLE": "t",
        "MALGIL_CORE_TABLE": "c",
        "MALGIL_BOT_BUCKET": "b",
        "MALGIL_EFFECT_QUEUE_URL": "http://127.0.0.1:9/q",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_REGION": "ap-northeast-2",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    description = {"pid": 1, "http_url": "http://127.0.0.1:9", "environment": {"KakaoSkillFunction": environment}}
    (tmp_path / "local.json").write_text(json.dumps(description))
    done = run_malgil("--state", tmp_path, "bot", "list")
    assert done.stderr.startswith("malgil: cannot list the bots (")
    assert "http://127.0.0.1:9" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1


def test_help_loads_neither_the_aws_sdk_nor_the_engine() -> None:
    code = (
        "import sys; from infra.cli.main import app; "
        "assert not {'botocore', 'boto3', 'pynamodb', 'httpx', 'shared.engine'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def test_a_bot_is_shown_on_web_pages_that_are_listed(malgil: Malgil, tmp_path: Path, cloud: LocalCloud) -> None:
    told(malgil("bot", "import", write(tmp_path / "onweb.json"), "--publish"))
    off = told(malgil("bot", "web", "onweb"))
    assert "--enable" in off
    shown = told(malgil("bot", "web", "onweb", "--enable", "--origin", "https://Shop.example/", "--origin", SITE))
    assert f"https://shop.example, {SITE}" in shown
    assert f'<script async src="{cloud.http_url}/webchat.js?botId=onweb"></script>' in shown
    assert told(malgil("bot", "web", "onweb")) == shown
    wrong = malgil("bot", "web", "onweb", "--origin", "shop.example/path")
    assert (wrong.returncode, "web.allowedOrigins[0]" in wrong.stderr) == (1, True)
    for origin, status in ((SITE, 201), ("https://evil.example", 403)):
        asked = httpx.post(
            f"{cloud.http_url}/webchat/v1/sessions", json={"botId": "onweb"}, headers={"origin": origin}, timeout=20
        )
        assert (asked.status_code, asked.headers.get("access-control-allow-origin") == origin) == (
            status,
            status == 201,
        )


def test_an_identity_key_is_shown_once_and_lets_a_customers_user_in(
    malgil: Malgil, tmp_path: Path, cloud: LocalCloud
) -> None:
    told(malgil("bot", "import", write(tmp_path / "members.json"), "--publish"))
    shown = told(malgil("bot", "web", "members", "--enable", "--require-identity", "--identity-key", "new"))
    key_id, secret = [line.rpartition(": ")[2] for line in shown.splitlines() if "키" in line][:2]
    assert secret not in told(malgil("bot", "web", "members"))
    payload = {"sub": "kim", "aud": "members", "exp": int(time.time()) + 60}
    identity = jwt.encode(payload, secret, algorithm="HS256", headers={"kid": key_id})
    statuses = [
        httpx.post(f"{cloud.http_url}/webchat/v1/sessions", json=body, timeout=20).status_code
        for body in (
            {"botId": "members", "userKey": "kim"},
            {"botId": "members", "userKey": "lee", "identity": identity},
            {"botId": "members", "userKey": "kim", "identity": identity},
        )
    ]
    assert statuses == [403, 403, 201]
