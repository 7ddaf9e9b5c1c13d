"""The listener of the WebSocket API, its live connections, and `@connections` to reach them from functions.

Limits are API Gateway's: frames of 32 KB, messages of 128 KB, ten minutes without traffic, two hours in all. A message
is handed to its function at once: several of one connection run side by side, as on AWS.
"""

import asyncio
import http
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from infra.local.functions import FunctionPool, Result
from infra.local.logs import Logs
from infra.local.websocket import events
from infra.local.websocket.api import CONNECT, DEFAULT, DISCONNECT, SocketApi, SocketRoute
from infra.local.websocket.events import Connection, Handshake
from shared.errors import InvalidInput

MAX_FRAME_BYTES: Final = 32 * 1024
MAX_MESSAGE_BYTES: Final = 128 * 1024
IDLE_SECONDS: Final = 600.0
LIFE_SECONDS: Final = 7200.0
AUTHORIZER_SECONDS: Final = 10.0
"""API Gateway: an authorizer has at most 10 s."""
GOING_AWAY: Final = 1001
CONNECTIONS_PATH: Final = "/{stage:[^@]*}@connections/{id:.+}"

JsonObject = dict[str, Any]


class _Socket(ServerConnection):
    """`asked` is the connection once its handshake is looked at."""

    asked: Connection | None = None
    chosen: str | None = None


@dataclass
class _Live:
    """A connection that is open."""

    connection: Connection
    socket: ServerConnection

    def touch(self) -> None:
        self.connection.last_active_at = time.time()


class SocketGateway:
    """`serve` may be called again, with a new template's API; connections stay. All methods run on one event loop.

    `idle_seconds` and `life_seconds` are shorter in tests.
    """

    def __init__(
        self, logs: Logs, region: str, *, idle_seconds: float = IDLE_SECONDS, life_seconds: float = LIFE_SECONDS
    ) -> None:
        self._logs = logs
        self._region = region
        self._idle_seconds = idle_seconds
        self._life_seconds = life_seconds
        self._api: SocketApi | None = None
        self._pools: Mapping[str, FunctionPool] = {}
        self._live: dict[str, _Live] = {}
        self._under_way: set[asyncio.Task[Any]] = set()
        self._server: Server | None = None

    def serve(self, api: SocketApi | None, pools: Mapping[str, FunctionPool]) -> None:
        self._api, self._pools = api, pools

    async def listen(self, listener: socket.socket) -> None:
        self._server = await serve(
            self._open,
            sock=listener,
            create_connection=_Socket,
            process_request=self._handshake,
            select_subprotocol=self._subprotocol,
            compression=None,
            max_size=(MAX_MESSAGE_BYTES, MAX_FRAME_BYTES),
            ping_interval=None,
            server_header=None,
            close_timeout=1,
        )

    def add_routes(self, application: web.Application) -> None:
        """POST, GET and DELETE @connections/{id}: the API Gateway Management API."""
        application.router.add_post(CONNECTIONS_PATH, self._post)
        application.router.add_get(CONNECTIONS_PATH, self._get)
        application.router.add_delete(CONNECTIONS_PATH, self._delete)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    # ---- opening

    async def _handshake(self, opening: ServerConnection, request: Request) -> Response | None:
        """Asks authorizer and $connect; None lets the socket open."""
        assert isinstance(opening, _Socket)  # noqa: S101 - `listen` asks for them
        api = self._api
        if api is None or request.path.partition("?")[0].rstrip("/") != f"/{api.stage}":
            return _refused(403)
        handshake = Handshake(request.path, tuple(request.headers.raw_items()), _address(opening))
        connection = Connection(handshake, time.time())
        opening.asked = connection
        route = api.routes.get(CONNECT)
        if route is None:
            return None
        refused = await self._authorize(api, route, connection)
        if refused is not None:
            return _refused(refused)
        result = await self._call(route, events.connect_event(api, self._region, connection))
        if result is None or result.failed:
            return _refused(500)
        status = events.connect_status(result.payload)
        if status != http.HTTPStatus.OK:
            return _refused(status)
        opening.chosen = events.chosen_subprotocol(result.payload)
        return None

    async def _authorize(self, api: SocketApi, route: SocketRoute, connection: Connection) -> int | None:
        """The status of a refusal; None: come in."""
        authorizer = route.authorizer
        if authorizer is None:
            return None
        if events.missing_source(authorizer.sources, connection.handshake):
            return 401
        event = events.authorizer_event(api, self._region, connection)
        asked = SocketRoute(CONNECT, authorizer.function, AUTHORIZER_SECONDS)
        result = await self._call(asked, event)
        if result is None:
            return 500
        if result.failed:  # API Gateway's one word for "no": raise Exception("Unauthorized")
            return 401 if (result.payload or {}).get("errorMessage") == "Unauthorized" else 500
        try:
            connection.authorizer = events.may_connect(result.payload)
        except InvalidInput as error:
            self._logs.say(f"authorizer {authorizer.function}: {error}")
            return 500
        return 403 if connection.authorizer is None else None

    @staticmethod
    def _subprotocol(opening: ServerConnection, offered: Any) -> Subprotocol | None:
        chosen = opening.chosen if isinstance(opening, _Socket) else None
        return Subprotocol(chosen) if chosen is not None and chosen in offered else None

    # ---- a connection's life

    async def _open(self, opened: ServerConnection) -> None:
        assert isinstance(opened, _Socket) and opened.asked is not None  # noqa: S101, PT018 - see _handshake
        connection = opened.asked
        live = _Live(connection, opened)
        live.touch()
        self._live[connection.id] = live
        ending = asyncio.create_task(self._end_in_time(live))
        try:
            async for message in opened:
                live.touch()
                self._begin(self._hear(live, message))
        except ConnectionClosed:
            pass  # however it ended, $disconnect says with which code
        finally:
            ending.cancel()
            del self._live[connection.id]
            code, reason = opened.close_code or 1006, opened.close_reason or ""
            self._logs.say(f"socket closed {code} {reason}".rstrip())
            self._begin(self._tell_end(connection, code, reason))

    async def _end_in_time(self, live: _Live) -> None:
        """Ten minutes without traffic, two hours in all."""
        while True:
            now = time.time()
            idle_at = live.connection.last_active_at + self._idle_seconds
            ends_at = min(idle_at, live.connection.connected_at + self._life_seconds)
            if now >= ends_at:
                await live.socket.close(GOING_AWAY, "Going away")
                return
            await asyncio.sleep(ends_at - now)

    def _begin(self, work: Any) -> "asyncio.Task[Any]":
        """Whatever is under way at the end is cancelled, lest its environment outlives the local cloud."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _hear(self, live: _Live, message: str | bytes) -> None:
        api = self._api
        key = DEFAULT if api is None else events.route_key(api, message)
        route = None if api is None else api.routes.get(key)
        if api is None or route is None:
            await self._say(live, events.fault_text(live.connection, "Forbidden"))
            return
        event = events.message_event(api, self._region, live.connection, key, message)
        result = await self._call(route, event)
        if result is None:
            await self._say(live, events.fault_text(live.connection, "Endpoint request timed out"))
        elif result.failed:
            await self._say(live, events.fault_text(live.connection, "Internal server error"))
        elif route.answers and (text := events.returned_text(result.payload)) is not None:
            await self._say(live, text)

    async def _say(self, live: _Live, text: str) -> None:
        try:
            await live.socket.send(text)
        except ConnectionClosed:
            return  # an answer to somebody who has left
        live.touch()

    async def _tell_end(self, connection: Connection, code: int, reason: str) -> None:
        api = self._api
        route = None if api is None else api.routes.get(DISCONNECT)
        if api is not None and route is not None:
            await self._call(route, events.disconnect_event(api, self._region, connection, code, reason))

    async def _call(self, route: SocketRoute, event: JsonObject) -> Result | None:
        """What came of an invocation; None when it takes too long. It goes on if nobody waits any more."""
        pool = self._pools[route.function]
        started = time.perf_counter()
        task = self._begin(pool.invoke(event, patience=route.timeout_seconds))
        done, _ = await asyncio.wait({task}, timeout=route.timeout_seconds)
        milliseconds = (time.perf_counter() - started) * 1000
        kind = event["requestContext"]["eventType"]
        outcome = "timed out" if not done else "failed" if task.result().failed else "done"
        self._logs.say(f"socket {kind} {route.key} {outcome} {milliseconds:.0f} ms")
        return task.result() if done and not task.result().timed_out else None

    # ---- @connections

    async def _post(self, request: web.Request) -> web.Response:
        live = self._found(request)
        if live is None:
            return _gone()
        try:
            data = await request.read()
        except web.HTTPRequestEntityTooLarge:
            data = None
        if data is None or len(data) > MAX_MESSAGE_BYTES:
            return _error(413, "PayloadTooLargeException", "Message too long")
        try:
            await live.socket.send(_text_or_bytes(data))
        except ConnectionClosed:
            return _gone()
        live.touch()
        return web.Response(status=200)

    async def _get(self, request: web.Request) -> web.Response:
        live = self._found(request)
        return _gone() if live is None else web.json_response(events.described(live.connection))

    async def _delete(self, request: web.Request) -> web.Response:
        live = self._found(request)
        if live is None:
            return _gone()
        await live.socket.close(1000, "Connection Closed Normally")
        return web.Response(status=204)

    def _found(self, request: web.Request) -> _Live | None:
        return self._live.get(unquote(request.match_info["id"]))


def _text_or_bytes(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _address(opening: ServerConnection) -> str:
    address: Any = opening.remote_address
    return str(address[0]) if address else "127.0.0.1"


def _refused(status: int) -> Response:
    body = events.refusal(status)
    headers = Headers(
        [("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close")]
    )
    return Response(status, http.HTTPStatus(status).phrase, headers, body)


def _gone() -> web.Response:
    return _error(410, "GoneException", "Gone")


def _error(status: int, kind: str, message: str) -> web.Response:
    body = json.dumps({"message": message}).encode()
    return web.Response(
        status=status, body=body, headers={"x-amzn-errortype": kind, "content-type": "application/json"}
    )
