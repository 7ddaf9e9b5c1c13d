"""What Kakao's answer to a posted reply means (kakao: AI 챗봇 콜백 개발 가이드)."""

import json

import pytest

from shared.channels.kakao.callback import read_callback_answer


def answer(status, message="", **more):
    return json.dumps({"taskId": "1", "status": status, "message": message, "timestamp": 0, **more}).encode()


def test_success_means_that_the_end_user_sees_it():
    assert read_callback_answer(answer("SUCCESS")) == "given"


@pytest.mark.parametrize(
    "message",
    [
        "Invalid callback token for testing purposes.",
        "Invalid callback token. Check your callback token.",
        "Invalid bot ID (5f0a!)",
        "Invalid json response from bot-skill.",
        "Invalid skill-json format. This talk bubble is not suitable for advertising.",
        "Internal server error occured... (501)",
        "something that Kakao has not said yet",
        None,
    ],
)
@pytest.mark.parametrize("status", ["FAIL", "ERROR"])
def test_a_refusal_means_that_they_do_not(status, message):
    assert read_callback_answer(answer(status, message)) == "refused"


def test_a_reply_that_came_before_the_acknowledgement_may_be_posted_again():
    message = "The skill server settings are incorrect. Use callback true setting required."
    assert read_callback_answer(answer("FAIL", message)) == "too_early"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"status": 200}', answer("OK"), b"{" * 20_000, b"\xff"]
)
def test_anything_else_leaves_it_unknown(body):
    assert read_callback_answer(body) == "unknown"
