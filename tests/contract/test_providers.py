"""What a node tells a provider is what the provider reads: the engine and the providers do not know each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.bot.node_types import CHITCHAT_PROVIDERS, NLP_SETTINGS
from shared.engine.nodes.chitchat import SETTINGS
from shared.providers.by_name import _plain
from shared.providers.carriers import Carriers

PROVIDERS = Path(__file__).parents[2] / "shared" / "providers"
FILES = {
    "dialogflow-es": "dialogflow_es.py",
    "dialogflow-cx": "dialogflow_cx.py",
    "watson": "watson.py",
    "http": "http_nlp.py",
    "openai": "openai_chat.py",
    "bedrock": "bedrock_chat.py",
}


def settings_read_in(path: Path) -> Iterator[str]:
    """Keys that a provider asks its settings for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = ast.unparse(node.func.value)
            if of.endswith("settings") and node.args and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


@pytest.mark.parametrize("provider", NLP_SETTINGS)
def test_an_intent_provider_reads_exactly_the_keys_that_its_nodes_have(provider: str) -> None:
    assert set(settings_read_in(PROVIDERS / FILES[provider])) == set(NLP_SETTINGS[provider])


def test_the_models_read_exactly_the_keys_that_chitchat_nodes_have() -> None:
    read = {key for provider in CHITCHAT_PROVIDERS for key in settings_read_in(PROVIDERS / FILES[provider])}
    assert read == set(SETTINGS)


def test_every_provider_that_a_node_may_name_is_there() -> None:
    carriers = Carriers(client=None, now_ms=lambda: 0, clock_ns=lambda: 0, secrets_prefix="", mail_from="")  # type: ignore[arg-type]
    intents, small_talk = carriers.intents(), carriers.small_talk()
    assert {_plain(name) for name in NLP_SETTINGS} <= set(intents._providers.makers)  # type: ignore[attr-defined]
    assert set(CHITCHAT_PROVIDERS) <= set(small_talk._providers.makers)  # type: ignore[attr-defined]
