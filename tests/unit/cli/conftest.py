"""`malgil` called in this process, in an empty folder and an environment that knows no cloud."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli.main import app

Malgil = Callable[..., Result]
CLOSER = Path(__file__).parents[2] / "data" / "closer"


@pytest.fixture
def malgil(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Malgil]:
    monkeypatch.chdir(tmp_path)
    kept = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(("AWS_", "MALGIL_", "LC_")):
            del os.environ[name]
    os.environ["LANG"] = "C.UTF-8"

    def run(*arguments: object, typed: str = "") -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)

    yield run
    os.environ.clear()
    os.environ.update(kept)
