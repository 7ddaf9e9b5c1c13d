"""Where a Python of the Lambda runtime's version is on this machine, if there is one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

VERSION: Final = "3.13"
"""template.yaml: Runtime python3.13."""


def find() -> Path | None:
    """Path of a working Python 3.13; None when this machine has none."""
    return next((python for python in _candidates() if _version(python) == VERSION), None)


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{VERSION}"):
        yield Path(on_path)
    # A shim of pyenv is on PATH for every version that it knows, and fails for those that are not switched on.
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{VERSION}.*/bin/python{VERSION}"))
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local" / "share" / "uv" / "python"))
    yield from sorted(uv.glob(f"cpython-{VERSION}.*/bin/python{VERSION}"))


def _version(python: Path) -> str:
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    finished = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
    return finished.stdout.strip()
