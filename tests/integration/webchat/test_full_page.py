"""The full page as it was built, in Chromium, against the real template."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.local.cloud import LocalCloud
from tests.integration.webchat.conftest import a_web_bot

ROOT = Path(__file__).parents[3]
WEB = ROOT / "web"
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
EXAMPLE = json.loads((ROOT / "examples" / "bots" / "shop" / "shop.json").read_text(encoding="utf-8"))

needs_the_build = pytest.mark.skipif(
    not (ROOT / "functions" / "web_page" / "files" / "webchat" / "index.html").is_file(),
    reason="the widget was not built: run `make web`",
)


@needs_the_build
def test_the_routes_of_the_page_take_nothing_from_the_api(cloud: LocalCloud, bot_id: str) -> None:
    with httpx.Client(base_url=cloud.http_url, timeout=60) as web:
        kinds = {
            path: web.get(path).headers["content-type"].partition(";")[0]
            for path in ("/webchat.js", "/sdk/webchat.js", f"/webchat/{bot_id}", f"/webchat/v1/bots/{bot_id}")
        }
    assert list(kinds.values()) == ["text/javascript", "text/javascript", "text/html", "application/json"]


@needs_the_build
@pytest.mark.skipif(not CHROMIUM.is_file(), reason=f"no Chromium at {CHROMIUM}: CHROMIUM names one")
@pytest.mark.skipif(not (WEB / "node_modules").is_dir(), reason="the widget's tools are not installed: run `make web`")
def test_a_browser_talks_with_a_bot_in_two_tabs_reloads_and_starts_over(cloud: LocalCloud) -> None:
    address = f"{cloud.http_url}/webchat/{a_web_bot(EXAMPLE)}"
    walk = [str(Path(sys.executable).parent / "node"), "e2e/walk.mjs", address]
    walked = subprocess.run(walk, cwd=WEB, capture_output=True, text=True, timeout=240, check=False)
    assert (walked.returncode, walked.stderr) == (0, "")
