"""Notes which sockets of the web chat are open, for those who have something to tell them.

$connect, after the authorizer, and $disconnect, which API Gateway tells as a rule and not always: rows expire, too.
"""

from typing import Any

from shared.channels.web.frames import SUBPROTOCOL
from shared.runtime import wiring
from shared.runtime.http import Event
from shared.runtime.observability import report_own_fault
from shared.runtime.sockets import claims_of


def handler(event: Event, context: Any) -> dict[str, Any]:
    del context
    asked = event["requestContext"]
    try:
        if asked["eventType"] == "CONNECT":
            claims = claims_of(event)
            wiring.connections().add(claims.bot_id, claims.log, asked["connectionId"])
        else:
            wiring.connections().end(asked["connectionId"])
    except Exception as exc:
        report_own_fault(exc)
        raise  # a socket that nobody could reach is none
    return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}}
