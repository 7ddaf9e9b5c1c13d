"""The providers of a node type by their names, with what each of their calls needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.engine.effects import Attempt, IntentQuery, SmallTalk
from shared.net.guarded_client import GuardedClient
from shared.providers.calls import Calls, Clock
from shared.providers.credentials import Credential, Credentials
from shared.providers.fault import NOT_CONFIGURED, ProviderFault
from shared.providers.settings import ProviderSettings

Ask = TypeVar("Ask")


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One call of a provider: `credential` is None when the node names none."""

    calls: Calls
    credential: Credential | None
    settings: ProviderSettings


@dataclass(slots=True, kw_only=True)
class ProvidersByName(Generic[Ask]):
    """`makers` has, by name, how each is made ready to be asked: at its first use."""

    node: str
    client: GuardedClient
    credentials: Credentials
    clock_ns: Clock
    makers: Mapping[str, Callable[[], Ask]]
    _made: dict[str, Ask] = field(default_factory=dict)

    def find(self, provider: str) -> Ask:
        """Raises ProviderFault for a name that nobody has."""
        name = _plain(provider)
        if name not in self._made:
            make = self.makers.get(name)
            if make is None:
                known = ", ".join(sorted(self.makers))
                message = f"{self.node}: there is no provider '{provider[:40]}', only {known}"
                raise ProviderFault(NOT_CONFIGURED, message)
            self._made[name] = make()
        return self._made[name]

    def errand(self, effect: IntentQuery | SmallTalk, attempt: Attempt) -> Errand:
        """Raises ProviderFault when the credential cannot be had."""
        calls = Calls(self.client, attempt, self.clock_ns, _plain(effect.provider))
        credential = None
        if effect.credential:
            credential = self.credentials.get(attempt.bot_id, effect.credential, calls)
        return Errand(calls=calls, credential=credential, settings=ProviderSettings(effect.settings, self.node))


def _plain(provider: str) -> str:
    return provider.strip().lower().replace("-", "_")
