"""The script function: its event and answer, and how callers see its failures."""

import io
import json
from threading import Event

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from functions.script.app import handler
from infra.local.cloud import LocalCloud
from infra.local.endpoints import Endpoints
from shared.engine.effects import Answered, Attempt, EffectFailed, ScriptRun
from shared.runtime import wiring
from shared.scripting.client import ScriptFunction
from tests.integration.conftest import forget_wiring

EVENT = {
    "script": "module.exports = async ({params}) => ({params: {sum: params.a + 1}})",
    "context": {"params": {"a": 1}},
    "timeoutMs": 5000,
    "idempotencyKey": "k",
}
EFFECT = ScriptRun(script="module.exports = 1", context={"params": {}}, timeout_ms=5000, repeatable=True)
ATTEMPT = Attempt(bot_id="shop", idempotency_key="k", timeout_ms=4000)


@pytest.fixture(scope="module")
def invoke():
    yield lambda event: handler(event, None)
    wiring.script_host().close()
    wiring.script_host.cache_clear()


def test_the_function_answers_with_the_result_and_the_notes(invoke):
    assert invoke(EVENT) == {"result": {"params": {"sum": 2}}, "notes": []}


def test_a_failure_of_the_script_is_an_answer(invoke):
    answer = invoke({**EVENT, "script": "module.exports = () => { throw new TypeError('bad') }"})
    assert answer == {"error": {"name": "TypeError", "message": "bad"}, "notes": ["TypeError at line 1 of the script"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"script": None}, "script: a text is expected"),
        ({"script": "가" * 16_667}, "script: longer than 50000 bytes"),
        ({"context": []}, "context: an object is expected"),
        ({"timeoutMs": 0}, "timeoutMs: a whole number from 1 to 5000 is expected"),
        ({"timeoutMs": 5001}, "timeoutMs: a whole number from 1 to 5000 is expected"),
        ({"timeoutMs": True}, "timeoutMs: a whole number from 1 to 5000 is expected"),
        ({"idempotencyKey": "a\nb"}, "idempotencyKey: at most 300 printable ASCII characters are expected"),
    ],
)
def test_an_event_that_is_wrong_is_refused_with_its_place(invoke, change, message):
    assert invoke({**EVENT, **change}) == {"error": {"name": "InvalidRequestError", "message": message}, "notes": []}


def test_an_event_that_is_no_object_is_refused(invoke):
    assert invoke([])["error"] == {"name": "InvalidRequestError", "message": "event: an object is expected"}


class Lambda:
    """A Lambda client that answers once, or raises."""

    def __init__(self, payload=None, **more):
        self.payload, self.more, self.requests = payload, more, []

    def invoke(self, **request):
        self.requests.append(request)
        if isinstance(self.payload, Exception):
            raise self.payload
        raw = self.payload if isinstance(self.payload, bytes) else json.dumps(self.payload).encode()
        return {"Payload": io.BytesIO(raw), **self.more}


def test_a_result_comes_back_as_an_answer():
    client = Lambda({"result": {"params": {"a": 1}}, "notes": ["console.log: x"]})
    outcome = ScriptFunction("malgil-script", client)(EFFECT, ATTEMPT)
    assert outcome == Answered(result={"params": {"a": 1}}, notes=["console.log: x"])
    (request,) = client.requests
    assert request["FunctionName"] == "malgil-script"
    assert json.loads(request["Payload"]) == {
        "script": "module.exports = 1",
        "context": {"params": {}},
        "timeoutMs": 4000,
        "idempotencyKey": "k",
    }


def refused(code):
    return ClientError({"Error": {"Code": code}}, "Invoke")


@pytest.mark.parametrize(
    ("client", "name"),
    [
        (Lambda({"error": {"name": "TypeError", "message": "bad"}, "notes": []}), "TypeError"),
        (Lambda({"result": {"a": "가" * 17_000}, "notes": []}), "ResultTooLargeError"),
        (Lambda({"errorType": "Sandbox.Timedout", "errorMessage": "x"}, FunctionError="Unhandled"), "TimeoutError"),
        (Lambda({"errorType": "Runtime.ExitError"}, FunctionError="Unhandled"), "ScriptCrashedError"),
        (Lambda({"errorType": "ImportError", "errorMessage": "no"}, FunctionError="Unhandled"), "ScriptCrashedError"),
        (Lambda({"unknown": 1}), "ScriptCrashedError"),
        (Lambda(b"no json"), "ScriptCrashedError"),
        (Lambda(refused("TooManyRequestsException")), "ScriptUnavailableError"),
        (Lambda(refused("AccessDeniedException")), "ScriptUnavailableError"),
        (Lambda(refused("ResourceNotFoundException")), "ScriptUnavailableError"),
        (Lambda(EndpointConnectionError(endpoint_url="https://lambda")), "ScriptUnavailableError"),
        (Lambda(ReadTimeoutError(endpoint_url="https://lambda")), "TimeoutError"),
    ],
)
def test_every_failure_of_the_invocation_has_a_name(client, name):
    outcome = ScriptFunction("malgil-script", client)(EFFECT, ATTEMPT)
    assert isinstance(outcome, EffectFailed)
    assert outcome.name == name
    assert len(client.requests) == 1, "nobody knows whether a second try does harm"


def test_an_invocation_that_hangs_is_not_waited_for():
    released = Event()

    class Hanging:
        def invoke(self, **_request):
            released.wait()
            raise refused("late")

    attempt = Attempt(bot_id="shop", idempotency_key="k", timeout_ms=1)
    outcome = ScriptFunction("malgil-script", Hanging())(EFFECT, attempt)
    released.set()
    assert outcome == EffectFailed(name="TimeoutError", message="The script took longer than 1 ms")


def test_scripts_run_in_the_local_cloud_as_the_wiring_invokes_them(tmp_path, monkeypatch):
    with LocalCloud(state=tmp_path, http_port=0, aws_port=0, watch=False) as cloud:
        for name, value in cloud.environment["FlowStepFunction"].items():
            monkeypatch.setenv(name, value)
        for name, value in Endpoints(cloud.aws_endpoint, cloud.lambda_endpoint).variables().items():
            monkeypatch.setenv(name, value)
        forget_wiring()
        script = "const _ = require('lodash'); module.exports = async ({params}) => ({last: _.last(params.all)})"
        effect = ScriptRun(script=script, context={"params": {"all": [1, 2]}}, timeout_ms=5000, repeatable=True)
        attempt = Attempt(bot_id="shop", idempotency_key="k", timeout_ms=5000)
        outcomes = [wiring.script_function()(effect, attempt) for _ in range(2)]
    forget_wiring()
    assert outcomes[-1] == Answered(result={"last": 2})
