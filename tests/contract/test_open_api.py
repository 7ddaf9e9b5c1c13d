"""docs/api/open-api.yaml, docs/open-api.md and the function say the same."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from functions.open_api import app
from shared.api_key import SCOPES
from shared.channels.open_api import parse
from shared.channels.open_api.objects import MANUAL_STATUS
from shared.engine.message import MAX_LABEL
from shared.ids import end_user_id
from shared.services.direct_step import MAX_USER_KEY, PLATFORMS
from tests.open_api_world import ALL_SCOPES, DOCUMENT, check_answer

PAGE = (Path(__file__).parents[2] / "docs" / "open-api.md").read_text(encoding="utf-8")
SCHEMAS: dict[str, Any] = DOCUMENT.content["components"]["schemas"]
OPERATIONS = {(method, path): DOCUMENT.operation(method, path) for method, path in DOCUMENT.routes()}


def shape(path: str) -> str:
    """A path whatever its parameters are called."""
    return re.sub(r"\{\w+\}", "{}", path)


def test_its_routes_are_those_of_the_function() -> None:
    assert sorted(OPERATIONS) == sorted(app.api.routes)


def test_the_page_names_every_call() -> None:
    named = {(method, shape(path)) for method, path in re.findall(r"^\| `(\w+) (/openapi/\S+)` \|", PAGE, re.MULTILINE)}
    assert named == {(method, shape(path)) for method, path in OPERATIONS}


def test_the_page_has_an_example_of_every_call() -> None:
    examples = re.sub(r"\$[A-Z]+\b", "x", PAGE)
    called = {("GET", path) for path in re.findall(r'"x(/openapi/[^"?]+)', examples)}
    called |= {(verb.upper(), path) for verb, path in re.findall(r"^(put|post) (/openapi/\S+)", examples, re.MULTILINE)}
    for method, path in OPERATIONS:
        form = re.sub(r"\{\w+\}", "[^/]+", path)
        assert any(method == verb and re.fullmatch(form, given) for verb, given in called), (method, path)


@pytest.mark.parametrize("call", sorted(OPERATIONS), ids=" ".join)
def test_an_operation_is_described_in_korean_and_english_and_names_its_scope(call: tuple[str, str]) -> None:
    operation = OPERATIONS[call]
    assert any("가" <= character <= "힣" for character in operation["summary"])
    assert re.search("[a-z]{3}", operation["summary"])
    assert sum(f"`{scope}`" in operation["description"] for scope in SCOPES) == 1
    assert {"401", "403", "500", "503"} <= set(operation["responses"])
    assert ("409" in operation["responses"]) == ("`conversations:write`" in operation["description"])


def test_every_scope_has_a_row() -> None:
    assert set(re.findall(r"^\| `(\w+:\w+)` \|", PAGE, re.MULTILINE)) == set(ALL_SCOPES)


def test_the_limits_are_those_of_the_code() -> None:
    content, parameters = SCHEMAS["Content"]["properties"], DOCUMENT.content["components"]["parameters"]
    assert content["text"]["maxLength"] == parse.MAX_TEXT
    assert content["cards"]["maxItems"] == parse.MAX_CARDS
    assert SCHEMAS["Buttons"]["maxItems"] == parse.MAX_BUTTONS
    assert SCHEMAS["Buttons"]["items"]["properties"]["label"]["maxLength"] == MAX_LABEL
    assert tuple(SCHEMAS["Media"]["properties"]["contentType"]["enum"]) == parse.MEDIA_TYPES
    assert SCHEMAS["Media"]["properties"]["uri"]["maxLength"] == parse.MAX_URI
    assert SCHEMAS["Agent"]["properties"]["id"]["maxLength"] == parse.MAX_AGENT_ID
    assert SCHEMAS["AddressedSpeech"]["properties"]["userKey"]["maxLength"] == MAX_USER_KEY
    assert set(SCHEMAS["Platform"]["enum"]) == PLATFORMS
    assert set(SCHEMAS["ManualStatus"]["enum"]) == set(MANUAL_STATUS.values())
    assert set(SCHEMAS["ManualChange"]["properties"]["status"]["enum"]) == set(app.MANUAL)
    assert (parameters["limit"]["schema"]["maximum"], parameters["limit"]["schema"]["default"]) == (
        app.MAX_LIMIT,
        app.DEFAULT_LIMIT,
    )
    assert parameters["idempotencyKey"]["schema"]["maxLength"] == app.MAX_IDEMPOTENCY_KEY


@pytest.mark.parametrize(
    ("status", "content"),
    [(418, {}), (200, {"items": []}), (200, {"items": [{"id": "shop"}], "cursor": None}), (404, {"message": "no"})],
)
def test_the_document_refuses_what_it_does_not_describe(status: int, content: Any) -> None:
    answer = {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(content)}
    with pytest.raises(AssertionError, match=r"may not answer|required property|not valid|Additional"):
        check_answer("GET", "/openapi/bot", answer)


def test_an_end_users_id_has_the_form_of_the_document() -> None:
    assert re.fullmatch(SCHEMAS["Id"]["pattern"], end_user_id("shop", "web", "kim"))
