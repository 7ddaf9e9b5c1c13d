"""A bot's Kakao channel: who may call its skill URL.

Kakao signs nothing. A call proves itself by the unguessable path of its URL, by a secret header that the bot's owner
enters in the admin centre (스킬 > 헤더값 입력), and by Kakao's bot id once it is known.
"""

import hmac
from dataclasses import dataclass
from typing import Any, Final

from shared.channels.kakao.parse import SkillCall
from shared.errors import AccessDenied, InvalidInput

SECRET_HEADER: Final = "X-Malgil-Secret"  # noqa: S105 - the header's name
MIN_SECRET_LENGTH: Final = 22
"""128 bits in base64url."""
REFUSAL: Final = "the secret of the skill URL or of its header is wrong or missing"
"""All that a stranger is told."""
MAX_HEADER_SECRETS: Final = 2
"""The current one and, while the owner changes it in the admin centre, the previous one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KakaoSettings:
    """Stored as to_dict() gives it. `kakao_bot_id` is without the development channel's "!"."""

    path_secret: str
    header_secrets: tuple[str, ...]
    kakao_bot_id: str | None = None
    welcome_block_id: str | None = None

    @classmethod
    def parse(cls, data: Any) -> "KakaoSettings":
        """Settings from JSON data. Raises InvalidInput with the place of what is wrong."""
        if not isinstance(data, dict):
            raise InvalidInput("kakao: an object is expected")
        header_secrets = data.get("headerSecrets")
        if not isinstance(header_secrets, list) or not 1 <= len(header_secrets) <= MAX_HEADER_SECRETS:
            raise InvalidInput(f"kakao.headerSecrets: a list of 1 to {MAX_HEADER_SECRETS} secrets is expected")
        bot_id = _optional(data, "botId")
        return cls(
            path_secret=_secret(data.get("pathSecret"), "kakao.pathSecret"),
            header_secrets=tuple(
                _secret(secret, f"kakao.headerSecrets[{index}]") for index, secret in enumerate(header_secrets)
            ),
            kakao_bot_id=bot_id.removesuffix("!") if bot_id else None,
            welcome_block_id=_optional(data, "welcomeBlockId"),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "pathSecret": self.path_secret,
            "headerSecrets": list(self.header_secrets),
            "botId": self.kakao_bot_id,
            "welcomeBlockId": self.welcome_block_id,
        }


def authenticate(settings: KakaoSettings, path_secret: str, header_value: str | None) -> None:
    """Check both secrets of a call in constant time. Raises AccessDenied without saying which one was wrong."""
    path_is_right = _same(path_secret, settings.path_secret)
    header_matches = [_same(header_value or "", secret) for secret in settings.header_secrets]
    if not (path_is_right and any(header_matches)):
        raise AccessDenied(REFUSAL)


def check_bot_id(settings: KakaoSettings, call: SkillCall) -> None:
    """Once the bot's id is set, calls of other bots are refused with AccessDenied."""
    if settings.kakao_bot_id is not None and call.bot_id != settings.kakao_bot_id:
        raise AccessDenied("bot.id is not the one of the bot's Kakao settings", bot_id=call.bot_id)


def _same(given: str, expected: str) -> bool:
    """An empty secret never matches."""
    matches = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))
    return matches and bool(expected)


def _secret(value: Any, place: str) -> str:
    if not isinstance(value, str) or len(value) < MIN_SECRET_LENGTH or not value.isascii() or not value.isprintable():
        raise InvalidInput(f"{place}: at least {MIN_SECRET_LENGTH} printable ASCII characters are expected")
    return value


def _optional(data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidInput(f"kakao.{key}: text is expected")
    return value
