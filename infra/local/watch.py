"""Notices changed source files by looking at them: no dependency, and the same on every file system."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

IGNORED_FOLDERS: Final = frozenset({"__pycache__", "node_modules", ".git", ".venv", ".aws-sam"})

Snapshot = dict[Path, tuple[int, int]]
"""(modification time in ns, size) of each file."""


def snapshot(roots: Iterable[Path]) -> Snapshot:
    """The files under the roots (a root may be a file). A file that vanishes meanwhile is left out."""
    found: Snapshot = {}
    for root in roots:
        for path in (root, *_files(root)):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if not path.is_dir():
                found[path] = (status.st_mtime_ns, status.st_size)
    return found


def _files(root: Path) -> Iterable[Path]:
    if not root.is_dir():
        return
    for path in root.iterdir():
        if path.is_dir():
            if path.name not in IGNORED_FOLDERS:
                yield from _files(path)
        elif path.suffix != ".pyc":
            yield path
