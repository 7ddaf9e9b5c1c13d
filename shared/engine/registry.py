"""Node type -> what executes it: a new type is one file in nodes/ and one row here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from shared.engine.nodes import (
    back,
    backstack,
    entry,
    fetch,
    flow,
    keyboard,
    manual,
    not_run_yet,
    parameter,
    response,
)
from shared.engine.outcome import NodeFailed, Outcome

if TYPE_CHECKING:
    from shared.bot.model import Node
    from shared.engine.walk import Walk

Executor = Callable[["Walk", "Node", dict[str, Any]], Outcome]

EXECUTORS: Final[dict[str, Executor]] = {
    "back": back.execute,
    "backstack": backstack.execute,
    "chitchat": not_run_yet.execute,
    "email": not_run_yet.execute,
    "entry": entry.execute,
    "fetch": fetch.execute,
    "flow": flow.execute,
    "gsheet": not_run_yet.execute,
    "keyboard": keyboard.execute,
    "manual": manual.execute,
    "nlp": not_run_yet.execute,
    "parameter": parameter.execute,
    "response": response.execute,
    "sandbox": not_run_yet.execute,
}


def executor_of(node_type: str) -> Executor:
    executor = EXECUTORS.get(node_type)
    if executor is None:
        raise NodeFailed("UnknownNodeType", f"unknown node type '{node_type}'")
    return executor
