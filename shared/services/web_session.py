"""Sessions of the web channel: what a page may know of a bot, and the token that says who its end user is.

A session is a token and nothing else: nothing is stored, and no turn is written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from shared.bot.record import BotRecord
from shared.channels.web.settings import WEB, WebSettings
from shared.channels.web.tokens import LEEWAY_S, RESUMABLE_S, Claims, check_identity
from shared.errors import AccessDenied, NotFound
from shared.ids import BOT_ID
from shared.services.ports import Turns
from shared.services.published_bots import PublishedBots
from shared.services.web_tokens import WebTokens

JsonObject = dict[str, Any]

ANONYMOUS: Final = "anon_"
OF_A_KEY: Final = "api"
"""Who vouches for a userKey that came with an API key; identity keys are named id_..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebBot:
    """A bot that is connected to the web, and its settings."""

    record: BotRecord
    settings: WebSettings

    @property
    def is_open(self) -> bool:
        """Whether end users may come in."""
        return self.settings.enabled and self.record.published is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who a page says that its end user is. `has_key`: a customer's server asks, whose API key is good for it."""

    user_key: str | None = None
    identity: str | None = None
    resume: str | None = None
    has_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """`revision` is 0 and `conversation_id` None for who has not said anything yet."""

    token: str
    claims: Claims
    conversation_id: str | None
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSessions:
    """The use cases. `random_key` gives random base64url of at least 128 bits."""

    published: PublishedBots
    turns: Turns
    tokens: WebTokens
    random_key: Callable[[], str]

    def bot(self, bot_id: str, deadline_ns: int | None = None) -> WebBot:
        """Raises NotFound for what is no bot, and for a bot that was never connected to the web."""
        record = self.published.get(bot_id, deadline_ns) if BOT_ID.fullmatch(bot_id) else None
        if record is None or record.deleted_at_ms is not None or WEB not in record.channels:
            raise NotFound("no such bot", bot=bot_id[:64])
        return WebBot(record=record, settings=WebSettings.of(record.channels))

    def open(self, bot: WebBot, wish: Wish, deadline_ns: int | None = None) -> WebSession:
        """A token for whom the wish names, or for somebody new. Raises NotFound when the bot is off, AccessDenied for
        who is not who they say."""
        if not bot.is_open:
            raise NotFound("the bot is off", bot=bot.record.bot_id)
        bot_id = bot.record.bot_id
        user_key, vouched_by = self._who(bot, wish, deadline_ns)
        claims = Claims.fresh(bot_id, user_key, self.tokens.now_s, vouched_by=vouched_by)
        newest = self.turns.newest(bot_id, claims.log, deadline_ns)
        session = None if newest is None else newest.state.session
        return WebSession(
            token=self.tokens.issue(claims, deadline_ns),
            claims=claims,
            conversation_id=None if session is None else session.conversation_id,
            revision=0 if newest is None else newest.revision,
        )

    def claims(self, token: str | None, deadline_ns: int | None = None) -> tuple[Claims, WebBot]:
        """Whose token it is. Raises AccessDenied, and NotFound when the bot is off by now."""
        claims = self.tokens.parse(token, deadline_ns=deadline_ns)
        bot = self.bot(claims.bot_id, deadline_ns)
        if not bot.is_open:
            raise NotFound("the bot is off", bot=claims.bot_id)
        return claims, bot

    def _who(self, bot: WebBot, wish: Wish, deadline_ns: int | None) -> tuple[str, str]:
        """userKey, and who vouches for it ("": nobody)."""
        if wish.has_key:
            return wish.user_key or self._anonymous(), OF_A_KEY
        before = self._before(bot, wish, deadline_ns)
        if wish.user_key is None:
            return (self._anonymous(), "") if before is None else (before.user_key, before.vouched_by)
        if wish.identity is not None:
            keys, now_s = bot.settings.identity_keys, self.tokens.now_s
            key = check_identity(wish.identity, keys, bot_id=bot.record.bot_id, user_key=wish.user_key, now_s=now_s)
            return wish.user_key, key
        if before is not None and before.user_key == wish.user_key:
            return before.user_key, before.vouched_by
        if bot.settings.require_identity:
            raise AccessDenied("userKey: this bot wants an identity with it, signed by your server")
        return wish.user_key, ""

    def _before(self, bot: WebBot, wish: Wish, deadline_ns: int | None) -> Claims | None:
        """Who the token of an earlier session names. Where identity is required, a userKey that nobody vouched for, or
        whose voucher is gone, does not come in by a token either."""
        if wish.resume is None:
            return None
        claims = self.tokens.parse(
            wish.resume, bot_id=bot.record.bot_id, grace_s=RESUMABLE_S - LEEWAY_S, deadline_ns=deadline_ns
        )
        vouchers = {OF_A_KEY, *(key.key_id for key in bot.settings.identity_keys)}
        is_known = claims.user_key.startswith(ANONYMOUS) or claims.vouched_by in vouchers
        if bot.settings.require_identity and not is_known:
            if wish.user_key is not None:
                return None  # their identity decides
            raise AccessDenied("resume: this bot wants an identity, signed by your server")
        return claims

    def _anonymous(self) -> str:
        return ANONYMOUS + self.random_key()
