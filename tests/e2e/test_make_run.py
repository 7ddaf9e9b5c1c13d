"""`make run` as a newcomer meets it: from a clean clone, on free ports, restarted in the middle of a conversation."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).parents[2]
READY = "Ready."
START_SECONDS = 300
"""Making the environment is most of it; nothing is asserted about time."""
REPLY_SECONDS = 180
"""The florist takes three; a job that was being worked on comes back after its queue's visibility time-out, 120."""
ASK_AGAIN_SECONDS = 0.5
WAIT = "꽃을 고르고 있어요. 잠시만 기다려 주세요."
FREE_PORTS = ["HTTP_PORT=0", "AWS_PORT=0"]


@dataclass
class Running:
    """A `make run` with what it has printed so far."""

    process: subprocess.Popen[str]
    printed: list[str]
    ready: threading.Event
    reader: threading.Thread | None = None

    def url_and_header(self, bot_id: str) -> tuple[str, str, str]:
        text = "".join(self.printed)
        url = re.search(rf"(http://127\.0\.0\.1:\d+/kakao/{bot_id}/\S+)", text)
        assert url is not None, text
        header = re.search(r"(X-Malgil-Secret): (\S+)", text[url.end() :])
        assert header is not None, text
        return url[1], header[1], header[2]

    def stop(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)
        status = self.process.wait(30)
        assert self.reader is not None
        self.reader.join(30)
        return status


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(clone: Path, example_port: int = 0) -> Running:
    # The python that runs the tests, since a machine's first python3 may be an old one; no virtualenv leaks in.
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("VIRTUAL_ENV", "AWS_", "MALGIL_"))
    }
    process = subprocess.Popen(
        [
            "make",
            "run",
            f"PYTHON={getattr(sys, '_base_executable', sys.executable)}",
            *FREE_PORTS,
            f"EXAMPLE_PORT={example_port}",
        ],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    running = Running(process, [], threading.Event())
    assert process.stdout is not None
    running.reader = threading.Thread(target=collect, args=(process.stdout, running), daemon=True)
    running.reader.start()
    if not running.ready.wait(START_SECONDS):
        running.stop()
        pytest.fail("make run did not become ready:\n" + "".join(running.printed))
    assert process.poll() is None, "".join(running.printed)
    return running


def collect(output: IO[str], running: Running) -> None:
    with output:
        for line in output:
            running.printed.append(line)
            if line.startswith(READY):
                running.ready.set()
    running.ready.set()  # it ended; whoever waits finds out why


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("clone") / "malgil"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(path)], check=True)
    yield path
    shutil.rmtree(path)


@dataclass
class Talk:
    """Skill calls to the printed URL, as KakaoTalk posts them."""

    url: str
    header: tuple[str, str]
    last: dict[str, Any] | None = None

    def say(self, utterance: str, extra: Any = None) -> str:
        """The texts of the answer, one after the other."""
        block = {"id": "b", "name": "폴백 블록"}
        payload = {
            "intent": block,
            "userRequest": {
                "block": block,
                "utterance": utterance,
                "user": {"id": "smoke", "type": "botUserKey"},
                "params": {},
            },
            "bot": {"id": "kakao", "name": "봇"},
            "action": {"clientExtra": extra, "params": {}},
        }
        request = Request(
            self.url, json.dumps(payload).encode(), {"content-type": "application/json", self.header[0]: self.header[1]}
        )
        with urlopen(request, timeout=10) as response:
            self.last = json.loads(response.read())
        assert self.last is not None
        outputs = self.last["template"]["outputs"]
        return "\n".join(
            next(iter(output.values())).get("text") or next(iter(output.values())).get("description", "")
            for output in outputs
        )

    def say_while_told(self, waiting: str, utterance: str) -> str:
        """Ask for more, as an end user who is told to wait, until there is another answer."""
        end = time.monotonic() + REPLY_SECONDS
        while (answer := self.say(utterance)) == waiting and time.monotonic() < end:
            time.sleep(ASK_AGAIN_SECONDS)
        return answer


def test_a_newcomers_first_minutes(clone: Path) -> None:
    running = start(clone)
    try:
        url, name, value = running.url_and_header("shop")
        assert "말길이 준비됐어요" in "".join(running.printed)
        talk = Talk(url, (name, value))
        assert "말길상점이에요" in talk.say("안녕하세요")
        assert "주문번호를 알려 주세요" in talk.say("배송 조회")
    finally:
        assert running.stop() in (0, 130, -signal.SIGINT, 2)

    again = start(clone)
    try:
        url, name, value = again.url_and_header("shop")
        talk = Talk(url, (name, value))
        answer = talk.say("20261121-001")
        assert "김하늘님의 주문이에요" in answer, (
            "the conversation goes on where it was, and the company system answers"
        )
        assert "128,000원" in answer
    finally:
        again.stop()
    assert not (clone / ".malgil" / "local.json").exists()


def test_a_job_survives_a_restart(clone: Path) -> None:
    example_port = free_port()  # a saved call goes to the address that it was saved with
    running = start(clone, example_port)
    try:
        url, name, value = running.url_and_header("order")
        talk = Talk(url, (name, value))
        assert "말길꽃집이에요" in talk.say("안녕하세요")
        assert "작약은" in talk.say("작약 다섯 송이")
        assert "모두 32,000원이에요" in talk.say('엄마, "사랑해요"'), "the script has worked out the price"
        assert talk.say("kim@example.com") == WAIT
    finally:
        running.stop()

    again = start(clone, example_port)
    try:
        url, name, value = again.url_and_header("order")
        talk = Talk(url, (name, value))
        answer = talk.say_while_told(WAIT, "계속 보기")
        assert "주문했어요!" in answer, answer
        assert '“엄마, "사랑해요"” 카드도' in answer, "the florist has the words as they were said"
        assert talk.say("한 번 더 주문하기").startswith("어서 오세요"), "the reply came once"
        outbox = subprocess.run(
            [clone / ".venv/bin/malgil", "outbox", "--json"], cwd=clone, capture_output=True, text=True, check=True
        )
        (mail,) = json.loads(outbox.stdout)
        assert mail["to"] == ["kim@example.com"]
    finally:
        again.stop()
