"""The node types and the shape of their data (docs/bot-files.md). One row a type; what a type does is in
shared/engine/nodes, one file each.
"""

import re
from dataclasses import dataclass
from typing import Final

from shared.bot.parameter_key import PARAMETER_KEY
from shared.bot.shape import Anything, Choice, Code, Either, Flag, ListOf, Number, Object, Shape, Text

PAYLOAD_LIMIT: Final = 1_000
LABEL_LIMIT: Final = 255
CUSTOM_LIMIT: Final = 1_000
TEXT_SHOWN: Final = 1_000
MAX_BUTTONS: Final = 9
MAX_CARDS: Final = 10
MAX_KEYBOARD_BUTTONS: Final = 50
SCRIPT_LIMIT: Final = 50_000
"""Bytes of UTF-8 (CLOSER's guide, sandbox)."""
NLP_SETTINGS: Final[dict[str, tuple[str, ...]]] = {
    "dialogflow-es": ("projectId", "location", "environmentId"),
    "dialogflow-cx": ("projectId", "agentId", "location", "environmentId"),
    "watson": ("url", "assistantId", "environmentId", "version"),
    "http": ("uri", "method", "headers", "body", "mapping"),
}
"""Provider of an nlp node -> the keys that are its own."""
NLP_STRUCTURES: Final = frozenset({"headers", "body", "mapping"})
"""Of these, what is no text."""
CHITCHAT_PROVIDERS: Final = ("openai", "bedrock")

LINK: Final = re.compile(r"(?i)(https?://|tel:|mailto:)\S")


def _parameter_key(value: str) -> str | None:
    return None if PARAMETER_KEY.fullmatch(value) else "bad_key"


def _link(value: str) -> str | None:
    return None if LINK.match(value.strip()) else "bad_link"


_LABEL: Final = Text(limit=LABEL_LIMIT)
_POSTBACK: Final = Object(
    {"label": _LABEL, "payload": Text(limit=PAYLOAD_LIMIT), "params": Anything()}, required=("label",)
)
_KEYBOARD_BUTTON: Final = Object({**_POSTBACK.fields, "type": Choice(("postback",))}, required=("label",))
_BUTTON: Final = Either(
    "type",
    {
        "link": Object({"label": _LABEL, "uri": Text(check=_link)}, required=("label", "uri")),
        "postback": _POSTBACK,
        "goto": Object({"label": _LABEL, "flowId": Number(), "nodeId": Number()}, required=("label", "flowId")),
    },
    default="postback",
)
_BUTTONS: Final = ListOf(_BUTTON, used=MAX_BUTTONS)
_MEDIA: Final = Object(
    {"uri": Text(), "contentType": Choice(("image", "video", "audio", "link")), "altText": Text()}, required=("uri",)
)
_CARD: Final = Object({"title": Text(), "description": Text(), "media": Anything(), "uri": Text(), "buttons": _BUTTONS})
_LOCATION: Final = Object(
    {"title": Text(), "label": Text(), "latitude": Number(), "longitude": Number()}, required=("latitude", "longitude")
)
MESSAGE: Final = Either(
    "type",
    {
        "text": Object({"text": Text(shown=TEXT_SHOWN), "buttons": _BUTTONS}, required=("text",)),
        "media": Object({"media": _MEDIA, "buttons": _BUTTONS}, required=("media",)),
        "cards": Object({"cards": ListOf(_CARD, used=MAX_CARDS), "buttons": _BUTTONS}, required=("cards",)),
        "location": Object({"location": _LOCATION, "buttons": _BUTTONS}, required=("location",)),
    },
    default="text",
)
_HTTP_METHOD: Final = Choice(("GET", "POST", "PUT", "DELETE", "PATCH"), any_case=True)
_ASKING: Final[dict[str, Shape]] = {"timeout": Number(), "slow": Flag()}
"""What every node that asks the world can say."""
_COUNT: Final = Object({"operation": Choice(("pop", "drop", "clear")), "count": Number()})


@dataclass(frozen=True, slots=True)
class NodeType:
    """One type of node.

    `waits`: the walk stops there for a person. `speaks`: it sends a message, so a fallback flow that reaches it can
    answer.
    """

    data: Shape
    waits: bool = False
    speaks: bool = False


NODE_TYPES: Final[dict[str, NodeType]] = {
    "entry": NodeType(Object({})),
    "response": NodeType(
        Object({"message": MESSAGE, "meta": Object({"custom": Anything()}), "delay": Number()}, required=("message",)),
        speaks=True,
    ),
    "keyboard": NodeType(
        Object(
            {
                "type": Choice(("any", "text", "buttons", "number", "location")),
                "buttons": ListOf(_KEYBOARD_BUTTON, used=MAX_KEYBOARD_BUTTONS),
                "min": Number(),
                "max": Number(),
                "integer": Flag(),
                "parse": Flag(),
                "strict": Flag(),
                "messages": Object({"failure": MESSAGE}),
            }
        ),
        waits=True,
    ),
    "flow": NodeType(Object({"flowId": Number(), "nodeId": Number()}, required=("flowId",))),
    "fetch": NodeType(
        Object(
            {
                **_ASKING,
                "uri": Text(),
                "method": _HTTP_METHOD,
                "headers": Anything(),
                "contentType": Choice(("json", "x-www-form-urlencoded", "text")),
                "body": Anything(),
            },
            required=("uri",),
        )
    ),
    "parameter": NodeType(
        Either(
            "type",
            {
                "set": Object(
                    {
                        "set": ListOf(
                            Object(
                                {"key": Text(check=_parameter_key), "value": Anything(), "where": Anything()},
                                required=("key",),
                            )
                        )
                    },
                    required=("set",),
                ),
                "clear": Object({}),
            },
            default="set",
        )
    ),
    "back": NodeType(_COUNT),
    "backstack": NodeType(
        Object({"operation": Choice(("push", "pop", "clear")), "count": Number()}, required=("operation",))
    ),
    "manual": NodeType(
        Object(
            {
                "messages": Object(
                    {
                        "default": Object({"actions": Object({"cancel": Text()})}),
                        "kakao": Object({"actions": Object({"agentCall": Text()})}),
                        "error": Object({}),
                    }
                )
            }
        ),
        waits=True,
        speaks=True,
    ),
    "sandbox": NodeType(
        Object(
            {**_ASKING, "runtime": Choice(("nodejs",)), "script": Code(limit=SCRIPT_LIMIT)},
            required=("script",),
        ),
        speaks=True,
    ),
    "email": NodeType(
        Object(
            {**_ASKING, "to": Anything(), "replyTo": Anything(), "subject": Text(), "body": Text()}, required=("to",)
        )
    ),
    "gsheet": NodeType(
        Object(
            {
                **_ASKING,
                "type": Choice(("POST",)),
                "post": Anything(),
                "sheetName": Text(),
                "spreadsheetId": Text(),
                "token": Text(),
                "credential": Text(),
            },
            required=("spreadsheetId",),
        )
    ),
    "nlp": NodeType(
        Object(
            {
                **_ASKING,
                "provider": Choice(tuple(NLP_SETTINGS)),
                "credential": Text(),
                "text": Text(),
                "language": Text(),
                "threshold": Number(),
                "sessionId": Text(),
                **{key: Text() for keys in NLP_SETTINGS.values() for key in keys if key not in NLP_STRUCTURES},
                "method": _HTTP_METHOD,
                "headers": Anything(),
                "body": Anything(),
                "mapping": Object(dict.fromkeys(("intent", "entities", "answer", "score"), Text())),
            }
        )
    ),
    "chitchat": NodeType(
        Object(
            {
                **_ASKING,
                "provider": Choice(CHITCHAT_PROVIDERS),
                "credential": Text(),
                "uri": Text(),
                "model": Text(),
                "region": Text(),
                "limitField": Text(),
                "instructions": Text(),
                "text": Text(),
                "maxTokens": Number(),
                "messages": Object({"failure": Anything()}),
            }
        ),
        speaks=True,
    ),
}
