"""What goes out and what comes back, as plain values: whoever only builds or reads them imports no HTTP library."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.errors import MalgilError

Resolver = Callable[[str, int], Sequence[str]]
"""(host, port) -> the addresses as text; OSError when there are none."""

OutboundErrorKind = Literal["blocked", "dns", "timeout", "tls", "connect", "http", "too_large"]

PRIVATE_ADDRESS_MESSAGE: Final = "Cannot use private IP address for request url"
"""CLOSER's words; bot authors see them as the error of a fetch node."""

_MESSAGES: Final[dict[OutboundErrorKind, str]] = {
    "blocked": PRIVATE_ADDRESS_MESSAGE,
    "dns": "The host name could not be resolved",
    "connect": "The server does not accept connections",
    "tls": "The TLS handshake failed",
    "timeout": "The request took too long",
    "http": "The response is not valid HTTP",
    "too_large": "The response is too large",
}

RETRYABLE_KINDS: Final = frozenset[OutboundErrorKind]({"dns", "timeout", "connect", "http"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRequest:
    """A request as its author wrote it; nothing in it is trusted.

    `method` is GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS. Content-Length follows from `body`.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundResponse:
    """An answer of any status. Header names are lower case; `url` is the one that answered, after redirects.

    `truncated`: the body broke off (size, deadline, hang-up) and the caller had allowed that.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    url: str
    truncated: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key == name), None)


class OutboundError(MalgilError):
    """No answer, and why in a class word. The message is fit for bot authors and never holds a resolved address:
    otherwise a bot would be a scanner of our network.

    blocked    the URL, a header or the address behind the name is refused; nothing was sent to it
    dns        the name has no address
    connect    nobody accepts connections
    tls        handshake failed or the certificate is not one for this name
    timeout    the deadline of the whole request passed
    http       the answer is not HTTP, broke off, or redirects too often
    too_large  the answer is over a size limit

    `may_have_arrived` is False only when no byte of the request was sent: then it is safe to send anything again.
    """

    code = "outbound_failed"

    def __init__(self, kind: OutboundErrorKind, message: str | None = None) -> None:
        super().__init__(message or _MESSAGES[kind], kind=kind)
        self.kind: OutboundErrorKind = kind
        self.retryable = kind in RETRYABLE_KINDS
        self.may_have_arrived = False
