"""Templates that cannot be run are refused in one line that names the place; nothing is skipped."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from infra.local.deploy import deploy
from infra.local.endpoints import Endpoints
from infra.local.template import Resolver, Template, load_template
from shared.errors import InvalidInput
from tests.integration.local.conftest import FIXTURES

UNREACHABLE = Endpoints("http://127.0.0.1:1", "http://127.0.0.1:1")


def function(**properties: Any) -> dict[str, Any]:
    base = {"CodeUri": str(FIXTURES / "app/echo"), "Handler": "app.handler", "Runtime": "python3.13"}
    return {"Type": "AWS::Serverless::Function", "Properties": {**base, **properties}}


def write(tmp_path: Path, resources: dict[str, Any], **sections: Any) -> Path:
    path = tmp_path / "template.yaml"
    document = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources, **sections}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def refusal(path: Path, parameters: dict[str, str] | None = None) -> str:
    with pytest.raises(InvalidInput) as caught:
        deploy(load_template(path, parameters), UNREACHABLE, "http://127.0.0.1:1", "ws://127.0.0.1:1")
    message = str(caught.value)
    assert "\n" not in message
    return message


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown resource": (
        {"Search": {"Type": "AWS::OpenSearchService::Domain"}},
        r"Search \(AWS::OpenSearchService::Domain\): unknown to the local cloud",
    ),
    "what becomes of failed events": (
        {"Nightly": function(EventInvokeConfig={"MaximumRetryAttempts": 0})},
        "not yet run by the local cloud; Nightly would never be called",
    ),
    "a WebSocket API whose routes nobody can choose": (
        {"Sockets": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "WEBSOCKET"}}},
        r"Sockets \(AWS::ApiGatewayV2::Api\): Sockets: RouteSelectionExpression : \$request.body.KEY is understood",
    ),
    "an authorizer": (
        {
            "Api": {
                "Type": "AWS::Serverless::HttpApi",
                "Properties": {
                    "Auth": {
                        "DefaultAuthorizer": "Jwt",
                        "Authorizers": {
                            "Jwt": {
                                "IdentitySource": "$request.header.Authorization",
                                "JwtConfiguration": {"issuer": "https://issuer.example", "audience": ["a"]},
                            }
                        },
                    }
                },
            },
            "F": function(
                Events={
                    "E": {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Method": "GET", "Path": "/me"}}
                }
            ),
        },
        "route GET /me: authorizers are not yet run",
    ),
    "another runtime": ({"F": function(Runtime="nodejs22.x")}, "runs Python, not nodejs22.x"),
    "code that is not there": ({"F": function(CodeUri="nowhere/")}, "F: CodeUri must be a folder"),
    "bucket notifications": (
        {"B": {"Type": "AWS::S3::Bucket", "Properties": {"NotificationConfiguration": {}}}},
        "notifications are not yet run",
    ),
    "an unknown intrinsic function": (
        {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::ImportValue": "x"}}}},
        "Fn::ImportValue is not understood",
    ),
    "a reference to nothing": (
        {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Nobody"}}}},
        "there is no parameter or resource Nobody",
    ),
    "an unknown attribute": (
        {"F": function(Environment={"Variables": {"X": {"Fn::GetAtt": ["F", "SnapStartResponse"]}}})},
        "its attribute SnapStartResponse is unknown",
    ),
    "resources that refer to each other": (
        {
            "A": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["B", "TopicName"]}}},
            "B": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["A", "TopicName"]}}},
        },
        "refers to itself: A -> B -> A",
    ),
    "what the translator refuses": ({"F": {"Type": "AWS::Serverless::Function", "Properties": {"Nonsense": 1}}}, "F"),
}


@pytest.mark.parametrize(("resources", "complaint"), REFUSED.values(), ids=REFUSED.keys())
def test_a_template_that_cannot_be_run_is_refused_in_one_line(
    tmp_path: Path, resources: dict[str, Any], complaint: str
) -> None:
    message = refusal(write(tmp_path, resources))
    assert message.startswith(str(tmp_path / "template.yaml"))
    assert re.search(complaint, message)


def test_broken_yaml_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("Resources: [", encoding="utf-8")
    assert "line 1" in refusal(path)


def test_a_template_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "there is no such template" in refusal(tmp_path / "template.yaml")


def test_a_parameter_without_value_is_named_with_its_flag(tmp_path: Path) -> None:
    path = write(tmp_path, {"T": {"Type": "AWS::SNS::Topic"}}, Parameters={"Key": {"Type": "String"}})
    assert "--parameter Key=" in refusal(path)


def test_a_parameter_that_the_template_lacks_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {"T": {"Type": "AWS::SNS::Topic"}})
    assert "there is no parameter Key" in refusal(path, {"Key": "value"})


def test_a_resource_whose_condition_is_false_is_not_looked_at(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"Search": {"Type": "AWS::OpenSearchService::Domain", "Condition": "Never"}},
        Conditions={"Never": {"Fn::Equals": ["a", "b"]}},
    )
    assert deploy(load_template(path), UNREACHABLE, "http://127.0.0.1:1", "ws://127.0.0.1:1").functions == {}


def resolved(source: Any, **parameters: Any) -> Any:
    template = Template(
        path=Path("template.yaml"),
        resources={},
        conditions={"Yes": {"Fn::Equals": ["a", "a"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
        mappings={"Map": {"a": {"b": "c"}}},
        outputs={},
        parameters=parameters,
        code={},
    )
    return Resolver(template, lambda name: f"<{name}>", lambda name, key: f"<{name}.{key}>").value(source)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ({"Ref": "P"}, "v"),
        ({"Ref": "Thing"}, "<Thing>"),
        ({"Ref": "AWS::Region"}, "ap-northeast-2"),
        ({"Fn::GetAtt": "Thing.Arn"}, "<Thing.Arn>"),
        ({"Fn::GetAtt": ["Thing", "Arn"]}, "<Thing.Arn>"),
        ({"Fn::Sub": "${P}-${Thing.Arn}-${!P}"}, "v-<Thing.Arn>-${P}"),
        ({"Fn::Sub": ["${x}${P}", {"x": {"Ref": "P"}}]}, "vv"),
        ({"Fn::Join": ["/", ["a", {"Ref": "P"}, {"Ref": "AWS::NoValue"}]]}, "a/v"),
        ({"Fn::Select": ["1", ["a", "b"]]}, "b"),
        ({"Fn::Select": [0, {"Fn::Split": [",", "x,y"]}]}, "x"),
        ({"Fn::FindInMap": ["Map", "a", "b"]}, "c"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, 2]}, 2),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]}, True),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}]}, {"b": []}),
    ],
)
def test_intrinsic_functions_have_their_values(source: Any, value: Any) -> None:
    assert resolved(source, P="v") == value


def test_endpoints_of_the_users_environment_are_honoured() -> None:
    environment = {
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000",
        "AWS_ACCESS_KEY_ID": "mine",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-west-1",
    }
    endpoints = Endpoints.from_environment("http://127.0.0.1:8788", "http://127.0.0.1:8790", environment)
    variables = endpoints.variables()
    assert variables["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:8000"
    assert variables["AWS_ENDPOINT_URL_DYNAMODB_STREAMS"] == "http://127.0.0.1:8000"
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8788"
    assert "AWS_ENDPOINT_URL_S3" not in variables
    assert (variables["AWS_ACCESS_KEY_ID"], variables["AWS_REGION"]) == ("mine", "eu-west-1")
    assert endpoints.client("dynamodb").meta.endpoint_url == "http://127.0.0.1:8000"


def test_without_an_endpoint_of_its_own_the_users_credentials_stay_outside() -> None:
    environment = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
    variables = Endpoints.from_environment("http://127.0.0.1:1", "http://127.0.0.1:2", environment).variables()
    assert (variables["AWS_ACCESS_KEY_ID"], variables["AWS_REGION"]) == ("local", "ap-northeast-2")
