"""A friendly answer to what was said, of the language model that the node names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.engine.effects import Answered, Attempt, EffectAnswer, JsonObject, SmallTalk
from shared.net.guarded_client import GuardedClient
from shared.providers.by_name import ProvidersByName
from shared.providers.calls import Calls, Clock
from shared.providers.credentials import Credential, Credentials
from shared.providers.fault import INVALID_REQUEST, PROVIDER, ProviderFault, faults_are_answers
from shared.providers.settings import ProviderSettings

NODE: Final = "chitchat"
MOST_TOKENS: Final = 4096
"""A bubble holds 1,000 characters: more is only paid for."""
LONGEST_TEXT: Final = 8_000
"""Characters of what the end user said that a model is asked about; they are paid for too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`input_tokens` and `output_tokens` are None where the provider does not count."""

    answer: str
    input_tokens: int | None
    output_tokens: int | None

    def result(self) -> JsonObject:
        return {"answer": self.answer, "usage": {"input": self.input_tokens, "output": self.output_tokens}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a model is asked, with all that it needs. `credential` is None when the node names none."""

    instructions: str
    text: str
    max_tokens: int
    settings: ProviderSettings
    credential: Credential | None
    calls: Calls


AskModel = Callable[[Remark], Said]


class SmallTalkCarrier:
    """Asks the model that a node names."""

    def __init__(
        self,
        client: GuardedClient,
        credentials: Credentials,
        clock_ns: Clock,
        *,
        providers: Mapping[str, Callable[[], AskModel]],
    ) -> None:
        self._providers = ProvidersByName(
            node=NODE, client=client, credentials=credentials, clock_ns=clock_ns, makers=providers
        )

    @faults_are_answers
    def __call__(self, effect: SmallTalk, attempt: Attempt) -> EffectAnswer:
        ask = self._providers.find(effect.provider)
        if not 1 <= effect.max_tokens <= MOST_TOKENS:
            raise ProviderFault(INVALID_REQUEST, f"{NODE}: max_tokens is {effect.max_tokens}, not 1 to {MOST_TOKENS}")
        if not effect.text.strip():
            raise ProviderFault(INVALID_REQUEST, f"{NODE}: there is no text to answer")
        errand = self._providers.errand(effect, attempt)
        said = ask(
            Remark(
                instructions=effect.instructions.strip(),
                text=effect.text[:LONGEST_TEXT],
                max_tokens=effect.max_tokens,
                settings=errand.settings,
                credential=errand.credential,
                calls=errand.calls,
            )
        )
        if not said.answer.strip():
            raise ProviderFault(PROVIDER, f"{errand.calls.who}: the model gave no text")
        return Answered(result=said.result())
