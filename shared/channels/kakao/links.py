"""Addresses that a bubble may carry: what a bot's author wrote, made safe and readable for KakaoTalk.

Only http, https, tel and mailto lead anywhere. Korean and spaces are percent-encoded and Korean host names written as
punycode, as in Kakao's own samples; what is encoded already stays as it is.
"""

import math
import re
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from shared.channels.kakao import limits

_URL_SAFE: Final = "%/:?#[]@!$&'()*+,;=~-._"
_MAP_LINK: Final = "https://map.kakao.com/link/map/"
_LONGEST_NUMBER: Final = 64
"""Ours: enough for every number with its extension."""
_NOT_DIALLED: Final = re.compile(r"[^0-9+*#-]")


def web_address(uri: str) -> str | None:
    """`uri` as a web link; None when it is none."""
    uri = uri.strip()
    if any(character < " " for character in uri):
        return None
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        ascii_host = host.encode("idna").decode() if not host.isascii() else host
        _ = parts.port
    except ValueError:  # a malformed port or IPv6 address, or a host name that cannot be written as punycode
        return None
    if parts.scheme not in {"http", "https"} or not host:
        return None
    netloc = parts.netloc if host.isascii() else parts.netloc.lower().replace(host, ascii_host)
    address = urlunsplit((parts.scheme, *(quote(part, safe=_URL_SAFE) for part in (netloc, *parts[2:]))))
    return address if len(address) <= limits.URL_BYTES else None


def phone_number(uri: str) -> str | None:
    """The number of a `tel:` address as a phone button takes it: plain, without `tel:`."""
    if not uri.strip().lower().startswith("tel:"):
        return None
    return _NOT_DIALLED.sub("", uri.strip()[len("tel:") :])[:_LONGEST_NUMBER] or None


def mail_address(uri: str) -> str | None:
    """What follows `mailto:` (recipients, and a subject when there is one)."""
    if not uri.strip().lower().startswith("mailto:"):
        return None
    return uri.strip()[len("mailto:") :] or None


def mail_link(redirect_url: str, address: str) -> str | None:
    """A web link to our redirect page, which opens the mail program: KakaoTalk has no button for mail.

    `redirect_url` is complete but for the encoded address, e.g. "https://bots.example.com/mail?to=".
    """
    return web_address(redirect_url + quote(address, safe=""))


def map_link(name: str, latitude: Any, longitude: Any) -> str | None:
    """Kakao Map's page of a place; None when the coordinates are none."""
    north, east = _degrees(latitude, 90), _degrees(longitude, 180)
    if north is None or east is None:
        return None
    return f"{_MAP_LINK}{quote(name, safe='')},{north},{east}"


def _degrees(value: Any, bound: int) -> str | None:
    """A coordinate as plain decimals: 1e-7 would be no part of a map address."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        degrees = float(value)
    except ValueError:
        return None
    if not math.isfinite(degrees) or abs(degrees) > bound:
        return None
    return f"{degrees:.7f}".rstrip("0").rstrip(".")
