"""The demo site of `make run` in Chromium: shop, generator and every form of snippet, with the real shop bot."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import CHROMIUM, ROOT, WEB, needs_chromium, needs_the_build, needs_the_tools
from tests.integration.local.conftest import eventually

READY = "Ready."
STARTING_SECONDS = 120


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], str]]:
    """local.json of a cloud that was started as `make run` does it, on free ports, and what it printed."""
    state = tmp_path_factory.mktemp("state")
    ports = ["--http-port=0", "--aws-port=0", "--example-port=0"]
    command = [sys.executable, "-m", "infra.local", *ports, f"--state={state}"]
    # Other tests of this process may have a cloud of their own in its environment.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    said = state / "said"
    with said.open("w", encoding="utf-8") as console:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=console, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: process.poll() is not None or READY in said.read_text(encoding="utf-8"), STARTING_SECONDS)
        assert process.poll() is None, said.read_text(encoding="utf-8")
        yield json.loads((state / "local.json").read_text(encoding="utf-8")), said.read_text(encoding="utf-8")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def test_it_says_where_shop_generator_and_snippets_are(running: tuple[dict[str, Any], str]) -> None:
    description, said = running
    site = description["example_url"]
    lines = {line.rpartition(" ")[2]: line for line in said.splitlines() if line.rpartition(" ")[2].startswith(site)}
    assert set(lines) == {f"{site}/", f"{site}/snippet.html", f"{site}/snippets/"}
    assert all("·" in line for line in lines.values())


@needs_the_build
@needs_chromium
@needs_the_tools
def test_every_page_ends_in_a_conversation_with_the_shop_bot(running: tuple[dict[str, Any], str]) -> None:
    node = Path(sys.executable).parent / "node"
    command = [str(node), "--test", "--test-concurrency=1", "e2e/site-pages.mjs"]
    environment = {**os.environ, "ADDRESS": running[0]["example_url"], "CHROMIUM": str(CHROMIUM)}
    ran = subprocess.run(command, cwd=WEB, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert ran.returncode == 0, ran.stdout[-8_000:] + ran.stderr
