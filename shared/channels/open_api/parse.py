"""What a caller of the open API says: messages, agents, parameters. Strict, because a program sent it: what would be
cut or left out of a bot's own message is refused here, with its place."""

import re
from collections.abc import Callable
from typing import Any, Final

from shared.bot.parameter_key import PARAMETER_KEY
from shared.engine.message import MAX_CUSTOM, MAX_LABEL, MAX_PAYLOAD
from shared.errors import InvalidInput
from shared.values import to_json

JsonObject = dict[str, Any]
Read = Callable[[Any, str], Any]

MAX_TEXT: Final = 1_000
"""Characters (docs/events.md); of every text of a message but those that have a limit of their own."""
MAX_URI: Final = 2_048
MAX_CARDS: Final = 10
MAX_BUTTONS: Final = 9
MAX_ID: Final = 999_999_999_999_999
"""Of a flow or node: what every JSON parser keeps exactly."""
MAX_AGENT_ID: Final = 90
MAX_NAME: Final = 100
MEDIA_TYPES: Final = ("image", "video", "audio", "link")
_WEB: Final = re.compile(r"https?://[^\s/?#]\S*", re.IGNORECASE)
_LINK: Final = re.compile(r"(?:https?://[^\s/?#]\S*|tel:\S+|mailto:\S+)", re.IGNORECASE)


def parse_message(value: Any, place: str) -> JsonObject:
    """A message as docs/events.md has it in `message.data`. Raises InvalidInput with the place of what is wrong."""
    given = _object(value, place)
    kind = given.get("type", "text")
    if not isinstance(kind, str) or kind not in _CONTENTS:
        raise InvalidInput(f"{place}.type: one of {', '.join(_CONTENTS)} is expected")
    _refuse_others(given, ("type", kind, "buttons"), place)
    message: JsonObject = {"type": kind, kind: _CONTENTS[kind](given.get(kind), f"{place}.{kind}")}
    return _with_buttons(message, given, place)


def parse_meta(value: Any, place: str) -> JsonObject | None:
    """`meta` of a bot's message: {custom}."""
    if value is None:
        return None
    given = _object(value, place)
    _refuse_others(given, ("custom",), place)
    custom = given.get("custom")
    if custom is None:
        return None
    if len(custom if isinstance(custom, str) else to_json(custom)) > MAX_CUSTOM:
        raise InvalidInput(f"{place}.custom: at most {MAX_CUSTOM} characters of JSON are accepted")
    return {"custom": custom}


def parse_agent(value: Any, place: str) -> JsonObject:
    """An agent {id, profile? {displayName?, picture?}}."""
    given = _object(value, place)
    _refuse_others(given, ("id", "profile"), place)
    profile_place = f"{place}.profile"
    profile = {} if given.get("profile") is None else _object(given["profile"], profile_place)
    _refuse_others(profile, ("displayName", "picture"), profile_place)
    known: JsonObject = {}
    if profile.get("displayName") is not None:
        known["displayName"] = _text(profile["displayName"], f"{profile_place}.displayName", MAX_NAME)
    if profile.get("picture") is not None:
        known["picture"] = _web_address(profile["picture"], f"{profile_place}.picture")
    agent: JsonObject = {"id": _text(given.get("id"), f"{place}.id", MAX_AGENT_ID)}
    return {**agent, "profile": known} if known else agent


def parse_params(value: Any, place: str) -> JsonObject:
    """Parameters to set; null removes one. How much they may take together depends on those that are there."""
    params = _object(value, place)
    for key in params:
        if not PARAMETER_KEY.fullmatch(key):
            raise InvalidInput(f"{place}.{key[:40]}: letters, digits and _ - : are expected in a key")
    return params


def parse_id(value: Any, place: str) -> int:
    """The id of a flow or a node."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_ID:
        raise InvalidInput(f"{place}: a whole number is expected")
    return value


def _card(value: Any, place: str) -> JsonObject:
    given = _object(value, place)
    _refuse_others(given, ("title", "description", "media", "uri", "buttons"), place)
    readers: dict[str, Read] = {"title": _text, "description": _text, "media": _media, "uri": _web_address}
    card = {key: read(given[key], f"{place}.{key}") for key, read in readers.items() if given.get(key) is not None}
    if not card.keys() & {"title", "description", "media"}:
        raise InvalidInput(f"{place}: title, description or media is expected")
    return _with_buttons(card, given, place)


def _cards(value: Any, place: str) -> list[JsonObject]:
    return [_card(card, f"{place}[{index}]") for index, card in enumerate(_list(value, place, 1, MAX_CARDS))]


def _media(value: Any, place: str) -> JsonObject:
    given = _object(value, place)
    _refuse_others(given, ("contentType", "uri", "altText"), place)
    kind = given.get("contentType", "image")
    if not isinstance(kind, str) or kind not in MEDIA_TYPES:
        raise InvalidInput(f"{place}.contentType: one of {', '.join(MEDIA_TYPES)} is expected")
    media: JsonObject = {"contentType": kind, "uri": _web_address(given.get("uri"), f"{place}.uri")}
    if given.get("altText") is not None:
        media["altText"] = _text(given["altText"], f"{place}.altText")
    return media


def _location(value: Any, place: str) -> JsonObject:
    given = _object(value, place)
    _refuse_others(given, ("title", "latitude", "longitude"), place)
    title = "" if given.get("title") in (None, "") else _text(given["title"], f"{place}.title")
    return {
        "title": title,
        "latitude": _degrees(given.get("latitude"), f"{place}.latitude", 90),
        "longitude": _degrees(given.get("longitude"), f"{place}.longitude", 180),
    }


def _degrees(value: Any, place: str, most: int) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
        raise InvalidInput(f"{place}: a number from -{most} to {most} is expected")
    return value


def _with_buttons(message: JsonObject, given: JsonObject, place: str) -> JsonObject:
    if given.get("buttons") is None:
        return message
    place = f"{place}.buttons"
    buttons = [
        _button(each, f"{place}[{index}]") for index, each in enumerate(_list(given["buttons"], place, 0, MAX_BUTTONS))
    ]
    return {**message, "buttons": buttons} if buttons else message


def _button(value: Any, place: str) -> JsonObject:
    given = _object(value, place)
    kind = given.get("type") or ("link" if "uri" in given else "postback")
    label = _text(given.get("label"), f"{place}.label", MAX_LABEL)
    button: JsonObject = {"type": kind, "label": label}
    if kind == "link":
        _refuse_others(given, ("type", "label", "uri"), place)
        return {**button, "uri": _link(given.get("uri"), f"{place}.uri")}
    if kind == "goto":
        _refuse_others(given, ("type", "label", "flowId", "nodeId"), place)
        button["flowId"] = parse_id(given.get("flowId"), f"{place}.flowId")
        return (
            button
            if given.get("nodeId") is None
            else {**button, "nodeId": parse_id(given["nodeId"], f"{place}.nodeId")}
        )
    if kind != "postback":
        raise InvalidInput(f"{place}.type: one of link, postback, goto is expected")
    _refuse_others(given, ("type", "label", "payload"), place)
    if given.get("payload") is None:
        return button
    payload = given["payload"] if isinstance(given["payload"], str) else to_json(given["payload"])
    return {**button, "payload": _text(payload, f"{place}.payload", MAX_PAYLOAD)}


def _web_address(value: Any, place: str) -> str:
    return _uri(value, place, _WEB, "an http or https address")


def _link(value: Any, place: str) -> str:
    return _uri(value, place, _LINK, "an http, https, tel or mailto address")


def _uri(value: Any, place: str, form: re.Pattern[str], kind: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_URI or not form.fullmatch(value):
        raise InvalidInput(f"{place}: {kind} of at most {MAX_URI} characters is expected")
    return value


def _text(value: Any, place: str, longest: int = MAX_TEXT) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise InvalidInput(f"{place}: a text of 1 to {longest} characters is expected")
    return value


def _list(value: Any, place: str, least: int, most: int) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise InvalidInput(f"{place}: a list of {least} to {most} is expected")
    return value


def _object(value: Any, place: str) -> JsonObject:
    if not isinstance(value, dict):
        raise InvalidInput(f"{place}: an object is expected")
    return value


def _refuse_others(given: JsonObject, known: tuple[str, ...], place: str) -> None:
    for key in given:
        if key not in known:
            raise InvalidInput(f"{place}.{key[:40]}: unknown; known are {', '.join(known)}")


_CONTENTS: Final[dict[str, Read]] = {"text": _text, "media": _media, "cards": _cards, "location": _location}
