"""The frames of the web chat (docs/web-chat.md): what clients send, parsed to types or refused with its place, and what
they are answered, cut to the size that a frame may have. Pure."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from shared.channels.open_api.parse import MAX_URI, parse_id, parse_params
from shared.engine.message import MAX_PAYLOAD, parse_payload
from shared.errors import InvalidInput, MalgilError
from shared.graphemes import graphemes
from shared.json_input import parse_json
from shared.values import to_json

JsonObject = dict[str, Any]

SUBPROTOCOL: Final = "malgil.v1"
MAX_FRAME: Final = 32 * 1024
"""Bytes of a frame, both ways (API Gateway: 32 KB a frame)."""
MAX_TEXT: Final = 1_000
"""User-perceived characters."""
MAX_CLIENT_ID: Final = 90
MAX_REVISION: Final = 9_999_999_999
MAX_DEGREES: Final = {"latitude": 90, "longitude": 180}
MAX_TITLE: Final = 1_000


class TooLarge(InvalidInput):
    """More than a frame or a text may have."""

    code = "too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Open the conversation; `restart`: a new one. `rev` is the last turn that the client knows, None: none."""

    params: JsonObject = field(default_factory=dict)
    restart: bool = False
    rev: int | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """The end user says something. `client_id` tells resends."""

    client_id: str
    data: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigate:
    """Go to a place of the bot, with what a tap on a button said. `force`: also while an agent is called or here."""

    flow_id: int
    node_id: int | None = None
    force: bool = False
    data: JsonObject | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetParams:
    """Set parameters of the conversation; None removes one."""

    params: JsonObject
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What was missed after `rev`?"""

    rev: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """The end user types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The end user has seen everything up to `rev`."""

    rev: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Keeps the socket open; the answer tells whether something was missed."""


ClientFrame = Start | Say | Navigate | SetParams | Sync | Typing | Read | Ping


def parse_frame(raw: str | bytes) -> tuple[ClientFrame | InvalidInput, str | None]:
    """A client's frame, or what is wrong with it, and the clientId that it names, for the answer to name it too."""
    client_id = None
    try:
        given = _parsed(raw)
        client_id = _client_id(given)
        kind = given.get("type")
        if not isinstance(kind, str) or kind not in _FRAMES:
            raise InvalidInput(f"type: one of {', '.join(_FRAMES)} is expected")
        return _FRAMES[kind](given), client_id
    except InvalidInput as refusal:
        return refusal, client_id


def _parsed(raw: str | bytes) -> JsonObject:
    encoded = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(encoded) > MAX_FRAME:
        raise TooLarge(f"{len(encoded)} bytes: a frame has at most {MAX_FRAME}")
    given = parse_json(encoded, max_bytes=MAX_FRAME)
    if not isinstance(given, dict):
        raise InvalidInput("a frame is a JSON object")
    return given


def _start(given: JsonObject) -> Start:
    rev = given.get("rev")
    return Start(
        params=_params(given, default={}),
        restart=_flag(given, "restart"),
        rev=None if rev is None else _revision(given),
        client_id=given.get("clientId"),
    )


def _say(given: JsonObject) -> Say:
    if given.get("clientId") is None:
        raise InvalidInput("clientId: expected, so that a message that is sent again is told from a new one")
    return Say(client_id=given["clientId"], data=_message(given.get("data"), "data"))


def _navigate(given: JsonObject) -> Navigate:
    return Navigate(
        flow_id=parse_id(given.get("flowId"), "flowId"),
        node_id=None if given.get("nodeId") is None else parse_id(given["nodeId"], "nodeId"),
        force=_flag(given, "force"),
        data=None if given.get("data") is None else _message(given["data"], "data"),
        client_id=given.get("clientId"),
    )


_FRAMES: Final[dict[str, Callable[[JsonObject], ClientFrame]]] = {
    "start": _start,
    "message": _say,
    "navigate": _navigate,
    "params": lambda given: SetParams(params=_params(given), client_id=given.get("clientId")),
    "sync": lambda given: Sync(rev=_revision(given)),
    "typing": lambda given: Typing(),
    "read": lambda given: Read(rev=_revision(given)),
    "ping": lambda given: Ping(),
}


def _client_id(given: JsonObject) -> str | None:
    value = given.get("clientId")
    if value is not None and not (isinstance(value, str) and 0 < len(value) <= MAX_CLIENT_ID):
        raise InvalidInput(f"clientId: a text of 1 to {MAX_CLIENT_ID} characters is expected")
    return value


def _params(given: JsonObject, default: JsonObject | None = None) -> JsonObject:
    return (
        default if default is not None and given.get("params") is None else parse_params(given.get("params"), "params")
    )


def _flag(given: JsonObject, name: str) -> bool:
    value = given.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput(f"{name}: true or false is expected")
    return bool(value)


def _revision(given: JsonObject) -> int:
    value = given.get("rev")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_REVISION:
        raise InvalidInput("rev: a whole number, 0 or more, is expected")
    return value


def _message(value: Any, place: str) -> JsonObject:
    """What an end user says: a text, also of a pressed button with its payload, a picture, or a place."""
    given = _object(value, place)
    kind = given.get("type", "text")
    if not isinstance(kind, str) or kind not in _CONTENTS:
        raise InvalidInput(f"{place}.type: one of {', '.join(_CONTENTS)} is expected")
    message: JsonObject = {"type": kind, kind: _CONTENTS[kind](given.get(kind), f"{place}.{kind}")}
    if kind == "text" and given.get("payload") is not None:
        message["payload"] = _payload(given["payload"], f"{place}.payload")
    return message


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{place}: a text is expected")
    if len(value) > MAX_TEXT and any(index == MAX_TEXT for index, _ in enumerate(graphemes(value))):
        raise TooLarge(f"{place}: at most {MAX_TEXT} characters are accepted")
    return value


def _payload(value: Any, place: str) -> Any:
    """A button's payload as the keyboard had it, or its value."""
    if len(value if isinstance(value, str) else to_json(value)) > MAX_PAYLOAD:
        raise TooLarge(f"{place}: at most {MAX_PAYLOAD} characters are accepted")
    return parse_payload(value) if isinstance(value, str) else value


def _media(value: Any, place: str) -> JsonObject:
    given = _object(value, place)
    uri = given.get("uri")
    if given.get("contentType", "image") != "image":
        raise InvalidInput(f"{place}.contentType: image is expected")
    if not isinstance(uri, str) or not 0 < len(uri) <= MAX_URI:
        raise InvalidInput(f"{place}.uri: the address of an upload is expected")
    alt = given.get("altText") or ""
    if not isinstance(alt, str) or len(alt) > MAX_TITLE:
        raise InvalidInput(f"{place}.altText: a text of at most {MAX_TITLE} characters is expected")
    return {"contentType": "image", "uri": uri, **({"altText": alt} if alt else {})}


def _location(value: Any, place: str) -> JsonObject:
    given = _object(value, place)
    title = given.get("title") or ""
    if not isinstance(title, str) or len(title) > MAX_TITLE:
        raise InvalidInput(f"{place}.title: a text of at most {MAX_TITLE} characters is expected")
    found: JsonObject = {"title": title}
    for name, most in MAX_DEGREES.items():
        degrees = given.get(name)
        if isinstance(degrees, bool) or not isinstance(degrees, int | float) or not -most <= degrees <= most:
            raise InvalidInput(f"{place}.{name}: a number from -{most} to {most} is expected")
        found[name] = degrees
    return found


_CONTENTS: Final[dict[str, Callable[[Any, str], Any]]] = {"text": _text, "media": _media, "location": _location}


def _object(value: Any, place: str) -> JsonObject:
    if not isinstance(value, dict):
        raise InvalidInput(f"{place}: an object is expected")
    return value


# ---- what clients are answered


def frame_bytes(frame: JsonObject) -> bytes:
    """A frame as it is sent."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


def error_frame(fault: MalgilError, client_id: str | None = None, *, code: str | None = None) -> JsonObject:
    """`retryable`: the same frame may be sent again."""
    after = fault.details.get("retry_after_ms")
    return {
        "type": "error",
        "code": code or fault.code,
        "message": str(fault),
        "retryable": fault.retryable,
        **({} if after is None else {"retryAfterMs": after}),
        **({} if client_id is None else {"clientId": client_id}),
    }


def fitting(frame: JsonObject, most: int = MAX_FRAME) -> JsonObject:
    """A frame whose largest parts are left out, marked `tooLarge`, until it has at most `most` bytes: messages lose
    `data` and `meta`, the keyboard everything but its type, the context its parameters."""
    size = len(frame_bytes(frame))
    if size <= most:
        return frame
    parts: list[tuple[int, str, int]] = [
        (len(frame_bytes(message)), "messages", index) for index, message in enumerate(frame.get("messages", ()))
    ]
    parts += [(len(frame_bytes(frame[name])), name, 0) for name in ("keyboard", "context") if frame.get(name)]
    fitted = {**frame, "messages": list(frame.get("messages", ()))}
    for part_size, name, index in sorted(parts, reverse=True):
        if name == "messages":
            part = fitted["messages"][index] = _without(fitted["messages"][index], "data", "meta", "persona")
        elif name == "keyboard":
            part = fitted["keyboard"] = {"type": fitted["keyboard"].get("type"), "tooLarge": True}
        else:
            part = fitted["context"] = _without(fitted["context"], "params")
        size += len(frame_bytes(part)) - part_size
        if size <= most:
            break
    return fitted


def _without(part: JsonObject, *names: str) -> JsonObject:
    return {**{key: value for key, value in part.items() if key not in names}, "tooLarge": True}


def fitting_turns(turns: Iterable[list[JsonObject]], room: int) -> int:
    """How many of these turns' messages, the first ones, take at most `room` bytes."""
    count = 0
    for messages in turns:
        room -= sum(len(frame_bytes(message)) + 1 for message in messages)
        if room < 0:
            break
        count += 1
    return count
