"""docs/api/management.yaml and the function say the same."""

from pathlib import Path
from typing import Any

import pytest

from functions.management_api.app import api
from shared.services.api_keys import SCOPES
from shared.services.webhook_management import MAX_ENDPOINTS, MAX_PAGE
from shared.services.webhook_replay import JOBS_A_PART
from tests.openapi_document import JsonObject, OpenApiDocument

DOCUMENT = OpenApiDocument(Path(__file__).parents[2] / "docs" / "api" / "management.yaml")


def schema(name: str) -> JsonObject:
    found: JsonObject = DOCUMENT.content["components"]["schemas"][name]
    return found


def test_its_routes_are_those_of_the_function() -> None:
    assert DOCUMENT.routes() == set(api.routes)


def test_every_route_stands_under_the_path_that_api_gateway_sends_here() -> None:
    assert [path for _, path in api.routes if not path.startswith("/api/")] == []


@pytest.mark.parametrize(("method", "path"), sorted(api.routes))
def test_an_operation_is_described_in_korean_and_english_and_names_its_scope(method: str, path: str) -> None:
    operation = DOCUMENT.operation(method, path)
    text = f"{operation['summary']} {operation['description']}"
    assert any("가" <= character <= "힣" for character in text)
    assert any(character.isascii() and character.isalpha() for character in operation["summary"])
    assert sum(f"`{scope}`" in operation["description"] for scope in SCOPES) == 1
    assert {"401", "403", "500", "503"} <= set(operation["responses"])


def test_the_scopes_are_those_of_keys() -> None:
    assert tuple(schema("Scope")["enum"]) == SCOPES


def test_the_limits_are_those_of_the_code() -> None:
    limit = next(
        parameter
        for parameter in DOCUMENT.operation("GET", "/api/bots/b/webhooks/w/deliveries")["parameters"]
        if parameter["name"] == "limit"
    )
    assert limit["schema"]["maximum"] == MAX_PAGE
    assert f"{MAX_ENDPOINTS}개" in DOCUMENT.operation("POST", "/api/bots/b/webhooks")["description"]
    assert f"{JOBS_A_PART}개" in DOCUMENT.operation("POST", "/api/bots/b/webhooks/w/send-held")["description"]


@pytest.mark.parametrize(("value", "found"), DOCUMENT.examples())
def test_an_example_is_what_it_is_an_example_of(value: Any, found: JsonObject) -> None:
    DOCUMENT.check_example(value, found)


def test_the_document_refuses_what_it_does_not_describe() -> None:
    with pytest.raises(AssertionError, match="unexpected"):
        DOCUMENT.check_request("POST", "/api/keys", {"name": "x", "scopes": ["bots:read"], "more": 1})
    with pytest.raises(AssertionError, match="may not answer 418"):
        DOCUMENT.check_answer("GET", "/api/keys", {"statusCode": 418, "headers": {}, "body": "{}"})
    created = DOCUMENT.operation("POST", "/api/bots/b/webhooks")["responses"]["201"]
    (example,) = created["content"]["application/json"]["examples"].values()
    with pytest.raises(AssertionError, match="secret"):
        DOCUMENT.check_example(example["value"], {"$ref": "#/components/schemas/Webhook"})
