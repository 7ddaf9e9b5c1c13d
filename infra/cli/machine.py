"""What this machine has of what `make` needs."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from infra.cli.findings import Finding, broken, doubtful, good
from infra.cli.language import both

OLDEST_PYTHON: Final = (3, 11)
PORTS: Final = (8787, 8788, 8789)
"""HTTP API, AWS and example API of `make run`."""


def brought_by(command: str) -> str:
    return both(f"`{command}`로 설치됩니다", f"`{command}` brings it")


TOOLS: Final = (
    (
        ("uv",),
        both("패키지 설치와 빌드", "installs and builds"),
        brought_by("make run"),
    ),
    (("git",), both("봇 파일과 코드 관리", "keeps bots and code"), both("git을 설치하세요", "install git")),
    (("make",), both("모든 작업의 입구", "starts every task"), both("make를 설치하세요", "install make")),
    (
        ("node",),
        both("테스트와 웹 빌드", "tests and the web build"),
        brought_by("make check"),
    ),
    (("sam",), both("빌드와 배포", "builds and deploys"), brought_by("make check")),
    (
        ("docker", "podman"),
        both("`make sam-local` 전용", "only for `make sam-local`"),
        both("Docker 또는 podman을 설치하세요", "install Docker or podman"),
    ),
)
"""(any of these commands, what for, how to get it)."""


def examine_machine(*, is_running: bool) -> Iterator[Finding]:
    """`is_running`: the local cloud runs, so that its ports are taken by itself."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= OLDEST_PYTHON:
        yield good(f"파이썬 {version}", f"Python {version}")
    else:
        yield broken(f"파이썬 {version}", f"Python {version}", both("3.11 이상을 설치하세요", "install 3.11 or newer"))
    for commands, purpose, remedy in TOOLS:
        found = _first_of(commands)
        names = ", ".join(commands)
        if found is not None:
            yield Finding(state="good", what=found)
        else:
            yield doubtful(f"{names} 없음", f"no {names}", f"{purpose}. {remedy}")
    if not is_running:
        yield from (_port(port) for port in PORTS)


def _first_of(commands: Sequence[str]) -> str | None:
    """Our environment's own tools come before the machine's, as in the Makefile."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return next((found for command in commands if (found := shutil.which(command, path=path))), None)


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return doubtful(
                f"포트 {port} 사용 중",
                f"port {port} is taken",
                both(
                    "HTTP_PORT, AWS_PORT, EXAMPLE_PORT로 바꾸세요", "choose others: make run HTTP_PORT=... AWS_PORT=..."
                ),
            )
    return good(f"포트 {port} 비어 있음", f"port {port} is free")
