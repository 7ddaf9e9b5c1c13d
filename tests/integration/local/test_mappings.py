"""Mappings of queues: what is refused in one line, which messages pass a filter, what a report of failures means."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.deploy import deploy
from infra.local.pollers.answers import failed_items
from infra.local.pollers.filters import Filters
from infra.local.pollers.sqs import sqs_record
from infra.local.template import load_template
from shared.errors import InvalidInput
from tests.integration.local.test_template import UNREACHABLE, function, refusal, write

ARN = {"Fn::GetAtt": ["Q", "Arn"]}


def worker(tmp_path: Path, mapping: dict[str, Any], queue: dict[str, Any] | None = None) -> Path:
    """A template with a function on a queue, and nothing else."""
    resources = {
        "Q": {"Type": "AWS::SQS::Queue", "Properties": queue or {}},
        "Worker": function(Events={"Q": {"Type": "SQS", "Properties": {"Queue": ARN}}}),
    }
    path = write(tmp_path, resources)
    if mapping:
        # Written out, because SAM refuses some of it by itself.
        resources["Worker"] = function()
        base = {"EventSourceArn": ARN, "FunctionName": {"Ref": "Worker"}}
        resources["Map"] = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {**base, **mapping}}
        path = write(tmp_path, resources)
    return path


@pytest.mark.parametrize(
    ("mapping", "complaint"),
    [
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "Tags of a queue's mapping: unknown to the local cloud"),
        ({"ProvisionedPollerConfig": {"MaximumPollers": 2}}, "ProvisionedPollerConfig of a queue's mapping: unknown"),
        ({"StartingPosition": "LATEST"}, "StartingPosition of a queue's mapping: unknown"),
        ({"BatchSize": 0}, "BatchSize must be from 1 to 10000, not 0"),
        ({"BatchSize": 11}, "a BatchSize of more than 10 needs MaximumBatchingWindowInSeconds"),
        ({"MaximumBatchingWindowInSeconds": 301}, "MaximumBatchingWindowInSeconds must be from 0 to 300"),
        ({"ScalingConfig": {"MaximumConcurrency": 1}}, "MaximumConcurrency must be from 2 to 1000, not 1"),
        ({"ScalingConfig": {"Pollers": 2}}, "only MaximumConcurrency is known"),
        ({"FunctionResponseTypes": ["ReportAll"]}, "only ReportBatchItemFailures is known"),
        ({"Enabled": "perhaps"}, "Enabled must be true or false, not perhaps"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "is no Pattern of JSON"),
        ({"FilterCriteria": {"Filters": [{"Pattern": '{"body": {"a": [{"cidr": "10.0.0.0/8"}]}}'}]}}, "not understood"),
        ({"FunctionName": "another"}, "another is no function of this template"),
        ({"EventSourceArn": "arn:aws:sqs:ap-northeast-2:1:x"}, "not yet run by the local cloud; Worker would never"),
        ({"EventSourceArn": {"Fn::GetAtt": ["Q", "QueueName"]}}, "not yet run by the local cloud"),
    ],
)
def test_a_mapping_that_lambda_or_the_local_cloud_refuses_is_named(
    tmp_path: Path, mapping: dict[str, Any], complaint: str
) -> None:
    message = refusal(worker(tmp_path, mapping))
    assert "Map (AWS::Lambda::EventSourceMapping): " in message
    assert complaint in message


def test_a_fifo_queue_has_small_batches_and_no_window(tmp_path: Path) -> None:
    message = refusal(worker(tmp_path, {"MaximumBatchingWindowInSeconds": 1}, {"FifoQueue": True}))
    assert "a FIFO queue has batches of at most 10" in message


def test_a_message_must_stay_away_for_as_long_as_its_function_may_run(tmp_path: Path) -> None:
    message = refusal(worker(tmp_path, {}, {"VisibilityTimeout": 2}))
    assert "the visibility time-out of Q, 2 s, is less than the 3 s of Worker" in message


def test_a_property_of_a_queue_that_is_unknown_is_refused(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"Visibility": 2}}}))
    assert message.endswith("Q (AWS::SQS::Queue): Visibility: unknown to the local cloud")


def test_a_mapping_whose_condition_is_false_is_not_looked_at(tmp_path: Path) -> None:
    mapping = {"Type": "AWS::Lambda::EventSourceMapping", "Condition": "Never", "Properties": {}}
    path = write(tmp_path, {"Map": mapping}, Conditions={"Never": {"Fn::Equals": ["a", "b"]}})
    assert deploy(load_template(path), UNREACHABLE, "http://127.0.0.1:1", "ws://127.0.0.1:1").queue_mappings == []


def passes(pattern: dict[str, Any], body: Any) -> bool:
    text = body if isinstance(body, str) else json.dumps(body)
    return Filters.parse({"Filters": [{"Pattern": json.dumps(pattern)}]}).match(
        {"body": text, "attributes": {"n": "1"}}
    )


@pytest.mark.parametrize(
    ("rules", "value", "expected"),
    [
        (["a", "b"], "b", True),
        (["a"], "c", False),
        ([1], 1, True),
        ([1], True, False),
        ([None], None, True),
        ([None], "", False),
        (["a"], ["x", "a"], True),
        (["a"], {"a": 1}, False),
        ([{"prefix": "ab"}], "abc", True),
        ([{"prefix": "ab"}], "cab", False),
        ([{"prefix": "1"}], 1, False),
        ([{"suffix": "bc"}], "abc", True),
        ([{"equals-ignore-case": "ABC"}], "abc", True),
        ([{"exists": True}], None, True),
        ([{"exists": True}], {"deeper": 1}, False),
        ([{"exists": False}], 1, False),
        ([{"numeric": ["=", 5]}], 5.0, True),
        ([{"numeric": [">", 0, "<=", 5]}], 5, True),
        ([{"numeric": [">", 0, "<=", 5]}], 0, False),
        ([{"numeric": [">", 0]}], "1", False),
        ([{"numeric": [">", 0]}], True, False),
        ([{"anything-but": ["a", "b"]}], "c", True),
        ([{"anything-but": "a"}], "a", False),
        ([{"anything-but": ["a", 1]}], 1, False),
        ([{"prefix": "x"}, {"numeric": ["<", 3]}], 2, True),
    ],
)
def test_a_rule_of_a_filter_passes_values(rules: list[Any], value: Any, expected: bool) -> None:
    assert passes({"body": {"key": rules}}, {"key": value}) is expected
    assert passes({"body": {"outer": {"key": rules}}}, {"outer": {"key": value}}) is expected


def test_what_is_not_there_passes_only_where_it_is_not_to_be() -> None:
    assert passes({"body": {"key": [{"exists": False}]}}, {})
    assert passes({"body": {"outer": {"key": [{"exists": False}]}}}, {})
    assert not passes({"body": {"key": [{"anything-but": ["a"]}]}}, {})
    assert not passes({"body": {"key": [{"exists": True}]}}, {})


def test_all_names_of_a_pattern_must_pass_and_any_of_the_patterns() -> None:
    assert not passes({"body": {"a": [1], "b": [2]}}, {"a": 1, "b": 3})
    both = {"Filters": [{"Pattern": '{"body": {"a": [1]}}'}, {"Pattern": '{"body": {"b": [2]}}'}]}
    assert Filters.parse(both).match({"body": '{"a": 0, "b": 2}'})
    assert Filters.parse({}).match({"body": "anything"})


def test_a_body_that_is_text_is_compared_as_text() -> None:
    assert passes({"body": ["plain"]}, "plain")
    assert passes({"body": [{"prefix": "pl"}]}, "plain")
    assert not passes({"body": {"key": ["plain"]}}, "plain")
    assert not passes({"body": ["plain"]}, {"key": "plain"})
    assert passes({"attributes": {"n": ["1"]}}, "plain")


@pytest.mark.parametrize(
    "pattern",
    [
        "[]",
        "{}",
        '{"body": []}',
        '{"body": "a"}',
        '{"body": [[1]]}',
        '{"body": [{"prefix": 1}]}',
        '{"body": [{"exists": "yes"}]}',
        '{"body": [{"numeric": ["=="]}]}',
        '{"body": [{"numeric": ["~", 1]}]}',
        '{"body": [{"anything-but": [{"prefix": "a"}]}]}',
        '{"body": [{"prefix": "a", "suffix": "b"}]}',
        '{"body": [{"wildcard": "a*"}]}',
        '{"$or": [{"a": [1]}]}',
    ],
)
def test_a_pattern_that_is_not_understood_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="of FilterCriteria"):
        Filters.parse({"Filters": [{"Pattern": pattern}]})


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"statusCode": 200}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "x"}]}, None),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, None),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, None),
        ({"batchItemFailures": [{}]}, None),
        ({"batchItemFailures": [1]}, None),
        ({"batchItemFailures": {}}, None),
        ([], None),
        ("", None),
    ],
)
def test_a_report_names_failures_of_the_batch_or_all_come_back(answer: Any, failed: set[str] | None) -> None:
    assert failed_items(answer, ["a", "b"]) == failed


def test_a_message_without_attributes_has_none_in_its_record() -> None:
    message = {"MessageId": "m", "ReceiptHandle": "r", "Body": "b", "MD5OfBody": "5", "Attributes": {"SenderId": "s"}}
    record = sqs_record(message, "arn:aws:sqs:eu-west-1:123456789012:q")
    assert record["messageAttributes"] == {}
    assert record["attributes"] == {"SenderId": "s"}
    assert record["awsRegion"] == "eu-west-1"
    assert "md5OfMessageAttributes" not in record
