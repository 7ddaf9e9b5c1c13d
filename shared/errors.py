"""Every error this platform raises on purpose.

MalgilError
├─ InvalidInput          the caller's fault, never retried
│  ├─ InvalidBot         a bot document does not parse, or has errors that refuse publishing
│  └─ BlockedAddress     an outbound URL is malformed or leads to a network that is not public
├─ AccessDenied          a secret or identity is missing or wrong
├─ NotFound              no such bot, version, conversation
├─ RateLimited           too much at once; safe to try again, `retry_after_ms` later
├─ Conflict              somebody else was faster; safe to re-read and try again
└─ Unavailable           a dependency failed or was too slow; safe to try again
"""


class MalgilError(Exception):
    """Base class. `code` is a stable machine name (part of the API); `details` is safe to log and to show."""

    code = "internal"
    retryable = False

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details


class InvalidInput(MalgilError):
    code = "invalid_input"


class InvalidBot(InvalidInput):
    code = "invalid_bot"


class BlockedAddress(InvalidInput):
    code = "blocked_address"


class AccessDenied(MalgilError):
    code = "access_denied"


class NotFound(MalgilError):
    code = "not_found"


class RateLimited(MalgilError):
    code = "rate_limited"
    retryable = True

    def __init__(self, message: str, *, retry_after_ms: int, **details: object) -> None:
        super().__init__(message, retry_after_ms=retry_after_ms, **details)
        self.retry_after_ms = retry_after_ms


class Conflict(MalgilError):
    code = "conflict"
    retryable = True


class Unavailable(MalgilError):
    code = "unavailable"
    retryable = True
