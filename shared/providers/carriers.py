"""All carriers, each imported when the first effect of its type comes: most bots need none of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.engine.effects import Effect, IntentQuery, Mail, SheetRow, SmallTalk
from shared.net.effects import Carrier, MakeCarrier
from shared.net.guarded_client import GuardedClient

if TYPE_CHECKING:
    from shared.providers.credentials import Credentials
    from shared.providers.google_auth import GoogleTokens
    from shared.providers.intents import AskProvider
    from shared.providers.small_talk import AskModel

# ruff: noqa: PLC0415 - late imports are what this module is for


@dataclass(frozen=True, kw_only=True)
class Carriers:
    """`now_ms` is the time of day, `clock_ns` monotonic; `secrets_prefix` and `mail_from` are the installation's,
    empty where there is none."""

    client: GuardedClient
    now_ms: Callable[[], int]
    clock_ns: Callable[[], int]
    secrets_prefix: str = ""
    mail_from: str = ""

    @cached_property
    def credentials(self) -> "Credentials":
        from shared.providers.credentials import Credentials

        return Credentials(self.secrets_prefix, self.now_ms)

    @cached_property
    def google_tokens(self) -> "GoogleTokens":
        from shared.providers.google_auth import GoogleTokens

        return GoogleTokens(self.now_ms)

    def mail(self) -> Carrier:
        from shared.providers.mail import MailCarrier

        return MailCarrier(self.clock_ns, sender=self.mail_from)

    def sheets(self) -> Carrier:
        from shared.providers.google_sheets import SheetCarrier

        return SheetCarrier(self.client, self.credentials, self.google_tokens, self.clock_ns)

    def intents(self) -> Carrier:
        from shared.providers.intents import IntentCarrier

        providers = {
            "dialogflow": self._dialogflow_es,
            "dialogflow_es": self._dialogflow_es,
            "dialogflow_cx": self._dialogflow_cx,
            "watson": _watson,
            "http": _http,
        }
        return IntentCarrier(self.client, self.credentials, self.clock_ns, providers=providers)

    def small_talk(self) -> Carrier:
        from shared.providers.small_talk import SmallTalkCarrier

        providers = {"openai": _openai, "bedrock": _bedrock}
        return SmallTalkCarrier(self.client, self.credentials, self.clock_ns, providers=providers)

    def _dialogflow_es(self) -> "AskProvider":
        from shared.providers.dialogflow_es import DialogflowEs

        return DialogflowEs(self.google_tokens)

    def _dialogflow_cx(self) -> "AskProvider":
        from shared.providers.dialogflow_cx import DialogflowCx

        return DialogflowCx(self.google_tokens)


def makers_of(carriers: Callable[[], Carriers]) -> Mapping[type[Effect], MakeCarrier]:
    """What EffectRunner wants; `carriers` is asked when the first effect of a type comes."""
    return {
        Mail: lambda: carriers().mail(),
        SheetRow: lambda: carriers().sheets(),
        IntentQuery: lambda: carriers().intents(),
        SmallTalk: lambda: carriers().small_talk(),
    }


def _watson() -> "AskProvider":
    from shared.providers.watson import ask_watson

    return ask_watson


def _http() -> "AskProvider":
    from shared.providers.http_nlp import ask_over_http

    return ask_over_http


def _openai() -> "AskModel":
    from shared.providers.openai_chat import OpenAiChat

    return OpenAiChat()


def _bedrock() -> "AskModel":
    from shared.providers.bedrock_chat import BedrockChat

    return BedrockChat()
