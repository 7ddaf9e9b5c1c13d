"""A turn's body as bytes: JSON, deflated with a dictionary of what every turn repeats and what is known of this one.

The dictionary makes complete events cheap to store: their keys and shapes cost almost nothing. It belongs to the stored
format: a changed dictionary is a new version number, and old ones stay readable.

`hints` are the texts that follow from what stands beside the body (bot, commit and time): an id of 36 random characters
that can be computed again costs three bytes instead of twenty.
"""

import json
import re
import zlib
from typing import Any, Final

from shared.conversation.turn import TurnTooLarge
from shared.errors import Unavailable
from shared.ids import event_id, message_id
from shared.webhooks.events import iso

JsonObject = dict[str, Any]

VERSION: Final = 1
MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""Inflated. More is not written; what claims to be more is not ours."""
HINTED_EVENTS: Final = 6
HINTED_MESSAGES: Final = 4
"""Ids that a turn usually has; more are stored in full. Both belong to the format, like the dictionary."""

_RARE_1: Final = (
    '"results":{"fetch":{"status":"COMPLETED","statusCode":200,"uri":"https://","data":{"error":{"name":"","message":"'
    '"location":{"title":"","latitude":37.,"longitude":127.'
    '"call":{"status":"waiting","requestedAt":17"call":{"status":"in_progress","connectedAt":17"cancel":"'
    '"masks":[{"path":["text"],"start":0,"end":,"until":null}]"offer":{"revision":1,"index":'
    '{"type":"media","media":{"contentType":"image","uri":"https://","altText":"'
    '"event":"bot.end_user.created","event":"bot.conversation.created","event":"bot.conversation.deleted",'
    '"event":"bot.conversation.agent_call_requested","manualStatus":"REQUESTED",'
    '"params":{"kakao:plusfriendUserKey":"","kakao:appUserId":""'
)
_STATE_1: Final = (
    '{"state":{"session":{"conversationId":"","createdAt":17,"updatedAt":,"waiting":"nowhere","waiting":"keyboard",'
    '"position":[1,2],"params":{"kakao:plusfriendUserKey":"'
    '"},"results":{"entry":{"status":"COMPLETED"},"parameter":{"status":"COMPLETED"},"response":{"status":"COMPLETED"},'
    '"flow":{"status":"COMPLETED"},"keyboard":{"status":"COMPLETED"},"response":{"status":"COMPLETED"},'
    '"keyboard":{"status":"PENDING"}},"message":{"type":"text","text":"'
    '"},"keyboard":{"type":"any"},"keyboard":{"type":"buttons","buttons":[{"type":"postback","label":"","payload":"{\\"'
    '"},{"type":"postback","label":""}]},"backStack":"1/1 1/2 1/3","navigation":{"current":{"flowId":1,"nodeId":2,'
    '"visitCount":1},"prev":{"flowId":1,"nodeId":2,"visitCount":1}}},"firstContactAt":17,"sequence":1,"recent":""},'
)
_MESSAGES_1: Final = (
    '"platform":"kakao","platform":"web","userKey":"","botVersion":"'
    '","inbound":{"id":"","data":{"type":"text","text":""}},"messages":[{"id":"'
    '","data":{"type":"cards","cards":[{"title":"","description":"","media":{"contentType":"image","uri":"https://.jpg"},'
    '"buttons":[{"type":"link","label":"","uri":"https://www.'
    '"},{"type":"goto","label":"","flowId":1,"nodeId":1}]}]},"meta":null,"position":[1,2]},{"id":"",'
    '"data":{"type":"text","text":""},"meta":null,"position":[1,2]}],'
)
_EVENTS_1: Final = (
    '"events":[{"id":"","event":"bot.message.received","sourceType":"bot","sourceId":"","timestamp":,'
    '"data":{"message":{"id":"","endUserId":"","conversationId":"","isUser":true,"meta":null,'
    '"data":{"type":"text","text":""},"timestamp":,"requestId":""}},"sequence":1},{"id":"'
    '","event":"bot.message.sent","sourceType":"bot","sourceId":"","timestamp":,'
    '"data":{"message":{"id":"","endUserId":"","conversationId":"","isUser":false,"meta":null,"data":{"type":"'
    '"},"timestamp":}},"sequence":1},{"id":"'
    '","event":"bot.conversation.updated","sourceType":"bot","sourceId":"","timestamp":,'
    '"data":{"conversation":{"id":"","botId":"","endUserId":"","platform":"kakao","userKey":"","params":{},'
    '"context":{"navigation":{"current":{"flowId":1,"nodeId":2,"visitCount":1},"prev":null},"conversationId":"",'
    '"botId":"","params":{},"platform":"kakao","userKey":""},"navigation":{"current":{"flowId":1},"prev":null},'
    '"createdAt":"2026-1-T:.Z","updatedAt":"2026-1-TZ"}},"sequence":1},{"id":"'
    '","event":"bot.end_user.updated","sourceType":"bot","sourceId":"","timestamp":,'
    '"data":{"endUser":{"id":"","botId":"","platform":"kakao","userKey":"","params":{"},"lastMessageId":"",'
    '"lastConversationId":"","createdAt":"2026-1-T:.Z","updatedAt":"2026-1-TZ","deletedAt":null}},"sequence":1}]}'
)
DICTIONARY_1: Final = (_RARE_1 + _STATE_1 + _MESSAGES_1 + _EVENTS_1).encode()
"""The skeleton of a turn in the order in which it is written: one match of deflate then spans many keys."""

_write: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def hints(bot_id: str, commit: str, at_ms: int) -> bytes:
    """What a turn's body surely repeats, from what is stored beside it."""
    ids = [event_id(commit, index) for index in range(HINTED_EVENTS)]
    ids += [message_id(commit, index) for index in range(HINTED_MESSAGES)]
    quoted = '" "'.join(ids)
    return f'{bot_id}"{iso(at_ms)}",{at_ms},"{quoted}"'.encode()


def encode(body: JsonObject, known: bytes = b"") -> bytes:
    """The body as stored; `known` are its hints, and it cannot be read without them.

    Raises TurnTooLarge for what `decode` would not read back: one such turn would be the end of its log.
    """
    raw = _write(body).encode()
    if len(raw) > MAX_BODY_BYTES:
        raise TurnTooLarge(f"a turn of {len(raw)} bytes cannot be read back from the log", limit=MAX_BODY_BYTES)
    packer = zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS, zdict=known + DICTIONARY_1)
    return packer.compress(raw) + packer.flush()


def decode(packed: bytes, version: int, known: bytes = b"") -> JsonObject:
    """A stored body again."""
    body: JsonObject = json.loads(_inflated(packed, version, known))
    return body


def decode_of_platform(packed: bytes, version: int, known: bytes, platform: str) -> JsonObject | None:
    """A stored body again, if it is of this platform: parsed only where it says so somewhere outside a text."""
    raw = _inflated(packed, version, known)
    if f'"platform":"{platform}","userKey":'.encode() not in raw:
        return None
    body: JsonObject = json.loads(raw)
    return body if body["platform"] == platform else None


def decode_events(packed: bytes, version: int, known: bytes, commit: str) -> list[bytes]:
    """The events of a stored body as they were written, each a JSON object: for the relay, which only passes them on.

    Usually nothing is parsed: an event begins with its id, which follows from the commit, and no text can hold such a
    beginning, since quotes inside texts are escaped and the commit was not known when the texts were written. Raises
    ValueError for events of another shape.
    """
    body = _inflated(packed, version, known)
    events = _cut(body, commit)
    return [_checked(event) for event in json.loads(body)["events"]] if events is None else events


def _checked(event: Any) -> bytes:
    """An event as bytes, if it has what everybody after the relay relies on. Raises ValueError."""
    kinds = {"id": str, "event": str, "timestamp": int, "sequence": int, "data": dict}
    if not isinstance(event, dict) or not all(isinstance(event.get(name), kind) for name, kind in kinds.items()):
        raise ValueError("an event of another shape")
    return _write(event).encode()


def _cut(body: bytes, commit: str) -> list[bytes] | None:
    """The events between their beginnings; None when the body does not look as expected."""
    end = _AFTER_EVENTS.search(body, max(0, len(body) - LONGEST_END))
    start = body.find(b'"events":[' + _beginning(commit, 0))
    if end is None or start < 0:
        return None
    starts = [start + len(b'"events":[')]
    while (following := body.find(b"," + _beginning(commit, len(starts)), starts[-1])) > 0:
        starts.append(following + 1)
    ends = [*[following - 1 for following in starts[1:]], end.start("after")]
    return [body[first:last] for first, last in zip(starts, ends, strict=True)]


def _beginning(commit: str, index: int) -> bytes:
    return b'{"id":"' + event_id(commit, index).encode() + b'","event":"'


LONGEST_END: Final = 256
_AFTER_EVENTS: Final = re.compile(rb'"sequence":\d+\}(?P<after>\](?:,"gives":\[[\d,]+\])?\})$')
"""How a body ends: the last event, and perhaps the turns whose replies go out with this one."""


def _inflated(packed: bytes, version: int, known: bytes) -> bytes:
    if version != VERSION:
        raise Unavailable(f"a turn of format {version} cannot be read by this version", version=version)
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=known + DICTIONARY_1)
    return unpacker.decompress(packed, MAX_BODY_BYTES)
