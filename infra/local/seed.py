"""What `make run` brings in: the example bots, published and connected, and words on what to try next."""

import json
import os
import sys
from pathlib import Path
from typing import Final

from infra.local import example_api
from infra.local.cloud import LocalCloud
from infra.local.embedded import CREDENTIALS, REPOSITORY
from shared.bot.record import BotRecord
from shared.channels.kakao.settings import SECRET_HEADER
from shared.channels.web.settings import WEB
from shared.runtime import wiring
from shared.services.authoring import Authoring

EXAMPLES: Final = REPOSITORY / "examples/bots"
SKILL_FUNCTION: Final = "KakaoSkillFunction"
"""Any function's environment would do: they all name the same tables."""

SEEDED_FILE: Final = "seeded.json"
"""Bot -> content that was brought in last, in the state folder."""

SITE: Final = """
예제 상점 · the example shop          {site}/
코드 만들기 · make your snippet       {site}/snippet.html
모든 설치 코드 · every form of snippet  {site}/snippets/
"""

NEXT_STEPS: Final = """
다음에 해 볼 것 · What to try next
  .venv/bin/malgil kakao shop             카카오톡에서처럼 이야기하기 · talk to it as KakaoTalk would
  .venv/bin/malgil kakao order            느린 시스템과 영수증 메일 · a slow system and a receipt by mail
  .venv/bin/malgil chat shop --trace      노드마다 한 일 보기 · see what every node did
  .venv/bin/malgil bot import 내봇.json --publish   내 봇 올리기 · bring your own bot
  .venv/bin/malgil doctor                 연결 점검 · check machine, cloud and connection
"""


def seed(cloud: LocalCloud) -> None:
    """Import and publish examples/bots (a repeat changes nothing) and print each bot's skill URL, header and page, and
    where the demo site is."""
    os.environ.update(cloud.environment[SKILL_FUNCTION])
    os.environ.setdefault("AWS_ACCESS_KEY_ID", CREDENTIALS["aws_access_key_id"])
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", CREDENTIALS["aws_secret_access_key"])
    authoring = wiring.authoring()
    sys.stdout.write("\n말길이 준비됐어요 · Malgil is ready\n")
    for path in sorted(EXAMPLES.glob("*/*.json")):
        _bring_in(authoring, path, cloud)
    if cloud.example_url:
        sys.stdout.write(SITE.format(site=cloud.example_url))
    sys.stdout.write(f"{NEXT_STEPS}\n")


def _bring_in(authoring: Authoring, path: Path, cloud: LocalCloud) -> None:
    bot_id = path.stem
    if _is_edited(authoring, bot_id, cloud):
        sys.stdout.write(f"\n봇 {bot_id} · 고치신 봇이라 그대로 둡니다 · edited by you, left as it is\n")
        return
    imported = authoring.import_file(bot_id, _with_example_address(path.read_bytes(), cloud.example_url))
    _remember(bot_id, imported.record, cloud)
    record = (
        authoring.publish(bot_id) if imported.is_new_version or imported.record.published is None else imported.record
    )
    settings = authoring.connect_kakao(bot_id)
    if WEB not in record.channels:  # else its owner has said already whether it is on
        authoring.connect_web(bot_id, enabled=True)
    published = record.published
    number = published.number if published is not None else 0
    sys.stdout.write(
        f"\n봇 {bot_id} · {record.profile.get('title', '')} (버전 {number})\n"
        f"  스킬 URL · skill URL   {cloud.http_url}/kakao/{bot_id}/{settings.path_secret}\n"
        f"  헤더 · header          {SECRET_HEADER}: {settings.header_secrets[0]}\n"
        f"  웹 채팅 · web chat      {cloud.http_url}/webchat/{bot_id}\n"
    )


def _is_edited(authoring: Authoring, bot_id: str, cloud: LocalCloud) -> bool:
    """Whether the bot's draft is not what was brought in last: then it is somebody's work."""
    record = authoring.bots.get(bot_id)
    if record is None or record.latest is None or record.deleted_at_ms is not None:
        return record is not None and record.deleted_at_ms is not None
    return _seeded(cloud).get(bot_id) not in (None, record.latest.content_hash)


def _remember(bot_id: str, record: BotRecord, cloud: LocalCloud) -> None:
    if record.latest is not None:
        seeded = {**_seeded(cloud), bot_id: record.latest.content_hash}
        (cloud.state / SEEDED_FILE).write_text(json.dumps(seeded), encoding="utf-8")


def _seeded(cloud: LocalCloud) -> dict[str, str]:
    path = cloud.state / SEEDED_FILE
    seeded: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return seeded


def _with_example_address(raw: bytes, example_url: str) -> bytes:
    """The example bots name the example API's usual address; another port takes its place here."""
    return raw.replace(example_api.DEFAULT_URL.encode(), example_url.encode()) if example_url else raw
