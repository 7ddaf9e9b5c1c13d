"""Lets containers reach one loopback port of this machine.

The embedded AWS listens on loopback alone. The relay listens on the engine's bridge, which only this machine and its
containers can reach, so nothing is offered to the network outside.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

IP_FREEBIND: Final = getattr(socket, "IP_FREEBIND", 15)
"""linux/in.h: listen on an address before it exists; an engine makes its bridge with the first container."""

CHUNK: Final = 65_536
BACKLOG: Final = 16


@contextmanager
def relay(address: str, port: int) -> Iterator[int]:
    """Listen on `address`, forward to `port` on loopback; yields the port listened on."""
    with socket.socket() as listener:
        listener.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        listener.bind((address, 0))
        listener.listen(BACKLOG)
        threading.Thread(target=_accept, args=(listener, port), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, port: int) -> None:
    while True:
        try:
            outside, _ = listener.accept()
        except OSError:
            return  # the listener was shut down
        threading.Thread(target=_forward, args=(outside, port), daemon=True).start()


def _forward(outside: socket.socket, port: int) -> None:
    with outside, socket.create_connection(("127.0.0.1", port)) as inside:
        answers = threading.Thread(target=_copy, args=(inside, outside), daemon=True)
        answers.start()
        _copy(outside, inside)
        answers.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    # Either side may go away at any time; the other then sees the end of its stream.
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
