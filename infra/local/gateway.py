"""The listeners: the HTTP API, the WebSocket API, and the API of Lambda and of live connections."""

import asyncio
import json
import re
import socket
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web

from infra.local.deploy import Deployment, Route
from infra.local.events import (
    MAX_BODY_BYTES,
    HttpAnswer,
    HttpRequest,
    Router,
    error_answer,
    http_answer,
    http_event,
)
from infra.local.functions import MAX_EVENT_BYTES, MAX_QUEUED_EVENT_BYTES, PATIENCE_SECONDS, FunctionPool, Result
from infra.local.logs import Logs
from infra.local.websocket.server import SocketGateway

API_ID: Final = "local"
INVOCATIONS_PATH: Final = "/2015-03-31/functions/{name}/invocations"

_FUNCTION_NAME: Final = re.compile(r"(?:arn:aws:lambda:[a-z0-9-]+:)?(?:\d{12}:)?(?:function:)?([A-Za-z0-9_-]+)(?::.*)?")


class Gateway:
    """Serves sockets that are bound already. `serve` may be called again, with a new template's routes."""

    def __init__(self, logs: Logs, sockets: SocketGateway) -> None:
        self._logs = logs
        self._sockets = sockets
        self._router = Router(())
        self._pools: Mapping[str, FunctionPool] = {}
        self._by_name: dict[str, FunctionPool] = {}
        self._runners: list[web.AppRunner] = []
        self._events: set[asyncio.Task[Result]] = set()

    def serve(self, deployment: Deployment, pools: Mapping[str, FunctionPool]) -> None:
        self._router = Router(deployment.routes)
        self._pools = pools
        self._sockets.serve(deployment.socket_api, pools)
        self._by_name = {pool.function.name: pool for pool in pools.values()} | dict(pools)

    async def listen(self, *, http: socket.socket, invoke: socket.socket, sockets: socket.socket) -> None:
        # aiohttp refuses a body of exactly its limit.
        http_application = web.Application(client_max_size=MAX_BODY_BYTES + 1)
        http_application.router.add_route("*", "/{path:.*}", self._http)
        invoke_application = web.Application(client_max_size=MAX_EVENT_BYTES + 1)
        invoke_application.router.add_post(INVOCATIONS_PATH, self._invoke)
        self._sockets.add_routes(invoke_application)
        await self.add(http_application, http)
        await self.add(invoke_application, invoke)
        await self._sockets.listen(sockets)

    async def add(self, application: web.Application, listener: socket.socket) -> None:
        """Serves one more application until `stop`."""
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        self._runners.append(runner)
        await runner.setup()
        await web.SockSite(runner, listener).start()

    async def stop(self) -> None:
        await self._sockets.stop()
        for runner in self._runners:
            await runner.cleanup()
        for task in list(self._events):
            task.cancel()
        await asyncio.gather(*self._events, return_exceptions=True)

    async def _http(self, request: web.Request) -> web.Response:
        started = time.perf_counter()
        answer, route = await self._answer(request)
        milliseconds = (time.perf_counter() - started) * 1000
        # The route, not the path: a path may carry a secret.
        self._logs.say(f"{request.method} {route.path if route else '-'} {answer.status} {milliseconds:.0f} ms")
        response = web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)
        for cookie in answer.cookies:
            response.headers.add("set-cookie", cookie)
        return response

    async def _answer(self, request: web.Request) -> tuple[HttpAnswer, Route | None]:
        matched = self._router.match(request.method, request.raw_path.partition("?")[0])
        if matched is None:
            return error_answer(404), None
        route, parameters = matched
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return error_answer(413), route
        except ConnectionError:  # whoever left in the middle of it reads no answer, and nothing is called
            return error_answer(400), route
        incoming = HttpRequest(
            method=request.method,
            target=request.raw_path,
            headers=request.headers.items(),
            body=body,
            source_ip=request.remote or "127.0.0.1",
            protocol=f"HTTP/{request.version.major}.{request.version.minor}",
        )
        event = http_event(incoming, route, parameters, api_id=API_ID, now=time.time())
        if len(json.dumps(event)) > MAX_EVENT_BYTES:
            return error_answer(413), route
        seconds = route.timeout_seconds
        pool, trace = self._pools[route.function], event["headers"]["x-amzn-trace-id"]
        invocation = self._begin(pool, event, trace, patience=seconds)
        done, _ = await asyncio.wait({invocation}, timeout=seconds)
        if not done or invocation.result().timed_out or invocation.result().throttled:
            return error_answer(503), route
        result = invocation.result()
        return (error_answer(500) if result.failed else http_answer(result.payload)), route

    def _begin(
        self, pool: FunctionPool, event: Any, trace: str = "", *, patience: float | None
    ) -> "asyncio.Task[Result]":
        """Starts an invocation that goes on if its caller leaves, as on AWS."""
        task = asyncio.create_task(pool.invoke(event, trace, patience=patience))
        self._events.add(task)
        task.add_done_callback(self._events.discard)
        return task

    async def _invoke(self, request: web.Request) -> web.Response:
        name = _FUNCTION_NAME.fullmatch(unquote(request.match_info["name"]))
        pool = self._by_name.get(name[1]) if name else None
        if pool is None:
            return _lambda_error(404, "ResourceNotFoundException", f"Function not found: {request.match_info['name']}")
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        limit = MAX_QUEUED_EVENT_BYTES if kind == "Event" else MAX_EVENT_BYTES
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _too_large(limit)
        if len(body) > limit:
            return _too_large(limit)
        try:
            event = json.loads(body) if body else {}
        except ValueError as error:
            return _lambda_error(400, "InvalidRequestContentException", f"Could not parse request body: {error}")
        if kind == "DryRun":
            return web.Response(status=204)
        if kind == "Event":
            self._begin(pool, event, patience=None)
            return web.Response(status=202)
        result = await asyncio.shield(self._begin(pool, event, patience=PATIENCE_SECONDS))
        if result.throttled:
            return _lambda_error(429, "TooManyRequestsException", "Rate Exceeded.")
        headers = {"X-Amz-Executed-Version": "$LATEST", "Content-Type": "application/json"}
        if result.failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        return web.Response(body=json.dumps(result.payload).encode(), headers=headers)


def _too_large(limit: int) -> web.Response:
    return _lambda_error(413, "RequestTooLargeException", f"the payload must not be larger than {limit} bytes")


def _lambda_error(status: int, kind: str, message: str) -> web.Response:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return web.Response(
        status=status, body=body, headers={"X-Amzn-ErrorType": kind, "Content-Type": "application/json"}
    )
