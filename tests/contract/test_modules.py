"""Importing anything does nothing; deployed code cannot be told to reach loopback."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("shared", "functions")
    for path in (ROOT / package).rglob("*.py")
)
ENVIRONMENT_READERS = {"shared/runtime/settings.py"}


def test_every_module_imports_with_an_empty_environment() -> None:
    script = "import importlib, socket\nsocket.socket.connect = None\n"
    script += f"for name in {MODULES!r}: importlib.import_module(name)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=ROOT, env={}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name)
    }


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for package in ("shared", "functions")
        for path in (ROOT / package).rglob("*.py")
        if {"environ", "getenv"} & names_in(path)
    }
    assert readers == ENVIRONMENT_READERS


def test_only_the_local_cloud_and_the_command_line_may_open_loopback() -> None:
    callers = {
        str(path.relative_to(ROOT))
        for package in ("shared", "functions", "infra")
        for path in (ROOT / package).rglob("*.py")
        if "reach_local_targets" in path.read_text(encoding="utf-8")
    }
    assert callers == {"shared/runtime/wiring.py", "infra/local/worker.py", "infra/cli/cloud.py"}


@pytest.mark.parametrize("variable", ["MALGIL_LOCAL_TARGETS", "LOCAL_TARGETS", "MALGIL_STAGE"])
def test_no_environment_variable_lets_a_deployed_function_reach_loopback(variable: str) -> None:
    script = (
        "from shared.engine.effects import Attempt, HttpCall\n"
        "from shared.runtime import wiring\n"
        "call = HttpCall(method='GET', url='http://127.0.0.1:8080/orders/1', timeout_ms=500, repeatable=True)\n"
        "answer = wiring.carry_out(call, Attempt(bot_id='shop', idempotency_key='', timeout_ms=500))\n"
        "print(answer.name, '|', answer.message)\n"
    )
    environment = {variable: "127.0.0.1:8080", "MALGIL_STAGE": "local" if variable == "MALGIL_STAGE" else "prod"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert done.stdout.strip() == "BlockedAddressError | Cannot use private IP address for request url", done.stderr
