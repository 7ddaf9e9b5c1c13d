"""The acceptance checks of the web chat (web/e2e) in Chromium, against the real template; and what serves them."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.cloud import LocalCloud
from shared.api_key import SCOPES
from shared.ids import log_key
from shared.runtime import wiring
from tests.chromium import WEB, needs_chromium, needs_the_build, needs_the_tools
from tests.integration.webchat.conftest import a_web_bot

JsonObject = dict[str, Any]

SCREENSHOTS = "MALGIL_SCREENSHOTS"
BOT: JsonObject = json.loads((WEB / "e2e" / "bot.json").read_text(encoding="utf-8"))
CHECKS = [
    name
    for file in sorted((WEB / "e2e").glob("*.test.mjs"))
    for name in re.findall(r'^test\("([^"]+)"', file.read_text(encoding="utf-8"), re.MULTILINE)
]
AT_MOST = 900
"""Seconds for all of them, far more than they take."""


@pytest.fixture(scope="module")
def control(cloud: LocalCloud) -> Iterator[str]:
    """Where the checks ask for what no API gives them: a bot of their own, and frames that a console would push."""

    class Control(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer = json.dumps({"/bots": make_bot, "/push": push}[self.path](asked)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Control)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def make_bot(asked: JsonObject) -> JsonObject:
    bot_id = a_web_bot(BOT)
    if not asked["enabled"]:
        wiring.authoring().connect_web(bot_id, enabled=False)
    return {"botId": bot_id}


def push(asked: JsonObject) -> JsonObject:
    wiring.push_to_sockets()(asked["botId"], log_key("web", asked["userKey"]), [asked["frame"]])
    return {}


@pytest.fixture(scope="module")
def outcomes(
    cloud: LocalCloud, control: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, JsonObject]:
    """Every wanted check by its name: whether it passed, and what it said."""
    wanted = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "outcomes" in item.fixturenames
    ]
    folder = Path(os.environ.get(SCREENSHOTS) or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    _, key = wiring.api_keys().make(name="chromium", scopes=SCOPES)
    where = {
        "MALGIL_API": cloud.http_url,
        "MALGIL_SOCKET": cloud.outputs["SocketUrl"],
        "MALGIL_CONTROL": control,
        "MALGIL_KEY": key,
        SCREENSHOTS: str(folder),
    }
    patterns = [f"--test-name-pattern=^{re.escape(name)}$" for name in wanted] if len(wanted) < len(CHECKS) else []
    command = [
        *(str(Path(sys.executable).parent / "node"), "--test", "--test-concurrency=1", "--test-timeout=180000"),
        *("--test-reporter=./e2e/report.mjs", *patterns, "e2e/*.test.mjs"),
    ]
    report = folder / "report.jsonl"
    with report.open("w", encoding="utf-8") as told:
        ran = subprocess.run(
            command,
            cwd=WEB,
            env={**os.environ, **where},
            stdout=told,
            stderr=subprocess.PIPE,
            text=True,
            timeout=AT_MOST,
            check=False,
        )
    sys.stderr.write(ran.stderr)  # pytest shows it beside what failed
    lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    return {line["name"]: line for line in lines}


@needs_the_build
def test_the_routes_of_the_page_take_nothing_from_the_api(cloud: LocalCloud, bot_id: str) -> None:
    with httpx.Client(base_url=cloud.http_url, timeout=60) as web:
        kinds = {
            path: web.get(path).headers["content-type"].partition(";")[0]
            for path in ("/webchat.js", "/sdk/webchat.js", f"/webchat/{bot_id}", f"/webchat/v1/bots/{bot_id}")
        }
    assert list(kinds.values()) == ["text/javascript", "text/javascript", "text/html", "application/json"]


def test_every_acceptance_check_of_the_widget_is_there() -> None:
    told = {int(number) for name in CHECKS for number in re.findall(r"W-(\d\d)", name)}
    assert told == set(range(1, 26))
    assert len(set(CHECKS)) == len(CHECKS)


@needs_the_build
@needs_chromium
@needs_the_tools
@pytest.mark.parametrize("name", CHECKS)
def test_in_chromium(outcomes: dict[str, JsonObject], name: str) -> None:
    outcome = outcomes.get(name)
    assert outcome is not None, "it did not run"
    assert outcome["passed"], outcome["error"]
