"""The HTTP calls of one effect: one deadline over all of them, through the guarded client, and no secret in what is
said about them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.engine.effects import TIMEOUT, Attempt
from shared.errors import InvalidInput
from shared.json_input import parse_json
from shared.net.effects import ERROR_NAMES, MILLISECONDS
from shared.net.guarded_client import MAX_BODY_BYTES, GuardedClient
from shared.net.messages import OutboundError, OutboundRequest, OutboundResponse
from shared.providers.answers import Answer
from shared.providers.fault import INVALID_REQUEST, PROVIDER, STATUS_CODE, ProviderFault
from shared.redaction import STARS

NANOSECONDS: Final = 1_000_000_000
SUCCESS: Final = range(200, 300)
SHOWN: Final = 200
"""Characters of a provider's own words that an author gets to see."""
SECRET_LENGTH: Final = 6
"""A shorter text is no secret worth hiding, and hiding it would eat ordinary words."""

Clock = Callable[[], int]


class Deadline:
    """The time of one effect, over all that it takes. `who` names the provider in messages, `clock_ns` is monotonic."""

    def __init__(self, attempt: Attempt, clock_ns: Clock, who: str) -> None:
        self._clock_ns = clock_ns
        self.ends_ns = clock_ns() + attempt.timeout_ms * (NANOSECONDS // MILLISECONDS)
        self.who = who
        self._hidden: set[str] = set()

    def hide(self, *secrets: str) -> None:
        """Whatever a provider says back, these texts are stars in it."""
        self._hidden |= {secret for secret in secrets if len(secret) >= SECRET_LENGTH}

    def clean(self, text: str) -> str:
        """`text` with stars for whatever was hidden."""
        for secret in self._hidden:
            text = text.replace(secret, STARS)
        return text

    def seconds_left(self) -> float:
        """Always positive; ProviderFault TimeoutError once the effect's time is over."""
        left = (self.ends_ns - self._clock_ns()) / NANOSECONDS
        if left <= 0:
            raise ProviderFault(TIMEOUT, f"{self.who} took too long")
        return left

    def is_nearly_over(self, seconds: float) -> bool:
        return self.ends_ns - self._clock_ns() < seconds * NANOSECONDS


class Calls(Deadline):
    """HTTP calls within it."""

    def __init__(self, client: GuardedClient, attempt: Attempt, clock_ns: Clock, who: str) -> None:
        super().__init__(attempt, clock_ns, who)
        self._client = client

    def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> OutboundResponse:
        """An answer of whatever status; no redirect is followed, for a secret may go with the call."""
        request = OutboundRequest(method=method, url=url, headers=headers, body=body)
        try:
            return self._client.send(request, timeout_seconds=self.seconds_left(), max_redirects=0)
        except OutboundError as exc:
            raise ProviderFault(ERROR_NAMES[exc.kind], self.clean(f"{self.who}: {exc}")) from exc
        except InvalidInput as exc:
            raise ProviderFault(INVALID_REQUEST, self.clean(f"{self.who}: {exc}")) from exc

    def read(self, response: OutboundResponse) -> Answer:
        """The JSON of a successful answer; ProviderFault StatusCodeError or ProviderError."""
        if response.status not in SUCCESS:
            raise self.refused(response)
        try:
            value = parse_json(response.body, max_bytes=MAX_BODY_BYTES)
        except InvalidInput as exc:
            raise ProviderFault(PROVIDER, f"{self.who}: the answer is not JSON ({exc})") from exc
        if not isinstance(value, dict | list):
            raise ProviderFault(PROVIDER, f"{self.who}: the answer is not a JSON object")
        return Answer(value=value, place=f"{self.who}: answer")

    def refused(self, response: OutboundResponse, name: str = STATUS_CODE) -> ProviderFault:
        """A fault for an answer that is no success, with the provider's own words when it has some."""
        words = self.words_of(response)
        return ProviderFault(name, f"{self.who}: status {response.status}{f' ({words})' if words else ''}")

    def words_of(self, response: OutboundResponse) -> str:
        """What a refusal says of itself, short and without secrets; empty when it has no known form."""
        try:
            value = parse_json(response.body, max_bytes=MAX_BODY_BYTES)
        except InvalidInput:  # a gateway's HTML page or nothing: the status says all there is
            return ""
        return self.clean(" ".join(_words(value).split()))[:SHOWN]


def json_body(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _words(value: Any) -> str:
    """{"error": {"message"}} (Google, OpenAI), {"error", "error_description"} (OAuth 2.0), {"error": text} (IBM)."""
    if not isinstance(value, dict):
        return ""
    error = value.get("error")
    if isinstance(error, dict):
        error = error.get("message")
    said = [part for part in (error, value.get("error_description")) if isinstance(part, str)]
    return ": ".join(said)
