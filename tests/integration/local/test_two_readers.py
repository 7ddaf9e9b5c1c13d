"""The product's own stream in the local cloud: relay and projector both read it, and go on after a restart."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import seed
from infra.local.cloud import LocalCloud
from shared.ids import end_user_id
from shared.runtime import wiring
from shared.runtime.settings import EVENT_TOPIC
from tests.integration.conftest import forget_wiring
from tests.integration.local.conftest import eventually
from tests.integration.phones import Caller, a_caller
from tests.integration.test_promises_skill import ECHO


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    yield monkeypatch
    forget_wiring()


def started(state: Path) -> LocalCloud:
    return LocalCloud(state=state, http_port=0, aws_port=0, watch=False)


def enter(cloud: LocalCloud, patch: pytest.MonkeyPatch) -> None:
    """This process writes to the cloud's tables, as its functions do."""
    for name, value in cloud.environment[seed.SKILL_FUNCTION].items():
        patch.setenv(name, value)
    forget_wiring()


def listen(cloud: LocalCloud) -> str:
    """A queue that hears what the relay publishes."""
    sqs, sns = cloud.client("sqs"), cloud.client("sns")
    url: str = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = cloud.environment[seed.SKILL_FUNCTION][EVENT_TOPIC]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return url


def hear(cloud: LocalCloud, url: str, texts: list[str]) -> int:
    """Add what was said and published since; how many texts there are then."""
    sqs: Any = cloud.client("sqs")
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", ()):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        texts += [
            event["data"]["message"]["data"]["text"]
            for event in json.loads(message["Body"])["events"]
            if event["event"] == "bot.message.received"
        ]
    return len(texts)


def received(caller: Caller) -> int:
    hours = wiring.counters().hours(caller.bot_id, "2026-01-01T00", "2100-01-01T00")
    return sum(counts.received for counts in hours)


def test_relay_and_projector_each_read_every_turn_once(tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    with started(tmp_path / "state") as cloud:
        enter(cloud, patch)
        queue = listen(cloud)
        caller = a_caller(wiring.authoring(), ECHO)
        for text in ("하나", "둘", "셋"):
            caller.say(text)
        published: list[str] = []
        eventually(lambda: hear(cloud, queue, published) >= 3, seconds=60)
        eventually(lambda: received(caller) >= 3, seconds=60)
        person = end_user_id(caller.bot_id, "kakao", caller.user_key)
        identity = wiring.identities().get(person)
        assert identity is not None
        assert (identity.user_key, identity.platform) == (caller.user_key, "kakao")
        assert wiring.identities().page(caller.bot_id, "end_user", limit=5).items == (identity,)
    forget_wiring()
    with started(tmp_path / "state") as cloud:
        enter(cloud, patch)
        queue = listen(cloud)
        caller.say("넷")
        eventually(lambda: hear(cloud, queue, published) >= 4, seconds=60)
        eventually(lambda: received(caller) >= 4, seconds=60)
        assert list(dict.fromkeys(published)) == ["하나", "둘", "셋", "넷"]
        assert received(caller) == 4
        month = wiring.usage_calendar().month_of(identity.created_at_ms)
        assert wiring.counters().monthly_active(caller.bot_id, month) == 1
