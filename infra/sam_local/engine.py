"""The container engine of this machine, in a form that sam can talk to: Docker, or podman as a Docker-like service."""

import os
import platform
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import Unavailable

START_SECONDS: Final = 15.0
STOP_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 20.0

MAX_OPEN_FILES: Final = 16_384
MAX_PROCESSES: Final = 8_192
"""Asked of podman for each container: its own defaults are more than a restricted machine may give away."""


@dataclass(frozen=True)
class Engine:
    """A running engine: its command, the environment in which the command and sam find it, and this host."""

    command: str
    environment: Mapping[str, str]
    host_address: str

    def run(self, *arguments: str, seconds: float = ANSWER_SECONDS) -> subprocess.CompletedProcess[str]:
        """Result of one engine command; a command that takes longer counts as failed."""
        return _run([self.command, *arguments], self.environment, seconds)

    def images(self, reference: str) -> set[str]:
        """Ids of the images whose name matches."""
        listed = self.run("images", "--quiet", "--no-trunc", "--filter", f"reference={reference}")
        return set(listed.stdout.split())


@contextmanager
def running_engine(folder: Path) -> Iterator[Engine | None]:
    """The engine, or None when there is none; `folder` takes podman's configuration and socket."""
    environment = dict(os.environ)
    if _succeeds(["docker", "info"], environment):
        yield Engine("docker", environment, _docker_host_address(environment))
    elif shutil.which("podman") and platform.system() == "Linux":
        with _podman_service(folder) as engine:
            yield engine
    else:
        yield None


def _docker_host_address(environment: Mapping[str, str]) -> str:
    if platform.system() != "Linux":
        return "host.docker.internal"
    form = "{{(index .IPAM.Config 0).Gateway}}"
    return _run(
        ["docker", "network", "inspect", "bridge", "--format", form], environment, ANSWER_SECONDS
    ).stdout.strip()


@contextmanager
def _podman_service(folder: Path) -> Iterator[Engine]:
    configuration = folder / "containers.conf"
    configuration.write_text(_podman_configuration(), encoding="utf-8")
    socket = folder / "podman.sock"
    environment = {**os.environ, "CONTAINERS_CONF": str(configuration), "DOCKER_HOST": f"unix://{socket}"}
    with (folder / "podman.log").open("wb") as log:
        service = subprocess.Popen(  # noqa: S603
            ["podman", "system", "service", "--time=0", f"unix://{socket}"],  # noqa: S607
            env=environment,
            stderr=log,
        )
    try:
        _wait_for(socket, service, folder / "podman.log")
        form = "{{(index .Subnets 0).Gateway}}"
        network = _run(["podman", "network", "inspect", "podman", "--format", form], environment, ANSWER_SECONDS)
        yield Engine("podman", environment, network.stdout.strip())
    finally:
        service.terminate()
        service.wait(STOP_SECONDS)


def _podman_configuration() -> str:
    files = _within_limit(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    processes = _within_limit(resource.RLIMIT_NPROC, MAX_PROCESSES)
    # crun refuses machines with both versions of cgroups; runc does not mind. No systemd or journal is needed either.
    runtime = 'runtime = "runc"\n' if shutil.which("runc", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") else ""
    return (
        f'[engine]\n{runtime}cgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
        f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]\n'
    )


def _within_limit(kind: int, wanted: int) -> int:
    _, hard = resource.getrlimit(kind)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _wait_for(socket: Path, service: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not socket.exists():
        if service.poll() is not None or time.monotonic() > end:
            raise Unavailable(f"podman's service did not start: {log.read_text(encoding='utf-8').strip()}")
        time.sleep(0.05)


def _succeeds(command: list[str], environment: Mapping[str, str]) -> bool:
    return shutil.which(command[0]) is not None and _run(command, environment, ANSWER_SECONDS).returncode == 0


def _run(command: list[str], environment: Mapping[str, str], seconds: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {seconds:.0f} s")
