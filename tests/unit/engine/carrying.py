"""A node that asks the world, walked to what it asks and on with the answer; the state is stored in between."""

import json
from typing import Any

from shared.bot.model import Bot
from shared.engine import EffectAnswer, Session, StepResult, resume, step
from shared.engine.effects import Effect
from shared.engine.inbound import Inbound
from shared.engine.session import JsonObject
from tests.factories import a_bot, a_node, a_response, surroundings
from tests.unit.engine.test_step import say, texts


def a_bot_with(node_type: str, data: JsonObject, says: str = "") -> Bot:
    """entry -> the node -> a response; what a failure leads to says its name first."""
    failed = {f"{node_type}.status": {"equals": "FAILED"}}
    return a_bot(
        nodes=[
            a_node(1, "entry", {}, 2),
            a_node(2, node_type, data, (3, failed), 4),
            a_response(3, "FAILED {{" + node_type + ".error.name}}|" + says),
            a_response(4, "COMPLETED " + says),
        ]
    )


def ask(node_type: str, data: JsonObject, inbound: Inbound | None = None, **around: Any) -> StepResult:
    return step(a_bot_with(node_type, data), None, inbound or say("안녕"), surroundings(**around))


def asked(node_type: str, data: JsonObject, inbound: Inbound | None = None, **around: Any) -> Effect:
    """What the node asks for."""
    effect = ask(node_type, data, inbound, **around).effect
    assert effect is not None
    return effect


def carried(
    node_type: str,
    data: JsonObject,
    answer: EffectAnswer,
    says: str = "",
    inbound: Inbound | None = None,
    **around: Any,
) -> StepResult:
    """The step that takes the answer."""
    bot = a_bot_with(node_type, data, says)
    before = step(bot, None, inbound or say("안녕"), surroundings(**around))
    assert before.effect is not None, texts(before)
    assert before.session is not None
    stored = Session.from_json(json.loads(json.dumps(before.session.to_json(), allow_nan=False)))
    return resume(bot, stored, answer, surroundings())


def kept(result: StepResult, node_type: str) -> JsonObject:
    """The node's result as later nodes see it."""
    assert result.session is not None
    found: JsonObject = result.session.results[node_type]
    return found
