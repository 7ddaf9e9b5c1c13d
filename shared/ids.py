"""Identifiers: what they look like and how they follow from each other (docs/architecture.md)."""

import base64
import hashlib
import re
import uuid
from functools import lru_cache
from typing import Final

NAMESPACE: Final = uuid.UUID("6d616c67-696c-5000-8000-000000000000")
"""Root of every uuid5 below; changing it would change every end user's id."""

BOT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""A bot's id stands in URLs, keys and file names."""


def end_user_id(bot_id: str, platform: str, user_key: str) -> str:
    """The same person on the same channel of the same bot always has the same id."""
    return str(uuid.uuid5(NAMESPACE, f"{bot_id}/{platform}/{user_key}"))


@lru_cache(maxsize=64)
def event_id(commit: str, index: int) -> str:
    """Id of the event at `index` of the turn written by `commit`: the same at every try and every replay.

    Remembered for a moment: whoever writes or reads a turn needs the same few more than once."""
    return _uuid5(commit, f"event/{index}")


def message_id(commit: str, index: int) -> str:
    """Id of the message at `index` of the turn written by `commit`."""
    return _uuid5(commit, f"message/{index}")


def _uuid5(namespace: str, name: str) -> str:
    """uuid.uuid5 (RFC 9562) without its objects, at a fourth of the time: each turn that is written or relayed computes
    ten of them."""
    root = bytes.fromhex(namespace.replace("-", ""))
    text = hashlib.sha1(root + name.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""Of the RFC: the digit with its two highest bits set to 10."""


def log_key(platform: str, user_key: str) -> str:
    """Name of an end user's log inside a bot: computed, so that nothing has to be looked up."""
    digest = hashlib.sha256(f"{platform}|{user_key}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:16]
