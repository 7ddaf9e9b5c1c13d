"""The embedded AWS as its users see it: a child process with an endpoint."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import boto3
from botocore.config import Config

from shared.errors import Unavailable

REPOSITORY: Final = Path(__file__).parents[2]
REGION: Final = "ap-northeast-2"
ACCOUNT: Final = "123456789012"
"""moto's own account id: every resource of the embedded AWS belongs to it."""
CREDENTIALS: Final = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
STOP_SECONDS: Final = 5.0


@cache
def _session() -> Any:
    """One for the process: each session reads the service descriptions anew."""
    return boto3.session.Session()


def client(service: str, endpoint: str, *, region: str = REGION, **options: Any) -> Any:
    """A boto3 client of the embedded AWS; `options` go to boto3 (credentials or a config of another kind)."""
    return _session().client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        **{
            "config": Config(retries={"total_max_attempts": 1}, max_pool_connections=16, read_timeout=30),
            **CREDENTIALS,
            **options,
        },
    )


class EmbeddedAws:
    """`with EmbeddedAws(state=path) as aws: aws.endpoint`. Raises Unavailable when it cannot start.

    `state` is the SQLite file, None keeps nothing; port 0 is a free one; what the process complains of goes to `log`.
    Delays of messages of a minute and longer are `hurry` times as short.
    """

    def __init__(
        self,
        *,
        state: Path | None = None,
        port: int = 0,
        log: Path | None = None,
        ttl_seconds: float = 5.0,
        hurry: int = 1,
    ) -> None:
        self._arguments = ["--port", str(port), "--ttl-seconds", str(ttl_seconds), "--hurry", str(hurry)]
        if state is not None:
            self._arguments += ["--state", str(state)]
        self._log_path = log
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = ""

    def start(self) -> Self:
        self.begin()
        return self.wait_until_ready()

    def begin(self) -> None:
        """Starts the process without waiting for it."""
        if self._log_path is not None:
            self._log = self._log_path.open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "infra.local.aws", *self._arguments],
            cwd=REPOSITORY,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(REPOSITORY), "TZ": "UTC"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log or subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_until_ready(self) -> Self:
        assert self._process is not None  # noqa: S101 - begin() comes first
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        line = json.loads(self._process.stdout.readline() or b"{}")
        if "endpoint" not in line:
            self.stop()
            raise Unavailable(str(line.get("error") or "the embedded AWS did not start, see its log"))
        self.endpoint = line["endpoint"]
        return self

    def wait_for_end(self, seconds: float) -> bool:
        """Whether the process ends by itself within so many seconds."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As a crash would end it: nothing is flushed or closed."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def stop(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            if not self.wait_for_end(STOP_SECONDS):
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
