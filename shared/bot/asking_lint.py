"""What is doubtful in the nodes that ask the world: where to, under which credential, with which script."""

from collections.abc import Iterator
from typing import Any, Final

from shared.bot.document import JsonObject
from shared.bot.problem import Problem
from shared.bot.script_modules import AVAILABLE, module_of, required_modules
from shared.bot.shape import is_template
from shared.redaction import looks_like_secret

CREDENTIALS: Final[dict[str, tuple[str, ...]]] = {
    "gsheet": ("credential", "token"),
    "nlp": ("credential",),
    "chitchat": ("credential",),
}
"""Node type -> keys that name a credential."""
WATSON_ASSISTANT: Final = "environmentId|assistantId"
NEEDED: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "nlp": {
        "dialogflow-es": ("projectId", "credential"),
        "dialogflow-cx": ("projectId", "agentId", "credential"),
        "watson": ("url", WATSON_ASSISTANT, "credential"),
        "http": ("uri",),
    },
    "chitchat": {"openai": ("model",), "bedrock": ("model",)},
}
"""Node type -> provider -> settings without which it always fails; of "a|b" one is enough."""
ADDRESS_SHOWN: Final = 100


def asking_problems(node_type: str, node_id: Any, data: JsonObject, path: str) -> Iterator[Problem]:
    """The problems of one node's data."""
    if node_type == "fetch":
        yield from _address_problems(data.get("uri"), f"{path}.uri")
    if node_type == "sandbox" and isinstance(data.get("script"), str):
        yield from _module_problems(node_id, data["script"], f"{path}.script")
    keys = CREDENTIALS.get(node_type, ())
    for key in keys:
        if isinstance(data.get(key), str) and looks_like_secret(data[key]):
            yield Problem(f"{path}.{key}", "secret_in_bot")
    if node_type == "gsheet" and not any(data.get(key) for key in keys):
        yield Problem(f"{path}.token", "not_configured", {"what": "token"})
    if node_type in NEEDED:
        yield from _setting_problems(NEEDED[node_type], data, path)


def _setting_problems(needed: dict[str, tuple[str, ...]], data: JsonObject, path: str) -> Iterator[Problem]:
    provider = data.get("provider")
    if not provider:
        yield Problem(f"{path}.provider", "not_configured", {"what": "provider"})
    for key in needed.get(provider, ()) if isinstance(provider, str) else ():
        names = key.split("|")
        if not any(data.get(name) for name in names):
            yield Problem(f"{path}.{names[-1]}", "not_configured", {"what": names[-1]})


def _address_problems(uri: Any, path: str) -> Iterator[Problem]:
    if not isinstance(uri, str) or not uri.strip():
        return
    beginning = uri.strip().lower()
    if not beginning.startswith(("http://", "https://")) and not is_template(beginning[: len("https://")]):
        yield Problem(path, "not_http", {"value": uri[:ADDRESS_SHOWN]})


def _module_problems(node_id: Any, script: str, path: str) -> Iterator[Problem]:
    required = required_modules(script)
    for name in sorted(required.names):
        if module_of(name) not in AVAILABLE:
            yield Problem(path, "module_missing", {"node": node_id, "module": name})
    if required.dynamic:
        yield Problem(path, "module_unknown", {"node": node_id})
