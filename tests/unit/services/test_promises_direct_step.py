"""A direct caller's event is hostile too: read to our own types or refused with its place."""

import json
from typing import Any

import pytest

from shared.engine.inbound import UserMessage
from shared.errors import InvalidInput
from shared.services.direct_step import parse_direct_request

EVENT = {"botId": "shop", "userKey": "user", "message": {"text": "안녕"}}


@pytest.mark.parametrize(
    "hostile",
    [
        {"params": {"x": float("nan")}},
        {"params": {"x": [float("inf")]}},
        {"message": {"type": "text", "text": "안녕", "payload": float("-inf")}},
        {"params": {"x": json.loads("[" * 80 + "]" * 80)}},
        {"params": {"x": int("9" * 400)}},
        {"userKey": "x" * 91},
        {"userKey": ""},
        {"clientId": "x" * 91},
        {"clientId": 5},
        {"message": {"type": "text", "text": "x" * 300_000}},
    ],
)
def test_what_could_not_be_stored_is_refused(hostile: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_direct_request({**EVENT, **hostile})


def test_lone_surrogates_are_repaired_everywhere() -> None:
    request = parse_direct_request(
        {
            **EVENT,
            "userKey": "\ud83d",
            "clientId": "\ud83d",
            "message": {"text": "a\ud83db\x00"},
            "params": {"\ud83d": ["\udc00"]},
        }
    )
    assert isinstance(request.inbound, UserMessage)
    assert request.inbound.data["text"] == "a\ufffdb"
    assert request.user_key == request.client_id == "\ufffd"
    assert request.params == {"\ufffd": ["\ufffd"]}


def test_client_ids_that_begin_alike_are_two() -> None:
    one, other = "x" * 89 + "1", "x" * 89 + "2"
    assert parse_direct_request({**EVENT, "clientId": one}).client_id == one
    assert parse_direct_request({**EVENT, "clientId": other}).client_id == other
