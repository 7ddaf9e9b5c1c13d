"""nlp: asks a provider what the end user meant. One result whatever the provider."""

import math
from typing import Any, Final

from shared.bot.model import Node
from shared.bot.node_types import NLP_SETTINGS, NLP_STRUCTURES
from shared.engine.asking import credential_name, headers_of, is_slow, result_of, said, timeout_ms
from shared.engine.effects import EffectAnswer, IntentQuery, JsonObject
from shared.engine.outcome import ADVANCE, Outcome, Suspend
from shared.engine.walk import Walk
from shared.errors import InvalidInput
from shared.json_input import plain_json
from shared.values import to_number, to_text

DEFAULT_LANGUAGE: Final = "ko"
MAX_TEXT: Final = {"dialogflow-es": 256, "dialogflow-cx": 256, "watson": 2_048, "http": 2_048}
"""Characters of a text that a provider takes (Dialogflow: TextInput; Watson Assistant: MessageInput); more is cut."""
NOTHING: Final[JsonObject] = {"status": "COMPLETED", "intent": None, "entities": [], "answer": None, "score": None}
"""Nothing was recognised."""


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    del node
    given = plain_json(data)
    provider = to_text(given.get("provider")).strip()
    if provider not in NLP_SETTINGS:
        message = f"there is no provider '{provider[:40]}'" if provider else "no provider is set"
        walk.set_failure("nlp", "NotConfiguredError", message)
        return ADVANCE
    try:
        credential = credential_name(given)
    except InvalidInput as exc:
        walk.set_failure("nlp", "NotConfiguredError", str(exc))
        return ADVANCE
    text = said(walk, given)
    if not text:
        walk.set_result("nlp", NOTHING)
        return ADVANCE
    walk.set_result("nlp", {"status": "PENDING"})
    return Suspend(
        IntentQuery(
            provider=provider,
            settings={key: _setting(key, given[key]) for key in NLP_SETTINGS[provider] if given.get(key) is not None},
            text=text[: MAX_TEXT[provider]],
            session_id=to_text(given.get("sessionId")) or walk.session.conversation_id,
            language=to_text(given.get("language")).strip() or DEFAULT_LANGUAGE,
            credential=credential,
            timeout_ms=timeout_ms(given),
            slow=is_slow(given),
        )
    )


def complete(walk: Walk, node: Node, answer: EffectAnswer) -> None:
    """nlp {status, intent, entities [{entity, value, score}], answer, score, error}"""
    result = result_of(walk, node, answer)
    if result is None:
        return
    score = _number(result.get("score"))
    threshold = _number(node.data.render(walk.context, walk.environment).get("threshold"))
    if score is not None and threshold is not None and score < threshold:
        walk.entry.notes.append(f"the score {score} is below the threshold {threshold}: nothing was recognised")
        result = {}
    walk.set_result(
        "nlp",
        {
            "status": "COMPLETED",
            "intent": to_text(result.get("intent")) or None,
            "entities": _entities(result.get("entities")),
            "answer": to_text(result.get("answer")) or None,
            "score": score,
        },
    )


def _setting(key: str, value: Any) -> Any:
    if key == "headers":
        return headers_of(value)
    return value if key in NLP_STRUCTURES else to_text(value)


def _entities(given: Any) -> list[JsonObject]:
    return [
        {"entity": to_text(found.get("entity")), "value": found.get("value"), "score": _number(found.get("score"))}
        for found in (given if isinstance(given, list) else ())
        if isinstance(found, dict)
    ]


def _number(given: Any) -> float | None:
    number = to_number(given) if given not in (None, "") else math.nan
    return number if math.isfinite(number) else None
