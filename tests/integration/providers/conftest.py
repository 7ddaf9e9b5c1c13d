"""Providers as local TLS servers that say what the real ones document, and every name of theirs found there."""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import shared.net.exchange  # noqa: F401 - a test with a short deadline should not pay for the first import
from shared.engine.effects import Attempt
from shared.net.guarded_client import GuardedClient
from shared.providers.credentials import Credentials
from tests.integration.net.conftest import authority, client_for, server_context, trusting  # noqa: F401 - fixtures
from tests.loopback_server import LoopbackServer, RecordedRequest, Script, answering

DATA = Path(__file__).parents[2] / "data" / "providers"
NAMES = (
    "oauth2.googleapis.com",
    "sheets.googleapis.com",
    "dialogflow.googleapis.com",
    "asia-northeast1-dialogflow.googleapis.com",
    "api.us-south.assistant.watson.cloud.ibm.com",
    "nlp.shop.example",
    "api.openai.com",
)
JSON_TYPE = [("Content-Type", "application/json; charset=UTF-8")]
PREFIX = "malgil/test"
ACCOUNT = "bot@malgil-shop.iam.gserviceaccount.com"
REFRESH_TOKEN = "1//0gRefreshTokenOfTheOwner"
API_KEY = "sk-proj-0123456789abcdef"
WATSON_KEY = "watson-Key-0123456789"


def saying(name: str, status: int = 200) -> Script:
    """The answer in a file of tests/data/providers."""
    return answering(status, (DATA / name).read_bytes(), JSON_TYPE)


def saying_json(value: Any, status: int = 200) -> Script:
    return answering(status, json.dumps(value).encode(), JSON_TYPE)


@dataclass
class Now:
    """The time of day, which only tests move."""

    ms: int = 1_795_323_600_000

    def __call__(self) -> int:
        return self.ms


@dataclass
class Secrets:
    """Secrets Manager in memory, with the calls that it got."""

    values: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    error: Exception | None = None

    def call(self, operation: str, deadline_ns: int | None, **parameters: Any) -> Any:
        assert operation == "get_secret_value"
        assert deadline_ns is not None
        self.calls.append(parameters["SecretId"])
        if self.error is not None:
            raise self.error
        if parameters["SecretId"] not in self.values:
            raise refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return {"SecretString": self.values[parameters["SecretId"]]}

    def put(self, name: str, value: Any, bot: str = "shop") -> None:
        self.values[f"{PREFIX}/{bot}/{name}"] = value if isinstance(value, str) else json.dumps(value)


def refusal(code: str, message: str, operation: str = "GetSecretValue") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class Provider:
    """Answers in the order of `script`, whatever is asked; `requests` are those that came."""

    server: LoopbackServer
    client: GuardedClient
    script: list[Script] = field(default_factory=list)

    @property
    def requests(self) -> list[RecordedRequest]:
        return self.server.requests

    def url(self, name: str) -> str:
        return f"https://{name}:{self.server.port}"

    def asked(self) -> list[str]:
        """`METHOD path` of each request."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def body(self, index: int = -1) -> Any:
        return json.loads(self.requests[index].body)


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA) -> ssl.SSLContext:  # noqa: F811
    return server_context(authority.issue_cert(*NAMES))


@pytest.fixture
def provider(certificate: ssl.SSLContext, trusting: ssl.SSLContext) -> Iterator[Provider]:  # noqa: F811
    script: list[Script] = []
    unexpected = answering(418, b'{"error": {"message": "the test expects no further request"}}', JSON_TYPE)

    def answer(connection: Any, request: RecordedRequest) -> None:
        (script.pop(0) if script else unexpected)(connection, request)

    with LoopbackServer(answer, tls=certificate) as server:
        yield Provider(server, client_for(server, *NAMES, ssl_context=trusting), script)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def service_account(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The file that Google's console hands out, with a key of the test."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "type": "service_account",
        "project_id": "malgil-shop",
        "private_key_id": "3b9f0c1d2e",
        "private_key": pem,
        "client_email": ACCOUNT,
        "client_id": "103214567890123456789",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://elsewhere.example/token",
    }


@pytest.fixture
def secrets(service_account: dict[str, str]) -> Secrets:
    found = Secrets()
    found.put("google", service_account)
    found.put(
        "owner",
        {
            "refresh_token": REFRESH_TOKEN,
            "client_id": "id.apps.googleusercontent.com",
            "client_secret": "GOCSPX-secret",
        },
    )
    found.put("watson", {"apikey": WATSON_KEY})
    found.put("openai", {"apiKey": API_KEY})
    return found


@pytest.fixture
def credentials(secrets: Secrets, now: Now) -> Credentials:
    return Credentials(PREFIX, now, secrets)


def attempt(timeout_ms: int = 5_000, bot_id: str = "shop") -> Attempt:
    return Attempt(bot_id=bot_id, idempotency_key="log-1:7:node:1", timeout_ms=timeout_ms)


clock: Callable[[], int] = time.monotonic_ns
