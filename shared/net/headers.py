"""Which request headers an author may set. Checked before connecting: the HTTP library would refuse a line break only
after the connection is open, and would pass on everything else."""

import re
from collections.abc import Iterable
from typing import Final

from shared.errors import InvalidInput

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

MAX_HEADER_BYTES: Final = 16 * 1024
"""Names and values together; common servers accept 8 to 16 KiB."""

# What frames the message or speaks for the connection belongs to the client.
REFUSED_NAMES: Final = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "forwarded",
        "via",
    }
)
# Forged origins (X-Forwarded-For) and the keys of cloud metadata services (Metadata-Flavor, X-aws-ec2-metadata-token).
REFUSED_PREFIXES: Final = ("proxy-", "x-forwarded-", "metadata", "x-aws-ec2-")

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 token
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Headers = tuple[tuple[str, str], ...]


def wire_value(value: str) -> bytes:
    """A value as it is sent: ISO-8859-1 as HTTP has it, and UTF-8 where that cannot say it. Bytes above 0x7F are opaque
    (RFC 9110, 5.5), and servers that mind them expect UTF-8; a lone half of a character becomes a question mark."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


def check_method(method: str) -> str:
    """The method in upper case; InvalidInput when it is not one of METHODS."""
    upper = method.upper()
    if upper not in METHODS:
        raise InvalidInput("Request method is not supported")
    return upper


def check_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Headers fit to be sent, values stripped of outer blanks; InvalidInput names the first that is not."""
    checked = tuple((name, value.strip(" \t")) for name, value in headers)
    for name, value in checked:
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"Header name {name[:40]!r} is not valid")
        if name.lower() in REFUSED_NAMES or name.lower().startswith(REFUSED_PREFIXES):
            raise InvalidInput(f"Header {name[:40]} may not be set")
        if _CONTROL.search(value):
            raise InvalidInput(f"Header {name[:40]} has a line break or control character")
    if sum(len(name) + len(wire_value(value)) for name, value in checked) > MAX_HEADER_BYTES:
        raise InvalidInput(f"Headers are larger than {MAX_HEADER_BYTES} bytes")
    return checked
