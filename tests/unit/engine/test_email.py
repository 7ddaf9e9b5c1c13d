"""Mails of an email node: to whom, and that nothing an end user says becomes a header or markup."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.engine import Answered, EffectFailed
from shared.engine.effects import Mail
from tests.unit.engine.carrying import ask, asked, carried, kept
from tests.unit.engine.test_step import ERROR, say, texts

MAIL = {"to": "help@example.com", "subject": "문의: {{message}}", "body": "<p>{{message}}</p>"}


def mail(inbound: Any = None, **data: Any) -> Mail:
    effect = asked("email", {**MAIL, **data}, inbound)
    assert isinstance(effect, Mail)
    return effect


@pytest.mark.parametrize(
    ("to", "addresses"),
    [
        ("a@example.com", ["a@example.com"]),
        (" a@example.com ,b@example.com,, a@example.com", ["a@example.com", "b@example.com"]),
        (["a@example.com", "b@example.com,c@example.com", ""], ["a@example.com", "b@example.com", "c@example.com"]),
        ("지은 <a+b@example.co.kr>", ["a+b@example.co.kr"]),
        ("{{message}}@example.com", ["안녕@example.com"]),
    ],
)
def test_addresses_are_a_text_with_commas_or_a_list(to: Any, addresses: list[str]) -> None:
    assert mail(to=to, replyTo=to).to == addresses
    assert mail(to=to, replyTo=to).reply_to == addresses


@pytest.mark.parametrize(
    "said",
    [
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com\nb@example.com",
        "a@b@example.com",
        "<a@example.com",
        "a@example",
        "@example.com",
        "a@.com",
        "a b@example.com",
        "x" * 65 + "@example.com",
        "a@" + "x." * 130 + "com",
        "네",
    ],
)
def test_what_is_no_address_fails_the_node_and_sends_nothing(said: str) -> None:
    for key in ("to", "replyTo"):
        result = ask("email", {**MAIL, key: "{{params.said}}"}, params={"said": said})
        assert result.effect is None
        assert texts(result) == ["FAILED InvalidAddressError|"]


def test_nobody_to_send_to_is_a_failure_and_nobody_named_is_the_authors_error() -> None:
    assert texts(ask("email", {**MAIL, "to": "{{params.none}}"})) == ["FAILED InvalidAddressError|"]
    assert texts(ask("email", {"subject": "x"})) == [ERROR]


@pytest.mark.parametrize(("count", "is_sent"), [(50, True), (51, False)])
def test_a_mail_has_at_most_fifty_recipients(count: int, is_sent: bool) -> None:
    addresses = [f"a{index}@example.com" for index in range(count)]
    assert (ask("email", {**MAIL, "to": addresses}).effect is not None) == is_sent


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_no_text_of_an_end_user_can_add_a_header_or_markup(text: str) -> None:
    sent = mail(say(text))
    assert sent.subject.startswith("문의:")
    assert not any(ord(character) < 32 for character in sent.subject)
    assert len(sent.subject) <= 255
    assert sent.html.startswith("<p>")
    assert sent.html.endswith("</p>")
    assert not set(sent.html[3:-4]) & set("<>\"'")


def test_triple_braces_are_the_authors_own_markup() -> None:
    sent = mail(say("<b>&"), body="{{{message}}}|{{message}}|{{#if message}}{{TRUNCATE(message, 2)}}{{/if}}")
    assert sent.html == "<b>&|&lt;b&gt;&amp;|&lt;b"


def test_only_the_body_is_html() -> None:
    assert mail(say("a & b")).subject == "문의: a & b"


def test_a_body_that_no_queue_could_carry_fails_the_node() -> None:
    assert texts(ask("email", {**MAIL, "body": "가" * 43_691})) == ["FAILED TooLargeError|"]


def test_a_mail_is_never_repeated_and_waits_ten_seconds() -> None:
    sent = mail()
    assert (sent.repeatable, sent.timeout_ms, sent.slow, mail(slow=True).slow) == (False, 10_000, False, True)


def test_the_result_is_the_messages_id_or_the_error() -> None:
    sent = carried("email", MAIL, Answered(result={"messageId": "m-1"}), "{{email.messageId}}")
    assert texts(sent) == ["COMPLETED m-1"]
    assert kept(sent, "email") == {"status": "COMPLETED", "messageId": "m-1"}
    failed = carried("email", MAIL, EffectFailed(name="NotConfiguredError", message="mail is off"), "{{email.error}}")
    assert texts(failed) == ["FAILED NotConfiguredError|mail is off"]


def test_no_answer_can_call_itself_completed_by_another_name() -> None:
    assert kept(carried("email", MAIL, Answered(result={"status": "PENDING"})), "email") == {"status": "COMPLETED"}
