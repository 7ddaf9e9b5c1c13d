"""How a request reaches the network: one look-up, every answer checked, a connection to a checked address and no other,
and each socket call cut to what is left of the budget.

httpcore asks its network backend for a connection by name; this is the one place where a name becomes an address, so
nothing can look it up again later (DNS rebinding). TLS still verifies the name. Import this module late: httpcore costs
a cold start some 50 ms.
"""

import socket
import ssl
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from ipaddress import IPv4Address
from itertools import chain, zip_longest
from threading import Thread
from typing import Final

import httpcore

from shared.net.address import IPAddress, is_public, parse_address
from shared.net.budget import Budget
from shared.net.messages import OutboundError, Resolver
from shared.net.url import Target

MAX_CONNECT_ATTEMPTS: Final = 4


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses that the operating system finds."""
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def vetted_addresses(target: Target, resolve: Resolver, budget: Budget) -> list[IPAddress]:
    """Where `target` may be connected to. One address that is not public refuses the name: whoever mixes them is
    attacking. A target that the local cloud listed must be loopback instead."""
    if target.address is not None:
        addresses = [target.address]
    else:
        answers = _look_up(target, resolve, budget)
        try:
            addresses = [parse_address(answer) for answer in dict.fromkeys(answers)]
        except ValueError as error:
            raise OutboundError("dns") from error
    if not addresses:
        raise OutboundError("dns")
    for address in addresses:
        allowed = address.is_loopback if target.is_local else is_public(address)
        if not allowed:
            raise OutboundError("blocked")
    return addresses


def _look_up(target: Target, resolve: Resolver, budget: Budget) -> Sequence[str]:
    """Resolve in a thread of its own: getaddrinfo has no time-out, and a daemon does not keep the process alive."""
    answer: Future[Sequence[str]] = Future()

    def look_up() -> None:
        try:
            answer.set_result(resolve(target.host, target.port))
        except (OSError, UnicodeError) as error:
            answer.set_exception(error)

    Thread(target=look_up, daemon=True, name="resolver").start()
    try:
        return answer.result(budget.seconds_left())
    except TimeoutError as error:
        raise OutboundError("timeout") from error
    except (OSError, UnicodeError) as error:
        raise OutboundError("dns") from error


def connect(addresses: Iterable[IPAddress], port: int, budget: Budget) -> socket.socket:
    """A connection to the first of a few addresses that accepts one."""
    failure = OutboundError("connect")
    for address in _in_turns(addresses)[:MAX_CONNECT_ATTEMPTS]:
        try:
            connection = socket.create_connection((str(address), port), budget.connect_seconds())
        except TimeoutError:
            failure = OutboundError("timeout")
            continue
        except OSError:
            failure = OutboundError("connect")
            continue
        _require_peer(connection, address)
        return connection
    raise failure


def _in_turns(addresses: Iterable[IPAddress]) -> list[IPAddress]:
    """IPv4 and IPv6 by turns, IPv4 first: a function outside of a VPC has no way to IPv6."""
    four: list[IPAddress] = []
    six: list[IPAddress] = []
    for address in addresses:
        (four if isinstance(address, IPv4Address) else six).append(address)
    return [address for address in chain.from_iterable(zip_longest(four, six)) if address is not None]


def _require_peer(connection: socket.socket, address: IPAddress) -> None:
    """The kernel sends some addresses elsewhere (0.0.0.0 to loopback); what was checked must be what answers."""
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = parse_address(connection.getpeername()[0])
    except OSError as error:  # reset since it was accepted
        connection.close()
        raise OutboundError("connect") from error
    if peer != address:
        connection.close()
        raise OutboundError("blocked")


class GuardedBackend(httpcore.NetworkBackend):
    """Connections to one target and to nothing else."""

    def __init__(self, target: Target, resolve: Resolver | None, budget: Budget) -> None:
        self._target = target
        self._resolve = resolve or system_resolver
        self._budget = budget

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        if (host, port) != (self._target.host, self._target.port):
            raise OutboundError("blocked")
        addresses = vetted_addresses(self._target, self._resolve, self._budget)
        return GuardedStream(connect(addresses, port, self._budget), self._budget)


class GuardedStream(httpcore.NetworkStream):
    """A socket whose every call ends with the budget; httpcore's own time-outs stay unused. Errors are raised as
    OutboundError where they happen: only here is it known what was going on."""

    def __init__(self, connection: socket.socket, budget: Budget) -> None:
        self._socket = connection
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        size = min(max_bytes, self._budget.bytes_left())
        self._socket.settimeout(self._budget.seconds_left())
        try:
            data = self._socket.recv(size)
        except TimeoutError as error:
            raise OutboundError("timeout") from error
        except OSError as error:
            raise OutboundError("http", "The server broke off the connection") from error
        self._budget.received(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._budget.request_started = True
        unsent = memoryview(buffer)
        while unsent:
            self._socket.settimeout(self._budget.seconds_left())
            try:
                sent = self._socket.send(unsent)
            except TimeoutError as error:
                raise OutboundError("timeout") from error
            except OSError as error:
                # httpcore goes on to read: a server may answer before it has read all and close.
                raise httpcore.WriteError from error
            unsent = unsent[sent:]

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(self._budget.seconds_left())
            return GuardedStream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._budget)
        except TimeoutError as error:
            raise OutboundError("timeout") from error
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message  # "certificate has expired": for the author to mend, names no address
            raise OutboundError("tls", f"The server's certificate is not accepted: {reason}") from error
        except (OSError, ValueError) as error:
            raise OutboundError("tls") from error
        finally:
            self._socket.close()  # after a handshake the new stream owns the connection and this is an empty shell

    def close(self) -> None:
        self._socket.close()
