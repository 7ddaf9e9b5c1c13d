"""A certificate authority of our own, and clients that find public-looking names on loopback servers.

Such a name is reached as a local target: listed with its port, resolved by the test, and required to be loopback.
"""

import socket
import ssl
from collections.abc import Mapping, Sequence

import pytest
import trustme

import shared.net.exchange  # noqa: F401 - a test with a short deadline should not pay for the first import
from shared.net.guarded_client import GuardedClient
from tests.loopback_server import LoopbackServer


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority) -> ssl.SSLContext:
    """What a client needs to trust `authority` and nobody else."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def client_for(
    server: LoopbackServer,
    *names: str,
    answers: Mapping[str, Sequence[str]] | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> GuardedClient:
    """A client that finds `names` (a.example unless given) at the server's address and the names of `answers` there."""
    known = {name: [server.host] for name in names or ("a.example",)}
    answers = answers or {}

    def resolve(host: str, _port: int) -> Sequence[str]:
        if host in known or host in answers:
            return answers.get(host) or known[host]
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    local = frozenset((name, server.port) for name in known)
    return GuardedClient(resolve=resolve, local_targets=local, ssl_context=ssl_context)
