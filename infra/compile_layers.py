"""Put the Lambda runtime's bytecode beside the built sources: `python -m infra.compile_layers .aws-sam/build`.

A layer is read-only in Lambda, so without bytecode every cold start compiles every module again, which can cost more
than KakaoTalk's five seconds allow. Bytecode belongs to one Python version, so this needs a Python 3.13 on the machine;
without one the build is still right, only slower to start, and says so.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from infra import runtime_python

UNCHECKED: Final = "unchecked-hash"
"""Lambda unpacks files with times of its own: bytecode that is checked against them would be thrown away."""

MISSING: Final = f"""no Python {runtime_python.VERSION} here: the layers have no bytecode,
  and every cold start compiles anew.
  Install one, e.g. with `uv python install {runtime_python.VERSION}`, and build again.
이 컴퓨터에 Python {runtime_python.VERSION}이(가) 없어 바이트코드 없이 빌드했습니다. 콜드 스타트가 느려집니다.
"""


def compile_artifacts(build: Path, python: Path) -> int:
    """Compile every module of the artifacts in `build`; the number of compiled files. Raises CalledProcessError."""
    command: list[str | Path] = [python, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", UNCHECKED, build]
    subprocess.run(command, check=True)  # noqa: S603 - a Python that was found on this machine
    return sum(1 for _ in build.rglob(f"*.cpython-{runtime_python.VERSION.replace('.', '')}.pyc"))


def main(arguments: list[str]) -> int:
    python = runtime_python.find()
    if python is None:
        sys.stderr.write(MISSING)
        return 0
    for folder in arguments:
        count = compile_artifacts(Path(folder), python)
        sys.stdout.write(f"{folder}: {count} modules compiled by {python}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
