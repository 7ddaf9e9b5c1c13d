"""A turn's body as bytes: JSON, deflated with a dictionary of the words that every turn repeats.

The dictionary makes complete events cheap to store: their keys and shapes cost almost nothing. It belongs to the stored
format: a changed dictionary is a new version number, and old ones stay readable.
"""

import json
import zlib
from typing import Any, Final

from shared.errors import Unavailable

JsonObject = dict[str, Any]

VERSION: Final = 1
MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""Inflated. What we wrote ourselves is smaller; anything else is not ours."""

DICTIONARY_1: Final = (
    b'"contentType":"image","uri":"https://","altText":"latitude":"longitude":"location":{"title":"'
    b'"results":{"fetch":{"status":"COMPLETED","statusCode":200,"uri":"","data":{"error":{"name":"","message":"'
    b'"keyboard":{"type":"buttons","buttons":[{"type":"postback","label":"","payload":"{\\"'
    b'"backStack":[[1,1],[1,2]],"call":{"status":"waiting"},"position":[1,2],"waiting":"keyboard","createdAt":17'
    b'"updatedAt":17"params":{"kakao:plusfriendUserKey":"","kakao:appUserId":"'
    b'{"state":{"session":{"conversationId":"","firstContactAt":17"sequence":"recent":[["platform":"kakao","userKey":"'
    b'"botVersion":"","inbound":{"id":"","data":{"type":"text","text":"","payload":"messages":[{"id":"","data":{"type":'
    b'"cards","cards":[{"title":"","description":"","media":{"contentType":"image","uri":"https://'
    b'"buttons":[{"type":"link","label":"","uri":"https://"type":"goto","flowId":1,"nodeId":1}],"position":[1,2]'
    b'"meta":null,"events":[{"id":"","event":"bot.end_user.created","sourceType":"bot","sourceId":"","timestamp":17'
    b'"data":{"endUser":{"id":"","botId":"","platform":"kakao","userKey":"","params":{},"lastMessageId":"'
    b'"lastConversationId":"","createdAt":"202","updatedAt":"202","deletedAt":null}},"sequence":1},'
    b'"event":"bot.conversation.created","data":{"conversation":{"id":"","botId":"","endUserId":"","platform":"kakao",'
    b'"userKey":"","params":{},"context":{"navigation":{"current":{"flowId":1,"nodeId":1,"visitCount":1},"prev":null},'
    b'"conversationId":"","botId":"","params":{"platform":"kakao","userKey":""},"navigation":{},"createdAt":"'
    b'"event":"bot.message.received","sourceType":"bot","sourceId":"","timestamp":17"data":{"message":{"id":"'
    b'","endUserId":"","conversationId":"","isUser":true,"meta":null,"data":{"type":"text","text":"'
    b'"},"timestamp":17,"requestId":""}},"sequence":},{"id":"","event":"bot.message.sent","sourceType":"bot",'
    b'"sourceId":"","timestamp":17,"data":{"message":{"id":"","endUserId":"","conversationId":"","isUser":false,'
    b'"meta":null,"data":{"type":"text","text":""},"timestamp":17}},"sequence":},{"id":"",'
    b'"event":"bot.conversation.updated","sourceType":"bot","sourceId":"","timestamp":17,"data":{"conversation":{"id":"'
)


def encode(body: JsonObject) -> bytes:
    """The body as stored."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    packer = zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS, zdict=DICTIONARY_1)
    return packer.compress(text.encode()) + packer.flush()


def decode(packed: bytes, version: int) -> JsonObject:
    """A stored body again."""
    if version != VERSION:
        raise Unavailable(f"a turn of format {version} cannot be read by this version", version=version)
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=DICTIONARY_1)
    body: JsonObject = json.loads(unpacker.decompress(packed, MAX_BODY_BYTES))
    return body
