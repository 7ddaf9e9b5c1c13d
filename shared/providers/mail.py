"""Mail through SES v2. The sender is the installation's; where none is set, mail is off."""

import re
from email.utils import formataddr
from typing import Final

from botocore.exceptions import ClientError

from shared.engine.effects import Answered, Attempt, EffectAnswer, Mail
from shared.providers.aws_calls import MakeClient, call_once, code_and_words, default_client
from shared.providers.calls import Clock, Deadline
from shared.providers.fault import INVALID_REQUEST, NOT_CONFIGURED, PROVIDER, ProviderFault, faults_are_answers

MOST_RECIPIENTS: Final = 50
"""SES: of one message."""
MOST_HTML_CHARACTERS: Final = 500_000
LONGEST_SUBJECT: Final = 998
"""RFC 5322, 2.1.1: a line."""
OUR_FAULT: Final = frozenset(
    {
        "AccessDeniedException",
        "MailFromDomainNotVerifiedException",
        "SendingPausedException",
        "AccountSuspendedException",
    }
)
CHARSET: Final = "UTF-8"
_ADDRESS: Final = re.compile(r"[^@\s<>\"(),:;\\\[\]]+@[^@\s<>\"(),:;\\\[\]]+\.[^@\s<>\"(),:;\\\[\].]+")
_MAILBOX: Final = re.compile(r"(?:(?P<name>[^<>]*)<(?P<named>[^<>]*)>|(?P<bare>[^<>]*))")
"""`Name <address>` or an address: exactly one, where the standard library would take the first of several."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


class MailCarrier:
    """`sender` is the parameter MailFrom; empty is off."""

    def __init__(self, clock_ns: Clock, *, sender: str, make_client: MakeClient = default_client) -> None:
        self._clock_ns = clock_ns
        self._sender = sender
        self._make_client = make_client

    @faults_are_answers
    def __call__(self, effect: Mail, attempt: Attempt) -> EffectAnswer:
        if not self._sender:
            raise ProviderFault(
                NOT_CONFIGURED, "mail is off: deploy with the parameter MailFrom set to a sender that SES has verified"
            )
        to = [_address(text, "to") for text in effect.to if text.strip()]
        reply_to = [_address(text, "replyTo") for text in effect.reply_to if text.strip()]
        if not 1 <= len(to) <= MOST_RECIPIENTS:
            raise ProviderFault(INVALID_REQUEST, f"to: {len(to)} addresses, 1 to {MOST_RECIPIENTS} are possible")
        if len(effect.html) > MOST_HTML_CHARACTERS:
            raise ProviderFault(INVALID_REQUEST, f"body: over {MOST_HTML_CHARACTERS} characters")
        deadline = Deadline(attempt, self._clock_ns, "SES")
        # A line break would end the header; SES refuses it, the reader never sees it.
        subject = _CONTROL.sub(" ", effect.subject).strip()[:LONGEST_SUBJECT]
        parameters = {
            "FromEmailAddress": self._sender,
            "Destination": {"ToAddresses": to},
            "ReplyToAddresses": reply_to,
            "Content": {
                "Simple": {
                    "Subject": {"Data": subject, "Charset": CHARSET},
                    "Body": {"Html": {"Data": effect.html, "Charset": CHARSET}},
                }
            },
        }
        try:
            answer = call_once(deadline, "sesv2", "send_email", parameters, region=None, make=self._make_client)
        except ClientError as exc:
            code, words = code_and_words(exc)
            raise ProviderFault(NOT_CONFIGURED if code in OUR_FAULT else PROVIDER, f"SES: {code}: {words}") from None
        return Answered(result={"messageId": str(answer.get("MessageId", ""))})


def _address(text: str, place: str) -> str:
    """An address as SES wants it: a name in other letters as an encoded word, a domain in other letters as punycode."""
    parts = _MAILBOX.fullmatch(_CONTROL.sub(" ", text).strip())
    name, address = ("", "") if parts is None else ((parts["name"] or "").strip(' "'), parts["named"] or parts["bare"])
    address = (address or "").strip()
    if not _ADDRESS.fullmatch(address):
        raise ProviderFault(INVALID_REQUEST, f"{place}: '{text[:80]}' is not a mail address")
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        raise ProviderFault(INVALID_REQUEST, f"{place}: '{text[:80]}': SES sends only to ASCII in front of the @")
    if not domain.isascii():
        import idna  # noqa: PLC0415 - its tables are large and few addresses need them

        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except UnicodeError:
            raise ProviderFault(INVALID_REQUEST, f"{place}: '{text[:80]}' has an invalid domain") from None
    return formataddr((name, f"{local}@{domain}"))
