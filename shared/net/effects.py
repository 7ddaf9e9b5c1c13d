"""Carries out what a walk asks of the world: each type of effect has a carrier, made at its first use.

A carrier takes an effect and its attempt and gives the answer. The target's faults are answers too, never exceptions;
only a fault of our own installation may be raised, as Unavailable.
"""

from collections.abc import Callable, Mapping
from string import punctuation
from typing import Any, Final
from urllib.parse import quote

from shared.engine.effects import (
    Attempt,
    Effect,
    EffectAnswer,
    EffectFailed,
    HttpCall,
    HttpResponse,
    IntentQuery,
    Mail,
    ScriptRun,
    SheetRow,
    SmallTalk,
)
from shared.errors import InvalidInput
from shared.net.guarded_client import GuardedClient
from shared.net.messages import OutboundError, OutboundErrorKind, OutboundRequest

MAX_REDIRECTS: Final = 3
"""The HTTP node follows at most 3, each checked anew."""
MILLISECONDS: Final = 1000
IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
"""draft-ietf-httpapi-idempotency-key-header: a server that knows it carries out a call once, however often it comes."""

ERROR_NAMES: Final[dict[OutboundErrorKind, str]] = {
    "blocked": "BlockedAddressError",
    "dns": "DnsError",
    "timeout": "TimeoutError",
    "tls": "TlsError",
    "connect": "ConnectError",
    "http": "HttpError",
    "too_large": "TooLargeError",
}

WORDS: Final[dict[type[Effect], str]] = {
    HttpCall: "HTTP",
    ScriptRun: "scripts",
    Mail: "mail",
    SheetRow: "Google Sheets",
    IntentQuery: "intents",
    SmallTalk: "small talk",
}
NOT_HERE: Final = "{what}: this needs a cloud; import the bot and talk to it by its id"

Carrier = Callable[[Any, Attempt], EffectAnswer]
MakeCarrier = Callable[[], Carrier]
"""Imports and connects what a carrier needs: called once, when the first effect of its type comes."""


class EffectRunner:
    """One effect in, its answer out.

    `client` carries out HTTP calls, `run_script` scripts; `makers` has the rest by type of effect. What nobody carries
    out answers NotSupportedError.
    """

    def __init__(
        self,
        client: GuardedClient,
        *,
        run_script: Carrier | None = None,
        makers: Mapping[type[Effect], MakeCarrier] | None = None,
    ) -> None:
        self._client = client
        self._makers = dict(makers or {})
        self._carriers: dict[type[Effect], Carrier] = {HttpCall: self._call}
        if run_script is not None:
            self._carriers[ScriptRun] = run_script

    def __call__(self, effect: Effect, attempt: Attempt) -> EffectAnswer:
        kind = type(effect)
        carrier = self._carriers.get(kind)
        if carrier is None:
            make = self._makers.get(kind)
            if make is None:
                return EffectFailed(name="NotSupportedError", message=NOT_HERE.format(what=WORDS[kind]))
            carrier = self._carriers[kind] = make()
        return carrier(effect, attempt)

    def _call(self, effect: HttpCall, attempt: Attempt) -> EffectAnswer:
        headers = _with_idempotency_key(effect.headers, attempt.idempotency_key)
        request = OutboundRequest(method=effect.method, url=effect.url, headers=headers, body=effect.body)
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


def _with_idempotency_key(headers: dict[str, str], key: str) -> dict[str, str]:
    """The author's own key stands: they may mean more by it than this one call."""
    if not key or any(name.lower() == IDEMPOTENCY_HEADER.lower() for name in headers):
        return headers
    return {**headers, IDEMPOTENCY_HEADER: quote(key, safe=punctuation)}
