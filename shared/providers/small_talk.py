"""A friendly answer to what was said, of the language model that the node names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.engine.effects import Answered, Attempt, EffectAnswer, JsonObject, SmallTalk
from shared.net.guarded_client import GuardedClient
from shared.providers.calls import Calls, Clock
from shared.providers.credentials import Credential, Credentials
from shared.providers.fault import INVALID_REQUEST, NOT_CONFIGURED, PROVIDER, ProviderFault, faults_are_answers
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
    """`providers` has, by name, how each is asked: made at its first use."""

    def __init__(
        self,
        client: GuardedClient,
        credentials: Credentials,
        clock_ns: Clock,
        *,
        providers: Mapping[str, Callable[[], AskModel]],
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._clock_ns = clock_ns
        self._makers = providers
        self._providers: dict[str, AskModel] = {}

    @faults_are_answers
    def __call__(self, effect: SmallTalk, attempt: Attempt) -> EffectAnswer:
        name = effect.provider.strip().lower().replace("-", "_")
        make = self._makers.get(name)
        if make is None:
            known = ", ".join(sorted(self._makers))
            raise ProviderFault(NOT_CONFIGURED, f"{NODE}: there is no provider '{effect.provider[:40]}', only {known}")
        if not 1 <= effect.max_tokens <= MOST_TOKENS:
            raise ProviderFault(INVALID_REQUEST, f"{NODE}: max_tokens is {effect.max_tokens}, not 1 to {MOST_TOKENS}")
        if not effect.text.strip():
            raise ProviderFault(INVALID_REQUEST, f"{NODE}: there is no text to answer")
        if name not in self._providers:
            self._providers[name] = make()
        calls = Calls(self._client, attempt, self._clock_ns, name)
        credential = None
        if effect.credential:
            credential = self._credentials.get(attempt.bot_id, effect.credential, calls)
        said = self._providers[name](
            Remark(
                instructions=effect.instructions.strip(),
                text=effect.text[:LONGEST_TEXT],
                max_tokens=effect.max_tokens,
                settings=ProviderSettings(effect.settings, NODE),
                credential=credential,
                calls=calls,
            )
        )
        if not said.answer.strip():
            raise ProviderFault(PROVIDER, f"{calls.who}: the model gave no text")
        return Answered(result=said.result())
