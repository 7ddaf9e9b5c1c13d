"""What the functions need around them to answer in a container: tables, the bucket, and the way to reach them.

`sam local` resolves `!Ref TurnsTable` to the logical id, so the tables are made under their logical ids.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3
from samcli.yamlhelper import yaml_dump, yaml_parse

REGION: Final = "ap-northeast-2"
BUCKET: Final = "bots"
"""A logical id has capitals, a bucket's name may not."""

CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": REGION}
COLD_START_SECONDS: Final = 60

KEPT: Final = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def functions(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of each function by its logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def make_resources(template: Mapping[str, Any], endpoint: str) -> None:
    """Create the tables and the bucket of the template in the AWS at `endpoint`."""
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::DynamoDB::Table":
            known = {key: value for key, value in resource["Properties"].items() if key in KEPT}
            dynamodb.create_table(TableName=name, **known)
    session.client("s3", endpoint_url=endpoint).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )


def let_containers_reach(endpoint: str, artifacts: Path) -> Path:
    """Point the built functions to `endpoint`; returns the file for sam's `--env-vars`.

    sam overrides only variables that a template declares. The deployed template must not declare this one, so it is
    added to the built copy. sam also counts a cold start against the time-out, which AWS does not: the copy is patient.
    """
    path = artifacts / "template.yaml"
    template = yaml_parse(path.read_text(encoding="utf-8"))
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = endpoint
    for properties in functions(template).values():
        properties["Timeout"] = COLD_START_SECONDS
    path.write_text(yaml_dump(template), encoding="utf-8")
    overrides = {"Parameters": {"MALGIL_BOT_BUCKET": BUCKET}}
    variables = artifacts / "variables.json"
    variables.write_text(json.dumps(overrides), encoding="utf-8")
    return variables
