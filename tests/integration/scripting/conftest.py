"""One script host for all tests: what a run leaves behind would fail the next one."""

from collections.abc import Callable, Iterator

import pytest

from shared.engine.effects import Answered, EffectFailed
from shared.net.guarded_client import GuardedClient
from shared.scripting.call import ScriptCall
from shared.scripting.host import ScriptHost

Outcome = Answered | EffectFailed
Run = Callable[..., Outcome]

PLENTY_MS = 5_000
"""For scripts that are expected to end by themselves, on a busy machine too."""


def script_call(script: str, context: dict | None = None, timeout_ms: int = PLENTY_MS) -> ScriptCall:
    return ScriptCall(script=script, context=context or {}, timeout_ms=timeout_ms, idempotency_key="shop:kim:1:2:1")


@pytest.fixture(scope="session")
def host() -> Iterator[ScriptHost]:
    made = ScriptHost(GuardedClient())
    yield made
    made.close()


@pytest.fixture
def run(host: ScriptHost) -> Run:
    return lambda script, context=None, **options: host(script_call(script, context, **options))


@pytest.fixture
def result(run: Run) -> Callable[..., dict]:
    """The result of a script that must not fail."""

    def get(script: str, context: dict | None = None) -> dict:
        outcome = run(script, context)
        assert isinstance(outcome, Answered), outcome
        return outcome.result

    return get


@pytest.fixture
def failure(run: Run) -> Callable[..., EffectFailed]:
    """How a script fails that must."""

    def get(script: str, context: dict | None = None, **options) -> EffectFailed:
        outcome = run(script, context, **options)
        assert isinstance(outcome, EffectFailed), outcome
        return outcome

    return get
