"""The embedded AWS with the stack's tables and bucket, shared by the tests that need real storage semantics."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local.embedded import REGION, EmbeddedAws, client
from shared import aws as shared_aws
from shared.runtime import wiring
from shared.runtime.settings import (
    BOT_BUCKET,
    CORE_TABLE,
    DELIVERY_QUEUE,
    EFFECT_QUEUE,
    ERASURE_QUEUE,
    EVENT_TOPIC,
    SET_ASIDE_QUEUE,
    TURNS_TABLE,
    UPLOAD_BUCKET,
)
from shared.services.authoring import Authoring

KEY_SCHEMA = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]


@dataclass(frozen=True)
class Stack:
    """Names of the resources, as a function's environment tells them. `event_queue` gets what the topic is told."""

    environment: dict[str, str]
    endpoint: str
    event_queue: str = ""

    @property
    def turns_table(self) -> str:
        return self.environment[TURNS_TABLE]


@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[str]:
    with EmbeddedAws() as aws:
        yield aws.endpoint


@pytest.fixture(scope="module")
def stack(embedded_aws: str) -> Iterator[Stack]:
    """Fresh tables and a bucket; the process's environment points at them, as in a function."""
    suffix = uuid.uuid4().hex[:8]
    sqs: Any = client("sqs", embedded_aws)
    sns: Any = client("sns", embedded_aws)
    topic = sns.create_topic(Name=f"events-{suffix}")["TopicArn"]
    event_queue = sqs.create_queue(QueueName=f"events-{suffix}")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=event_queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    environment = {
        TURNS_TABLE: f"turns-{suffix}",
        CORE_TABLE: f"core-{suffix}",
        BOT_BUCKET: f"bots-{suffix}",
        UPLOAD_BUCKET: f"uploads-{suffix}",
        EFFECT_QUEUE: sqs.create_queue(QueueName=f"effects-{suffix}")["QueueUrl"],
        EVENT_TOPIC: topic,
        SET_ASIDE_QUEUE: sqs.create_queue(QueueName=f"aside-{suffix}")["QueueUrl"],
        ERASURE_QUEUE: sqs.create_queue(QueueName=f"erasures-{suffix}")["QueueUrl"],
        DELIVERY_QUEUE: sqs.create_queue(QueueName=f"deliveries-{suffix}")["QueueUrl"],
        "MALGIL_STAGE": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL": embedded_aws,
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_SERVICE_NAME": "test",
    }
    dynamodb: Any = client("dynamodb", embedded_aws)
    dynamodb.create_table(
        TableName=environment[TURNS_TABLE],
        BillingMode="PAY_PER_REQUEST",
        KeySchema=KEY_SCHEMA,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    dynamodb.create_table(
        TableName=environment[CORE_TABLE],
        BillingMode="PAY_PER_REQUEST",
        KeySchema=KEY_SCHEMA,
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": f"{index.lower()}pk", "KeyType": "HASH"},
                    {"AttributeName": f"{index.lower()}sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index in ("GSI1", "GSI2")
        ],
    )
    s3: Any = client("s3", embedded_aws)
    for bucket in (BOT_BUCKET, UPLOAD_BUCKET):
        s3.create_bucket(Bucket=environment[bucket], CreateBucketConfiguration={"LocationConstraint": REGION})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        forget_wiring()
        yield Stack(environment, embedded_aws, event_queue)
    forget_wiring()


@pytest.fixture
def authoring(stack: Stack) -> Iterator[Authoring]:
    """The use cases of the command line, in a new process."""
    forget_wiring()
    yield wiring.authoring()
    forget_wiring()


def forget_wiring() -> None:
    """As in a new process: nothing is connected yet."""
    for value in [*vars(wiring).values(), *vars(shared_aws).values()]:
        if hasattr(value, "cache_clear"):
            value.cache_clear()
