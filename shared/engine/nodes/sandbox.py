"""sandbox: runs the author's script. It reads the conversation, writes parameters, and may send a message."""

from typing import Any, Final

from shared.bot.model import Node
from shared.bot.node_types import SCRIPT_LIMIT
from shared.bot.parameter_key import PARAMETER_KEY
from shared.bot.script_modules import may_call_the_world
from shared.engine.asking import is_slow, say_given, timeout_ms, value_of
from shared.engine.effects import EffectAnswer, ScriptRun
from shared.engine.outcome import NodeFailed, Outcome, Suspend
from shared.engine.walk import Walk
from shared.json_input import plain_json
from shared.values import UNDEFINED, to_json

TIMEOUT_MS: Final = 5_000
"""CLOSER's guide (sandbox); a node may ask for less."""
RESULT_LIMIT: Final = 50_000
"""Bytes of JSON that a script may answer with (CLOSER's guide, sandbox)."""
MAX_CONTEXT_DEPTH: Final = 96
"""What came from outside is at most 64 deep, and stands a few levels deeper here."""
SEEN: Final = ("bot", "botId", "conversationId", "endUserId", "params", "platform", "userKey", "message")
"""What of the context a script is given; what the context lacks is missing for it too."""


def script_of(node: Node) -> str:
    """The script as its author wrote it, "" where there is none."""
    data = node.raw.get("data")
    script = data.get("script") if isinstance(data, dict) else None
    return script if isinstance(script, str) else ""


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    script = script_of(node)
    if not script.strip():
        raise NodeFailed("InvalidNode", f"node {node.id} has no script")
    if len(script.encode("utf-8", "replace")) > SCRIPT_LIMIT:
        raise NodeFailed("InvalidNode", f"node {node.id}: the script is longer than {SCRIPT_LIMIT} bytes")
    if "repeatable" not in node.compiled:
        node.compiled["repeatable"] = not may_call_the_world(script)
    walk.set_result("sandbox", {"status": "PENDING"})
    return Suspend(
        ScriptRun(
            script=script,
            context=plain_json(
                {key: walk.context[key] for key in SEEN if key in walk.context}, max_depth=MAX_CONTEXT_DEPTH
            ),
            timeout_ms=timeout_ms(data, TIMEOUT_MS, TIMEOUT_MS),
            repeatable=node.compiled["repeatable"],
            slow=is_slow(data),
        )
    )


def complete(walk: Walk, node: Node, answer: EffectAnswer) -> None:
    """sandbox {status, result, error}: the whole of what the handler gave is in `result`, of whatever type."""
    result = value_of(walk, node, answer)
    if result is UNDEFINED:
        return
    if len(to_json(result).encode()) > RESULT_LIMIT:
        walk.set_failure("sandbox", "TooLargeError", f"the result takes more than {RESULT_LIMIT} bytes")
        return
    walk.set_result("sandbox", {"status": "COMPLETED", "result": result})
    if not isinstance(result, dict):
        return
    try:
        walk.set_params(_params(walk, result.get("params")))
    except NodeFailed as exc:
        walk.set_failure("sandbox", exc.name, exc.message, result=result)
        return
    message = result.get("message")
    if message is not None and not say_given(walk, message):
        walk.entry.notes.append("the script's message is empty or is none: nothing was sent")


def _params(walk: Walk, given: Any) -> dict[str, Any]:
    """What the script wants in the parameters; null removes."""
    params: dict[str, Any] = {}
    for key, value in given.items() if isinstance(given, dict) else ():
        if PARAMETER_KEY.fullmatch(key):
            params[key] = value
        else:
            walk.entry.notes.append(f"{key[:100]!r} is not a parameter name and was not set")
    return params
