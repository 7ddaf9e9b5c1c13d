"""Mappings of streams: what is refused in one line, and what becomes of what is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.pollers.filters import Filters
from infra.local.pollers.mappings import StreamOptions
from infra.local.pollers.streams import stream_record
from tests.integration.local.test_template import function, refusal, write

STREAM = {"Fn::GetAtt": ["T", "StreamArn"]}
TABLE = {"Type": "AWS::DynamoDB::Table", "Properties": {"StreamSpecification": {"StreamViewType": "NEW_IMAGE"}}}


def mapped(tmp_path: Path, *mappings: dict[str, Any], **resources: Any) -> Path:
    """A template with a function that mappings of one stream call."""
    base = {"EventSourceArn": STREAM, "FunctionName": {"Ref": "Worker"}, "StartingPosition": "LATEST"}
    made = {
        f"Map{number}": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {**base, **mapping}}
        for number, mapping in enumerate(mappings, 1)
    }
    return write(tmp_path, {"T": TABLE, "Worker": function(), **made, **resources})


@pytest.mark.parametrize(
    ("mapping", "complaint"),
    [
        ({"TumblingWindowInSeconds": 5}, "TumblingWindowInSeconds of a stream's mapping: unknown to the local cloud"),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, "ScalingConfig of a stream's mapping: unknown"),
        ({"StartingPosition": "AT_TIMESTAMP"}, "StartingPosition must be TRIM_HORIZON or LATEST, not AT_TIMESTAMP"),
        ({"StartingPosition": {"Ref": "AWS::NoValue"}}, "StartingPosition must be TRIM_HORIZON or LATEST, not None"),
        ({"BatchSize": 10_001}, "BatchSize must be from 1 to 10000, not 10001"),
        ({"MaximumBatchingWindowInSeconds": 301}, "MaximumBatchingWindowInSeconds must be from 0 to 300"),
        ({"ParallelizationFactor": 11}, "ParallelizationFactor must be from 1 to 10, not 11"),
        ({"MaximumRetryAttempts": -2}, "MaximumRetryAttempts must be from 0 to 10000, not -2"),
        ({"MaximumRecordAgeInSeconds": 59}, "MaximumRecordAgeInSeconds must be from 60 to 604800, not 59"),
        ({"BisectBatchOnFunctionError": "perhaps"}, "BisectBatchOnFunctionError must be true or false, not perhaps"),
        ({"FunctionResponseTypes": ["ReportAll"]}, "only ReportBatchItemFailures is known"),
        ({"DestinationConfig": {"OnSuccess": {"Destination": "x"}}}, "must be {OnFailure: {Destination: ...}}"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "lost"}}}, "OnFailure leads to lost: the ARN of"),
        ({"DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": "F.Arn"}}}}, "cannot lead to a FIFO queue"),
        ({"FilterCriteria": {"Filters": [{"Pattern": '{"eventName": [{"wildcard": "I*"}]}'}]}}, "is not understood"),
        ({"FunctionName": "another"}, "another is no function of this template"),
        ({"EventSourceArn": {"Fn::GetAtt": ["T", "Arn"]}}, "not yet run by the local cloud; Worker would never"),
        (
            {"EventSourceArn": {"Fn::GetAtt": ["Still", "StreamArn"]}},
            "Still has no stream: give it a StreamSpecification",
        ),
    ],
)
def test_a_mapping_that_lambda_or_the_local_cloud_refuses_is_named(
    tmp_path: Path, mapping: dict[str, Any], complaint: str
) -> None:
    still = {"Type": "AWS::DynamoDB::Table", "Properties": {}}
    fifo = {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}}
    message = refusal(mapped(tmp_path, mapping, Still=still, F=fifo))
    assert "Map1 (AWS::Lambda::EventSourceMapping): " in message
    assert complaint in message


def test_a_third_reader_is_refused_and_a_disabled_one_is_none(tmp_path: Path) -> None:
    message = refusal(mapped(tmp_path, {}, {}, {"Enabled": False}, {}))
    assert "Map4 (AWS::Lambda::EventSourceMapping): the stream of T is read by Map1 and Map2: AWS throttles" in message


def test_defaults_are_lambdas() -> None:
    assert StreamOptions.parse({"StartingPosition": "LATEST"}) == StreamOptions(
        starts_at_latest=True,
        batch_size=100,
        window_seconds=0,
        enabled=True,
        reports_failures=False,
        bisects=False,
        max_retries=None,
        max_age_seconds=None,
        on_failure=None,
        filters=Filters(),
    )


def test_minus_one_is_without_end() -> None:
    options = {"StartingPosition": "LATEST", "MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": "-1"}
    assert StreamOptions.parse(options) == StreamOptions.parse({"StartingPosition": "LATEST"})
    assert StreamOptions.parse({**options, "MaximumRetryAttempts": 0}).max_retries == 0


def passes(pattern: dict[str, Any], record: dict[str, Any]) -> bool:
    return Filters.parse({"Filters": [{"Pattern": json.dumps(pattern)}]}).match_stream(record)


def test_filters_look_into_names_keys_and_images() -> None:
    keys = {"pk": {"S": "T#1"}, "sk": {"N": "7"}}
    record = {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": {**keys, "kind": {"S": "turn"}}}}
    prefix = {"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "T#"}]}}}}
    assert passes({"eventName": ["INSERT", "MODIFY"], **prefix}, record)
    assert not passes({"eventName": ["REMOVE"], **prefix}, record)
    assert not passes({"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "E#"}]}}}}, record)
    assert passes({"dynamodb": {"NewImage": {"kind": {"S": ["turn"]}}}}, record)
    assert passes({"dynamodb": {"OldImage": {"kind": {"S": [{"exists": False}]}}}}, record)
    # Numbers are text in a record: numeric rules pass none, as on AWS.
    assert not passes({"dynamodb": {"Keys": {"sk": {"N": [{"numeric": [">", 1]}]}}}}, record)
    assert passes({"userIdentity": {"type": ["Service"]}}, {**record, "userIdentity": {"type": "Service"}})


def test_a_record_of_other_servers_may_lack_an_identity() -> None:
    raw = dict.fromkeys(("eventID", "eventName", "eventVersion", "eventSource", "awsRegion"), "x")
    record = stream_record({**raw, "dynamodb": {"Keys": {}}, "userIdentity": None}, "arn")
    assert record == {**raw, "dynamodb": {"Keys": {}}, "eventSourceARN": "arn"}
