"""Bot files: a bot as authors keep it (in git, in exports), losslessly.

A file is a bot {title, description?, flows, preference, audience?} or a single flow {id, title, nodes}. What a
version holds (flows, welcome behaviour, system messages) is its *content*; title, description and audience are its
*profile*, which restoring a version never changes (docs/bot-files.md).
"""

import gc
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import InvalidBot, InvalidInput
from shared.json_input import parse_json

JsonObject = dict[str, Any]

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
PROFILE_KEYS: Final = ("title", "description", "audience")

DEFAULT_SYSTEM_MESSAGES: Final = {
    "empty": "(메시지 없음)",
    "error": "요청을 처리하는 중에 오류가 발생했습니다. 잠시 후 다시 시도해 주세요.",
    "additionalChoice": "(추가 선택지)",
    "unsupportedMedia": "(지원하지 않는 미디어)",
    "waiting": "답변을 준비하고 있습니다. 잠시만 기다려 주세요.",
}
DEFAULT_SESSION_BEHAVIOR: Final = {
    "restoreNavigation": True,
    "welcomeOnSessionStart": True,
    "welcomeOnMessageWithoutSession": True,
    "sessionTimeoutMinutes": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BotFile:
    """A bot file taken apart. `is_flow`: the file was a single flow, wrapped as a bot with default preference."""

    profile: JsonObject
    content: JsonObject
    is_flow: bool = False


def read_bot_file(raw: bytes) -> BotFile:
    """Parse a bot or flow file. Raises InvalidBot only when it is neither; everything else is lint's to tell."""
    try:
        document = parse_json(raw, max_bytes=MAX_FILE_BYTES)
    except InvalidInput as exc:
        raise InvalidBot(f"this is not a bot file: {exc}", **exc.details) from exc
    return split_document(document)


def split_document(document: Any) -> BotFile:
    if not isinstance(document, dict):
        raise InvalidBot("this is not a bot file: the outermost value must be an object with 'flows' or 'nodes'")
    if isinstance(document.get("nodes"), list) and "flows" not in document:
        return BotFile(profile={"title": document.get("title")}, content=wrap_flow(document), is_flow=True)
    if "flows" not in document:
        raise InvalidBot("this is not a bot file: a bot has 'flows', a flow has 'nodes', and this has neither")
    return BotFile(
        profile={key: document[key] for key in PROFILE_KEYS if key in document},
        content={key: value for key, value in document.items() if key not in PROFILE_KEYS},
    )


def wrap_flow(flow: JsonObject) -> JsonObject:
    """A bot around one flow: it is entry and, having no other, fallback (docs/bot-files.md)."""
    return {
        "flows": [flow],
        "preference": {
            "entryFlowId": flow.get("id"),
            "systemMessage": {key: DEFAULT_SYSTEM_MESSAGES[key] for key in list(DEFAULT_SYSTEM_MESSAGES)[:4]},
            "sessionBehavior": {
                key: value for key, value in DEFAULT_SESSION_BEHAVIOR.items() if isinstance(value, bool)
            },
        },
    }


def join_document(profile: JsonObject, content: JsonObject) -> JsonObject:
    """The file again: equal to the imported one up to key order."""
    return {**{key: profile[key] for key in PROFILE_KEYS if key in profile}, **content}


def content_bytes(content: JsonObject) -> bytes:
    """Canonical bytes of a content: equal contents have equal bytes, whatever the key order was."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def read_content(raw: bytes) -> Any:
    """The content of canonical bytes that we wrote ourselves. Raises ValueError for what is no JSON.

    A large bot is hundreds of thousands of objects, none of them garbage: looking for some while they are made would
    take a quarter of the time.
    """
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        return json.loads(raw)
    finally:
        if was_collecting:
            gc.enable()


def content_hash(content: JsonObject) -> str:
    """Name of an immutable version."""
    return hashlib.sha256(content_bytes(content)).hexdigest()
