"""Standard Webhooks 1.0.0: how a delivery proves who sent it. HMAC-SHA256 over `id.timestamp.body`."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Final

from shared.errors import InvalidInput

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with
SECRET_BYTES: Final = 32
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64
"""The specification's bounds."""
ROTATION_MS: Final = 24 * 3_600_000
"""After a rotation both secrets sign for so long."""

USER_AGENT: Final = "Malgil-Webhook/1 (compatible; CLOSER/webhook)"
CLOSER_USER_AGENT: Final = "CLOSER/webhook"


def new_secret(key: bytes) -> str:
    """The secret of SECRET_BYTES random bytes as its owner sees it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def secret_key(secret: str) -> bytes:
    """The bytes that sign. Raises InvalidInput for what is no secret."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidInput("secret: base64 after whsec_ is expected") from exc
    if not secret.startswith(SECRET_PREFIX) or not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise InvalidInput(f"secret: whsec_ and {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes in base64 are expected")
    return key


def sign(secret: str, delivery_id: str, timestamp_s: int, body: bytes) -> str:
    signed = f"{delivery_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret_key(secret), signed, "sha256")).decode()


def headers(
    *, secrets: Sequence[str], delivery_id: str, timestamp_s: int, body: bytes, closer_user_agent: bool
) -> dict[str, str]:
    """All headers of a delivery. During a rotation there are two secrets, and a signature by each."""
    return {
        "user-agent": CLOSER_USER_AGENT if closer_user_agent else USER_AGENT,
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join([sign(secret, delivery_id, timestamp_s, body) for secret in secrets]),
    }
