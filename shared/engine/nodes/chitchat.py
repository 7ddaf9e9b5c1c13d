"""chitchat: a language model's friendly answer to what the end user said, sent as a message."""

from typing import Any, Final

from shared.bot.model import Node
from shared.bot.node_types import CHITCHAT_PROVIDERS
from shared.engine.asking import credential_name, is_slow, result_of, said, say_given, timeout_ms
from shared.engine.effects import EffectAnswer, SmallTalk
from shared.engine.outcome import ADVANCE, Outcome, Suspend
from shared.engine.walk import Walk
from shared.errors import InvalidInput
from shared.json_input import plain_json
from shared.values import to_number, to_text

SETTINGS: Final = ("uri", "model", "region", "limitField")
DEFAULT_MAX_TOKENS: Final = 200
MOST_TOKENS: Final = 1_000
MAX_TEXT: Final = 2_000
MAX_INSTRUCTIONS: Final = 8_000
"""Characters that a model is given; more costs money and time, and is cut."""
MAX_ANSWER: Final = 1_000
"""Characters of the message (Kakao: SimpleText.text)."""
ELLIPSIS: Final = "..."
DEFAULT_FAILURE: Final = "지금은 답을 드리기 어려워요. 잠시 후 다시 말씀해 주세요."


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    del node
    given = plain_json(data)
    provider, model = to_text(given.get("provider")).strip(), to_text(given.get("model")).strip()
    if provider not in CHITCHAT_PROVIDERS or not model:
        message = "no model is set" if provider in CHITCHAT_PROVIDERS else f"there is no provider '{provider[:40]}'"
        walk.set_failure("chitchat", "NotConfiguredError", message if provider else "no provider is set")
        return _refuse(walk, given)
    try:
        credential = credential_name(given)
    except InvalidInput as exc:
        walk.set_failure("chitchat", "NotConfiguredError", str(exc))
        return _refuse(walk, given)
    text = said(walk, given)
    if not text:
        walk.set_failure("chitchat", "NoTextError", "the end user said no text")
        return _refuse(walk, given)
    tokens = to_number(given.get("maxTokens", ""))
    walk.set_result("chitchat", {"status": "PENDING"})
    return Suspend(
        SmallTalk(
            provider=provider,
            settings={key: to_text(given[key]) for key in SETTINGS if given.get(key) is not None},
            instructions=to_text(given.get("instructions"))[:MAX_INSTRUCTIONS],
            text=text[:MAX_TEXT],
            max_tokens=int(min(tokens, MOST_TOKENS)) if tokens >= 1 else DEFAULT_MAX_TOKENS,
            credential=credential,
            timeout_ms=timeout_ms(given),
            slow=is_slow(given),
        )
    )


def complete(walk: Walk, node: Node, answer: EffectAnswer) -> None:
    """chitchat {status, answer, usage, error}; the answer is sent, or the author's sentence for a failure."""
    result = result_of(walk, node, answer)
    text = "" if result is None else to_text(result.get("answer")).strip()
    if result is None or not text:
        if result is not None:
            walk.set_failure("chitchat", "EmptyAnswerError", "the model answered nothing")
        _say_failure(walk, node.data.render(walk.context, walk.environment))
        return
    if len(text) > MAX_ANSWER:
        text = text[: MAX_ANSWER - len(ELLIPSIS)] + ELLIPSIS
    usage = {"usage": result["usage"]} if "usage" in result else {}
    walk.set_result("chitchat", {"status": "COMPLETED", "answer": text, **usage})
    walk.say({"type": "text", "text": text})


def _refuse(walk: Walk, data: dict[str, Any]) -> Outcome:
    _say_failure(walk, data)
    return ADVANCE


def _say_failure(walk: Walk, data: dict[str, Any]) -> None:
    messages = data.get("messages")
    if not say_given(walk, messages.get("failure") if isinstance(messages, dict) else None):
        say_given(walk, DEFAULT_FAILURE)
