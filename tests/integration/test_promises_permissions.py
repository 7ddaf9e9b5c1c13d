"""Least privilege: the roles in template.yaml allow what the functions call on AWS, and nothing else."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from samtranslator.yaml_helper import yaml_parse

from functions.effect_worker import app as effect_worker
from functions.end_user_eraser import app as end_user_eraser
from functions.flow_step import app as flow_step
from functions.open_api import app as open_api
from functions.projector import app as projector
from functions.relay import app as relay
from functions.web_session import app as web_session
from functions.webhook_deliver import app as webhook_deliver
from functions.webhook_fanout import app as webhook_fanout
from infra.local.embedded import client
from shared import aws
from shared.conversation.erasure import ErasureJob
from shared.engine.effects import Answered, Attempt, EffectFailed, Mail, SmallTalk
from shared.ids import log_key
from shared.runtime import wiring, world
from shared.runtime.settings import (
    BOT_BUCKET,
    CORE_TABLE,
    DELIVERY_QUEUE,
    EFFECT_QUEUE,
    ERASURE_QUEUE,
    EVENT_TOPIC,
    MAIL_FROM,
    SECRETS_PREFIX,
    SET_ASIDE_QUEUE,
    TURNS_TABLE,
    UPLOAD_BUCKET,
)
from shared.services import open_api_writing
from shared.storage.delivery_queue import to_body
from shared.webhooks.delivery import DeliveryKey, batches, first_try, make
from tests.api_world import a_call, json_of
from tests.factories import a_node, a_response
from tests.integration.conftest import Stack, forget_wiring
from tests.integration.phones import a_caller
from tests.integration.test_promises_skill import LONG, a_document
from tests.open_api_world import ALL_SCOPES
from tests.unit.web.test_uploads import PNG
from tests.webhook_world import OTHER_WEBHOOK, a_record, a_turn, an_endpoint, an_event

TEMPLATE = yaml_parse((Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8"))
Call = tuple[str, str]
"""(action, logical id of the resource)"""


ONE_PERMISSION = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:DeleteObjects": "s3:DeleteObject",
}
"""Calls that are allowed by the permission of another one."""


def listen(stack: Stack) -> set[Call]:
    """What a new process calls from now on."""
    resources = {
        stack.environment[TURNS_TABLE]: "TurnsTable",
        stack.environment[CORE_TABLE]: "CoreTable",
        stack.environment[BOT_BUCKET]: "BotBucket",
        stack.environment[UPLOAD_BUCKET]: "UploadBucket",
        stack.environment[EFFECT_QUEUE]: "EffectQueue",
        stack.environment[EVENT_TOPIC]: "EventTopic",
        stack.environment[SET_ASIDE_QUEUE]: "RelaySetAsideQueue",
        stack.environment[DELIVERY_QUEUE]: "DeliveryQueue",
        stack.environment[ERASURE_QUEUE]: "ErasureQueue",
    }
    made: set[Call] = set()

    def remember(**call: Any) -> None:
        given = call["params"]
        action = f"{call['model'].service_model.service_name}:{call['model'].name}"
        if "TransactItems" in given:
            writes = [(kind, write["TableName"]) for item in given["TransactItems"] for kind, write in item.items()]
            made.update((f"dynamodb:{kind}Item", resources[table]) for kind, table in writes)
            return
        if "RequestItems" in given:
            made.update((action, resources[table]) for table in given["RequestItems"])
            return
        named = next(given[key] for key in ("TableName", "Bucket", "QueueUrl", "TopicArn") if key in given)
        made.add((ONE_PERMISSION.get(action, action), resources[named]))

    forget_wiring()
    aws.session().register("before-parameter-build.*.*", remember)
    return made


@pytest.fixture(autouse=True)
def a_new_process(stack: Stack) -> Iterator[None]:
    forget_wiring()
    yield
    forget_wiring()


def allowed(function: str) -> set[Call]:
    """What the function's own policy allows; what bots ask of the world, one policy for all, is the template test's."""
    statements = [
        statement
        for policy in TEMPLATE["Resources"][function]["Properties"]["Policies"]
        if "Ref" not in policy  # of effects, see below
        for statement in policy["Statement"]
    ]
    found: set[Call] = set()
    for statement in statements:
        actions, resource = statement["Action"], statement["Resource"]
        if "Fn::GetAtt" in resource:
            target = resource["Fn::GetAtt"][0]
        else:
            target = resource["Ref"] if "Ref" in resource else resource["Fn::Sub"][2:].split(".")[0]
        found |= {(action, target) for action in (actions if isinstance(actions, list) else [actions])}
    return found


RUNS_SCRIPTS = {("lambda:InvokeFunction", "ScriptFunction")}
"""For sandbox nodes, which the bots here have none of: tests/integration/scripting/test_function.py invokes."""
UPLOADS = {(f"s3:{word}", "UploadBucket") for word in ("GetObject", "PutObjectTagging", "ListBucket")}
"""Of messages that name pictures; the last is not called, but makes S3 say that something is not there."""
NOISE = "".join(uuid.uuid4().hex for _ in range(400))
LARGE = a_document(
    a_node(2, "parameter", {"type": "set", "set": [{"key": "noise", "value": NOISE}]}, 3),
    a_response(3, "안녕", 4),
    a_node(4, "fetch", {"uri": "https://127.0.0.1/refused", "method": "POST"}, 5),
    a_node(5, "keyboard", {}, 3),
)
"""Its state gets a row of its own, and a call of it is saved first."""
SLOW = a_document(
    a_node(2, "parameter", {"type": "set", "set": [{"key": "noise", "value": NOISE}]}, 3),
    a_node(3, "fetch", {"uri": "https://127.0.0.1/refused", "slow": True}, 4),
    a_response(4, "안녕", 5),
    a_node(5, "fetch", {"uri": "https://127.0.0.1/refused", "method": "POST"}, 6),
    a_node(6, "keyboard", {}, 3),
)
MADE_BY_THE_MAPPING = {("sqs:ReceiveMessage", "EffectQueue"), ("sqs:DeleteMessage", "EffectQueue")} | {
    ("sqs:GetQueueAttributes", "EffectQueue")
}


def test_kakao_skill_calls_exactly_what_its_role_allows(stack: Stack) -> None:
    callers = [a_caller(wiring.authoring(), document) for document in (LONG, LARGE)]
    calls = listen(stack)
    for caller in callers:
        for text in ("안녕", "계속 보기", "계속 보기", "둘"):
            caller.say(text)
    assert calls | RUNS_SCRIPTS == allowed("KakaoSkillFunction")


def test_effect_worker_calls_exactly_what_its_role_allows(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effect_worker, "BUDGET_NS", 30_000_000_000)  # for one move: it asks for another job
    caller = a_caller(wiring.authoring(), SLOW)
    for text in ("하나", "둘"):  # the second meets the walk of the first
        caller.say(text)
    calls = listen(stack)
    body = json.dumps({"botId": caller.bot_id, "platform": "kakao", "userKey": caller.user_key})
    assert effect_worker.handler({"Records": [{"messageId": "1", "body": body}]}, None) == {"batchItemFailures": []}
    assert calls | MADE_BY_THE_MAPPING | RUNS_SCRIPTS == allowed("EffectWorkerFunction")


def made_by_the_mapping(queue: str) -> set[Call]:
    return {(f"sqs:{action}", queue) for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}


READS_THE_STREAM = {
    (f"dynamodb:{action}", "TurnsTable")
    for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
}


def test_relay_calls_exactly_what_its_role_allows(stack: Stack) -> None:
    broken = {**a_record(a_turn([an_event(2)], revision=2)), "eventID": "2"}
    broken["dynamodb"]["NewImage"]["f"] = {"N": "99"}
    calls = listen(stack)
    event = {"Records": [a_record(a_turn([an_event(1)])), broken]}
    assert relay.handler(event, None) == {"batchItemFailures": []}
    pushes = {("dynamodb:Query", "CoreTable"), ("dynamodb:GetItem", "TurnsTable")}  # tests/integration/webchat pushes
    unseen = READS_THE_STREAM | pushes | of_sockets("RelayFunction")
    assert calls | (unseen - {("dynamodb:UpdateItem", "CoreTable")}) == allowed("RelayFunction")


def test_projector_calls_exactly_what_its_role_allows(stack: Stack) -> None:
    turn = replace(a_turn([an_event(1)]), platform="web", user_key="kim", first_of_month=202611)
    broken = a_record(a_turn([an_event(2)], revision=2))
    broken["dynamodb"]["NewImage"]["f"] = {"N": "99"}
    wiring.usage_limits().set(turn.bot_id, quota=0, brand_line="")
    calls = listen(stack)
    assert projector.handler({"Records": [a_record(turn), broken]}, None) == {"batchItemFailures": []}
    assert calls | READS_THE_STREAM == allowed("ProjectorFunction")


def test_webhook_fanout_calls_exactly_what_its_role_allows(stack: Stack) -> None:
    bot_id = f"bot-{uuid.uuid4().hex[:8]}"
    wiring.endpoints().create(an_endpoint(bot_id=bot_id))
    wiring.endpoints().create(an_endpoint(bot_id=bot_id, webhook_id=OTHER_WEBHOOK, enabled=False))
    calls = listen(stack)
    body = json.dumps({"botId": bot_id, "events": [an_event(1)]})
    assert webhook_fanout.handler({"Records": [{"messageId": "1", "body": body}]}, None) == {"batchItemFailures": []}
    assert calls | made_by_the_mapping("EventQueue") == allowed("WebhookFanoutFunction")


def test_webhook_deliver_calls_exactly_what_its_role_allows(stack: Stack) -> None:
    endpoint = an_endpoint(bot_id=f"bot-{uuid.uuid4().hex[:8]}", url="http://127.0.0.1/refused")
    wiring.endpoints().create(endpoint)
    (batch,) = batches([an_event(1)])
    delivery = make(endpoint.bot_id, endpoint.webhook_id, batch)
    calls = listen(stack)
    for tried in range(4):  # the last of them switches the endpoint off
        if tried:
            wait_for_nothing(delivery.key)
        job = replace(first_try(delivery), tried=tried)
        event = {"Records": [{"messageId": "1", "body": to_body(job)}]}
        assert webhook_deliver.handler(event, None) == {"batchItemFailures": []}
    assert calls | made_by_the_mapping("DeliveryQueue") == allowed("WebhookDeliverFunction")
    found = wiring.endpoints().get(endpoint.bot_id, endpoint.webhook_id)
    assert found is not None
    assert not found.enabled


def test_end_user_eraser_calls_exactly_what_its_role_allows(stack: Stack) -> None:
    caller = a_caller(wiring.authoring(), LARGE)
    for text in ("하나", "둘"):
        caller.say(text)
    log = log_key("kakao", caller.user_key)
    wiring.claims().take(caller.bot_id, log, "walk/1", now_ms=1, until_ms=2)
    newest = wiring.turns().newest(caller.bot_id, log)
    assert newest is not None
    uploads, sent = stack.environment[UPLOAD_BUCKET], f"u/{caller.bot_id}/{log}/{0:015d}{'a' * 32}.png"
    client("s3", stack.endpoint).put_object(Bucket=uploads, Key=sent, Body=b"x")
    endpoint = an_endpoint(bot_id=caller.bot_id, webhook_id=str(uuid.uuid4()), created_at_ms=world.now_ms())
    wiring.endpoints().create(endpoint)
    (batch,) = batches(newest.events)
    wiring.deliveries().put(make(caller.bot_id, endpoint.webhook_id, batch), now_ms=world.now_ms())
    erasure = wiring.erase_person().request_by_key(caller.bot_id, "kakao", caller.user_key, requested_by="cli")
    calls = listen(stack)
    first = ErasureJob(bot_id=caller.bot_id, erasure_id=erasure.erasure_id, from_ms=newest.state.first_contact_ms)
    for job in (first, replace(first, last_pass=True)):
        event = {"Records": [{"messageId": "1", "body": json.dumps(job.to_json())}]}
        assert end_user_eraser.handler(event, None) == {"batchItemFailures": []}
    assert calls | made_by_the_mapping("ErasureQueue") == allowed("EndUserEraserFunction")
    done = wiring.erase_person().receipt(caller.bot_id, erasure.erasure_id)
    assert (done.state, done.counts.deliveries, done.counts.states > 0) == ("done", 1, True)


def wait_for_nothing(key: DeliveryKey) -> None:
    """The next try is due now."""
    found = wiring.deliveries().get(key)
    assert found is not None
    assert wiring.deliveries().note_attempt(found, replace(found, next_at_ms=0), found.attempts[-1])


def test_flow_step_calls_exactly_what_its_role_allows(stack: Stack) -> None:
    caller = a_caller(wiring.authoring(), LARGE)
    calls = listen(stack)
    event = {"botId": caller.bot_id, "platform": "web", "userKey": "user", "message": {"text": "안녕"}}
    for client_id in ("one", "two", "three", "one"):
        assert "error" not in flow_step.handler({**event, "clientId": client_id}, None)
    assert calls | RUNS_SCRIPTS | of_sockets("FlowStepFunction") | UPLOADS == allowed("FlowStepFunction")


def of_sockets(function: str) -> set[Call]:
    """For frames of sockets and to sockets: tests/integration/webchat opens some."""
    rows = {("dynamodb:DeleteItem", "CoreTable"), ("dynamodb:UpdateItem", "CoreTable")}
    return rows | {call for call in allowed(function) if call[0] == "execute-api:ManageConnections"}


def test_web_session_calls_exactly_what_its_role_allows(stack: Stack) -> None:
    caller = a_caller(wiring.authoring(), LARGE)
    wiring.authoring().connect_web(caller.bot_id, enabled=True)
    row = {"pk": {"S": "W#default"}, "sk": {"S": "TOKENS"}}
    client("dynamodb", stack.endpoint).delete_item(TableName=stack.environment[CORE_TABLE], Key=row)
    key = wiring.api_keys().make(name="test", scopes=ALL_SCOPES)[1]
    calls = listen(stack)
    web_session._sessions_limit.cache_clear()
    answer: Any = None
    for _ in range(web_session.FREE + 1):
        call = a_call("POST", "/webchat/v1/sessions", body={"botId": caller.bot_id, "userKey": "user"})
        answer = web_session.handler(call, None)
        assert answer["statusCode"] == 201
    by_key = a_call("POST", "/webchat/v1/sessions", key=key, body={"botId": caller.bot_id})
    assert web_session.handler(by_key, None)["statusCode"] == 201
    token = json_of(answer)["token"]

    def chat(path: str, body: Any) -> Any:
        return json_of(web_session.handler(a_call("POST", f"/webchat/v1/{path}", key=token, body=body), None))

    chat("messages", {"type": "start"})
    place = chat("uploads", {"name": "a.png", "contentType": "image/png", "size": len(PNG)})
    assert httpx.put(place["uploadUrl"], content=PNG, headers=place["headers"]).status_code == 200
    for client_id, data in (
        ("1", {"type": "media", "media": place["media"]}),
        ("2", {"type": "text", "text": "안녕"}),
        ("3", {"type": "text", "text": "안녕"}),
        ("1", {"type": "media", "media": place["media"]}),
    ):
        assert chat("messages", {"type": "message", "clientId": client_id, "data": data})["type"] != "error"
    web_session._erasures_limit.cache_clear()
    assert web_session.handler(a_call("DELETE", "/webchat/v1/end-user", key=token), None)["statusCode"] == 202
    unseen = {("s3:ListBucket", "UploadBucket")}
    assert calls | RUNS_SCRIPTS | of_sockets("WebSessionFunction") | unseen == allowed("WebSessionFunction")


def test_open_api_calls_exactly_what_its_role_allows(stack: Stack) -> None:
    caller = a_caller(wiring.authoring(), LARGE)
    key = wiring.api_keys().make(name="test", scopes=ALL_SCOPES)[1]
    person = {"botId": caller.bot_id, "platform": "web", "userKey": "user"}
    calls = listen(stack)
    called = [
        *[("POST", "/openapi/message", {**person, "message": {"text": "안녕"}}, {})] * 2,
        ("GET", "/openapi/bot", None, {}),
        ("GET", "/openapi/endusers", None, person),
        ("GET", "/openapi/conversations", None, {"botId": caller.bot_id}),
    ]
    for method, path, body, query in called:
        call = a_call(method, path, key=key, body=body, query=query)
        assert open_api.handler(call, None)["statusCode"] < 300
    to = open_api_writing.Addressee(bot_id=caller.bot_id, platform="web", user_key="user")
    to_come = world.clock_ns() + 20_000_000_000
    written = wiring.write_open_api().start_at(to, 1, None, open_api_writing.Call(deadline_ns=to_come))
    assert written.is_pending
    wiring.read_open_api().find_end_user(caller.bot_id, "web", "user", to_come)  # its state has a row of its own by now
    assert calls == allowed("OpenApiFunction")


def test_effects_call_exactly_what_their_policy_allows(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MAIL_FROM, "bot@malgil.example")
    monkeypatch.setenv(SECRETS_PREFIX, "malgil/test")
    client("secretsmanager", stack.endpoint).create_secret(Name="malgil/test/shop/openai", SecretString="{}")
    forget_wiring()
    calls: list[tuple[str, dict[str, Any]]] = []

    def remember(**call: Any) -> None:
        service = call["model"].service_model.signing_name
        calls.append((f"{service}:{call['model'].name}", call["params"]))

    aws.session().register("before-parameter-build.*.*", remember)
    attempt = Attempt(bot_id="shop", idempotency_key="", timeout_ms=10_000)
    mail = Mail(to=["a@b.example"], reply_to=[], subject="s", html="h", timeout_ms=10_000)
    assert isinstance(wiring.carry_out(mail, attempt), Answered)
    talk = SmallTalk(
        provider="openai",
        settings={"model": "m"},
        instructions="",
        text="안녕",
        max_tokens=10,
        credential="openai",
        timeout_ms=10_000,
    )
    answer = wiring.carry_out(talk, attempt)
    assert isinstance(answer, EffectFailed)
    assert (answer.name, answer.message) == ("CredentialError", 'credential \'openai\' has no "apiKey" or "apikey"')

    assert [action for action, _ in calls] == ["ses:SendEmail", "secretsmanager:GetSecretValue"]
    assert calls[0][1]["FromEmailAddress"] == "bot@malgil.example"
    assert calls[1][1]["SecretId"] == "malgil/test/shop/openai"
    policy = TEMPLATE["Resources"]["CarryOutEffectsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    granted = {statement.get("Fn::If", [None, statement])[1]["Action"] for statement in policy}
    # Bedrock is not served here; tests/integration/providers shows that Converse is all that is called.
    assert granted == {action for action, _ in calls} | {"bedrock:InvokeModel"}
