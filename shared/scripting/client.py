"""The script function as its callers see it: an author's script in, its result out, one try."""

import json
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLong
from threading import Thread
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from shared.engine.effects import TIMEOUT, Answered, Attempt, EffectFailed, ScriptRun
from shared.errors import InvalidInput
from shared.json_input import parse_json
from shared.scripting.call import MAX_RESULT_BYTES, ScriptCall, parse_outcome

OVERHEAD_MS: Final = 200
"""What the invocation may take beside the script: the way there and back."""
MAX_WAIT_SECONDS: Final = 7.0
"""Time-out of the Lambda client: longer than any script with its overhead."""
MAX_ANSWER_BYTES: Final = MAX_RESULT_BYTES + 64 * 1024
"""A result and its notes."""
BUSY: Final = frozenset({"TooManyRequestsException", "ThrottlingException", "EC2ThrottledException"})
SANDBOX_TIMEOUT: Final = "Sandbox.Timedout"
"""The error type of a Lambda function that was stopped at its time-out."""


class ScriptFunction:
    """Invokes the script function. `client` is a Lambda client with MAX_WAIT_SECONDS and a single try: nobody may run a
    script again who does not know whether that does harm."""

    def __init__(self, function_name: str, client: Any) -> None:
        self._function_name = function_name
        self._client = client

    def __call__(self, effect: ScriptRun, attempt: Attempt) -> Answered | EffectFailed:
        """What came of the script, within attempt.timeout_ms and OVERHEAD_MS."""
        call = ScriptCall.of(effect, attempt)
        waiting: Future[Answered | EffectFailed] = Future()
        # A client's time-outs are fixed when it is made, so that the wait is cut short here.
        Thread(target=self._fulfil, args=(waiting, call), name="script-invoke", daemon=True).start()
        try:
            return waiting.result((call.timeout_ms + OVERHEAD_MS) / 1000)
        except WaitedTooLong:
            return _timed_out(call)

    def _fulfil(self, waiting: "Future[Answered | EffectFailed]", call: ScriptCall) -> None:
        try:
            waiting.set_result(self._invoke(call))
        except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
            waiting.set_exception(exc)

    def _invoke(self, call: ScriptCall) -> Answered | EffectFailed:
        try:
            response = self._client.invoke(
                FunctionName=self._function_name, Payload=json.dumps(call.to_event()).encode()
            )
            payload = response["Payload"].read()
        except ReadTimeoutError:
            return _timed_out(call)
        except ClientError as exc:
            code = exc.response.get("Error", {}).get("Code", "")
            reason = "has no capacity left" if code in BUSY else f"cannot be invoked ({code})"
            return EffectFailed(name="ScriptUnavailableError", message=f"The script function {reason}")
        except BotoCoreError as exc:
            message = f"The script function cannot be reached ({type(exc).__name__})"
            return EffectFailed(name="ScriptUnavailableError", message=message)
        try:
            answer = parse_json(payload, max_bytes=MAX_ANSWER_BYTES)
            if "FunctionError" not in response:
                return _checked(parse_outcome(answer))
        except InvalidInput as exc:
            return EffectFailed(name="ScriptCrashedError", message=f"The script function's answer is refused: {exc}")
        if isinstance(answer, dict) and answer.get("errorType") == SANDBOX_TIMEOUT:
            return _timed_out(call)
        return EffectFailed(name="ScriptCrashedError", message="The script function failed")


def _checked(outcome: Answered | EffectFailed) -> Answered | EffectFailed:
    if isinstance(outcome, Answered):
        size = len(json.dumps(outcome.result, ensure_ascii=False, separators=(",", ":")).encode())
        if size > MAX_RESULT_BYTES:
            message = f"The result is {size} bytes of JSON; at most {MAX_RESULT_BYTES} are allowed"
            return EffectFailed(name="ResultTooLargeError", message=message, notes=outcome.notes)
    return outcome


def _timed_out(call: ScriptCall) -> EffectFailed:
    return EffectFailed(name=TIMEOUT, message=f"The script took longer than {call.timeout_ms:,} ms")
