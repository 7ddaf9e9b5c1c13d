"""One request and its answer over a connection of its own, HTTP/1.1. Nothing is kept alive: a pooled connection
verified for one name could serve another on the same address. Import this module late, it brings httpcore."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import httpcore

from shared.net.body import BoundedBody
from shared.net.budget import Budget
from shared.net.connection import GuardedBackend
from shared.net.headers import wire_value
from shared.net.messages import OutboundError, OutboundResponse, Resolver
from shared.net.redirects import Hop, redirect_location

METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
OWN_HEADERS: Final = frozenset({"accept-encoding"})


def exchange(
    hop: Hop,
    *,
    budget: Budget,
    max_body_bytes: int,
    follow: bool,
    allow_truncated: bool,
    resolve: Resolver | None,
    ssl_context: ssl.SSLContext | None,
) -> OutboundResponse:
    """Send `hop` and read its answer. With `follow` the body of a redirect is left unread. With `allow_truncated` an
    answer counts from its headers on: a body that breaks off is cut and not an error."""
    target = hop.target
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    request = httpcore.Request(hop.method, url, headers=_wire_headers(hop), content=hop.body)
    backend = GuardedBackend(target, resolve, budget)
    with (
        _protocol_errors(),
        httpcore.HTTPConnection(url.origin, ssl_context=ssl_context, network_backend=backend) as connection,
    ):
        answer = connection.handle_request(request)
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.headers]
        response = OutboundResponse(status=answer.status, headers=headers, body=b"", url=target.url)
        if follow and redirect_location(response) is not None:
            return response
        body = BoundedBody(response.header("content-encoding") or "", max_body_bytes)
        truncated = False
        try:
            _read(answer, body)
        except OutboundError:
            if not allow_truncated:
                raise
            truncated = True
    return replace(response, body=body.content, truncated=truncated)


def _read(answer: httpcore.Response, body: BoundedBody) -> None:
    with _protocol_errors():
        for piece in answer.iter_stream():
            body.feed(piece)
    body.finish()


def _wire_headers(hop: Hop) -> list[tuple[bytes, bytes]]:
    headers = [("Host", hop.target.authority)]
    if all(name.lower() != "user-agent" for name, _ in hop.headers):
        headers.append(("User-Agent", "Malgil"))
    headers += hop.without(OWN_HEADERS)
    headers += [("Accept-Encoding", "identity"), ("Connection", "close")]
    if hop.body or hop.method in METHODS_WITH_BODY:
        headers.append(("Content-Length", str(len(hop.body))))
    return [(name.encode("ascii"), wire_value(value)) for name, value in headers]


@contextmanager
def _protocol_errors() -> Iterator[None]:
    try:
        yield
    except httpcore.ProtocolError as error:
        raise OutboundError("http") from error
