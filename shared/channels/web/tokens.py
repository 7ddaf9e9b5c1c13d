"""Tokens of the web channel (JWT, HS256): ours, which say who a browser is to a bot, and those with which a customer's
server vouches for one of its users.

The algorithm is fixed, whatever a token's header says. Times are seconds of the epoch, and the clock is an argument.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

import jwt

from shared.channels.web.settings import WEB, IdentityKey
from shared.errors import AccessDenied, Conflict
from shared.ids import BOT_ID, end_user_id, log_key

ISSUER: Final = "malgil"
ALGORITHM: Final = "HS256"
LIFETIME_S: Final = 3_600
RESUMABLE_S: Final = 30 * 86_400
"""A token says so long after its end who somebody was."""
LEEWAY_S: Final = 60
"""Clocks differ."""
MAX_SIGNING_KEYS: Final = 5
MAX_TOKEN: Final = 4_096
MAX_USER_KEY: Final = 90
MAX_TIME_S: Final = 253_402_300_799
"""The last second of the year 9999."""
REFUSED: Final = "the token is wrong or missing"
"""All that a stranger is told."""
IDENTITY_REFUSED: Final = "identity: not a valid token of this userKey for this bot"

_TOKEN: Final = re.compile(rf"(?=.{{1,{MAX_TOKEN}}}\Z)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){{2}}", re.ASCII)
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_OURS_ALONE: Final[Any] = {
    "verify_exp": False,  # PyJWT would read the clock
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class TokenExpired(AccessDenied):
    """It was good; a new one is had for it (`resume`)."""

    code = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """`signs_from_s`: before that, whoever signs may not have read it yet."""

    kid: str
    secret: str = field(repr=False)
    signs_from_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeys:
    """The installation's, the newest first: `current`, and those whose tokens are still good."""

    current: SigningKey
    previous: tuple[SigningKey, ...] = ()

    def signing(self, now_s: int) -> SigningKey:
        """The newest whose time has come."""
        keys = (self.current, *self.previous)
        return next((key for key in keys if key.signs_from_s <= now_s), keys[-1])

    def named(self, kid: str, now_s: int) -> SigningKey | None:
        """The key of this name, as long as a token of it can be good."""
        return next((key for key in self.living(now_s) if key.kid == kid), None)

    def living(self, now_s: int) -> tuple[SigningKey, ...]:
        """All but those whose last token, signed before the next key's time, says nothing any more."""
        newer = (key.signs_from_s + LIFETIME_S + RESUMABLE_S + LEEWAY_S for key in (self.current, *self.previous))
        return (self.current, *(key for key, until_s in zip(self.previous, newer, strict=False) if now_s < until_s))

    def with_new(self, key: SigningKey, now_s: int) -> "SigningKeys":
        """Raises Conflict when so many are alive that another one would end a good one before its time."""
        living = self.living(now_s)
        if len(living) >= MAX_SIGNING_KEYS:
            raise Conflict(f"{len(living)} signing keys are still needed: wait until tokens of the oldest have ended")
        return SigningKeys(current=key, previous=living)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Who somebody is to a bot, and until when the token says so. `vouched_by` names who said that they are their
    userKey: an identity key of the bot; "" nobody."""

    bot_id: str
    user_key: str
    issued_at_s: int
    expires_at_s: int
    vouched_by: str = ""

    @classmethod
    def fresh(cls, bot_id: str, user_key: str, now_s: int, *, vouched_by: str = "") -> "Claims":
        return cls(
            bot_id=bot_id,
            user_key=user_key,
            issued_at_s=now_s,
            expires_at_s=now_s + LIFETIME_S,
            vouched_by=vouched_by,
        )

    @property
    def end_user_id(self) -> str:
        return end_user_id(self.bot_id, WEB, self.user_key)

    @property
    def log(self) -> str:
        return log_key(WEB, self.user_key)


def issue(claims: Claims, key: SigningKey) -> str:
    payload = {
        "iss": ISSUER,
        "aud": claims.bot_id,
        "sub": claims.end_user_id,
        "uk": claims.user_key,
        "iat": claims.issued_at_s,
        "exp": claims.expires_at_s,
        **({"vb": claims.vouched_by} if claims.vouched_by else {}),
    }
    return jwt.encode(payload, key.secret, algorithm=ALGORITHM, headers={"kid": key.kid})


def parse(token: str | None, keys: SigningKeys, now_s: int, *, bot_id: str | None = None, grace_s: int = 0) -> Claims:
    """The claims of a token of ours, for the bot `bot_id` where the caller knows which one is meant. `grace_s` is how
    long after its end it still says who somebody was.

    Raises TokenExpired; AccessDenied, the same for every other reason.
    """
    kid = _key_id(token)
    key = None if kid is None else keys.named(kid, now_s)
    payload = {} if token is None or key is None else _verified(token, key.secret)
    audience, user_key, issued, expires = (payload.get(name) for name in ("aud", "uk", "iat", "exp"))
    if not (isinstance(audience, str) and BOT_ID.fullmatch(audience) and bot_id in (None, audience)):
        raise AccessDenied(REFUSED)
    if not (isinstance(user_key, str) and 0 < len(user_key) <= MAX_USER_KEY and _is_time(issued) and _is_time(expires)):
        raise AccessDenied(REFUSED)
    claims = Claims(
        bot_id=audience,
        user_key=user_key,
        issued_at_s=int(issued),
        expires_at_s=int(expires),
        vouched_by=str(payload.get("vb", "")),
    )
    if (
        payload.get("iss") != ISSUER
        or payload.get("sub") != claims.end_user_id
        or claims.issued_at_s > now_s + LEEWAY_S
    ):
        raise AccessDenied(REFUSED)
    if now_s >= claims.expires_at_s + LEEWAY_S + grace_s:
        raise TokenExpired("the token has expired")
    return claims


def check_identity(token: str | None, keys: Iterable[IdentityKey], *, bot_id: str, user_key: str, now_s: int) -> str:
    """The identity key by which the customer's server says that a browser is `user_key`: `kid` names it, `sub` is the
    userKey, `aud` the bot, `exp` is not over, `nbf` has begun where it is given. Raises AccessDenied, the same for
    every reason."""
    kid = _key_id(token)
    key = next((key for key in keys if key.key_id == kid), None)
    payload = {} if token is None or key is None else _verified(token, key.secret)
    audience, expires, begins = payload.get("aud"), payload.get("exp"), payload.get("nbf", 0)
    is_for_bot = audience == bot_id or (isinstance(audience, list) and bot_id in audience)
    is_now = _is_time(expires) and _is_time(begins) and begins - LEEWAY_S <= now_s < expires + LEEWAY_S
    if key is None or not (is_for_bot and is_now and payload.get("sub") == user_key):
        raise AccessDenied(IDENTITY_REFUSED)
    return key.key_id


def _key_id(token: str | None) -> str | None:
    """What the header calls the key, before anything is verified: a name, and nothing that could be a path."""
    if token is None or not _TOKEN.fullmatch(token):
        return None
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None
    return kid if isinstance(kid, str) and _KEY_ID.fullmatch(kid) else None


def _verified(token: str, secret: str) -> dict[str, Any]:
    """The payload; empty when the signature is not of this key."""
    try:
        payload: Any = jwt.decode(token, secret, algorithms=[ALGORITHM], options=_OURS_ALONE)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _is_time(value: Any) -> TypeGuard[int | float]:
    """Whole seconds, or with a fraction, as RFC 7519 allows."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_TIME_S
