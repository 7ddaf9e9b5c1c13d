"""The function that serves the widget: what is kept for how long, who may read it, and which paths lead where."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from functions.web_page.app import Site, answer
from shared.runtime import settings

FILES = {
    "webchat.js": b"loader",
    "js/webchat.min.js": b"loader",
    "sdk/webchat.js": b"sdk",
    "webchat/app.2ATTDOY3.js": b"app",
    "webchat/emoji.4ff2599b.txt": "😀".encode(),
    "webchat/ko.0a1b2c3d.json": '{"start":"대화 시작"}'.encode(),
    "webchat/en.4e5f6071.json": b'{"start":"Start chat"}',
    "webchat/index.html": b"<!doctype html>",
}
WORDS = ["/webchat/ko.0a1b2c3d.json", "/webchat/en.4e5f6071.json"]
HASHED = ["/webchat/app.2ATTDOY3.js", "/webchat/emoji.4ff2599b.txt", *WORDS]
LOADERS = ["/webchat.js", "/js/webchat.min.js", "/sdk/webchat.js"]
PAGES = ["/webchat/shop", "/webchat/v2/shop", "/webchat/v2", "/webchat/A-b_9"]
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (settings.TURNS_TABLE, settings.CORE_TABLE, settings.BOT_BUCKET, settings.EFFECT_QUEUE):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv(settings.REGION, "ap-northeast-2")
    monkeypatch.setenv(settings.SOCKET_URL, "wss://socket.example/chat")
    monkeypatch.setenv(settings.UPLOAD_BUCKET, "pictures")
    monkeypatch.setenv(settings.S3_ENDPOINT, "https://uploads.example")


def get(path: str, files: dict[str, bytes] = FILES, **headers: str) -> dict[str, Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(Site(files), {"rawPath": path, "headers": sent})


@pytest.mark.parametrize("path", HASHED)
def test_what_has_its_hash_in_its_name_is_kept_for_ever(path: str) -> None:
    assert get(path)["headers"]["cache-control"] == FOR_EVER


@pytest.mark.parametrize("path", [*LOADERS, *PAGES])
def test_loaders_and_pages_are_kept_for_five_minutes(path: str) -> None:
    assert get(path)["headers"]["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("path", [*HASHED, *LOADERS])
def test_every_site_may_load_scripts_and_words_and_the_emoji(path: str) -> None:
    headers = get(path)["headers"]
    assert headers["access-control-allow-origin"] == "*"
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" not in headers
    kinds = {".js": "text/javascript", ".json": "application/json", ".txt": "text/plain"}
    assert headers["content-type"].split(";")[0] == kinds[Path(path).suffix]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_its_own_scripts_and_reaches_the_chat_alone(path: str) -> None:
    answered = get(path)
    assert (answered["statusCode"], answered["body"]) == (200, "<!doctype html>")
    assert answered["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "access-control-allow-origin" not in answered["headers"]
    policy = dict(part.split(" ", 1) for part in answered["headers"]["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "connect-src": "'self' wss://socket.example https://uploads.example",
        "img-src": "* data: blob:",
        "media-src": "*",
        "frame-src": "https://www.youtube-nocookie.com https://player.vimeo.com",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_without_socket_and_uploads_a_page_reaches_its_own_host_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.SOCKET_URL)
    monkeypatch.delenv(settings.UPLOAD_BUCKET)
    assert "connect-src 'self';" in get("/webchat/shop")["headers"]["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/webchat", "/webchat/", "/webchat/v2/", "/webchat/index.html", "//webchat.js", "/js/", "/sdk/x.js"),
        *("/webchat/../app.py", "/sdk/../../app.py", "/sdk/%2e%2e/app.py", "/webchat/..", "/webchat/.built"),
        *("/webchat/shop/more", "/webchat/shop.html", "/webchat/가게", "/webchat/" + 65 * "a", "/webchat/shop\n"),
        *("/webchat/other.2ATTDOY3.js", "/webchat/app.2ATTDOY3.txt"),
    ],
)
def test_what_is_no_file_and_no_bots_page_is_not_there(path: str) -> None:
    answered = get(path)
    assert answered["statusCode"] == 404
    assert json.loads(answered["body"])["error"]["code"] == "not_found"
    assert answered["headers"]["cache-control"] == "no-store"


def test_a_name_of_an_earlier_build_gets_the_file_of_this_one_for_a_while() -> None:
    answered = get("/webchat/app.OLDOLD22.js")
    assert (answered["statusCode"], answered["body"]) == (200, "app")
    assert answered["headers"]["cache-control"] == "public, max-age=300"


def test_a_language_of_an_earlier_build_is_answered_in_the_same_language() -> None:
    said = [json.loads(get(f"/webchat/{locale}.01d01d01.json")["body"])["start"] for locale in ("ko", "en")]
    assert said == ["대화 시작", "Start chat"]


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip, deflate", "GZIP;q=0.5", "gzip ; q=1.0, *;q=0"])
def test_who_takes_gzip_gets_it(accepted: str) -> None:
    answered = get("/webchat/emoji.4ff2599b.txt", accept_encoding=accepted)
    assert answered["isBase64Encoded"] is True
    assert answered["headers"]["content-encoding"] == "gzip"
    assert gzip.decompress(base64.b64decode(answered["body"])).decode() == "😀"


def test_what_the_build_compressed_is_sent_as_it_is() -> None:
    zipped = gzip.compress(b"loader", compresslevel=1, mtime=7)
    answered = get("/webchat.js", {**FILES, "webchat.js.gz": zipped}, accept_encoding="gzip")
    assert base64.b64decode(answered["body"]) == zipped
    assert get("/webchat.js.gz", {**FILES, "webchat.js.gz": zipped})["statusCode"] == 404


@pytest.mark.parametrize(
    "accepted", ["", "br", "gzip;q=0", "gzip; q=0.0, br", "gzip;q=0, *", "identity, gzip;q=0.000", "xgzip"]
)
def test_who_does_not_gets_the_text(accepted: str) -> None:
    answered = get("/webchat/emoji.4ff2599b.txt", accept_encoding=accepted)
    assert answered["body"] == "😀"
    assert answered["headers"]["vary"] == "accept-encoding"
    assert not {"content-encoding", "isBase64Encoded"} & {*answered, *answered["headers"]}


@pytest.mark.parametrize("path", [*HASHED, *LOADERS, *PAGES])
def test_who_has_a_file_already_is_not_sent_it_again(path: str) -> None:
    tag = get(path, accept_encoding="gzip")["headers"]["etag"]
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        answered = get(path, if_none_match=known)
        assert (answered["statusCode"], answered["body"]) == (304, "")
        assert answered["headers"]["etag"] == tag
        assert "cache-control" in answered["headers"]
    assert get(path, if_none_match='"other"')["statusCode"] == 200


@pytest.mark.parametrize("path", ["/webchat.js", "/webchat/shop", "/other"])
def test_before_anything_was_built_the_answer_says_what_to_run(path: str) -> None:
    answered = get(path, {})
    assert answered["statusCode"] == 503
    assert "`make web`" in json.loads(answered["body"])["error"]["message"]


def test_a_folder_is_read_with_its_folders_and_without_what_is_no_part_of_the_site(tmp_path: Path) -> None:
    for name, content in {**FILES, ".built": b"", "notes.md": b"\xff"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    site = Site.read(tmp_path)
    assert site.find("/webchat/app.2ATTDOY3.js")[0].text == "app"
    assert answer(site, {"rawPath": "/notes.md"})["statusCode"] == 404


def test_a_folder_that_is_not_there_is_read_as_nothing(tmp_path: Path) -> None:
    assert answer(Site.read(tmp_path / "files"), {"rawPath": "/webchat.js"})["statusCode"] == 503
