"""One step of a conversation on any channel, invoked directly by whoever may invoke the function (IAM).

Event {botId, platform, userKey, clientId?, message? {type, text...} | open: true | start: {flowId, nodeId?}, params?};
answer {revision, messages, keyboard, pending?} or {error: {code, message}}. `pending`: the reply takes longer and is a
later turn of the log.
"""

from typing import Any, Final

from shared.errors import MalgilError
from shared.runtime import wiring, world
from shared.runtime.observability import report_own_fault
from shared.services.direct_step import parse_direct_request

BUDGET_NS: Final = 25_000_000_000
"""A socket's integration time-out is 29 s."""


def handler(event: Any, context: Any) -> dict[str, Any]:
    del context
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
