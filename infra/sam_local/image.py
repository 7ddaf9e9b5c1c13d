"""A base image for sam when none can be pulled: this machine's own Python 3.13, at the same paths, and little else."""

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from infra.sam_local.engine import Engine
from shared.errors import Unavailable

NAME: Final = "localhost/malgil-lambda-python:3.13"
RUNTIME: Final = Path(__file__).parent / "runtime.py"

TOOLS: Final = ("sh", "mv", "cp", "rm", "chmod")
"""What the image that sam builds upon this one runs while it is built."""

WHEELS_MAY_NEED: Final = ("libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "librt.so.1", "libstdc++.so.6")
"""What a manylinux_2_28 wheel may be linked with besides libc (PEP 600), even where glibc has long swallowed it."""

LEFT_OUT: Final = re.compile(r"/(__pycache__|test|idlelib|tkinter|ensurepip|(site|dist)-packages|config-[^/]*)(/|$)")
SECONDS: Final = 300.0


def make(engine: Engine, python: Path) -> None:
    """Import the image under NAME. Raises Unavailable when a part of it is missing or the engine refuses it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as image:
        _add_files(image, python)
    changes = ["WORKDIR /var/task", "ENV PATH=/bin", "ENV LAMBDA_TASK_ROOT=/var/task", "ENV LANG=C.UTF-8"]
    options = [option for change in changes for option in ("--change", change)]
    imported = subprocess.run(  # noqa: S603
        [engine.command, "import", *options, "-", NAME],
        env=engine.environment,
        input=content.getvalue(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    if imported.returncode != 0:
        raise Unavailable(f"the engine refused the base image: {imported.stderr.decode(errors='replace').strip()}")


def _add_files(image: tarfile.TarFile, python: Path) -> None:
    for folder, mode in (("tmp", 0o1777), ("var/task", 0o755), ("var/rapid", 0o755), ("opt", 0o755)):
        entry = tarfile.TarInfo(folder)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        image.addfile(entry)
    binary = python.resolve()
    library = Path(_output([str(binary), "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]))
    image.add(binary, filter=_as_root)
    image.add(library, filter=_as_root)
    tools = {f"/bin/{name}": _tool(name) for name in TOOLS}
    for path, tool in tools.items():
        image.add(tool, arcname=path, filter=_as_root)
    programs = [binary, *library.glob("lib-dynload/*.so"), *tools.values()]
    for needed in _libraries(programs):
        image.add(Path(needed).resolve(), arcname=needed, filter=_as_root)
    bootstrap = f"#!{binary}\n".encode() + RUNTIME.read_bytes()
    entry = tarfile.TarInfo("var/runtime/bootstrap")
    entry.size, entry.mode = len(bootstrap), 0o755
    image.addfile(entry, io.BytesIO(bootstrap))


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if LEFT_OUT.search(f"/{entry.name}") or entry.name.endswith(".a"):
        return None
    entry.uid = entry.gid = 0
    return entry


def _tool(name: str) -> Path:
    found = shutil.which(name, path="/bin:/usr/bin")
    if found is None:
        raise Unavailable(f"no {name} on this machine to put into the base image")
    return Path(found).resolve()


def _libraries(programs: Iterable[Path]) -> set[str]:
    """Absolute paths of the shared libraries, the loader among them, that the programs are linked with."""
    listed = "".join(_output(["ldd", str(program)]) + "\n" for program in programs)
    found = set(re.findall(r"^\s*(?:\S+ => )?(/\S+) \(0x", listed, re.MULTILINE))
    folders = {Path(path).parent for path in found if Path(path).name == "libc.so.6"}
    return found | {str(folder / name) for folder in folders for name in WHEELS_MAY_NEED if (folder / name).exists()}


def _output(command: list[str]) -> str:
    finished = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    if finished.returncode != 0:
        raise Unavailable(f"{' '.join(command)}: {finished.stderr.strip()}")
    return finished.stdout.strip()
