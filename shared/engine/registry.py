"""Node type -> what executes it: a new type is one file in nodes/ and one row here."""

from typing import Final

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
from shared.engine.walk import Completer, Executor

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

COMPLETERS: Final[dict[str, Completer]] = {
    "fetch": fetch.complete,
}
"""Node type -> what takes the answer to its effect."""
