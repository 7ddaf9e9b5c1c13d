"""Scripted HTTP servers on loopback sockets: they say exactly the bytes a test wants, at the pace it wants.

    with LoopbackServer(answering(200, b"hello")) as server:
        client.send(... f"http://a.example:{server.port}/")
        assert server.requests[0].path == "/"

A script is called once per connection, after its request was read. Closing the server ends every script that drips
or hangs.
"""

import socket
import ssl
import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """What a client said. Header names are lower case."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


class LoopbackConnection:
    """What a script may do with one client."""

    def __init__(self, connection: socket.socket, closing: Event) -> None:
        self._socket = connection
        self._closing = closing

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """Wait for more than the request that was read; empty when the client has gone."""
        return self._socket.recv(65536)

    def drip(self, pieces: Iterable[bytes], every_seconds: float = 0.05) -> None:
        """Send piece after piece with a pause before each; ends early when the server closes."""
        for piece in pieces:
            if self._closing.wait(every_seconds):
                return
            self._socket.sendall(piece)

    def hang(self) -> None:
        """Say nothing until the client goes away or the server closes."""
        while self.receive():
            pass

    def reset(self) -> None:
        """Hang up with RST instead of FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._socket.close()

    def finish(self) -> None:
        """Hang up politely: closing with unread bytes would reset and lose what is still on its way."""
        self._socket.shutdown(socket.SHUT_WR)
        self.hang()


Script = Callable[[LoopbackConnection, RecordedRequest], None]


def response(status: int = 200, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A complete HTTP/1.1 answer with its Content-Length."""
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def answering(status: int = 200, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()) -> Script:
    """A script that gives the same answer to every request."""
    return saying(response(status, body, headers))


def saying(data: bytes) -> Script:
    """A script that says `data`, HTTP or not, and hangs up."""
    return lambda connection, _request: connection.send(data)


def routing(routes: dict[str, Script]) -> Script:
    """A script by path; any other path is a 404."""
    missing = answering(404)
    return lambda connection, request: routes.get(request.path, missing)(connection, request)


@dataclass
class LoopbackServer:
    """Serves `script` on a free port until the `with` block ends. With `tls`, clients must shake hands first.

    `requests` are those read so far, `connections` counts clients that got as far as a connection. With
    `read_request=False` the script starts at once and gets an empty request.
    """

    script: Script
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    read_request: bool = True
    requests: list[RecordedRequest] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family, backlog=32)
        self._closing = Event()
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._threads = [Thread(target=self._accept, name="loopback-server", daemon=True)]

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        _hang_up(self._listener)  # wakes accept()
        self._threads[0].join()
        self._listener.close()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)  # wakes recv() and send()
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = Thread(target=self._serve, args=(connection,), name="loopback-connection", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):  # the client hung up, did not trust us, or the script did: tests look at the client
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            with self._lock:
                self._open.add(connection)
            with connection:
                if not self._closing.is_set():  # else it may have been added too late to be woken
                    self._talk(connection)
        with self._lock:
            self._open.discard(connection)

    def _talk(self, connection: socket.socket) -> None:
        if isinstance(connection, ssl.SSLSocket):
            connection.do_handshake()
        request = RecordedRequest("", "", [], b"")
        if self.read_request:
            read = _read_request(connection)
            if read is None:
                return
            request = read
            self.requests.append(request)
        loopback = LoopbackConnection(connection, self._closing)
        self.script(loopback, request)
        loopback.finish()


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # it has gone already
        connection.shutdown(socket.SHUT_RDWR)


def _read_request(connection: socket.socket) -> RecordedRequest | None:
    """One request with a Content-Length or without a body; None when the client left before its end."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return None
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    length = int(next((value for name, value in headers if name == "content-length"), "0"))
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return None
        body += piece
    method, path, _ = start.split(" ")
    return RecordedRequest(method, path, headers, body)
