"""Issues and reads the web channel's tokens, with signing keys that are made once for the installation."""

from collections.abc import Callable
from typing import Final

from shared.channels.web.tokens import REFUSED, Claims, SigningKey, SigningKeys, issue, parse
from shared.errors import AccessDenied
from shared.services.web_ports import SigningKeyRow

KEPT_NS: Final = 300 * 1_000_000_000
"""Keys are read again after five minutes."""
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
        return issue(claims, (self._known(deadline_ns) or self._made(deadline_ns)).current)

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

    def _made(self, deadline_ns: int | None) -> SigningKeys:
        kid = self._new_secret()[:KID_CHARACTERS]
        keys = self._row.make(SigningKeys(current=SigningKey(kid=kid, secret=self._new_secret())), deadline_ns)
        self._kept = (self._clock_ns(), keys)
        return keys
