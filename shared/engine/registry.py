"""Node type -> what executes it: a new type is one file in nodes/ and one row here."""

from typing import Final

from shared.engine.nodes import (
    back,
    backstack,
    chitchat,
    email,
    entry,
    fetch,
    flow,
    gsheet,
    keyboard,
    manual,
    nlp,
    parameter,
    response,
    sandbox,
)
from shared.engine.walk import Completer, Executor

EXECUTORS: Final[dict[str, Executor]] = {
    "back": back.execute,
    "backstack": backstack.execute,
    "chitchat": chitchat.execute,
    "email": email.execute,
    "entry": entry.execute,
    "fetch": fetch.execute,
    "flow": flow.execute,
    "gsheet": gsheet.execute,
    "keyboard": keyboard.execute,
    "manual": manual.execute,
    "nlp": nlp.execute,
    "parameter": parameter.execute,
    "response": response.execute,
    "sandbox": sandbox.execute,
}

COMPLETERS: Final[dict[str, Completer]] = {
    "chitchat": chitchat.complete,
    "email": email.complete,
    "fetch": fetch.complete,
    "gsheet": gsheet.complete,
    "nlp": nlp.complete,
    "sandbox": sandbox.complete,
}
"""Node type -> what takes the answer to its effect."""
