"""A skill call of KakaoTalk's OpenBuilder (챗봇 관리자센터), read leniently into our own words.

Only the welcome and the fallback block of the OpenBuilder bot call us, so that everything the end user does arrives as
an utterance. Kakao's payload has grown for years: unknown keys are ignored, optional parts may be absent or null, and
only what makes a call impossible (no user, wrong JSON types) is refused.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from shared.channels.kakao import limits
from shared.channels.kakao.extra import ButtonOrigin, ContinueReading, Tap, read_extra
from shared.engine.inbound import Inbound, JsonObject, Opened, StartAt, UserMessage
from shared.errors import InvalidInput
from shared.json_input import parse_json
from shared.values import utf16_length

__all__ = ["ContinueReading", "SkillCall", "parse_skill_call"]

_WELCOME_NAMES: Final = frozenset({"웰컴블록", "welcomeblock", "welcome"})
_IDENTITIES: Final = ("plusfriendUserKey", "appUserId")
_MEDIA_HOST: Final = "talk.kakaocdn.net"
_OLD_MEDIA_DOMAIN: Final = ".talk.kakao.com"
_VIDEO_PATH: Final = re.compile(r"\.(?:mp4|mov|m4v|3gp|avi|mkv|webm|wmv)$", re.IGNORECASE)
_CALLBACK_DOMAIN: Final = ".kakao.com"
_CALLBACK_LENGTH: Final = 2_000
"""Ours: it is kept in the state until the reply is posted."""
_HTTPS_PORTS: Final = (None, 443)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillCall:
    """One POST of Kakao to the skill URL.

    bot_id        Kakao's bot.id without the "!" that marks the development channel; "" when absent
    user_key      user.id: one person in one Kakao bot
    params        other identities of the person, for the conversation's params: `kakao:plusfriendUserKey` (the person
                  in the channel), `kakao:appUserId` (the Kakao Login account)
    callback_url  where the reply may be posted later, once, within a minute. None unless it is an https address of
                  kakao.com: anything else would let a caller send our replies to a host of their choice
    is_skill_test the 스킬 테스트 button of the admin centre, not a person
    tapped        where the tapped button came from, None for typed text
    """

    bot_id: str
    is_development: bool
    user_key: str
    params: dict[str, str]
    inbound: Inbound | ContinueReading
    callback_url: str | None
    is_skill_test: bool
    tapped: ButtonOrigin | None


def parse_skill_call(
    body: bytes, *, welcome_block_id: str | None = None, local_targets: AbstractSet[tuple[str, int]] = frozenset()
) -> SkillCall:
    """`body` as a SkillCall. Raises InvalidInput, naming the place, for what is not one.

    `local_targets` are the (host, port) of loopback servers that may be Kakao; empty in every deployed function.
    """
    payload = parse_json(body, max_bytes=limits.REQUEST_BYTES)
    if not isinstance(payload, dict):
        raise InvalidInput(f"body: {_kind(payload)} instead of an object")
    if "isInSlotFilling" in payload and "userRequest" not in payload:
        raise InvalidInput("body: a parameter validation call (파라미터 유효성 검사): its URL must not be the skill's")
    request = _part(payload, "userRequest", "userRequest", required=True)
    user = _part(request, "user", "userRequest.user", required=True)
    bot_id = _text(_part(payload, "bot", "bot"), "id", "bot.id")
    tap = read_extra(_part(payload, "action", "action").get("clientExtra"))
    return SkillCall(
        bot_id=bot_id.removesuffix("!"),
        is_development=bot_id.endswith("!"),
        user_key=_user_key(user),
        params=_identities(user),
        inbound=_inbound(payload, request, tap, welcome_block_id),
        callback_url=_callback_url(request.get("callbackUrl"), local_targets),
        is_skill_test=user.get("type") == "accountId",
        tapped=tap.origin if isinstance(tap, Tap) else None,
    )


def _inbound(
    payload: JsonObject, request: JsonObject, tap: Tap | ContinueReading | None, welcome_block_id: str | None
) -> Inbound | ContinueReading:
    """What the tapped button carries wins over the text; the text of a tap is only what the end user sees."""
    text = _text(request, "utterance", "userRequest.utterance").rstrip("\r\n")
    if isinstance(tap, ContinueReading):
        return tap
    if tap is not None:
        return _tapped(text, tap)
    media = _media(_part(request, "params", "userRequest.params").get("media")) or _media_of_utterance(text)
    if media is not None:
        return UserMessage(data={"type": "media", "media": media})
    if _is_welcome(payload, request, welcome_block_id) or not (text.strip() or _is_button_of_others(payload)):
        return Opened()
    return UserMessage(data={"type": "text", "text": text})


def _tapped(text: str, tap: Tap) -> UserMessage | StartAt:
    data: JsonObject = {"type": "text", "text": text}
    if tap.payload is not None:
        data["payload"] = tap.payload
    if tap.flow_id is not None:
        return StartAt(flow_id=tap.flow_id, node_id=tap.node_id, message=data)
    return UserMessage(data=data)


def _is_welcome(payload: JsonObject, request: JsonObject, welcome_block_id: str | None) -> bool:
    """By the configured block id, else by the block's name: Kakao does not mark the welcome block in any other way."""
    blocks = [_part(payload, "intent", "intent"), _part(request, "block", "userRequest.block")]
    if welcome_block_id and any(block.get("id") == welcome_block_id for block in blocks):
        return True
    names = [block.get("name") for block in blocks]
    return any(isinstance(name, str) and "".join(name.split()).casefold() in _WELCOME_NAMES for name in names)


def _is_button_of_others(payload: JsonObject) -> bool:
    return bool(_part(payload, "action", "action").get("clientExtra"))


def _media(media: Any) -> JsonObject | None:
    """userRequest.params.media: {type: image or video, url}. Other types are kept as links."""
    if not isinstance(media, dict) or not isinstance(media.get("url"), str):
        return None
    address = _split(media["url"])
    if address is None or address.scheme not in {"http", "https"} or not address.hostname:
        return None
    content_type = media.get("type")
    return {
        "contentType": content_type if content_type in ("image", "video", "audio") else "link",
        "uri": media["url"],
    }


def _media_of_utterance(text: str) -> JsonObject | None:
    """Older bots get an upload only as its address, said as if it were typed."""
    uri = text.strip()
    if not uri.startswith(("http://", "https://")) or len(uri.split()) != 1:
        return None
    address = _split(uri)
    host = address.hostname or "" if address else ""
    if address is None or not (host == _MEDIA_HOST or host.endswith(_OLD_MEDIA_DOMAIN)):
        return None
    return {"contentType": "video" if _VIDEO_PATH.search(address.path) else "image", "uri": uri}


def _callback_url(url: Any, local_targets: AbstractSet[tuple[str, int]]) -> str | None:
    address = _split(url) if isinstance(url, str) and len(url) <= _CALLBACK_LENGTH else None
    if address is not None and (address.hostname, address.port) in local_targets:
        return str(url)
    if address is None or address.scheme != "https" or "@" in address.netloc or address.port not in _HTTPS_PORTS:
        return None
    return str(url) if (address.hostname or "").endswith(_CALLBACK_DOMAIN) else None


def _split(url: str) -> SplitResult | None:
    """The parts of an address; None when it has no sense (spaces, control characters, a port that is no number)."""
    if not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _user_key(user: JsonObject) -> str:
    key = _text(user, "id", "userRequest.user.id")
    if not key.strip():
        raise InvalidInput("userRequest.user.id: missing")
    if utf16_length(key) > limits.USER_KEY_UNITS:
        raise InvalidInput(f"userRequest.user.id: longer than {limits.USER_KEY_UNITS} characters")
    return key


def _identities(user: JsonObject) -> dict[str, str]:
    properties = _part(user, "properties", "userRequest.user.properties")
    found = {name: properties.get(name) for name in _IDENTITIES}
    return {
        f"kakao:{name}": value
        for name, value in found.items()
        if isinstance(value, str) and 0 < utf16_length(value) <= limits.USER_KEY_UNITS
    }


def _part(data: JsonObject, key: str, place: str, *, required: bool = False) -> JsonObject:
    """The object under `key`; an empty one when it is absent or null."""
    value = data.get(key)
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{place}: missing" if value is None else f"{place}: {_kind(value)} instead of an object")
    return value


def _text(data: JsonObject, key: str, place: str) -> str:
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput(f"{place}: {_kind(value)} instead of text")
    return value


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "a number"
