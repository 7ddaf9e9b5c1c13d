"""One step of a conversation: a frame of the web chat's socket, or any channel's event of whoever may invoke the
function (IAM).

From the socket (route $default) the event is API Gateway's, with what the authorizer said; its body is a client's frame
and the answer's body the server's (docs/web-chat.md), none where there is nothing to say.

Invoked directly: event {botId, platform, userKey, clientId?, message? {type, text...} | open: true | start: {flowId,
nodeId?}, params?}; answer {revision, messages, keyboard, pending?} or {error: {code, message}}. `pending`: the reply
takes longer and is a later turn of the log.
"""

from typing import Any, Final

from shared.channels.web.frames import frame_bytes
from shared.errors import MalgilError
from shared.runtime import wiring, world
from shared.runtime.http import body_of
from shared.runtime.observability import report_own_fault
from shared.runtime.sockets import claims_of
from shared.services.direct_step import parse_direct_request

BUDGET_NS: Final = 25_000_000_000
"""A socket's integration time-out is 29 s."""


def handler(event: Any, context: Any) -> dict[str, Any]:
    del context
    if isinstance(event, dict) and "connectionId" in (event.get("requestContext") or {}):
        return _answer_frame(event)
    try:
        handled = wiring.direct_step()(parse_direct_request(event), world.clock_ns() + BUDGET_NS)
    except MalgilError as exc:
        if exc.retryable:
            report_own_fault(exc)
        return {"error": {"code": exc.code, "message": str(exc)}}
    turn = handled.turn
    wiring.report_trace(handled.trace, turn.bot_id)
    answer = {"revision": turn.revision, "messages": handled.messages, "keyboard": handled.keyboard}
    return {**answer, "pending": True} if handled.is_waiting else answer


def _answer_frame(event: dict[str, Any]) -> dict[str, Any]:
    answer = wiring.web_chat().handle(
        claims_of(event),
        body_of(event),
        world.clock_ns() + BUDGET_NS,
        connection_id=event["requestContext"]["connectionId"],
    )
    return {"statusCode": 200, **({"body": frame_bytes(answer).decode()} if answer else {})}
