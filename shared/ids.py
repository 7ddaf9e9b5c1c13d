"""Identifiers: what they look like and how they follow from each other (docs/architecture.md)."""

import base64
import hashlib
import re
import uuid
from typing import Final

NAMESPACE: Final = uuid.UUID("6d616c67-696c-5000-8000-000000000000")
"""Root of every uuid5 below; changing it would change every end user's id."""

BOT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""A bot's id stands in URLs, keys and file names."""


def end_user_id(bot_id: str, platform: str, user_key: str) -> str:
    """The same person on the same channel of the same bot always has the same id."""
    return str(uuid.uuid5(NAMESPACE, f"{bot_id}/{platform}/{user_key}"))


def event_id(commit: str, index: int) -> str:
    """Id of the event at `index` of the turn written by `commit`: the same at every try and every replay."""
    return _uuid5(commit, f"event/{index}")


def message_id(commit: str, index: int) -> str:
    """Id of the message at `index` of the turn written by `commit`."""
    return _uuid5(commit, f"message/{index}")


def _uuid5(namespace: str, name: str) -> str:
    """uuid.uuid5 (RFC 9562) without its objects, at a fourth of the time: each turn that is written or relayed computes
    ten of them."""
    digest = bytearray(hashlib.sha1(bytes.fromhex(namespace.replace("-", "")) + name.encode()).digest()[:16])  # noqa: S324 - as the RFC has it
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def log_key(platform: str, user_key: str) -> str:
    """Name of an end user's log inside a bot: computed, so that nothing has to be looked up."""
    digest = hashlib.sha256(f"{platform}|{user_key}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:16]
