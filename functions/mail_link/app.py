"""GET /mail?to=...: where mail buttons lead on KakaoTalk; opens the mail program of whoever tapped."""

from http import HTTPStatus
from typing import Any

from shared.channels.mail_page import HEADERS, render_mail_page
from shared.errors import InvalidInput
from shared.runtime.http import error_reply


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    del context
    address = (event.get("queryStringParameters") or {}).get("to", "")
    try:
        page = render_mail_page(address)
    except InvalidInput as exc:
        return error_reply(exc)
    return {"statusCode": int(HTTPStatus.OK), "headers": dict(HEADERS), "body": page}
