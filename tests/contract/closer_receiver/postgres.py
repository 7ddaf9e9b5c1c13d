"""A PostgreSQL server that lives as long as the tests: a cluster in a temporary folder, on a unix socket alone."""

import getpass
import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

MISSING: Final = (
    "PostgreSQL's server is not installed; the dashboards of CLOSER's receiver are not checked."
    " Debian, Ubuntu: sudo apt-get install postgresql; macOS: brew install postgresql@17"
    " / PostgreSQL 서버가 없어 CLOSER 대시보드 검사를 건너뜁니다."
)
DEBIAN: Final = "/usr/lib/postgresql/*/bin"
HOMEBREW: Final = ("/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin")
UNPRIVILEGED: Final = ("postgres", "nobody")
"""The server refuses to be root's."""
OWNER: Final = "closer"
FAST: Final = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=8"


def folder_of_programs() -> Path | None:
    """Where initdb and pg_ctl are: Debian does not put them on the path."""
    found = [path for pattern in (DEBIAN, *HOMEBREW) for path in glob.glob(pattern)]  # noqa: PTH207 - whole patterns
    on_path = shutil.which("pg_ctl")
    candidates = [*([str(Path(on_path).resolve().parent)] if on_path else []), *sorted(found, reverse=True)]
    return next((Path(path) for path in candidates if (Path(path) / "initdb").exists()), None)


def _account() -> str | None:
    """Whose the server is to be; None: ours."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in UNPRIVILEGED if name in known), None)


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """Start one and stop it again. Gives what psycopg connects to."""
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="malgil-pg-"))  # short: a socket's path has about a hundred characters
    try:
        folder.chmod(0o700)
        if account is not None:
            shutil.chown(folder, account)
        _run(account, folder, programs / "initdb", f"--username={OWNER}", "--auth=trust", "--encoding=UTF8",
             "--no-locale", "--no-sync", "--pgdata=data")  # fmt: skip
        control = (programs / "pg_ctl", "--pgdata=data", "--wait")
        _run(account, folder, *control, "--log=log", f"--options=-k {folder} {FAST}", "start")
        try:
            yield f"host={folder} user={OWNER} dbname=postgres"
        finally:
            _run(account, folder, *control, "--mode=fast", "stop")
    finally:
        shutil.rmtree(folder)


def _run(account: str | None, folder: Path, *command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        user=account,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "USER": account or getpass.getuser(), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if "start" not in command else subprocess.DEVNULL,  # the server would hold the pipe
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        log = folder / "log"
        said = (done.stdout or b"").decode() + (log.read_text() if log.exists() else "")
        raise RuntimeError(f"{Path(command[0]).name} failed: {said}")


def connect(address: str) -> "psycopg.Connection[Any]":
    """Each statement stands alone, as the receiver's do. Grafana's sessions are in UTC."""
    connection = psycopg.connect(address, autocommit=True)
    connection.execute("SET timezone TO 'UTC'")
    return connection
