"""POST /kakao/{botId}/{secret}: KakaoTalk calls this for every utterance and shows what it returns within 5 seconds."""

from http import HTTPStatus
from typing import Any, Final

from shared.channels.kakao import render
from shared.channels.kakao.settings import SECRET_HEADER
from shared.errors import AccessDenied, InvalidInput, MalgilError
from shared.runtime import wiring
from shared.runtime.http import base_url, body_of, deadline_ns, error_reply, header, reply
from shared.runtime.observability import report_own_fault
from shared.services.kakao_skill import SkillRequest

BUDGET_MS: Final = 4_300
"""From API Gateway's receipt; Kakao hangs up after 5 s (docs/kakao.md)."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    del context
    path = event.get("pathParameters") or {}
    bot_id = path.get("botId", "")
    try:
        answer = wiring.handle_skill_call()(
            SkillRequest(
                bot_id=bot_id,
                path_secret=path.get("secret", ""),
                header_secret=header(event, SECRET_HEADER),
                body=body_of(event),
                request_id=header(event, "X-Request-Id") or None,  # empty, it would make every call a resend
                deadline_ns=deadline_ns(event, BUDGET_MS),
                base_url=base_url(event),
            )
        )
    except AccessDenied as exc:
        status = HTTPStatus.FORBIDDEN if header(event, SECRET_HEADER) else HTTPStatus.UNAUTHORIZED
        return {**error_reply(exc), "statusCode": int(status)}
    except InvalidInput as exc:
        return error_reply(exc)
    except Exception as exc:  # noqa: BLE001 - whatever went wrong is our fault: the end user gets words, we an alarm
        report_own_fault(exc, bot=bot_id)
        answer = _apology(bot_id)
    return reply(HTTPStatus.OK, answer)


def _apology(bot_id: str) -> dict[str, Any]:
    """The bot's words; our own when the function was set up so badly that there is not even a memory of bots."""
    try:
        return wiring.handle_skill_call().apologize(bot_id)
    except MalgilError:
        return render.error_reply("")
