"""What the nodes that ask the world share: how long they may wait, under whose credential, what was answered."""

import re
from typing import Any, Final

from shared.bot.model import Node
from shared.engine.effects import Answered, EffectAnswer, EffectFailed, JsonObject
from shared.engine.message import is_blank, read_message
from shared.engine.walk import Walk
from shared.errors import InvalidInput
from shared.json_input import clean_text, plain_json
from shared.redaction import looks_like_secret
from shared.values import UNDEFINED, to_number, to_text

DEFAULT_TIMEOUT_MS: Final = 10_000
MAX_TIMEOUT_MS: Final = 30_000
"""Longer is for nobody who waits in a chat."""
MAX_BODY_BYTES: Final = 128 * 1024
"""Of a request or a mail: it waits in a turn and in a queue's message (SQS: 256 KB) with the state beside it."""
MAX_NOTES: Final = 50
MAX_NOTE: Final = 1_000
"""Lines, and characters of each, that an effect may add to the trace."""
CREDENTIAL_NAME: Final = re.compile(r"[\w.@:+-]{1,128}")


def timeout_ms(data: JsonObject, default: int = DEFAULT_TIMEOUT_MS, most: int = MAX_TIMEOUT_MS) -> int:
    """Milliseconds that the node allows; the caller gives the effect less where a deadline is near."""
    given = to_number(data.get("timeout", ""))
    return int(min(given, most)) if given >= 1 else default


def is_slow(data: JsonObject) -> bool:
    """The author's mark: the bot answers with its waiting text first."""
    return data.get("slow") is True


def credential_name(data: JsonObject, key: str = "credential") -> str:
    """The name of a credential, "" where none is given. Raises InvalidInput for what cannot be one: a secret itself
    must not get into a turn."""
    name = to_text(data.get(key)).strip()
    if name and (looks_like_secret(name) or not CREDENTIAL_NAME.fullmatch(name)):
        raise InvalidInput(f"'{key}' must be the name of a credential, not the secret itself")
    return name


def headers_of(given: Any) -> dict[str, str]:
    """Headers of an HTTP request as an object, or as rows {key, value}."""
    pairs = given.items() if isinstance(given, dict) else rows_of(given)
    return {name.strip(): to_text(value) for name, value in pairs if name.strip()}


def rows_of(given: Any) -> list[tuple[str, Any]]:
    """Rows {key, value} as pairs; whatever else stands in the list is none."""
    rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    return [(to_text(row.get("key")), row.get("value")) for row in rows if row.get("key")]


def said(walk: Walk, data: JsonObject) -> str:
    """What the node is to look at: its own `text`, or the end user's last message."""
    text = data.get("text")
    if text is None:
        text = (walk.session.message or {}).get("text")
    return clean_text(to_text(text)).strip()


def result_of(walk: Walk, node: Node, answer: EffectAnswer) -> JsonObject | None:
    """The result of an effect that was carried out; None after its failure was noted."""
    value = value_of(walk, node, answer)
    if value is UNDEFINED:
        return None
    return value if isinstance(value, dict) else {}


def value_of(walk: Walk, node: Node, answer: EffectAnswer) -> Any:
    """As `result_of`, of whatever type (a script may give anything back); UNDEFINED after a failure."""
    if isinstance(answer, Answered | EffectFailed):
        walk.entry.notes.extend(clean_text(to_text(note))[:MAX_NOTE] for note in answer.notes[:MAX_NOTES])
    if isinstance(answer, Answered):
        try:
            return plain_json(answer.result)
        except InvalidInput as exc:
            walk.set_failure(node.type, "TooLargeError", f"the result cannot be kept: {exc}")
    else:
        take_failure(walk, node, answer)
    return UNDEFINED


def take_failure(walk: Walk, node: Node, answer: EffectAnswer, **more: Any) -> None:
    """The effect was not carried out, or answered in a way that is not its kind's."""
    if isinstance(answer, EffectFailed):
        walk.set_failure(node.type, clean_text(to_text(answer.name)), clean_text(to_text(answer.message)), **more)
    else:
        walk.set_failure(node.type, "UnexpectedAnswerError", "the answer is not of the kind that was asked for", **more)


def say_given(walk: Walk, given: Any) -> bool:
    """Send a message that is given as a text or as a message's data; whether there was one that can be sent."""
    message = read_message({"text": given} if isinstance(given, str) else given, walk.entry.notes)
    if message is None or is_blank(message):
        return False
    walk.say(message)
    return True
