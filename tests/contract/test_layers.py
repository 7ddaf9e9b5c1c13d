"""What `sam build` makes can be loaded by the Lambda runtime, for both architectures."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import runtime_python
from infra.check_layer import kept_services, main, problems
from infra.compile_layers import compile_artifacts
from shared.scripting.modules import BUILT_BUNDLES, BUNDLES_PACKAGE

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
LAYERS = ("DepsLayer", "SharedLayer")
SCRIPT_LAYERS = (*LAYERS, "ScriptLayer")
FUNCTIONS = {
    "KakaoSkillFunction": "kakao_skill",
    "FlowStepFunction": "flow_step",
    "MailLinkFunction": "mail_link",
    "ScriptFunction": "script",
}
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
HOST = MACHINES[platform.machine().lower()]
BUDGET_OF_THE_ZIPS = 8_000_000
"""Bytes; a bigger download makes every cold start slower."""


@pytest.fixture(scope="session", params=["arm64", "x86_64"])
def build(request, tmp_path_factory):
    """A real `sam build` for one architecture: the folder of its artifacts."""
    folder = tmp_path_factory.mktemp(f"build-{request.param}")
    environment = {
        **os.environ,
        "MALGIL_ARCHITECTURE": request.param,
        "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
    }
    finished = subprocess.run(
        [TOOLS / "sam", "build", "--build-dir", folder, "--parameter-overrides", f"Architecture={request.param}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return request.param, folder


def test_the_built_layers_fit_the_runtime(build):
    architecture, folder = build
    assert problems([folder / layer for layer in SCRIPT_LAYERS], architecture) == []


def test_the_layers_stay_inside_the_budget_of_a_cold_start(build, tmp_path):
    _, folder = build
    zips = [shutil.make_archive(str(tmp_path / layer), "zip", folder / layer) for layer in LAYERS]
    assert sum(Path(name).stat().st_size for name in zips) < BUDGET_OF_THE_ZIPS


def test_the_shared_layer_holds_the_whole_package_and_nothing_else(build):
    _, folder = build
    shared = folder / "SharedLayer" / "python" / "shared"
    shipped = {str(path.relative_to(shared)) for path in shared.rglob("*") if path.is_file()}
    sources = {
        str(path.relative_to(ROOT / "shared"))
        for path in (ROOT / "shared").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "Makefile"
    }
    assert shipped == sources


def test_each_function_is_its_handler_and_nothing_that_was_compiled(build):
    _, folder = build
    for resource, name in FUNCTIONS.items():
        shipped = {path.name for path in (folder / resource).rglob("*") if path.is_file()}
        assert {"app.py"} <= shipped <= {path.name for path in (ROOT / "functions" / name).glob("*.py")}


def test_the_widget_goes_with_the_function_that_serves_it(build):
    _, folder = build
    shipped = {path.name for path in (folder / "WebPageFunction" / "files" / "webchat").iterdir()}
    assert shipped == {path.name for path in (ROOT / "functions" / "web_page" / "files" / "webchat").iterdir()}
    assert "index.html" in shipped


def test_bytecode_of_the_runtime_can_be_shipped_beside_the_sources(build, tmp_path):
    python = runtime_python.find()
    if python is None:
        pytest.skip(f"no Python {runtime_python.VERSION} on this machine to compile with")
    copy = shutil.copytree(build[1], tmp_path / "build")
    compiled = compile_artifacts(copy, python)
    sources = [path for path in copy.rglob("*.py") if b"\x00" not in path.read_bytes()]
    assert compiled == len(sources)
    flags = {path.read_bytes()[4:8] for path in copy.rglob("*.cpython-313.pyc")}
    assert flags == {b"\x01\x00\x00\x00"}, "hash-based and not checked: Lambda sets file times of its own"
    assert problems([copy / layer for layer in LAYERS], build[0]) == []


def test_the_script_layer_holds_the_engine_and_every_bundle_that_was_made(build):
    _, folder = build
    packages = folder / "ScriptLayer" / "python"
    bundles = {path.name for path in BUILT_BUNDLES.iterdir()}
    assert {path.name for path in (packages / BUNDLES_PACKAGE).iterdir()} == bundles
    assert {"libmini_racer.so", "icudtl.dat"} <= {path.name for path in (packages / "py_mini_racer").iterdir()}


def test_the_other_layers_are_free_of_the_script_engine(build):
    _, folder = build
    assert [path for layer in LAYERS for path in (folder / layer).rglob("*mini_racer*")] == []


def test_a_client_can_be_made_of_every_service_that_the_layer_keeps(build):
    _, folder = build
    program = (
        "import botocore, botocore.session, sys\n"
        "assert botocore.__file__.startswith(sys.argv[1]), botocore.__file__\n"
        "session = botocore.session.Session()\n"
        "for service in sys.argv[2:]: session.create_client(service, region_name='ap-northeast-2', endpoint_url='http://127.0.0.1:9')\n"
        "print(*session.get_available_services())\n"
    )
    layer = str(folder / "DepsLayer" / "python")
    listed = run(Path(sys.executable), program, layer, *kept_services(), path=[layer])
    assert sorted(listed.split()) == sorted(kept_services())


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_handler_loads_from_its_artifacts_alone(build, function):
    architecture, folder = build
    python = runtime_python.find()
    shared = str(folder / "SharedLayer" / "python")
    if python and architecture == HOST:
        path = [shared, str(folder / "DepsLayer" / "python")]
    else:
        # Extension modules of another Python or processor cannot be loaded here: take the packages of this environment.
        python, path = Path(sys.executable), [shared]
    program = (
        "import app, shared, sys\n"
        "assert app.__file__.startswith(sys.argv[1]), app.__file__\n"
        "assert shared.__file__.startswith(sys.argv[2]), shared.__file__\n"
        "print(callable(app.handler))\n"
    )
    artifacts = str(folder / function)
    assert run(python, program, artifacts, shared, path=[artifacts, *path]) == "True"


def test_the_script_function_runs_a_script_with_a_module_from_its_artifacts_alone(build):
    architecture, folder = build
    python = runtime_python.find()
    if python is None or architecture != HOST:
        pytest.skip("its engine is not for the Python or the processor of this machine")
    layers = [str(folder / layer / "python") for layer in SCRIPT_LAYERS]
    program = (
        "import app, json\n"
        "script = \"module.exports = async () => ({chunks: require('lodash').chunk([1, 2, 3], 2)})\"\n"
        "event = {'script': script, 'context': {}, 'timeoutMs': 5000, 'idempotencyKey': 'k'}\n"
        "print(json.dumps(app.handler(event, None)))\n"
    )
    artifacts = str(folder / "ScriptFunction")
    answer = json.loads(run(python, program, path=[artifacts, *layers]))
    assert answer == {"result": {"chunks": [[1, 2], [3]]}, "notes": []}


def test_the_layer_can_sign_for_a_service_account(build):
    architecture, folder = build
    layer = str(folder / "DepsLayer" / "python")
    assert not (folder / "DepsLayer" / "python" / "Cryptodome" / "SelfTest").exists()
    if architecture != HOST:
        return  # nothing here loads libraries of another processor
    program = (
        "import Cryptodome, sys\n"
        "from Cryptodome.Hash import SHA256\n"
        "from Cryptodome.PublicKey import RSA\n"
        "from Cryptodome.Signature import pkcs1_15\n"
        "assert Cryptodome.__file__.startswith(sys.argv[1]), Cryptodome.__file__\n"
        "key = RSA.generate(2048)\n"
        "signature = pkcs1_15.new(key).sign(SHA256.new(b'x'))\n"
        "pkcs1_15.new(key.public_key()).verify(SHA256.new(b'x'), signature)\n"
        "print(len(signature))\n"
    )
    assert run(Path(sys.executable), program, layer, path=[layer]) == "256"


def run(python, program, *arguments, path):
    environment = {
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "LAMBDA_TASK_ROOT": path[0],
        "MALGIL_STAGE": "test",
        "MALGIL_TURNS_TABLE": "turns",
        "MALGIL_CORE_TABLE": "core",
        "MALGIL_BOT_BUCKET": "bots",
        "MALGIL_SECRETS_PREFIX": "malgil/test",
        "MALGIL_MAIL_FROM": "",
        "POWERTOOLS_METRICS_NAMESPACE": "Malgil",
        "POWERTOOLS_SERVICE_NAME": "test",
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [python, "-c", program, *arguments]
    finished = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def library(folder, name, machine):
    path = folder / "python" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little"))


def test_a_library_of_another_python_is_refused(tmp_path):
    library(tmp_path, "x.cpython-311-aarch64-linux-gnu.so", 183)
    (problem,) = problems([tmp_path], "arm64")
    assert "is for cpython-311" in problem


@pytest.mark.parametrize("name", ["x.cpython-313-aarch64-linux-gnu.so", "x.abi3.so", "libx.so.1"])
def test_a_library_of_another_processor_is_refused_whatever_its_name(tmp_path, name):
    library(tmp_path, name, 62)
    (problem,) = problems([tmp_path], "arm64")
    assert "is not for arm64" in problem


def test_a_library_of_another_system_is_refused(tmp_path):
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "x.abi3.so").write_bytes(b"\xcf\xfa\xed\xfe" + bytes(16))
    (problem,) = problems([tmp_path], "arm64")
    assert "is not a Linux library" in problem


def test_a_layer_without_its_python_folder_is_refused(tmp_path):
    (problem,) = problems([tmp_path], "arm64")
    assert "holds no python/ folder" in problem


def test_layers_too_big_for_lambda_are_refused(tmp_path):
    (tmp_path / "python").mkdir()
    with (tmp_path / "python" / "big").open("wb") as file:
        file.truncate(250 * 1024 * 1024 + 1)
    (problem,) = problems([tmp_path], "arm64")
    assert "Lambda allows 262144000" in problem


def test_a_missing_api_model_is_refused(tmp_path):
    (tmp_path / "python" / "botocore" / "data").mkdir(parents=True)
    assert len(problems([tmp_path], "arm64")) == len(kept_services())


def test_the_command_fails_when_a_layer_has_a_problem(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert "holds no python/ folder" in capsys.readouterr().err
    (tmp_path / "python").mkdir()
    assert main([str(tmp_path)]) == 0
