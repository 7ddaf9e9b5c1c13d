"""What did the end user mean? Asked of the provider that the node names; each gives the same result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.engine.effects import Answered, Attempt, EffectAnswer, IntentQuery, JsonObject
from shared.net.guarded_client import GuardedClient
from shared.providers.by_name import ProvidersByName
from shared.providers.calls import Calls, Clock
from shared.providers.credentials import Credential, Credentials
from shared.providers.fault import NOT_CONFIGURED, ProviderFault, faults_are_answers
from shared.providers.settings import ProviderSettings

NODE: Final = "nlp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """`score` is None where the provider has none."""

    entity: str
    value: Any
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """`intent` is None when nothing was recognised: a provider's fallback intent is none. `score` is from 0 to 1."""

    intent: str | None
    entities: list[Entity] = field(default_factory=list)
    answer: str | None = None
    score: float | None = None

    def result(self) -> JsonObject:
        entities = [{"entity": found.entity, "value": found.value, "score": found.score} for found in self.entities]
        return {"intent": self.intent, "entities": entities, "answer": self.answer, "score": self.score}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a provider is asked, with all that it needs. `credential` is None when the node names none."""

    text: str
    session_id: str
    language: str
    settings: ProviderSettings
    credential: Credential | None
    calls: Calls

    def needed_credential(self) -> Credential:
        if self.credential is None:
            raise ProviderFault(NOT_CONFIGURED, f"{NODE}: no credential is set")
        return self.credential


AskProvider = Callable[[Question], Understood]


class IntentCarrier:
    """Asks the provider that a node names."""

    def __init__(
        self,
        client: GuardedClient,
        credentials: Credentials,
        clock_ns: Clock,
        *,
        providers: Mapping[str, Callable[[], AskProvider]],
    ) -> None:
        self._providers = ProvidersByName(
            node=NODE, client=client, credentials=credentials, clock_ns=clock_ns, makers=providers
        )

    @faults_are_answers
    def __call__(self, effect: IntentQuery, attempt: Attempt) -> EffectAnswer:
        ask = self._providers.find(effect.provider)
        errand = self._providers.errand(effect, attempt)
        question = Question(
            text=effect.text,
            session_id=effect.session_id,
            language=effect.language,
            settings=errand.settings,
            credential=errand.credential,
            calls=errand.calls,
        )
        return Answered(result=ask(question).result())
