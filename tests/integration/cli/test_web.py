"""`malgil bot web` and `malgil token-key` beside a running local cloud: what is set is shown, and what pages get."""

import json
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from infra.local.cloud import LocalCloud
from tests.integration.cli.conftest import Malgil
from tests.integration.cli.test_bot import told, write


@pytest.fixture
def bot_id(malgil: Malgil, tmp_path: Path) -> str:
    name = f"web-{tmp_path.name.replace('_', '-')[:40]}"
    told(malgil("bot", "import", write(tmp_path / f"{name}.json"), "--publish"))
    return name


def shown_to_pages(cloud: LocalCloud, bot_id: str) -> Any:
    return httpx.get(f"{cloud.http_url}/webchat/v1/bots/{bot_id}", timeout=20).raise_for_status().json()


def test_every_setting_is_set_in_words_and_shown(
    malgil: Malgil, bot_id: str, tmp_path: Path, cloud: LocalCloud
) -> None:
    theme = tmp_path / "theme.json"
    theme.write_text(json.dumps({"primaryColor": "#112233", "greetingReplies": ["배송 조회"]}), encoding="utf-8")
    shown = told(
        malgil(
            *("bot", "web", bot_id, "--enable", "--no-uploads", "--theme", theme),
            *("--set", "title=123", "--set", "skipWelcome=true", "--set", "pageMargin=[20, 30]"),
            *("--contact-form", "required", "--contact-field", "phone", "--contact-field", "name"),
            *("--consent", "연락처 수집에 동의합니다"),
            *("--hours", "월-금 10:00-12:00,13:00-18:00", "--hours", "sat 22:00-02:00", "--time-zone", "Europe/Berlin"),
        )
    )
    for line in (
        *("사진 받기 / uploads: 아니오 / no", "연락처 양식 / contact form: 필수 / required: name, phone"),
        *("동의 문구 / consent: 연락처 수집에 동의합니다", "운영 시간 / hours: Europe/Berlin"),
        *("  mon: 10:00-12:00, 13:00-18:00", "  sat: 22:00-02:00", "  title: 123", "  pageMargin: [20, 30]"),
    ):
        assert line in shown.splitlines()
    assert told(malgil("bot", "web", bot_id)) == shown
    found = shown_to_pages(cloud, bot_id)
    assert found["theme"] == {
        "primaryColor": "#112233",
        "greetingReplies": ["배송 조회"],
        "title": "123",
        "skipWelcome": True,
        "pageMargin": [20, 30],
    }
    form = {"required": True, "fields": ["name", "phone"], "consent": "연락처 수집에 동의합니다"}
    assert (found["uploads"], found["contactForm"]) == (False, form)
    assert set(found["hours"]) == {"open", "text", "opensAt"}

    told(malgil("bot", "web", bot_id, "--hours", "off", "--contact-form", "optional", "--set", "title="))
    shown = told(malgil("bot", "web", bot_id, "--consent", ""))
    assert "연락처 양식 / contact form: 선택 / optional: name, phone" in shown
    assert not any(word in shown for word in ("동의 문구", "Europe/Berlin", "title:"))
    assert "꺼짐 / off" in told(malgil("bot", "web", bot_id, "--contact-form", "off"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--hours", "10:00-18:00"), '--hours "mon-fri 10:00-18:00"'),
        (("--hours", "off", "--hours", "mon 10:00-18:00"), "--hours off"),
        (("--time-zone", "Asia/Seoul"), "--hours"),
        (("--hours", "mon 10:00-18:00", "--time-zone", "Seoul"), "--time-zone Asia/Seoul"),
        (("--consent", "동의합니다"), "--contact-form optional"),
        (("--contact-form", "optional", "--contact-field", "age"), "--contact-field name"),
        (("--set", "primaryColor"), "--set primaryColor=#0E6B5C"),
        (("--set", "colour=red"), "web.theme.colour"),
        (("--set", 'greetingReplies=["a", "b", "c", "d"]'), "web.theme.greetingReplies"),
        (("--origin", "shop.example/path"), "--origin https://www.example.com"),
        (("--revoke-identity-key", "id_none"), "id_none"),
    ],
)
def test_what_is_wrong_is_one_line_that_says_what_to_do(
    malgil: Malgil, bot_id: str, options: tuple[str, ...], says: str
) -> None:
    done = malgil("bot", "web", bot_id, *options)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert says in done.stderr


def test_a_theme_file_that_is_no_json_is_named(malgil: Malgil, bot_id: str, tmp_path: Path) -> None:
    for text in ("{", "[]"):
        theme = tmp_path / "theme.json"
        theme.write_text(text)
        done = malgil("bot", "web", bot_id, "--theme", theme)
        assert (done.returncode, str(theme) in done.stderr) == (1, True)


def test_an_identity_key_is_revoked_by_its_name(malgil: Malgil, bot_id: str) -> None:
    made = told(malgil("bot", "web", bot_id, "--identity-key", "new"))
    (key_id,) = [line.rpartition(": ")[2] for line in made.splitlines() if line.startswith("신원 키 /")]
    assert "없음 / none" in told(malgil("bot", "web", bot_id, "--revoke-identity-key", key_id))


def test_the_key_of_tokens_is_changed_and_nobody_is_lost(malgil: Malgil, bot_id: str, cloud: LocalCloud) -> None:
    told(malgil("bot", "web", bot_id, "--enable"))

    def session(**more: str) -> httpx.Response:
        body = {"botId": bot_id, **more}
        return httpx.post(f"{cloud.http_url}/webchat/v1/sessions", json=body, timeout=20)

    token = session().json()["token"]
    kid = jwt.get_unverified_header(token)["kid"]
    assert f"{kid}" in told(malgil("token-key", "show"))
    shown = told(malgil("token-key", "rotate")).splitlines()
    assert "will sign" in shown[1]
    assert "signs" in next(line for line in shown if line.startswith(kid))
    assert session(resume=token).status_code == 201
    assert "secret" not in "".join(shown)
