"""Refuse built layers that the Lambda runtime could not load.

A wheel for the wrong Python or processor installs without complaint and fails only in the cloud, at the first import.
`python infra/check_layer.py --architecture arm64 .aws-sam/build/DepsLayer .aws-sam/build/SharedLayer` exits with 1 and
one line for each problem.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 250 * 1024 * 1024
"""Lambda: a function and all its layers, unpacked."""

RUNTIME_TAG: Final = "cpython-313"
"""What python3.13 demands in the name of an extension module that does not use the stable ABI."""

ELF_MAGIC: Final = b"\x7fELF"
ELF_MACHINES: Final = {"x86_64": 62, "arm64": 183}
"""`e_machine` of the ELF header: EM_X86_64 and EM_AARCH64."""

SERVICES: Final = Path(__file__).parent / "layers" / "deps" / "services.txt"
"""AWS services whose API models the layer keeps; its Makefile reads the same file."""


def kept_services() -> list[str]:
    """Names of the AWS services that functions can make a client of."""
    return SERVICES.read_text(encoding="utf-8").split()


def problems(layers: Sequence[Path], architecture: str) -> list[str]:
    """What is wrong with the unpacked `layers` of one function, a sentence each; `architecture` is Lambda's name."""
    found = [
        f"{layer} holds no python/ folder: nothing in it would be on sys.path"
        for layer in layers
        if not (layer / "python").is_dir()
    ]
    files = [path for layer in layers for path in sorted(layer.rglob("*")) if path.is_file()]
    for path in files:
        found += _library_problems(path, architecture)
    found += [problem for layer in layers for problem in _botocore_problems(layer / "python" / "botocore")]
    size = sum(path.stat().st_size for path in files)
    if size > MAX_BYTES:
        found.append(f"the layers unpack to {size} bytes, Lambda allows {MAX_BYTES}")
    return found


def _library_problems(path: Path, architecture: str) -> Iterator[str]:
    with path.open("rb") as file:
        header = file.read(20)
    if not header.startswith(ELF_MAGIC):
        if path.suffix in {".so", ".pyd", ".dylib"}:
            yield f"{path} is not a Linux library"
        return
    if int.from_bytes(header[18:20], "little") != ELF_MACHINES[architecture]:
        yield f"{path} is not for {architecture}"
    tag = re.search(r"\.(cpython-\d+)", path.name)
    if tag and tag[1] != RUNTIME_TAG:
        yield f"{path} is for {tag[1]}, the runtime is {RUNTIME_TAG}"


def _botocore_problems(botocore: Path) -> Iterator[str]:
    if not botocore.is_dir():
        return
    for service in kept_services():
        if not any(botocore.glob(f"data/{service}/*/service-2.json*")):
            yield f"{botocore} has no API model of {service}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; the exit code is 1 when a layer has a problem."""
    parser = argparse.ArgumentParser(description="Refuse built layers that the Lambda runtime could not load.")
    parser.add_argument("--architecture", choices=sorted(ELF_MACHINES), default="arm64")
    parser.add_argument("layers", nargs="+", type=Path, metavar="LAYER")
    options = parser.parse_args(arguments)
    found = problems(options.layers, options.architecture)
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
