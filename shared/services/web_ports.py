"""What the web channel needs of the outside world; the adapters are in storage, fakes in the tests."""

from collections.abc import Mapping
from typing import Protocol

from shared.channels.web.images import Uploaded
from shared.channels.web.tokens import Claims, SigningKeys


class SigningKeyRow(Protocol):
    """Where the installation's signing keys lie. `make` stores them if there are none, and gives those that are there
    then, whoever made them. `replace` raises Conflict when others than `before` are there."""

    def get(self, deadline_ns: int | None = None) -> SigningKeys | None: ...
    def make(self, keys: SigningKeys, deadline_ns: int | None = None) -> SigningKeys: ...
    def replace(self, before: SigningKeys, after: SigningKeys) -> None: ...


class RateCounters(Protocol):
    """Counts of windows of time, in one place for all functions; `add` gives the count so far."""

    def add(self, name: str, window: int, count: int, *, expires_at_s: int, deadline_ns: int | None = None) -> int: ...


class UploadStore(Protocol):
    """The private bucket. What was allowed to be put goes by itself after two days unless it is kept.

    `put_url` is good for one put of exactly this type and size, with the headers that come with it. `look` is None
    for what is not there. `delete_before` deletes a bounded number of the objects under a prefix whose names sort
    before `end`, and says whether none is left.
    """

    def put_url(
        self, key: str, *, content_type: str, size: int, base_url: str, seconds: int
    ) -> tuple[str, Mapping[str, str]]: ...
    def get_url(self, key: str, *, content_type: str, seconds: int) -> str: ...
    def look(self, key: str, count: int, deadline_ns: int | None = None) -> Uploaded | None: ...
    def keep(self, key: str, deadline_ns: int | None = None) -> None: ...
    def delete_before(self, prefix: str, end: str) -> bool: ...


class AcceptUpload(Protocol):
    """Looks at what a message's media names before the message is stored, and keeps it. False for what is no upload.
    Raises InvalidInput for an upload of somebody else, or one that is not what it was said to be."""

    def __call__(self, claims: Claims, uri: str, deadline_ns: int | None = None) -> bool: ...


class Connections(Protocol):
    """Sockets of a log, by the ids that API Gateway gave them."""

    def of(self, bot_id: str, log: str, deadline_ns: int | None = None) -> list[str]: ...
    def remove(self, bot_id: str, log: str, connection_id: str, deadline_ns: int | None = None) -> None: ...


class Post(Protocol):
    """Sends a frame to a socket: False when that is gone. Raises Unavailable."""

    def __call__(self, connection_id: str, frame: bytes, deadline_ns: int | None = None) -> bool: ...
