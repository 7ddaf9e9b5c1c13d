"""Credentials by name, from Secrets Manager: `{prefix}/{bot}/{name}` holds a JSON object.

The name of a bot is part of the id, so that no bot reaches another's. Values stay in memory for five minutes, in
nothing that is logged, shown or stored.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from shared.aws import BoundedClient
from shared.engine.effects import TIMEOUT, JsonObject
from shared.errors import InvalidInput, Unavailable
from shared.json_input import parse_json
from shared.providers.calls import Deadline
from shared.providers.fault import CREDENTIAL, NOT_CONFIGURED, ProviderFault

KEPT_MS: Final = 5 * 60_000
KEPT_MOST: Final = 256
MAX_BYTES: Final = 16 * 1024
"""A service account's file has 2.4 KB."""
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
BOT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

MISSING: Final = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""The second: it is marked for deletion."""
DENIED: Final = frozenset({"AccessDeniedException", "DecryptionFailure"})
ENOUGH_SECONDS: Final = 0.25
"""With less left, a call that failed had no chance: that is the effect's time-out and not a fault of ours."""


def secret_id(prefix: str, bot_id: str, name: str) -> str:
    """The id in Secrets Manager; InvalidInput for names that could lead elsewhere."""
    if not BOT_ID.fullmatch(bot_id):
        raise InvalidInput(f"'{bot_id[:64]}' is not the id of a bot")
    if not NAME.fullmatch(name):
        raise InvalidInput(f"'{name[:64]}' is not the name of a credential: up to 64 letters, digits, - and _")
    return f"{prefix}/{bot_id}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A secret JSON object under its name; only its name is ever shown."""

    name: str
    value: JsonObject = field(repr=False, compare=False)
    fingerprint: str = field(repr=False)
    """Of the value: tokens made with another value do not count."""

    def text(self, *keys: str) -> str:
        """The first of `keys` that holds text; ProviderFault names the keys and never what is there."""
        found = self.optional_text(*keys)
        if found is None:
            wanted = " or ".join(f'"{key}"' for key in keys)
            raise ProviderFault(CREDENTIAL, f"credential '{self.name}' has no {wanted}")
        return found

    def optional_text(self, *keys: str) -> str | None:
        values = (self.value.get(key) for key in keys)
        return next((value for value in values if isinstance(value, str) and value), None)

    def secrets(self) -> Iterator[str]:
        """Every text in it, to be hidden."""
        yield from _texts(self.value)


def credential_of(name: str, raw: bytes) -> Credential:
    """Read the value of a secret; ProviderFault CredentialError when it is no JSON object."""
    try:
        value = parse_json(raw, max_bytes=MAX_BYTES)
    except InvalidInput:
        value = None  # the parser's words could show a piece of it
    if not isinstance(value, dict):
        raise ProviderFault(CREDENTIAL, f"credential '{name}' is not a JSON object of at most {MAX_BYTES} bytes")
    return Credential(name=name, value=value, fingerprint=hashlib.sha256(raw).hexdigest())


class Credentials:
    """Reads and remembers. `now_ms` is the time of day; `client` replaces Secrets Manager in tests."""

    def __init__(self, prefix: str, now_ms: Callable[[], int], client: Any = None) -> None:
        self._prefix = prefix
        self._now_ms = now_ms
        self._client = client or BoundedClient("secretsmanager")
        self._kept: dict[str, tuple[int, Credential]] = {}

    def get(self, bot_id: str, name: str, deadline: Deadline) -> Credential:
        """The credential, within the time of `deadline`, which hides it from then on. Raises ProviderFault, or
        Unavailable when Secrets Manager is."""
        if not self._prefix:
            raise ProviderFault(NOT_CONFIGURED, "credentials need a cloud: there is none here to keep them")
        try:
            key = secret_id(self._prefix, bot_id, name)
        except InvalidInput as exc:
            raise ProviderFault(CREDENTIAL, str(exc)) from exc
        kept = self._kept.get(key)
        if kept is not None and self._now_ms() < kept[0]:
            credential = kept[1]
        else:
            credential = credential_of(name, self._read(key, bot_id, name, deadline))
            self._keep(key, credential)
        deadline.hide(*credential.secrets())
        return credential

    def _read(self, key: str, bot_id: str, name: str, deadline: Deadline) -> bytes:
        deadline.seconds_left()
        try:
            answer = self._client.call("get_secret_value", deadline.ends_ns, SecretId=key)
        except Unavailable:
            if deadline.is_nearly_over(ENOUGH_SECONDS):
                raise ProviderFault(TIMEOUT, "no time was left to read the credential") from None
            raise
        except ClientError as exc:
            code = exc.response.get("Error", {}).get("Code", "")
            if code in MISSING:
                remedy = f"set it with `malgil secret set {bot_id} {name}`"
                raise ProviderFault(CREDENTIAL, f"there is no credential '{name}': {remedy}") from None
            if code in DENIED:
                raise ProviderFault(CREDENTIAL, f"this function may not read the credential '{name}'") from None
            raise Unavailable("Secrets Manager refused a call", code=code) from exc
        value = answer.get("SecretString")
        return value.encode() if isinstance(value, str) else bytes(answer.get("SecretBinary") or b"")

    def _keep(self, key: str, credential: Credential) -> None:
        while len(self._kept) >= KEPT_MOST:
            del self._kept[next(iter(self._kept))]
        self._kept.pop(key, None)
        self._kept[key] = (self._now_ms() + KEPT_MS, credential)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
