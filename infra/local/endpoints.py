"""Where each AWS service is: the embedded one, unless the user's environment says otherwise.

`AWS_ENDPOINT_URL_DYNAMODB` and its sisters point the deployer and the handlers at another server (DynamoDB Local, or
AWS itself), with the credentials and the region of the same environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infra.local.embedded import CREDENTIALS, REGION, client

_PREFIX: Final = "AWS_ENDPOINT_URL_"
_SERVICES: Final = {
    "bedrock-runtime": "BEDROCK_RUNTIME",
    "dynamodb": "DYNAMODB",
    "dynamodbstreams": "DYNAMODB_STREAMS",
    "s3": "S3",
    "secretsmanager": "SECRETS_MANAGER",
    "sesv2": "SESV2",
    "sns": "SNS",
    "sqs": "SQS",
}
_CREDENTIAL_VARIABLES: Final = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
}


@dataclass(frozen=True)
class Endpoints:
    """`embedded` serves whatever `overrides` (by boto3's service name) does not."""

    embedded: str
    lambda_endpoint: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=lambda: dict(CREDENTIALS))
    region: str = REGION

    @classmethod
    def from_environment(cls, embedded: str, lambda_endpoint: str, environment: Mapping[str, str]) -> "Endpoints":
        overrides = {
            service: url for service, suffix in _SERVICES.items() if (url := environment.get(_PREFIX + suffix, ""))
        }
        if "dynamodb" in overrides:
            # A table's stream is where the table is.
            overrides.setdefault("dynamodbstreams", overrides["dynamodb"])
        if not overrides:
            return cls(embedded, lambda_endpoint)
        credentials = {
            argument: value
            for argument, variable in _CREDENTIAL_VARIABLES.items()
            if (value := environment.get(variable, ""))
        }
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or REGION
        return cls(embedded, lambda_endpoint, overrides, credentials or dict(CREDENTIALS), region)

    def address(self, service: str) -> str:
        return self.overrides.get(service, self.embedded)

    def client(self, service: str) -> Any:
        """A boto3 client of a service, wherever it is."""
        return client(service, self.address(service), region=self.region, **self.credentials)

    def variables(self) -> dict[str, str]:
        """What a handler's environment says, so that no SDK call can leave for the real AWS by accident."""
        return {
            **{_CREDENTIAL_VARIABLES[name]: value for name, value in self.credentials.items()},
            **{_PREFIX + _SERVICES[service]: url for service, url in self.overrides.items()},
            "AWS_ENDPOINT_URL": self.embedded,
            "AWS_ENDPOINT_URL_LAMBDA": self.lambda_endpoint,
            "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": self.lambda_endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }
