"""Kakao's answer to a reply that was posted to a callback URL (AI 챗봇 콜백 개발 가이드): {taskId, status, message}.

The HTTP status of refusals is not documented, so `status` in the body decides. A token counts once and for a minute.
"""

from typing import Final, Literal

from shared.errors import InvalidInput
from shared.json_input import parse_json

CallbackOutcome = Literal["given", "refused", "too_early", "unknown"]

SECONDS: Final = 60
"""How long Kakao waits for the reply, from its acknowledgement."""
MAX_ANSWER_BYTES: Final = 16 * 1024
_SUCCESS: Final = "SUCCESS"
_REFUSALS: Final = frozenset({"FAIL", "ERROR"})
_NOT_YET: Final = "callback true setting required"
"""Kakao has not read the acknowledgement yet, or there was none: the token is still good."""


def read_callback_answer(body: bytes) -> CallbackOutcome:
    """given: the end user sees the reply. refused: Kakao says that they do not. too_early: post it again in a moment.
    unknown: anything else, which must count as given, since a reply is never given twice."""
    try:
        answer = parse_json(body, max_bytes=MAX_ANSWER_BYTES)
    except InvalidInput:
        return "unknown"
    status = answer.get("status") if isinstance(answer, dict) else None
    if status == _SUCCESS:
        return "given"
    if status not in _REFUSALS:
        return "unknown"
    message = answer.get("message")
    return "too_early" if isinstance(message, str) and _NOT_YET in message.casefold() else "refused"
