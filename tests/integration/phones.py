"""Somebody with KakaoTalk open, as tests of single promises need them: events in, replies and texts out."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from functions.kakao_skill import app
from shared.channels.kakao.settings import KakaoSettings
from shared.runtime import world
from shared.services.authoring import Authoring

FALLBACK_BLOCK = {"id": "fallback", "name": "폴백 블록"}


@dataclass
class Caller:
    """A phone in the chat of a bot, or a stranger who tries the bot's skill URL."""

    bot_id: str
    settings: KakaoSettings
    user_key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def payload(self, utterance: str, extra: Any = None, **request: Any) -> dict[str, Any]:
        return {
            "intent": FALLBACK_BLOCK,
            "userRequest": {
                "block": FALLBACK_BLOCK,
                "utterance": utterance,
                "params": {},
                "user": {"id": self.user_key, "type": "botUserKey", "properties": {}},
                **request,
            },
            "bot": {"id": "kakao-bot", "name": "봇"},
            "action": {"id": "skill", "name": "말길", "params": {}, "detailParams": {}, "clientExtra": extra},
        }

    def call(
        self,
        utterance: str = "안녕",
        extra: Any = None,
        *,
        bot_id: str | None = None,
        secret: str | None = None,
        request_id: str | None = None,
        spent_ms: int = 0,
        callback_url: str | None = None,
    ) -> dict[str, Any]:
        """The function's reply to a request that API Gateway received `spent_ms` ago."""
        headers = {"x-malgil-secret": self.settings.header_secrets[0] if secret is None else secret}
        if request_id is not None:
            headers["x-request-id"] = request_id
        event = {
            "pathParameters": {
                "botId": self.bot_id if bot_id is None else bot_id,
                "secret": self.settings.path_secret,
            },
            "headers": headers,
            "requestContext": {"timeEpoch": world.now_ms() - spent_ms},
            "body": json.dumps(
                self.payload(utterance, extra, **({} if callback_url is None else {"callbackUrl": callback_url}))
            ),
        }
        return app.handler(event, None)

    def say(self, utterance: str, extra: Any = None, **more: Any) -> list[str]:
        """The texts that the phone shows."""
        return texts(self.call(utterance, extra, **more))


def texts(reply: dict[str, Any]) -> list[str]:
    assert reply["statusCode"] == 200, reply
    outputs = json.loads(reply["body"])["template"]["outputs"]
    return [output["simpleText"]["text"] if "simpleText" in output else json.dumps(output) for output in outputs]


def continue_extra(reply: dict[str, Any]) -> Any:
    """What a tap on "계속 보기" sends."""
    replies = json.loads(reply["body"])["template"].get("quickReplies", [])
    return next(reply["extra"] for reply in replies if reply["label"] == "계속 보기")


def a_caller(authoring: Authoring, document: dict[str, Any], **connection: Any) -> Caller:
    """Somebody in the chat of a new, published bot."""
    return Caller(*a_connected_bot(authoring, json.dumps(document).encode(), **connection))


def a_connected_bot(authoring: Authoring, raw: bytes, **connection: Any) -> tuple[str, KakaoSettings]:
    """The id and the connection of a new, published bot."""
    bot_id = f"bot-{uuid.uuid4().hex[:8]}"
    authoring.import_file(bot_id, raw)
    authoring.publish(bot_id)
    return bot_id, authoring.connect_kakao(bot_id, **connection)
