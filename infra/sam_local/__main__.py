"""`make sam-local`: every function under `sam local invoke`, every HTTP function under `sam local start-api`.

The functions run in containers from artifacts that were built for this machine's processor, against the embedded AWS.
One line a check; without an engine or a base image one line says that it was skipped, and the exit code is 0.
"""

import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from samcli.local.docker.lambda_image import LambdaImage, Runtime
from samcli.yamlhelper import yaml_parse

from infra import runtime_python
from infra.local.cloud import LocalCloud
from infra.local.embedded import REGION, REPOSITORY
from infra.sam_local import image
from infra.sam_local.engine import Engine, running_engine
from infra.sam_local.relay import relay
from infra.sam_local.stack import ExampleBot, functions, let_containers_reach, publish_example
from shared.errors import Unavailable

EVENTS: Final = REPOSITORY / "tests" / "events"
EXAMPLE: Final = REPOSITORY / "examples" / "bots" / "reservation" / "reservation.json"
GREETING: Final = "말길식당"
"""Part of what the example bot says first. An apology for a fault has no such word."""
EXPECTED: Final = {
    "mail_link": "mailto:help@example.com",
    "effect_worker": '"batchItemFailures": []',
    "management_api": "access_denied",
    "open_api": "access_denied",
    "projector": '"batchItemFailures": []',
    "relay": '"batchItemFailures": []',
    "web_page": "currentScript",
    "web_session": "not_found",
    "webhook_deliver": '"batchItemFailures": []',
    "webhook_fanout": '"batchItemFailures": []',
    "script": "3,000",
}
"""What a function's answer must hold, by its folder; the others greet."""

ARTIFACTS: Final = REPOSITORY / ".aws-sam" / "sam-local"
SAM: Final = Path(sys.executable).parent / "sam"
ARCHITECTURES: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

SET_BY_THE_CLIENT: Final = frozenset({"host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"})

CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": REGION}

SAM_IMAGES: Final = f"*{LambdaImage._SAM_CLI_REPO_NAME}-python"  # noqa: SLF001 - sam has no public name for it

BUILD_SECONDS: Final = 300.0
PULL_SECONDS: Final = 300.0
INVOKE_SECONDS: Final = 120.0
API_START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Sam:
    """How sam is called here: the engine it finds, the image it runs, the variables that functions get."""

    engine: Engine
    architecture: str
    image: str | None
    variables: Path

    def command(self, *arguments: str) -> list[str]:
        own_image = ["--invoke-image", self.image] if self.image else []
        return [
            *(str(SAM), "local", *arguments, "--template", str(ARTIFACTS / "template.yaml")),
            *("--env-vars", str(self.variables), "--parameter-overrides", f"Architecture={self.architecture}"),
            *("--skip-pull-image", "--region", REGION, *own_image),
        ]

    @property
    def environment(self) -> dict[str, str]:
        return {**self.engine.environment, **CREDENTIALS, "SAM_CLI_TELEMETRY": "0"}


def main() -> int:
    """The exit code is 1 when a function did not answer."""
    with tempfile.TemporaryDirectory(prefix="malgil-") as folder, running_engine(Path(folder)) as engine:
        if engine is None:
            return _skip("no container engine answers; install Docker, or podman and runc")
        with _tidied(engine):
            return _run(engine, Path(folder))


def _run(engine: Engine, folder: Path) -> int:
    architecture = ARCHITECTURES[platform.machine().lower()]
    try:
        base = _base_image(engine, architecture)
    except Unavailable as error:
        return _skip(str(error))
    print(f"engine {engine.command}, image {base or 'from sam'}, architecture {architecture}", flush=True)
    _build(architecture)
    with LocalCloud(state=folder / "cloud", http_port=0, aws_port=0, watch=False) as cloud:
        bot = publish_example(cloud, EXAMPLE)
        with _reachable(cloud, engine) as endpoint:
            variables = let_containers_reach(endpoint, cloud, ARTIFACTS)
            passed = _check_all(Sam(engine, architecture, base, variables), bot)
    return 0 if passed else 1


@contextmanager
def _tidied(engine: Engine) -> Iterator[None]:
    """Remove the images that are made meanwhile: sam makes some 100 MB a run, which nobody uses again."""
    before = engine.images(SAM_IMAGES)
    try:
        yield
    finally:
        if made := (engine.images(SAM_IMAGES) - before) | engine.images(image.NAME):
            engine.run("image", "rm", "--force", *made, seconds=PULL_SECONDS)


def _skip(reason: str) -> int:
    print(f"SKIPPED: {reason}", flush=True)
    return 0


def _base_image(engine: Engine, architecture: str) -> str | None:
    """Name of the image that was made here; None when sam's own is on this machine or can be pulled."""
    runtime = f"python{runtime_python.VERSION}"
    official = f"{LambdaImage._INVOKE_REPO_PREFIX}/{Runtime.get_image_name_tag(runtime, architecture)}"  # noqa: SLF001
    if engine.run("image", "inspect", official).returncode == 0:
        return None
    print(f"pulling {official} ...", flush=True)
    if engine.run("pull", "--quiet", official, seconds=PULL_SECONDS).returncode == 0:
        return None
    python = runtime_python.find()
    if python is None or platform.system() != "Linux":
        raise Unavailable(
            f"no base image can be pulled, and there is no Python {runtime_python.VERSION} for Linux to make one from"
        )
    print(f"it cannot be pulled: making a base image from {python} ...", flush=True)
    image.make(engine, python)
    return image.NAME


def _build(architecture: str) -> None:
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "MALGIL_ARCHITECTURE": architecture}
    command = [
        str(SAM),
        "build",
        "--build-dir",
        str(ARTIFACTS),
        "--parameter-overrides",
        f"Architecture={architecture}",
    ]
    built = subprocess.run(  # noqa: S603
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if built.returncode != 0:
        raise SystemExit(built.stderr)


@contextmanager
def _reachable(cloud: LocalCloud, engine: Engine) -> Iterator[str]:
    """Where containers find the embedded AWS, which listens on loopback."""
    port = urlsplit(cloud.aws_endpoint).port
    assert port is not None  # noqa: S101 - the cloud says on which port it listens
    if engine.host_address == "host.docker.internal":
        yield f"http://{engine.host_address}:{port}"  # Docker's virtual machine leads this name to loopback itself
        return
    with relay(engine.host_address, port) as relayed:
        yield f"http://{engine.host_address}:{relayed}"


def _template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
    return parsed


def _check_all(sam: Sam, bot: ExampleBot) -> bool:
    passed = True
    with_routes: list[tuple[str, dict[str, Any], str]] = []
    for name, properties in functions(_template()).items():
        recorded = json.loads((EVENTS / f"{Path(properties['CodeUri']).name}.json").read_text(encoding="utf-8"))
        event = bot.address(recorded)
        expected = EXPECTED.get(Path(properties["CodeUri"]).name, GREETING)
        passed &= _check("sam local invoke", name, _invoke(sam, name, event), expected)
        if any(source["Type"] == "HttpApi" for source in properties.get("Events", {}).values()):
            with_routes.append((name, event, expected))
    log = ARTIFACTS / "start-api.log"
    with _api(sam, log) as base:
        answered = [
            _check("sam local start-api", name, _request(base, event), expected)
            for name, event, expected in with_routes
        ]
    if not all(answered):
        print(log.read_text(encoding="utf-8"), flush=True)
    return passed and all(answered)


def _check(how: str, name: str, answer: str, expected: str) -> bool:
    """Whether the function answered; an apology, a refusal or a fault is no answer."""
    passed = _holds(answer, expected)
    print(f"{'PASS' if passed else 'FAIL'} {how} {name}: {answer}", flush=True)
    return passed


def _holds(answer: str, expected: str) -> bool:
    try:
        value = json.loads(answer)
    except ValueError:
        return False
    return expected in json.dumps(value, ensure_ascii=False)


def _invoke(sam: Sam, name: str, event: Mapping[str, Any]) -> str:
    invoked = subprocess.run(  # noqa: S603
        sam.command("invoke", name, "--event", "-"),
        cwd=REPOSITORY,
        env=sam.environment,
        input=json.dumps(event),
        capture_output=True,
        text=True,
        timeout=INVOKE_SECONDS,
        check=False,
    )
    # The function's answer is the last line of the output; what the function and sam say goes to the error stream.
    lines = invoked.stdout.strip().splitlines()
    return lines[-1] if invoked.returncode == 0 and lines else invoked.stderr.strip()


@contextmanager
def _api(sam: Sam, log_path: Path) -> Iterator[str]:
    port = _free_port()
    with log_path.open("wb") as log:
        server = subprocess.Popen(  # noqa: S603
            sam.command("start-api", "--port", str(port), "--warm-containers", "LAZY"),
            cwd=REPOSITORY,
            env=sam.environment,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()  # sam removes its containers on SIGTERM
            server.wait(STOP_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + API_START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("sam local start-api did not start")


def _request(base: str, event: Mapping[str, Any]) -> str:
    """The answer in the form that a handler gives it, so that both ways of calling are judged alike."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{base}{event['rawPath']}?{event['rawQueryString']}",
        data=event["body"].encode() if "body" in event else None,
        method=event["requestContext"]["http"]["method"],
        headers={name: value for name, value in event["headers"].items() if name not in SET_BY_THE_CLIENT},
    )
    try:
        with urllib.request.urlopen(request, timeout=INVOKE_SECONDS) as response:  # noqa: S310
            return json.dumps({"statusCode": response.status, "body": response.read().decode()}, ensure_ascii=False)
    except urllib.error.HTTPError as refusal:
        return json.dumps({"statusCode": refusal.code, "body": refusal.read().decode()}, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
