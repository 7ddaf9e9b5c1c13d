"""Runs an author's script (sandbox node), invoked by the functions that walk flows. Its role may write logs and nothing
else.

Event {script, context, timeoutMs, idempotencyKey}; answer {result, notes} or {error: {name, message}, notes}.
"""

from typing import Any

from shared.engine.effects import EffectFailed
from shared.errors import InvalidInput
from shared.runtime import wiring
from shared.scripting.call import parse_script_call, render_outcome


def handler(event: Any, context: Any) -> dict[str, Any]:
    del context
    try:
        outcome = wiring.script_host()(parse_script_call(event))
    except InvalidInput as exc:
        return render_outcome(EffectFailed(name="InvalidRequestError", message=str(exc)))
    return render_outcome(outcome)
