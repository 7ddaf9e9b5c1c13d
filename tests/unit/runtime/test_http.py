"""HTTP API events: headers in any case, bodies as sent, deadlines from the gateway's receipt."""

import base64
from http import HTTPStatus
from typing import Any

import pytest

from shared.errors import (
    AccessDenied,
    BlockedAddress,
    Conflict,
    InvalidBot,
    InvalidInput,
    MalgilError,
    NotFound,
    Unavailable,
)
from shared.runtime import world
from shared.runtime.http import body_of, deadline_ns, error_reply, header


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "now_ms", lambda: 1_000_000)
    monkeypatch.setattr(world, "clock_ns", lambda: 0)


def left_ms(received_ms: Any) -> float:
    return deadline_ns({"requestContext": {"timeEpoch": received_ms}}, 4_300) / 1_000_000


def test_time_already_spent_counts() -> None:
    assert left_ms(1_000_000 - 1_200) == 3_100


def test_a_receipt_in_the_future_does_not_lengthen_the_deadline() -> None:
    assert left_ms(1_000_000 + 60_000) == 4_300


@pytest.mark.parametrize("received", [1_000_000 - 31_000, 0, None, "soon"])
def test_a_receipt_that_cannot_be_one_counts_as_now(received: Any) -> None:
    assert left_ms(received) == 4_300


def test_an_event_without_a_context_has_the_whole_budget() -> None:
    assert deadline_ns({}, 4_300) == 4_300_000_000


@pytest.mark.parametrize("name", ["x-malgil-secret", "X-Malgil-Secret", "X-MALGIL-SECRET"])
def test_headers_are_found_in_any_case(name: str) -> None:
    assert header({"headers": {name: "s"}}, "X-Malgil-Secret") == "s"
    assert header({"headers": None}, "X-Malgil-Secret") is None


def test_a_body_is_the_bytes_that_were_sent() -> None:
    assert body_of({"body": "안녕"}) == "안녕".encode()
    assert body_of({"body": base64.b64encode(b"\xff\x00").decode(), "isBase64Encoded": True}) == b"\xff\x00"
    assert body_of({}) == b""


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (AccessDenied("x"), HTTPStatus.FORBIDDEN, "access_denied"),
        (InvalidInput("x"), HTTPStatus.BAD_REQUEST, "invalid_input"),
        (InvalidBot("x"), HTTPStatus.BAD_REQUEST, "invalid_bot"),
        (BlockedAddress("x"), HTTPStatus.BAD_REQUEST, "blocked_address"),
        (NotFound("x"), HTTPStatus.NOT_FOUND, "not_found"),
        (Conflict("x"), HTTPStatus.CONFLICT, "conflict"),
        (Unavailable("x"), HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
        (MalgilError("x"), HTTPStatus.INTERNAL_SERVER_ERROR, "internal"),
    ],
)
def test_each_error_has_its_status_and_stable_code(error: MalgilError, status: int, code: str) -> None:
    reply = error_reply(error)
    assert reply["statusCode"] == status
    assert f'"code":"{code}"' in reply["body"]
