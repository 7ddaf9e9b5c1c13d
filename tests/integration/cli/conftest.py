"""`malgil` as a process of its own beside a running local cloud."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.cli.cloud import CloudChoice, find
from infra.local.cloud import LocalCloud
from tests.integration.conftest import forget_wiring
from tests.loopback_server import LoopbackServer, answering

CLOSER = Path(__file__).parents[2] / "data" / "closer"
BACK_NODE_BOT = CLOSER / "bot_back_node_test.json"
MALGIL = "from infra.cli.main import app; app(prog_name='malgil')"
REPOSITORY = Path(__file__).parents[3]

Malgil = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def example_api() -> Iterator[LoopbackServer]:
    """What a bot may call on loopback beside the local cloud."""
    with LoopbackServer(answering(200, b'{"weather": "sunny"}', [("Content-Type", "application/json")])) as server:
        yield server


@pytest.fixture(scope="session")
def webhook_port() -> int:
    """Where `malgil webhook listen` may wait. Nothing does otherwise."""
    return free_port()


@pytest.fixture(scope="session")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, example_api: LoopbackServer, webhook_port: int
) -> Iterator[LocalCloud]:
    with LocalCloud(
        state=tmp_path_factory.mktemp("state"),
        http_port=0,
        aws_port=0,
        example_port=0,
        webhook_ports=[webhook_port],
        local_targets=[("127.0.0.1", example_api.port)],
        watch=False,
    ) as started:
        yield started


@pytest.fixture
def inside(cloud: LocalCloud) -> Iterator[None]:
    """This process is one of the local cloud's too: its wiring sees what the commands see."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in find(CloudChoice(state=cloud.state)).environment.items():
            patch.setenv(name, value)
        forget_wiring()
        yield
    forget_wiring()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def run_malgil(*arguments: object, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MALGIL_", "LC_"))}
    return subprocess.run(
        [sys.executable, "-c", MALGIL, *(str(argument) for argument in arguments)],
        input=typed,
        capture_output=True,
        encoding="utf-8",
        env={**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1", "LANG": "C.UTF-8", **environment},
        timeout=120,
        check=False,
    )


@pytest.fixture
def malgil(cloud: LocalCloud) -> Malgil:
    def run(*arguments: object, typed: str = "") -> subprocess.CompletedProcess[str]:
        return run_malgil("--state", cloud.state, *arguments, typed=typed)

    return run


@pytest.fixture(scope="session")
def bot(cloud: LocalCloud) -> str:
    """A published bot that is connected to KakaoTalk."""
    for command in (("import", BACK_NODE_BOT, "--id", "back", "--publish"), ("connect", "back")):
        done = run_malgil("--state", cloud.state, "bot", *command)
        assert done.returncode == 0, done.stderr
    return "back"
