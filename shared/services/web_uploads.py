"""Pictures that end users send in the web chat: where to put one, whether it is one, where to see it.

A picture lies in the private bucket under `u/{bot}/{log}/{time}{128 random bits}.{ending}`; its public name is the same
with dots, so that nothing has to be looked up and nobody can guess it. It may be put once. What is named in no message
goes by itself.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.channels.web.images import HEAD_BYTES, MAX_BYTES, TYPE_OF_ENDING, TYPES, content_type_of
from shared.channels.web.tokens import Claims
from shared.conversation.erasure import Erasure
from shared.errors import InvalidInput, NotFound
from shared.ids import BOT_ID
from shared.services.web_ports import UploadStore

PATH: Final = "/webchat/v1/uploads/"
PUT_SECONDS: Final = 600
"""Less than between the two passes of an erasure: what is put after the first goes with the second."""
SEE_SECONDS: Final = 300
RANDOM_BYTES: Final = 16
MILLISECONDS: Final = 1_000
MAX_NAME: Final = 255

_ID: Final = re.compile(
    rf"({BOT_ID.pattern})\.([a-z2-7]{{16}})\.([0-9]{{15}}[0-9a-f]{{32}})\.({'|'.join(TYPE_OF_ENDING)})", re.ASCII
)


class NotAPicture(InvalidInput):
    """The file is not what its name says, or not one of the types that are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to put a picture until `expires_at_ms`, and under which address a message names it then."""

    url: str
    headers: Mapping[str, str]
    uri: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A picture by its public name."""

    bot_id: str
    log: str
    name: str
    ending: str

    @property
    def key(self) -> str:
        return f"{_prefix(self.bot_id, self.log)}{self.name}.{self.ending}"

    @property
    def public_id(self) -> str:
        return f"{self.bot_id}.{self.log}.{self.name}.{self.ending}"

    @property
    def content_type(self) -> str:
        return TYPE_OF_ENDING[self.ending]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUploads:
    """The use cases. `base_url` is where the HTTP API is, as the caller reached it."""

    store: UploadStore
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]

    def place(self, claims: Claims, *, name: str, content_type: str, size: int, base_url: str) -> Place:
        """Raises InvalidInput for what is not taken."""
        if not 0 < len(name) <= MAX_NAME:
            raise InvalidInput(f"body.name: 1 to {MAX_NAME} characters are expected")
        if content_type not in TYPES:
            raise InvalidInput(f"body.contentType: one of {', '.join(TYPES)} is expected")
        if not 0 < size <= MAX_BYTES:
            raise InvalidInput(f"body.size: 1 to {MAX_BYTES} bytes are accepted")
        now = self.now_ms()
        upload = Upload(
            bot_id=claims.bot_id,
            log=claims.log,
            name=f"{now:015d}{self.random_bytes(RANDOM_BYTES).hex()}",
            ending=TYPES[content_type],
        )
        url, headers = self.store.put_url(
            upload.key, content_type=content_type, size=size, base_url=base_url, seconds=PUT_SECONDS
        )
        uri = f"{base_url}{PATH}{upload.public_id}"
        return Place(url=url, headers=headers, uri=uri, expires_at_ms=now + MILLISECONDS * PUT_SECONDS)

    def see(self, public_id: str) -> str:
        """A URL under which a picture can be seen for a while. Raises NotFound for what is no picture's name."""
        upload = _upload(public_id)
        if upload is None:
            raise NotFound("no such upload")
        return self.store.get_url(upload.key, content_type=upload.content_type, seconds=SEE_SECONDS)

    def accept(self, claims: Claims, uri: str, deadline_ns: int | None = None) -> bool:
        """Look at what a message of this person names before it is stored, and keep it. False for an address that is
        none of ours. Raises NotAPicture and other InvalidInput for somebody else's picture, one that is not there, too
        large, or not what it was said to be."""
        _, found, public_id = uri.partition(PATH)
        upload = _upload(public_id) if found else None
        if upload is None:
            return False
        if (upload.bot_id, upload.log) != (claims.bot_id, claims.log):
            raise InvalidInput("data.media.uri: it is not this end user's upload")
        seen = self.store.look(upload.key, HEAD_BYTES, deadline_ns)
        if seen is None:
            raise InvalidInput("data.media.uri: nothing was uploaded there")
        if uri != f"{seen.base_url}{PATH}{public_id}":
            return False
        if seen.size > MAX_BYTES:
            raise InvalidInput(f"data.media.uri: {seen.size} bytes, at most {MAX_BYTES} are accepted")
        if not content_type_of(seen.head) == seen.content_type == upload.content_type:
            raise NotAPicture(f"data.media.uri: the file is no {upload.ending} picture")
        self.store.keep(upload.key, deadline_ns)
        return True

    def erase(self, erasure: Erasure) -> bool:
        """The port Holding of erase_person: what the person sent before the erasure; names sort by time."""
        prefix = _prefix(erasure.bot_id, erasure.log)
        return self.store.delete_before(prefix, f"{prefix}{erasure.requested_at_ms:015d}")


def _prefix(bot_id: str, log: str) -> str:
    return f"u/{bot_id}/{log}/"


def _upload(public_id: str) -> Upload | None:
    found = _ID.fullmatch(public_id)
    if found is None:
        return None
    bot_id, log, name, ending = found.groups()
    return Upload(bot_id=bot_id, log=log, name=name, ending=ending)
