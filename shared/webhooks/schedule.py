"""When a delivery is tried again: at 0, 3, 15 and 30 minutes, later when the receiver asks for it, never after that."""

from email.utils import parsedate_to_datetime
from typing import Final

TRIES_AT_SECONDS: Final = (0, 180, 900, 1800)
WINDOW_SECONDS: Final = TRIES_AT_SECONDS[-1]
MAX_DELAY_SECONDS: Final = 900
"""SQS delays a message by no more."""
MAX_RETRY_AFTER_DIGITS: Final = 9


def next_try(waited_seconds: int, retry_after_seconds: int = 0) -> int | None:
    """Seconds to wait after the try that failed; None when it was the last.

    `waited_seconds` is the sum of the waits so far, not the time that passed: what comes late by our own fault does not
    cost the receiver a try. A receiver that asks for patience gets it, up to 15 minutes at once and 30 in all, so that
    fewer tries remain to it.
    """
    planned = next((at for at in TRIES_AT_SECONDS if at > waited_seconds), None)
    if planned is None:
        return None
    asked = min(max(retry_after_seconds, 0), MAX_DELAY_SECONDS)
    return min(max(planned - waited_seconds, asked), WINDOW_SECONDS - waited_seconds)


def retry_after(value: str | None, now_ms: int) -> int:
    """Seconds that a Retry-After header asks for, as a number or as a date; 0 for none and for what is neither."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:MAX_RETRY_AFTER_DIGITS])
    try:
        at = parsedate_to_datetime(text)
        return max(0, int(at.timestamp()) - now_ms // 1000)
    except (TypeError, ValueError, OverflowError):
        return 0
