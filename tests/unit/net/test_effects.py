"""Each effect goes to its carrier, which is made when the first of its type comes."""

from typing import Any

import pytest

from shared.engine.effects import Answered, Attempt, EffectFailed, HttpCall, Mail, ScriptRun
from shared.net.effects import EffectRunner
from shared.net.guarded_client import GuardedClient
from shared.net.messages import OutboundResponse

ATTEMPT = Attempt(bot_id="shop", idempotency_key="log-1:7:node:1", timeout_ms=1_000)
MAIL = Mail(to=["a@b.example"], reply_to=[], subject="s", html="h", timeout_ms=1_000)
SCRIPT = ScriptRun(script="", context={}, timeout_ms=1_000, repeatable=True)


class RecordingClient(GuardedClient):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Any] = []

    def send(self, request, **options):
        self.sent.append((request, options))
        return OutboundResponse(status=200, headers=[("content-type", "text/plain")], body=b"ok", url=request.url)


def http_call(**headers):
    return HttpCall(method="POST", url="https://a.example/", headers=headers, timeout_ms=1_000, repeatable=False)


def test_a_carrier_is_made_once_and_late():
    made = []

    def make():
        made.append(1)
        return lambda effect, attempt: Answered(result={"to": effect.to, "bot": attempt.bot_id})

    runner = EffectRunner(GuardedClient(), makers={Mail: make})
    assert made == []
    for _ in range(2):
        assert runner(MAIL, ATTEMPT) == Answered(result={"to": ["a@b.example"], "bot": "shop"})
    assert made == [1]


def test_scripts_go_to_whoever_runs_them():
    runner = EffectRunner(GuardedClient(), run_script=lambda effect, _: Answered(result={"script": effect.script}))
    assert runner(SCRIPT, ATTEMPT) == Answered(result={"script": ""})


@pytest.mark.parametrize(("effect", "what"), [(MAIL, "mail"), (SCRIPT, "scripts")])
def test_what_nobody_carries_out_says_so_and_what_to_do(effect, what):
    answer = EffectRunner(GuardedClient())(effect, ATTEMPT)
    message = f"{what}: this needs a cloud; import the bot and talk to it by its id"
    assert answer == EffectFailed(name="NotSupportedError", message=message)


def headers_sent(call, key=ATTEMPT.idempotency_key):
    client = RecordingClient()
    EffectRunner(client)(call, Attempt(bot_id="shop", idempotency_key=key, timeout_ms=1_000))
    ((request, options),) = client.sent
    assert options == {"timeout_seconds": 1.0, "max_redirects": 3}
    return dict(request.headers)


def test_every_http_call_says_which_one_it_is():
    assert headers_sent(http_call(X="1")) == {"X": "1", "Idempotency-Key": "log-1:7:node:1"}


def test_an_authors_own_key_stands():
    assert headers_sent(http_call(**{"idempotency-key": "mine"})) == {"idempotency-key": "mine"}


def test_without_a_key_nothing_is_said():
    assert headers_sent(http_call(), key="") == {}


def test_a_key_in_other_letters_can_be_sent():
    assert headers_sent(http_call(), key="log:7:노드 1") == {"Idempotency-Key": "log:7:%EB%85%B8%EB%93%9C%201"}
