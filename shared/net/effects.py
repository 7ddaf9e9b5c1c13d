"""Carries out what a walk asks of the world, through the guarded client."""

from typing import Final

from shared.engine.effects import Attempt, Effect, EffectAnswer, EffectFailed, HttpCall, HttpResponse
from shared.errors import InvalidInput
from shared.net.guarded_client import GuardedClient
from shared.net.messages import OutboundError, OutboundErrorKind, OutboundRequest

MAX_REDIRECTS: Final = 3
"""The HTTP node follows at most 3, each checked anew."""
MILLISECONDS: Final = 1000

ERROR_NAMES: Final[dict[OutboundErrorKind, str]] = {
    "blocked": "BlockedAddressError",
    "dns": "DnsError",
    "timeout": "TimeoutError",
    "tls": "TlsError",
    "connect": "ConnectError",
    "http": "HttpError",
    "too_large": "TooLargeError",
}


class EffectRunner:
    """One effect in, its answer out; the target's faults are answers too."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def __call__(self, effect: Effect, attempt: Attempt) -> EffectAnswer:
        if not isinstance(effect, HttpCall):
            return EffectFailed(name="NotSupportedError", message=f"{type(effect).__name__} is not carried out here")
        request = OutboundRequest(method=effect.method, url=effect.url, headers=effect.headers, body=effect.body)
        try:
            response = self._client.send(
                request, timeout_seconds=attempt.timeout_ms / MILLISECONDS, max_redirects=MAX_REDIRECTS
            )
        except OutboundError as exc:
            return EffectFailed(name=ERROR_NAMES[exc.kind], message=str(exc))
        except InvalidInput as exc:
            return EffectFailed(name="InvalidRequestError", message=str(exc))
        return HttpResponse(
            status=response.status,
            url=response.url,
            content_type=response.header("content-type") or "",
            body=response.body,
        )
