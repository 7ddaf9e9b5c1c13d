"""A local cloud of the fixture template, on free ports."""

import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud

FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def eventually(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come about"
        time.sleep(0.05)
    return found


def call(cloud: LocalCloud, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    """One request to the HTTP API; header names are written with underscores."""
    request = urllib.request.Request(
        cloud.http_url + path,
        data=body,
        method=method,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read())


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    return Answer(
        status,
        {name.lower(): value for name, value in headers.items()},
        body,
        tuple(headers.get_all("set-cookie") or ()),
    )


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture application, in a folder that may be changed."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copytree(FIXTURES / "app", folder, dirs_exist_ok=True)
    return folder


def local_cloud(app: Path, state: Path, **options: Any) -> LocalCloud:
    return LocalCloud(template=app / "template.yaml", state=state, http_port=0, aws_port=0, **options)


@pytest.fixture(scope="session")
def cloud(app: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with local_cloud(app, tmp_path_factory.mktemp("state"), example_port=0) as started:
        yield started
