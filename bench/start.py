"""A cold start: what it takes until the KakaoTalk function could send its first AWS call.

Each sample is a process of its own. It imports the handler and makes its DynamoDB client; the peer imports botocore
and makes one. Both have bytecode at hand, and neither can import what the deployed layer does not carry (the tools of
development bring optional accelerators of botocore and urllib3 that would be loaded as well).
"""

import os
import re
import subprocess
import sys
import tempfile
from importlib.metadata import packages_distributions
from typing import Final

from bench.measure import ROOT, CannotRun, Quantity, Row, Say, resident_megabytes, rows

STARTS: Final = 9
"""Pairs of processes."""
IMPORT: Final = Quantity(
    name="start.kakao_skill.import_ms", unit="ms", better="lower", goal=220, of=lambda seconds: seconds * 1000
)
MEMORY: Final = Quantity(name="start.kakao_skill.rss_mb", unit="MB", better="lower", goal=80)
LAYER_REQUIREMENTS: Final = ROOT / "infra/layers/deps/requirements.txt"
PEER: Final = "botocore and one client"

OURS: Final = "import functions.kakao_skill.app; from shared.aws import client; client('dynamodb', 1.0, 1)"
PEERS: Final = "import botocore.session; botocore.session.get_session().create_client('dynamodb')"
CHILD: Final = """
import sys, time
for name in sys.argv[2].split(","):
    sys.modules[name] = None
started = time.process_time()
exec(sys.argv[1])
print(time.process_time() - started, flush=True)
sys.stdin.readline()
"""
"""Waits at the end, so that its memory can be read."""


def not_in_layer() -> list[str]:
    """Modules installed here that the deployed layer has not got, by the names that are imported."""
    locked = re.findall(r"^([a-z0-9-]+)==", LAYER_REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    carried = {name.replace("-", "_") for name in locked} | {"malgil"}
    return sorted(
        module
        for module, distributions in packages_distributions().items()
        if module.isidentifier() and not {name.lower().replace("-", "_") for name in distributions} & carried
    )


def cold_start(code: str, refused: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of CPU and megabytes of one process."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, code, ",".join(refused)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise CannotRun("it has no pipes")
        line = process.stdout.readline()
        if not line:
            raise CannotRun("it could not start")
        memory = resident_megabytes(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
    return float(line), memory


def measure(say: Say) -> list[Row]:
    say("cold start of the KakaoTalk function")
    refused = not_in_layer()
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {
            **{key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": bytecode,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_REGION": "ap-northeast-2",
            "AWS_DEFAULT_REGION": "ap-northeast-2",
        }
        for code in (OURS, PEERS):
            cold_start(code, refused, environment)
        own: list[tuple[float, float]] = []
        theirs: list[tuple[float, float]] = []
        for _ in range(STARTS):
            own.append(cold_start(OURS, refused, environment))
            theirs.append(cold_start(PEERS, refused, environment))
    return rows(IMPORT, [sample[0] for sample in own], {PEER: [sample[0] for sample in theirs]}) + rows(
        MEMORY, [sample[1] for sample in own], {PEER: [sample[1] for sample in theirs]}
    )
