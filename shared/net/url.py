"""One reading of a URL, strict, before anything is sent. The request is built from the parts found here and not from
the text, so that no second parser can understand it differently."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from string import ascii_letters, digits, punctuation
from typing import Final
from urllib.parse import quote

from shared.errors import BlockedAddress
from shared.net.address import IPAddress, is_public, unmapped
from shared.net.messages import PRIVATE_ADDRESS_MESSAGE

LocalTargets = AbstractSet[tuple[str, int]]
"""(host, port) pairs of loopback servers that may be reached; empty in every deployed function."""

ALLOWED_PORTS: Final = frozenset({80, 443, 8080, 8443})
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

MAX_URL_LENGTH: Final = 8192
"""Characters; what common servers accept as a request line."""

PRIVATE_SUFFIXES: Final = (".localhost", ".local", ".internal", ".home.arpa")
"""Names for private networks: RFC 6761, RFC 6762, ICANN resolution 2024.07.29.06, RFC 8375."""

_URL: Final = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
_AUTHORITY: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:@\\]+))(?::([0-9]{0,5}))?")
_HOST_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)"  # RFC 1035; underscores occur in the names of real servers
    r"(?:[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")

# WHATWG URL: the path and query percent-encode sets, so that signed URLs stay as their author wrote them.
_PATH_SAFE: Final = "".join(set(ascii_letters + digits + punctuation) - set('"#<>?^`{}'))
_QUERY_SAFE: Final = "".join(set(ascii_letters + digits + punctuation) - set("\"#<>'"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a request goes. `host` is lower-case ASCII; `address` is set when it is an address and not a name;
    `path` is path and query, percent-encoded. `is_local`: listed by the local cloud, must be loopback."""

    scheme: str
    host: str
    port: int
    path: str
    address: IPAddress | None
    is_local: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_url(url: str, local_targets: LocalTargets = frozenset()) -> Target:
    """Read a URL that somebody else wrote, or raise BlockedAddress with words fit for its author.

    Refuses what is wrong by its looks alone: use it where a URL is registered, too. Names are looked up only when a
    request is sent, every time, because they change.
    """
    url = url.strip()
    if len(url) > MAX_URL_LENGTH:
        raise BlockedAddress(f"URL is longer than {MAX_URL_LENGTH} characters")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise BlockedAddress("URL must start with http:// or https://")
    scheme, authority, path, query = parts[1].lower(), parts[2], parts[3], parts[4]
    if "@" in authority:
        raise BlockedAddress("URL must not hold a user name or password")
    split = _AUTHORITY.fullmatch(authority)
    if split is None or _CONTROL.search(path):
        raise BlockedAddress("URL is malformed")
    port = int(split[3]) if split[3] else DEFAULT_PORTS[scheme]
    address: IPAddress | None
    if split[1]:
        address = _ipv6_literal(split[1])
        host = str(address)
    else:
        host = _ascii_host(split[2])
        address = _ipv4_literal(host)
    is_local = (host, port) in local_targets
    if not is_local:
        _refuse_private(host, port, address)
    return Target(
        scheme=scheme,
        host=host,
        port=port,
        path=_encoded_path(path, query),
        address=address,
        is_local=is_local,
    )


def _ipv6_literal(text: str) -> IPAddress:
    try:
        return unmapped(IPv6Address(text))
    except ValueError:
        raise BlockedAddress("URL is malformed") from None


def _ipv4_literal(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(host)
    except ValueError:
        return None


def _ascii_host(host: str) -> str:
    """Lower case, international names in their xn-- form, without the dot of the root."""
    if not host.isascii():
        import idna  # noqa: PLC0415 - its tables are large and few hosts need them

        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except UnicodeError:
            raise BlockedAddress("URL has an invalid host name") from None
    host = host.lower().removesuffix(".")
    if not _HOST_NAME.fullmatch(host):
        raise BlockedAddress("URL has an invalid host name")
    return host


def _refuse_private(host: str, port: int, address: IPAddress | None) -> None:
    """By looks: not public as an address, or a name that resolvers do not take to the public DNS."""
    if port not in ALLOWED_PORTS:
        raise BlockedAddress(f"URL has port {port}; allowed are {', '.join(map(str, sorted(ALLOWED_PORTS)))}")
    if address is not None:
        if not is_public(address):
            raise BlockedAddress(PRIVATE_ADDRESS_MESSAGE)
        return
    # No dot: a machine of our own network. A last label that starts with a digit: getaddrinfo reads 127.1,
    # 2130706433 and 0x7f000001 as addresses, and no public top-level domain does.
    last_label = host.rpartition(".")[2]
    if "." not in host or last_label[0].isdigit() or host.endswith(PRIVATE_SUFFIXES):
        raise BlockedAddress(PRIVATE_ADDRESS_MESSAGE)


def _encoded_path(path: str, query: str | None) -> str:
    encoded = quote(path or "/", safe=_PATH_SAFE, errors="replace")
    return encoded if query is None else f"{encoded}?{quote(query, safe=_QUERY_SAFE, errors='replace')}"
