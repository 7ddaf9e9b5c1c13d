"""What is asked of the script function and what it answers, on both sides of the invocation."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from shared.engine.effects import Answered, Attempt, EffectFailed, ScriptRun
from shared.errors import InvalidInput

JsonObject = dict[str, Any]

MAX_SCRIPT_BYTES: Final = 50_000
MAX_RESULT_BYTES: Final = 50_000
MAX_TIMEOUT_MS: Final = 5_000
"""CLOSER's limits; JSON counts as UTF-8."""
MAX_RESULT_DEPTH: Final = 64
MAX_KEY_CHARACTERS: Final = 300

ERROR_NAMES: Final = frozenset(
    {
        "MemoryLimitError",
        "NeverEndedError",
        "ResultTooLargeError",
        "InvalidResultError",
        "ScriptCrashedError",
        "ScriptUnavailableError",
        "TimeoutError",
        "InvalidRequestError",
    }
)
"""Names of failures that are not a script's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCall:
    """One run of a script. `context` is what its handler gets; HTTP calls carry the idempotency key and a number."""

    script: str
    context: JsonObject
    timeout_ms: int
    idempotency_key: str

    @classmethod
    def of(cls, effect: ScriptRun, attempt: Attempt) -> "ScriptCall":
        """An attempt of an effect, in the time that a script may have at most."""
        return cls(
            script=effect.script,
            context=effect.context,
            timeout_ms=max(1, min(attempt.timeout_ms, MAX_TIMEOUT_MS)),
            idempotency_key=attempt.idempotency_key,
        )

    def to_event(self) -> JsonObject:
        values = asdict(self)
        return {
            "script": values["script"],
            "context": values["context"],
            "timeoutMs": values["timeout_ms"],
            "idempotencyKey": values["idempotency_key"],
        }


def parse_script_call(event: Any) -> ScriptCall:
    """Raises InvalidInput naming the place."""
    if not isinstance(event, dict):
        raise InvalidInput("event: an object is expected")
    script, context = event.get("script"), event.get("context")
    timeout_ms, key = event.get("timeoutMs"), event.get("idempotencyKey")
    if not isinstance(script, str):
        raise InvalidInput("script: a text is expected")
    if len(script.encode("utf-8", "surrogatepass")) > MAX_SCRIPT_BYTES:
        raise InvalidInput(f"script: longer than {MAX_SCRIPT_BYTES} bytes")
    if not isinstance(context, dict):
        raise InvalidInput("context: an object is expected")
    if not isinstance(timeout_ms, int) or isinstance(timeout_ms, bool) or not 0 < timeout_ms <= MAX_TIMEOUT_MS:
        raise InvalidInput(f"timeoutMs: a whole number from 1 to {MAX_TIMEOUT_MS} is expected")
    if not isinstance(key, str) or not key.isprintable() or not key.isascii() or len(key) > MAX_KEY_CHARACTERS:
        raise InvalidInput(f"idempotencyKey: at most {MAX_KEY_CHARACTERS} printable ASCII characters are expected")
    return ScriptCall(script=script, context=context, timeout_ms=timeout_ms, idempotency_key=key)


def render_outcome(outcome: Answered | EffectFailed) -> JsonObject:
    if isinstance(outcome, Answered):
        return {"result": outcome.result, "notes": outcome.notes}
    return {"error": {"name": outcome.name, "message": outcome.message}, "notes": outcome.notes}


def parse_outcome(answer: Any) -> Answered | EffectFailed:
    """Read back what render_outcome made. Raises InvalidInput."""
    match answer:
        case {"result": dict(result), "notes": list(notes)}:
            return Answered(result=result, notes=notes)
        case {"error": {"name": str(name), "message": str(message)}, "notes": list(notes)}:
            return EffectFailed(name=name, message=message, notes=notes)
        case _:
            raise InvalidInput("neither a result nor an error")
