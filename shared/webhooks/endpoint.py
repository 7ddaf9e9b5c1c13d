"""A customer's endpoint: where events of a bot go, who signs, and why it may be off."""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from shared.errors import InvalidInput
from shared.json_input import clean_text
from shared.webhooks.signature import ROTATION_MS

JsonObject = dict[str, Any]

MAX_NAME: Final = 40
MAX_URL: Final = 255
"""CLOSER's limits, in characters."""

DisabledReason = Literal["tries_failed", "gone", "by_owner"]
"""tries_failed: all tries of a delivery; gone: it answered 410; by_owner: somebody switched it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disabling:
    """Why an endpoint was switched off, as its owner is told. `status` and `error` are those of the last try."""

    reason: DisabledReason
    status: int | None = None
    error: str | None = None
    delivery_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint. `url_revision` counts changes of the URL. Times are epoch milliseconds.

    `closer_user_agent` is for receivers that demand CLOSER's user agent to the letter. `previous_secret` signs too
    until `previous_until_ms`. `last_success_ms` may lag by a second.
    """

    webhook_id: str
    bot_id: str
    name: str
    url: str
    secret: str
    created_at_ms: int
    updated_at_ms: int
    url_revision: int = 1
    enabled: bool = True
    closer_user_agent: bool = False
    previous_secret: str | None = None
    previous_until_ms: int = 0
    disabled_at_ms: int | None = None
    disabling: Disabling | None = None
    last_success_ms: int | None = None

    def secrets(self, now_ms: int) -> tuple[str, ...]:
        """Those that sign now, the newest first."""
        if self.previous_secret is None or now_ms >= self.previous_until_ms:
            return (self.secret,)
        return (self.secret, self.previous_secret)


def checked(endpoint: Endpoint) -> Endpoint:
    """The endpoint with a name and URL that may be stored. Raises InvalidInput. That the URL leads to a public address
    is not known here: whoever registers it asks the guarded client's parser, and every send asks again."""
    name = clean_text(endpoint.name).strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput(f"name: 1 to {MAX_NAME} characters are expected")
    if not 1 <= len(endpoint.url) <= MAX_URL or clean_text(endpoint.url) != endpoint.url:
        raise InvalidInput(f"url: 1 to {MAX_URL} characters are expected")
    return replace(endpoint, name=name)


def with_url(endpoint: Endpoint, url: str) -> Endpoint:
    """The endpoint somewhere else; failures of the old place no longer count against it."""
    if url == endpoint.url:
        return endpoint
    return checked(replace(endpoint, url=url, url_revision=endpoint.url_revision + 1))


def with_new_secret(endpoint: Endpoint, secret: str, now_ms: int) -> Endpoint:
    """A rotation: for a day both secrets sign. A second one within the day ends the oldest at once."""
    return replace(endpoint, secret=secret, previous_secret=endpoint.secret, previous_until_ms=now_ms + ROTATION_MS)


def switched(endpoint: Endpoint, *, enabled: bool, now_ms: int) -> Endpoint:
    """On or off by its owner; the reason of an earlier disabling is forgotten when it is on again."""
    if enabled:
        return replace(endpoint, enabled=True, disabled_at_ms=None, disabling=None)
    return replace(endpoint, enabled=False, disabled_at_ms=now_ms, disabling=Disabling(reason="by_owner"))
