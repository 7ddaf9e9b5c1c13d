"""Says who may open a socket of the web chat: whoever has a token for a bot that is on, from a page that may show it.

A REQUEST authorizer of $connect; what it says of the end user comes with every later event of the socket.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from shared.channels.web.origins import is_allowed
from shared.errors import AccessDenied, NotFound, RateLimited
from shared.runtime import wiring, world
from shared.runtime.http import Event, header
from shared.runtime.observability import report_own_fault
from shared.runtime.sockets import offered_token, own_origin, refusal, welcome

if TYPE_CHECKING:
    from shared.services.rate_limit import RateLimit

BUDGET_NS: Final = 5_000_000_000
CONNECTS_A_MINUTE: Final = 30
FREE: Final = 5
MINUTE_MS: Final = 60_000


def handler(event: Event, context: Any) -> dict[str, Any]:
    del context
    until = world.clock_ns() + BUDGET_NS
    try:
        claims, bot = wiring.web_sessions().claims(offered_token(event), until)
        if not is_allowed(header(event, "origin"), bot.settings.allowed_origins, own_origin(event)):
            return refusal(event)
        _connects_limit().check(f"connect {claims.bot_id} {claims.log}", until)
    except (AccessDenied, NotFound, RateLimited):
        return refusal(event)
    except Exception as exc:
        report_own_fault(exc)
        raise
    return welcome(event, claims)


@cache
def _connects_limit() -> "RateLimit":
    return wiring.rate_limit(limit=CONNECTS_A_MINUTE, window_ms=MINUTE_MS, free=FREE)
