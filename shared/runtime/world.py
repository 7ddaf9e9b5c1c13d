"""The world's time, chance and ids: read here and nowhere else; the core gets them as arguments."""

import random as _random
import secrets
import time
import uuid
from typing import Final

SECRET_BYTES: Final = 24
"""192 bits, in base64url 32 characters."""


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def clock_ns() -> int:
    """A monotonic clock in nanoseconds."""
    return time.monotonic_ns()


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def random() -> float:
    """A number in [0, 1), for RAND in templates; nothing secret hangs on it."""
    return _random.random()  # noqa: S311


def new_id() -> str:
    return str(uuid.uuid4())


def random_bytes(count: int) -> bytes:
    return secrets.token_bytes(count)


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)
