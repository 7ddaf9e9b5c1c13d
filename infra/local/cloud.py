"""The local cloud: everything that template.yaml describes, on loopback, supervised from one process."""

import asyncio
import errno
import fcntl
import json
import os
import socket
import threading
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, TextIO

from infra.local import example_api
from infra.local.deploy import Deployment, Function, deploy
from infra.local.embedded import REGION, REPOSITORY, EmbeddedAws
from infra.local.endpoints import Endpoints
from infra.local.example_site import ExampleSite
from infra.local.functions import FunctionPool, function_environment
from infra.local.gateway import Gateway
from infra.local.logs import Logs
from infra.local.pollers.clock import Clock, SystemClock
from infra.local.pollers.supervisor import Pollers
from infra.local.template import load_template
from infra.local.watch import Snapshot, snapshot
from infra.local.websocket.server import IDLE_SECONDS, LIFE_SECONDS, SocketGateway
from shared.errors import Conflict, MalgilError, Unavailable

HOST: Final = "127.0.0.1"
RELOAD_SECONDS: Final = 0.5
STATE_FILE: Final = "state.db"
DESCRIPTION_FILE: Final = "local.json"
CHECKPOINTS_FILE: Final = "checkpoints.json"
LOCK_FILE: Final = "lock"

_SHARED: Final = REPOSITORY / "shared"


class LocalCloud:
    """`with LocalCloud(template=..., state=tmp_path, http_port=0, aws_port=0) as cloud: cloud.http_url`.

    Port 0 is a free one. `state` is the folder that keeps data, logs and `local.json`. `parameters` are the
    template's. With `example_port` the company system behind the example bots and its site are served too; that port,
    `webhook_ports`, on which somebody else listens, and `local_targets` are the loopback addresses that the functions'
    guarded HTTP client may reach, the last as (host, port) pairs. `console` gets the logs; None is silent. Without
    `watch` changed files are not looked for. Schedules and the age of stream records go by `clock`; messages that
    wait for a minute and longer wait `hurry` times as short. Starting raises InvalidInput
    for a template that cannot be run, Conflict when the state folder is in use, and Unavailable for a busy port or
    damaged state; each message is one line.
    """

    def __init__(
        self,
        *,
        template: Path | str = REPOSITORY / "template.yaml",
        state: Path | str = ".malgil",
        http_port: int = 8787,
        aws_port: int = 8788,
        socket_port: int = 0,
        lambda_port: int = 0,
        example_port: int | None = None,
        webhook_ports: Iterable[int] = (),
        parameters: Mapping[str, str] | None = None,
        local_targets: Iterable[tuple[str, int]] = (),
        console: TextIO | None = None,
        watch: bool = True,
        clock: Clock | None = None,
        hurry: int = 1,
        socket_idle_seconds: float = IDLE_SECONDS,
        socket_life_seconds: float = LIFE_SECONDS,
    ) -> None:
        self.template = Path(template)
        self.state = Path(state).resolve()
        self.http_url = ""
        self.socket_url = ""
        self.aws_endpoint = ""
        self.lambda_endpoint = ""
        self.example_url = ""
        self.region = REGION
        self.pid = os.getpid()
        self.outputs: dict[str, str] = {}
        self.environment: dict[str, dict[str, str]] = {}
        """Environment variables of each function, by its logical id."""
        self._ports = {
            "--http-port": http_port,
            "--aws-port": aws_port,
            "--socket-port": socket_port,
            "--lambda-port": lambda_port,
        }
        if example_port is not None:
            self._ports["--example-port"] = example_port
        self._parameters = dict(parameters or {})
        self.local_targets = (*local_targets, *(target for port in webhook_ports for target in _loopback(port)))
        self._console = console
        self._watch = watch
        self._clock = clock or SystemClock()
        self._hurry = hurry
        self._socket_idle_seconds = socket_idle_seconds
        self._socket_life_seconds = socket_life_seconds
        self._lock: IO[str] | None = None
        self._aws: EmbeddedAws | None = None
        self._loop: _Loop | None = None
        self._pollers: Pollers | None = None
        self._pools: dict[str, FunctionPool] = {}
        self._sockets: list[socket.socket] = []

    def start(self) -> Self:
        """Returns when requests are answered; the functions' first environments may still be starting."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        http, invoke = self._listen("--http-port"), self._listen("--lambda-port")
        sockets = self._listen("--socket-port")
        self.http_url, self.lambda_endpoint = _url(http), _url(invoke)
        self.socket_url = _url(sockets).replace("http://", "ws://")
        example = self._listen("--example-port") if "--example-port" in self._ports else None
        if example is not None:
            self.example_url = _url(example)
            self.local_targets += _loopback(example.getsockname()[1])
        self._aws = self._begin_aws()
        # Looked at before it is read, so that no change is missed.
        seen = snapshot({self.template})
        template = load_template(self.template, self._parameters)
        seen |= snapshot({_SHARED, *template.code.values()})
        self.aws_endpoint = self._aws.wait_until_ready().endpoint
        self._endpoints = Endpoints.from_environment(self.aws_endpoint, self.lambda_endpoint, os.environ)
        self.region = self._endpoints.region
        deployment = deploy(template, self._endpoints, self.http_url, self.socket_url)
        self._logs = Logs(self.state / "logs", self._console)
        self._gateway = Gateway(
            self._logs,
            SocketGateway(
                self._logs,
                self.region,
                idle_seconds=self._socket_idle_seconds,
                life_seconds=self._socket_life_seconds,
            ),
        )
        self._loop = _Loop()
        self._loop.run(self._begin_pollers())
        self._loop.run(self._serve(deployment))
        self._loop.run(self._gateway.listen(http=http, invoke=invoke, sockets=sockets))
        if example is not None:
            site = ExampleSite(self.http_url, self.socket_url)
            self._loop.run(self._gateway.add(example_api.application(site), example))
        if self._watch:
            self._loop.begin(self._reload_on_change(seen))

    def stop(self) -> None:
        """Ends every process and removes local.json. May be called twice."""
        if self._lock is not None:
            (self.state / DESCRIPTION_FILE).unlink(missing_ok=True)
        if self._loop is not None:
            self._loop.run(self._stop_serving())
            self._loop.close()
            self._loop = None
        for listener in self._sockets:
            listener.close()
        self._sockets.clear()
        if self._aws is not None:
            self._aws.stop()
            self._aws = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """False once the embedded AWS has ended, by itself or by `stop`."""
        return self._aws is not None and self._aws.running

    def client(self, service: str) -> Any:
        """A boto3 client of a service as the functions see it; "lambda" invokes the functions."""
        if service == "lambda":
            return Endpoints(self.lambda_endpoint, self.lambda_endpoint).client(service)
        return self._endpoints.client(service)

    def _take_lock(self) -> None:
        self._lock = (self.state / LOCK_FILE).open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise Conflict(
                f"a local cloud is running on {self.state} already ({_running_on(self.state)}): "
                "stop it, or give another --state"
            ) from None

    def _listen(self, flag: str) -> socket.socket:
        listener = socket.socket()
        self._sockets.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, self._ports[flag]))
            listener.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise self._busy(flag) from error
        return listener

    def _busy(self, flag: str) -> Unavailable:
        return Unavailable(f"port {self._ports[flag]} is in use: free it, or choose another with {flag}")

    def _begin_aws(self) -> EmbeddedAws:
        logs = self.state / "logs"
        logs.mkdir(exist_ok=True)
        port = self._ports["--aws-port"]
        if port:
            # The embedded AWS binds it itself; a busy one is better said here, with its flag.
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError as error:
                    raise self._busy("--aws-port") from error
        aws = EmbeddedAws(state=self.state / STATE_FILE, port=port, log=logs / "aws.log", hurry=self._hurry)
        aws.begin()
        return aws

    async def _begin_pollers(self) -> None:
        self._pollers = Pollers(self._endpoints, self._logs, self.state / CHECKPOINTS_FILE, self._clock)

    async def _serve(self, deployment: Deployment) -> None:
        """Puts a deployment in the place of the one before."""
        before = self._pools
        self._pools = {name: self._pool(function) for name, function in deployment.functions.items()}
        self._gateway.serve(deployment, self._pools)
        assert self._pollers is not None  # noqa: S101 - they have begun
        await self._pollers.serve(
            deployment.queue_mappings, deployment.stream_mappings, deployment.schedules, self._pools
        )
        self.outputs = deployment.outputs
        self.environment = {name: dict(pool.environment) for name, pool in self._pools.items()}
        self._write_description()
        for pool in self._pools.values():
            pool.warm()
        await asyncio.gather(*(pool.close() for pool in before.values()))

    def _pool(self, function: Function) -> FunctionPool:
        environment = function_environment(function, self._endpoints.variables())
        return FunctionPool(function, environment, self._logs, self.local_targets)

    def _write_description(self) -> None:
        description = {
            "http_url": self.http_url,
            "socket_url": self.socket_url,
            "aws_endpoint": self.aws_endpoint,
            "lambda_endpoint": self.lambda_endpoint,
            "example_url": self.example_url,
            "local_targets": self.local_targets,
            "region": self.region,
            "pid": self.pid,
            "outputs": self.outputs,
            "environment": self.environment,
        }
        temporary = self.state / f"{DESCRIPTION_FILE}.new"
        temporary.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.state / DESCRIPTION_FILE)

    async def _reload_on_change(self, seen: Snapshot) -> None:
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            now = await asyncio.to_thread(snapshot, self._watched())
            if now == seen:
                continue
            template_changed = now.get(self.template) != seen.get(self.template)
            seen = now
            if template_changed:
                await self._redeploy()
            else:
                self._logs.say("code changed: functions start anew")
                await asyncio.gather(*(pool.recycle() for pool in self._pools.values()))

    def _watched(self) -> set[Path]:
        return {self.template, _SHARED, *(pool.function.code for pool in self._pools.values())}

    async def _redeploy(self) -> None:
        try:
            template = await asyncio.to_thread(load_template, self.template, self._parameters)
            deployment = await asyncio.to_thread(deploy, template, self._endpoints, self.http_url, self.socket_url)
        except MalgilError as error:
            self._logs.say(f"{error} (the template before it stays in force)")
            return
        self._logs.say("template changed: deployed")
        await self._serve(deployment)

    async def _stop_serving(self) -> None:
        await self._gateway.stop()
        if self._pollers is not None:
            await self._pollers.stop()
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))


class _Loop:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._tasks: list[Any] = []

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.append(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self) -> None:
        self.run(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _cancel_all(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


def _loopback(port: int) -> tuple[tuple[str, int], ...]:
    """A port of this machine as URLs may write it."""
    return (HOST, port), ("localhost", port)


def _running_on(state: Path) -> str:
    try:
        description = json.loads((state / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        return f"process {description['pid']}, {description['http_url']}"
    except (OSError, ValueError, KeyError):
        return "still starting"
