"""Erasing a person over HTTP, on the embedded AWS: a key of the right scope, a receipt, and everything gone."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from functions.end_user_eraser import app as end_user_eraser
from functions.management_api import app
from infra.local.embedded import client
from shared.conversation.projection import sightings
from shared.ids import end_user_id, log_key
from shared.runtime import wiring
from shared.runtime.settings import ERASURE_QUEUE
from tests.api_world import a_call, json_of
from tests.erasing_world import seen
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.phones import Caller, a_caller
from tests.integration.test_promises_skill import ECHO


@pytest.fixture
def caller(stack: Stack) -> Iterator[Caller]:
    """Somebody who has said something, and whom the index knows."""
    forget_wiring()
    found = a_caller(wiring.authoring(), ECHO)
    found.say("비밀")
    turn = wiring.turns().newest(found.bot_id, log_key("kakao", found.user_key))
    assert turn is not None
    wiring.identities().note(sightings(seen(turn)))
    yield found
    forget_wiring()


def call(method: str, path: str, *scopes: str) -> Any:
    _, key = wiring.api_keys().make(name="k", scopes=scopes)
    return app.handler(a_call(method, path, key=key), None)


def path_of(caller: Caller) -> str:
    return f"/api/bots/{caller.bot_id}/end-users/{end_user_id(caller.bot_id, 'kakao', caller.user_key)}"


def test_a_person_is_erased_and_the_receipt_says_what_became_of_it(stack: Stack, caller: Caller) -> None:
    answer = call("DELETE", path_of(caller), "endusers:erase")
    assert answer["statusCode"] == 202
    receipt = json_of(answer)
    assert (receipt["state"], receipt["doneAt"]) == ("accepted", None)
    sqs: Any = client("sqs", stack.endpoint)
    waiting = "ApproximateNumberOfMessagesDelayed"
    attributes = sqs.get_queue_attributes(QueueUrl=stack.environment[ERASURE_QUEUE], AttributeNames=[waiting])
    assert attributes["Attributes"][waiting] == "1"

    body = {"botId": caller.bot_id, "erasureId": receipt["id"], "from": 1_795_000_000_000}
    for last_pass in (False, True, True):
        job = {**body, "lastPass": last_pass, "webhookId": "", "day": "", "after": ""}
        event = {"Records": [{"messageId": "1", "body": json.dumps(job)}]}
        assert end_user_eraser.handler(event, None) == {"batchItemFailures": []}
    path = f"/api/bots/{caller.bot_id}/erasures/{receipt['id']}"
    done = json_of(call("GET", path, "endusers:erase"))
    assert done["state"] == "done"
    assert done["erased"] == {"turns": 1, "states": 0, "conversations": 1, "deliveries": 0}
    assert {kept["what"] for kept in done["stays"]} >= {"tombstone", "pointInTimeRecovery", "logs"}
    assert caller.user_key not in json.dumps(done)
    assert call("DELETE", path_of(caller), "endusers:erase")["statusCode"] == 404


def test_other_scopes_erase_nobody(caller: Caller) -> None:
    for method, path in (("DELETE", path_of(caller)), ("GET", f"/api/bots/{caller.bot_id}/erasures/{uuid.uuid4()}")):
        assert call(method, path, "endusers:read", "webhooks:write")["statusCode"] == 403
    newest = wiring.turns().newest(caller.bot_id, log_key("kakao", caller.user_key))
    assert newest is not None
    assert newest.erases is None


@pytest.mark.parametrize("name", ["x", "a" * 3_000, "%00", "5d0f3c1f-7a10-4a53-9d5e-2a7d1c6e8f0b", "%ED%95%9C"])
def test_whoever_is_not_there_is_not_found(caller: Caller, name: str) -> None:
    for method, path in (("DELETE", "end-users"), ("GET", "erasures")):
        assert call(method, f"/api/bots/{caller.bot_id}/{path}/{name}", "endusers:erase")["statusCode"] == 404


def test_a_message_of_another_shape_is_kept_for_the_dead_letters(caller: Caller) -> None:
    event = {"Records": [{"messageId": "odd", "body": "{}"}]}
    assert end_user_eraser.handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "odd"}]}
