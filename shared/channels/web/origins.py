"""Origins of web pages (RFC 6454): which sites may show a bot. A guard inside browsers, no proof of who calls."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from shared.errors import InvalidInput

MAX_ORIGIN: Final = 300
DEFAULT_PORTS: Final = {"https": 443, "http": 80}

_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?", re.ASCII)
"""As browsers write it: lower case, a name outside ASCII in punycode. Nothing after the port."""


def parse_origin(text: str, place: str) -> str:
    """An origin as browsers send it: scheme, host and port, without the scheme's own port. What an owner types may have
    capitals, a name in Korean and a slash at the end. Raises InvalidInput."""
    typed = text.strip().removesuffix("/")
    if len(typed) <= MAX_ORIGIN:
        origin = _canonical(typed.lower()) or _canonical(_in_ascii(typed))
        if origin is not None:
            return origin
    raise InvalidInput(f"{place}: an origin such as https://www.example.com is expected, without a path")


def is_allowed(origin: str | None, allowed: Iterable[str], own: str | None = None) -> bool:
    """Whether a page of this origin may show a bot; `allowed` empty: any page. `own` is where the installation's own
    pages are.

    No origin at all comes from what is no browser, or from a page of the same host. `null` (a file, a sandboxed frame)
    and whatever is no origin are refused everywhere.
    """
    if origin is None:
        return True
    if len(origin) > MAX_ORIGIN or _canonical(origin) != origin:
        return False
    sites = tuple(allowed)
    return not sites or origin in sites or origin == own


def _canonical(text: str) -> str | None:
    found = _ORIGIN.fullmatch(text)
    if found is None:
        return None
    scheme, host, port = found.groups()
    if port is None or int(port) == DEFAULT_PORTS[scheme]:
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{int(port)}" if 0 < int(port) <= 65_535 else None  # noqa: PLR2004 - the highest port


def _in_ascii(text: str) -> str:
    """With the host's name in punycode; what cannot be written so stays as it is."""
    try:
        host = urlsplit(text).hostname or ""
        return text.lower().replace(host, host.encode("idna").decode())
    except ValueError:  # UnicodeError is one
        return text
