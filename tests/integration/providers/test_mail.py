"""Mail: what SES is told, what stands in the outbox, and what cannot be sent."""

import json
import urllib.request
from email.header import decode_header, make_header

import botocore.exceptions
import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

from shared.engine.effects import Answered, EffectFailed, Mail
from shared.errors import Unavailable
from shared.providers.mail import MailCarrier
from shared.runtime import wiring
from shared.runtime.settings import MAIL_FROM
from tests.integration.conftest import forget_wiring
from tests.integration.providers.conftest import attempt, clock

SENDER = "bot@malgil.example"


def mail(**changed):
    given = {
        "to": ["김하늘 <haneul@shop.example>"],
        "reply_to": ["desk@shop.example"],
        "subject": "예약 확인 ✓",
        "html": "<p>안녕하세요 🌷</p>",
        "timeout_ms": 5_000,
    }
    return Mail(**{**given, **changed})


class Ses:
    """SES in memory; `error` is raised instead of an answer."""

    def __init__(self, error=None):
        self.sent = []
        self.made = []
        self.error = error

    def make(self, *arguments):
        self.made.append(arguments)
        return self

    def send_email(self, **parameters):
        self.sent.append(parameters)
        if self.error is not None:
            raise self.error
        return {"MessageId": "0100018c"}


def carrier(ses, sender=SENDER):
    return MailCarrier(clock, sender=sender, make_client=ses.make)


def failed(answer, name, words):
    assert isinstance(answer, EffectFailed), answer
    assert answer.name == name, answer
    assert words in answer.message


def test_a_mail_is_sent_once_in_utf_8():
    ses = Ses()
    assert carrier(ses)(mail(), attempt()) == Answered(result={"messageId": "0100018c"})
    (sent,) = ses.sent
    (to,) = sent["Destination"].pop("ToAddresses")
    assert str(make_header(decode_header(to))) == "김하늘 <haneul@shop.example>"
    assert to.isascii()
    assert sent == {
        "FromEmailAddress": SENDER,
        "Destination": {},
        "ReplyToAddresses": ["desk@shop.example"],
        "Content": {
            "Simple": {
                "Subject": {"Data": "예약 확인 ✓", "Charset": "UTF-8"},
                "Body": {"Html": {"Data": "<p>안녕하세요 🌷</p>", "Charset": "UTF-8"}},
            }
        },
    }
    assert ses.made == [("sesv2", 3.0, 1, None)]


def test_without_a_sender_mail_is_off():
    ses = Ses()
    failed(carrier(ses, sender="")(mail(), attempt()), "NotConfiguredError", "MailFrom")
    assert ses.sent == []


def test_a_subject_is_one_line():
    ses = Ses()
    carrier(ses)(mail(subject="안녕\r\nBcc: all@shop.example\x00"), attempt())
    assert ses.sent[0]["Content"]["Simple"]["Subject"]["Data"] == "안녕 Bcc: all@shop.example"


def test_a_domain_in_other_letters_is_sent_as_punycode():
    ses = Ses()
    carrier(ses)(mail(to=["desk@꽃집.example"]), attempt())
    assert ses.sent[0]["Destination"]["ToAddresses"] == ["desk@" + "꽃집.example".encode("idna").decode()]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("desk@shop.example", "desk@shop.example"),
        (" <desk@shop.example> ", "desk@shop.example"),
        ('"Flowers, Inc." <desk@shop.example>', '"Flowers, Inc." <desk@shop.example>'),
        ("a@b.example, c@d.example <desk@shop.example>", '"a@b.example, c@d.example" <desk@shop.example>'),
    ],
)
def test_an_address_may_have_a_name(written, sent):
    ses = Ses()
    carrier(ses)(mail(to=[written]), attempt())
    assert ses.sent[0]["Destination"]["ToAddresses"] == [sent]


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"to": []}, "to: 0 addresses"),
        ({"to": [" "]}, "to: 0 addresses"),
        ({"to": ["a@b.example"] * 51}, "to: 51 addresses"),
        ({"to": ["nobody"]}, "to: 'nobody'"),
        ({"to": ["a@b"]}, "to: 'a@b'"),
        ({"to": ["Desk desk@shop.example"]}, "to:"),
        ({"to": ["<a@b.example> <c@d.example>"]}, "to:"),
        ({"to": ["a@b.example, c@d.example"]}, "to:"),
        ({"to": ["a@b.example\r\nBcc: c@d.example"]}, "to:"),
        ({"to": ["하늘@shop.example"]}, "to:"),
        ({"to": ["a@꽃 집.example"]}, "to:"),
        ({"reply_to": ["x"]}, "replyTo: 'x'"),
        ({"html": "x" * 500_001}, "body"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_place(changed, place):
    ses = Ses()
    answer = carrier(ses)(mail(**changed), attempt())
    failed(answer, "InvalidRequestError", place)
    assert ses.sent == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("MessageRejected", "ProviderError"),
        ("TooManyRequestsException", "ProviderError"),
        ("AccessDeniedException", "NotConfiguredError"),
        ("MailFromDomainNotVerifiedException", "NotConfiguredError"),
    ],
)
def test_a_refusal_of_ses_is_told_and_not_tried_again(code, name):
    ses = Ses(ClientError({"Error": {"Code": code, "Message": "Email address is not verified."}}, "SendEmail"))
    failed(carrier(ses)(mail(), attempt()), name, f"SES: {code}: Email address is not verified.")
    assert len(ses.sent) == 1


@pytest.mark.parametrize(
    ("error", "name", "words"),
    [
        (ReadTimeoutError(endpoint_url="https://email"), "TimeoutError", "nobody knows whether it happened"),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="https://email"), "ConnectError", "cannot be reached"),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="https://email"),
            "ConnectError",
            "cannot be reached",
        ),
    ],
)
def test_a_mail_with_an_unknown_outcome_is_not_sent_again(error, name, words):
    ses = Ses(error)
    failed(carrier(ses)(mail(), attempt()), name, words)
    assert len(ses.sent) == 1


def test_an_sdk_without_credentials_is_our_own_fault():
    with pytest.raises(Unavailable):
        carrier(Ses(NoCredentialsError()))(mail(), attempt())


@pytest.mark.parametrize(("timeout_ms", "seconds"), [(60_000, 25.0), (4_000, 3.0), (1_200, 0.5), (600, 0.25)])
def test_the_call_fits_the_effects_time(timeout_ms, seconds):
    ses = Ses()
    carrier(ses)(mail(), attempt(timeout_ms))
    assert ses.made[0][1] == seconds


def test_with_no_time_left_nothing_is_sent():
    ses = Ses()
    failed(carrier(ses)(mail(), attempt(300)), "TimeoutError", "no time was left")
    assert ses.sent == []


# ---- wired, on the embedded AWS


def outbox(stack):
    with urllib.request.urlopen(stack.endpoint + "/_aws/ses") as answer:
        return json.loads(answer.read())["messages"]


@pytest.fixture
def with_sender(stack, monkeypatch):
    monkeypatch.setenv(MAIL_FROM, SENDER)
    forget_wiring()
    yield stack
    forget_wiring()


def test_a_mail_of_the_local_cloud_stands_in_its_outbox(with_sender):
    before = outbox(with_sender)
    answer = wiring.carry_out(mail(), attempt(10_000))
    assert isinstance(answer, Answered), answer
    *others, sent = outbox(with_sender)
    assert others == before
    assert sent["messageId"] == answer.result["messageId"]
    assert sent["number"] == len(before) + 1
    assert (sent["from"], sent["replyTo"], sent["subject"]) == (SENDER, ["desk@shop.example"], "예약 확인 ✓")
    assert sent["html"] == "<p>안녕하세요 🌷</p>"


def test_without_the_setting_mail_is_off(stack):
    forget_wiring()
    failed(wiring.carry_out(mail(), attempt()), "NotConfiguredError", "MailFrom")
