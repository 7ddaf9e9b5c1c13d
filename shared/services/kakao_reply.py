"""Replies as KakaoTalk shows them: the same messages always render to the same bubbles, so an index of "계속 보기"
stays valid whoever renders them."""

from typing import Any

from shared.bot.model import Bot
from shared.channels.kakao.render import SkillReply, callback_reply, render_reply, waiting_reply
from shared.conversation.unfinished import ReplyRoute

JsonObject = dict[str, Any]


def mail_redirect_url(base_url: str | None) -> str | None:
    """Where mail buttons lead (functions/mail_link), complete but for the address."""
    return None if base_url is None else f"{base_url}/mail?to="


def render(
    bot: Bot,
    base_url: str | None,
    messages: list[JsonObject],
    keyboard: JsonObject | None,
    *,
    revision: int,
    start_index: int = 0,
    brand_line: str | None = None,
) -> SkillReply:
    return render_reply(
        messages,
        keyboard,
        revision=revision,
        start_index=start_index,
        system_messages=bot.system_messages,
        mail_redirect_url=mail_redirect_url(base_url),
        brand_line=brand_line,
    )


def paginate(
    bot: Bot, route: ReplyRoute, messages: list[JsonObject], keyboard: JsonObject | None, revision: int
) -> int | None:
    """Where "계속 보기" goes on (services.advance.Paginate)."""
    return render(bot, route.base_url, messages, keyboard, revision=revision).next_index


def waiting(bot: Bot, *, revision: int, by_callback: bool) -> JsonObject:
    """The bot's waiting text: as the acknowledgement of a callback, or with "계속 보기"."""
    text = bot.system_messages["waiting"]
    if "{{" in text:  # nothing has been walked that a template could tell of
        text = bot.default_system_message("waiting")
    return callback_reply(text) if by_callback else waiting_reply(text, revision=revision)
