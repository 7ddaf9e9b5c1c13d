"""Issues and reads the web channel's tokens, with the installation's signing keys, and changes those."""

from collections.abc import Callable
from typing import Final

from shared.channels.web.tokens import REFUSED, Claims, SigningKey, SigningKeys, issue, parse
from shared.errors import AccessDenied
from shared.services.web_ports import SigningKeyRow

KEPT_NS: Final = 300 * 1_000_000_000
"""Keys are read again after five minutes."""
ANNOUNCED_S: Final = 600
"""A new key lies there for so long before it signs: by then everybody has read it."""
MILLISECONDS: Final = 1_000
KID_CHARACTERS: Final = 8


class WebTokens:
    """`new_secret` gives random base64url of at least 32 characters."""

    def __init__(
        self,
        row: SigningKeyRow,
        *,
        now_ms: Callable[[], int],
        clock_ns: Callable[[], int],
        new_secret: Callable[[], str],
    ) -> None:
        self._row = row
        self._now_ms = now_ms
        self._clock_ns = clock_ns
        self._new_secret = new_secret
        self._kept: tuple[int, SigningKeys] | None = None

    @property
    def now_s(self) -> int:
        return self._now_ms() // MILLISECONDS

    def issue(self, claims: Claims, deadline_ns: int | None = None) -> str:
        """A token; the first one of all makes the keys."""
        return issue(claims, (self._known(deadline_ns) or self._made(deadline_ns)).signing(self.now_s))

    def parse(
        self, token: str | None, *, bot_id: str | None = None, grace_s: int = 0, deadline_ns: int | None = None
    ) -> Claims:
        """Raises AccessDenied, of which TokenExpired is one."""
        keys = self._known(deadline_ns)
        if keys is None:  # nobody has got a token yet
            raise AccessDenied(REFUSED)
        return parse(token, keys, self.now_s, bot_id=bot_id, grace_s=grace_s)

    def _known(self, deadline_ns: int | None) -> SigningKeys | None:
        now = self._clock_ns()
        if self._kept is not None and now - self._kept[0] < KEPT_NS:
            return self._kept[1]
        keys = self._row.get(deadline_ns)
        self._kept = None if keys is None else (now, keys)
        return keys

    def keys(self) -> SigningKeys | None:
        """As they are now; None before the first session."""
        return self._row.get()

    def rotate(self, *, forget: bool = False) -> SigningKeys:
        """Make a new key. It begins to sign in ten minutes, and tokens of those before are good until their end, and
        for resuming after it. `forget` is for a key that leaked: the new one signs at once and is the only one, so that
        nobody is known any more, within the five minutes for which processes remember keys.

        Raises Conflict when somebody else changed them meanwhile, or when too many are still needed.
        """
        before = self._row.get()
        if before is None:
            return self._made(None)
        key = self._new_key(self.now_s if forget else self.now_s + ANNOUNCED_S)
        after = SigningKeys(current=key) if forget else before.with_new(key, self.now_s)
        self._row.replace(before, after)
        self._kept = (self._clock_ns(), after)
        return after

    def _made(self, deadline_ns: int | None) -> SigningKeys:
        keys = self._row.make(SigningKeys(current=self._new_key(0)), deadline_ns)
        self._kept = (self._clock_ns(), keys)
        return keys

    def _new_key(self, signs_from_s: int) -> SigningKey:
        kid = self._new_secret()[:KID_CHARACTERS]
        return SigningKey(kid=kid, secret=self._new_secret(), signs_from_s=signs_from_s)
