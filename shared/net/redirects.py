"""The next request after a 3xx answer: rules of the Fetch standard, narrowed where a server could abuse them."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urljoin

from shared.errors import BlockedAddress
from shared.net.headers import Headers
from shared.net.messages import OutboundResponse
from shared.net.url import LocalTargets, Target, parse_url

MAX_REDIRECTS: Final = 3

REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
METHOD_KEEPING_STATUSES: Final = frozenset({307, 308})

SECRET_NAMES: Final = frozenset({"authorization", "cookie"})
BODY_NAMES: Final = frozenset({"content-encoding", "content-language", "content-location", "content-type"})

_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One checked request of a chain."""

    method: str
    target: Target
    headers: Headers
    body: bytes

    def without(self, names: frozenset[str]) -> Headers:
        return tuple((name, value) for name, value in self.headers if name.lower() not in names)


def redirect_location(response: OutboundResponse) -> str | None:
    """Where the answer sends us, None when it does not."""
    return response.header("location") if response.status in REDIRECT_STATUSES else None


def next_hop(hop: Hop, status: int, location: str, local_targets: LocalTargets) -> Hop:
    """The request that follows; BlockedAddress when the new URL is refused or leaves https for http."""
    try:
        # Header values are bytes read as ISO-8859-1; servers write UTF-8 paths into them.
        url = urljoin(hop.target.url, quote(location, safe=_ASCII, encoding="latin-1"))
    except ValueError:
        raise BlockedAddress("Redirect to a malformed URL") from None
    target = parse_url(url, local_targets)
    if hop.target.scheme == "https" and target.scheme == "http":
        raise BlockedAddress("Redirect from https to http")
    dropped = frozenset[str]() if target.origin == hop.target.origin else SECRET_NAMES
    if status in METHOD_KEEPING_STATUSES or hop.method in {"GET", "HEAD"}:
        return Hop(method=hop.method, target=target, headers=hop.without(dropped), body=hop.body)
    return Hop(method="GET", target=target, headers=hop.without(dropped | BODY_NAMES), body=b"")
