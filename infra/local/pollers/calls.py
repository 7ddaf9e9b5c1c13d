"""Calls of AWS's JSON services for an event loop: a call that is cancelled hangs up."""

import json
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local.endpoints import Endpoints

CALL_SECONDS: Final = 30.0

_SERVICES: Final = {"sqs": ("sqs", "AmazonSQS"), "dynamodbstreams": ("dynamodb", "DynamoDBStreams_20120810")}
"""The name that signs, and the one before the action, of each service."""


class CallError(Exception):
    """The service refused a call. `code` is the name of its error, without a namespace."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Calls:
    """One service, "sqs" or "dynamodbstreams"."""

    def __init__(self, endpoints: Endpoints, service: str) -> None:
        self._url = endpoints.address(service)
        signing_name, self._target = _SERVICES[service]
        self._signer = SigV4Auth(
            Credentials(
                endpoints.credentials["aws_access_key_id"],
                endpoints.credentials["aws_secret_access_key"],
                endpoints.credentials.get("aws_session_token"),
            ),
            signing_name,
            endpoints.region,
        )
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=CALL_SECONDS), connector=aiohttp.TCPConnector(limit=0)
        )

    async def call(self, action: str, headers: Mapping[str, str] | None = None, **arguments: Any) -> dict[str, Any]:
        """Raises CallError, or OSError and TimeoutError when the service cannot be reached."""
        wanted = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"{self._target}.{action}"}
        request = AWSRequest("POST", self._url, wanted, json.dumps(arguments).encode())
        self._signer.add_auth(request)
        sent = {**dict(request.headers), **(headers or {})}
        async with self._session.post(self._url, data=request.data, headers=sent) as response:
            body = await response.read()
        if response.status != 200:  # noqa: PLR2004
            text = " ".join(body.decode(errors="replace").split())[:200]
            raise CallError(f"{action}: {response.status} {text}", _code(body))
        answer: dict[str, Any] = json.loads(body or b"{}")
        return answer

    async def close(self) -> None:
        await self._session.close()


def _code(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    return str(answer.get("__type", "")).rpartition("#")[2] if isinstance(answer, dict) else ""
