"""The one guarded way out. A bot's author chooses the URL, so every request is a possible attack on our own network
(the runtime API of the function, metadata services, databases) or on our time and memory.

What it promises: http and https to public addresses only, looked up once and pinned; certificates verified by name; a
deadline over everything from the look-up to the last byte; ceilings on size before and after decompression; redirects
only when asked, each checked anew; no proxy, no environment, no cookies, no connection shared by two requests.
"""

import ssl
from functools import cached_property
from typing import Final

from shared.errors import InvalidInput
from shared.net.budget import Budget
from shared.net.headers import check_headers, check_method
from shared.net.messages import OutboundError, OutboundErrorKind, OutboundRequest, OutboundResponse, Resolver
from shared.net.redirects import MAX_REDIRECTS, Hop, next_hop, redirect_location
from shared.net.url import LocalTargets, parse_url

__all__ = [
    "MAX_REDIRECTS",
    "GuardedClient",
    "OutboundError",
    "OutboundErrorKind",
    "OutboundRequest",
    "OutboundResponse",
    "Resolver",
]

MAX_WIRE_BYTES: Final = 256 * 1024
MAX_BODY_BYTES: Final = 512 * 1024


class GuardedClient:
    """Sends requests that somebody else wrote. Safe to share between threads.

    `local_targets` are loopback servers that may be reached although they are private, as (host, port) pairs with the
    host as the URL writes it: only the local cloud passes them. `resolve` replaces the system's look-up and
    `ssl_context` the certificate authorities.
    """

    def __init__(
        self,
        *,
        resolve: Resolver | None = None,
        local_targets: LocalTargets = frozenset(),
        ssl_context: ssl.SSLContext | None = None,
        max_redirects: int = 0,
    ) -> None:
        self._resolve = resolve
        self._local_targets = local_targets
        self._given_ssl_context = ssl_context
        self._max_redirects = max_redirects

    def send(
        self,
        request: OutboundRequest,
        *,
        timeout_seconds: float,
        max_redirects: int | None = None,
        max_wire_bytes: int = MAX_WIRE_BYTES,
        max_body_bytes: int = MAX_BODY_BYTES,
        allow_truncated: bool = False,
    ) -> OutboundResponse:
        """Send `request` and return the answer of whatever status, or raise OutboundError.

        `timeout_seconds` is for all of it, redirects included. `max_wire_bytes` counts everything received, headers
        and framing too; `max_body_bytes` the decoded body. `max_redirects` is at most MAX_REDIRECTS; at 0 a redirect
        is an answer like others. With `allow_truncated` a body over a limit, too slow or broken off is cut instead of
        an error once the status is known.
        """
        budget = Budget(seconds=timeout_seconds, wire_bytes=max_wire_bytes)
        redirects = min(self._max_redirects if max_redirects is None else max_redirects, MAX_REDIRECTS)
        try:
            return self._send(request, budget, redirects, max_body_bytes, allow_truncated=allow_truncated)
        except InvalidInput as refusal:
            error = OutboundError("blocked", str(refusal))
            error.may_have_arrived = budget.request_started
            raise error from refusal
        except OutboundError as error:
            error.may_have_arrived = budget.request_started
            raise

    def _send(
        self, request: OutboundRequest, budget: Budget, redirects: int, max_body_bytes: int, *, allow_truncated: bool
    ) -> OutboundResponse:
        from shared.net.exchange import exchange  # noqa: PLC0415 - brings httpcore, which most cold starts never need

        hop = Hop(
            method=check_method(request.method),
            target=parse_url(request.url, self._local_targets),
            headers=check_headers(request.headers.items()),
            body=request.body,
        )
        for redirects_left in range(redirects, -1, -1):
            response = exchange(
                hop,
                budget=budget,
                max_body_bytes=max_body_bytes,
                follow=redirects > 0,
                allow_truncated=allow_truncated,
                resolve=self._resolve,
                ssl_context=self._ssl_context if hop.target.scheme == "https" else None,
            )
            location = redirect_location(response)
            if location is None or redirects == 0:
                return response
            if redirects_left > 0:
                hop = next_hop(hop, response.status, location, self._local_targets)
        raise OutboundError("http", "The server redirects too often")

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        """Made once, at the first https request: loading the certificate authorities takes tens of milliseconds."""
        if self._given_ssl_context is not None:
            return self._given_ssl_context
        import certifi  # noqa: PLC0415 - see above

        return ssl.create_default_context(cafile=certifi.where())
