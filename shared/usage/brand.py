"""The brand line: the last line, after a blank one, of the last text or card of a bot's turn, as long as the bot is
over its quota. It is added when a reply is shown, and stored nowhere.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from shared.errors import InvalidInput
from shared.values import utf16_length

JsonObject = dict[str, Any]
Cut = Callable[[str, int], str]
"""(text, limit) -> the text in at most so many UTF-16 units, cut between two characters."""

MAX_BRAND_LINE: Final = 40
"""UTF-16 units: it leaves room for a text in the smallest card (KakaoTalk's carousels take 76)."""
_UNSEEN: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")


def checked_brand_line(line: str) -> str:
    """A brand line as it may be shown. Raises InvalidInput."""
    line = line.strip()
    if not line or _UNSEEN.search(line):
        raise InvalidInput("brandLine: one line of visible text is expected")
    if utf16_length(line) > MAX_BRAND_LINE:
        raise InvalidInput(f"brandLine: at most {MAX_BRAND_LINE} characters are expected")
    return line


def signed(text: str, line: str, *, limit: int, cut: Cut) -> str:
    """`text` with the line under it in at most `limit` units; a text that leaves no room is cut. No text: the line."""
    if not text:
        return line
    end = f"\n\n{line}"
    return cut(text, limit - utf16_length(end)) + end


def is_agents(message: JsonObject) -> bool:
    """Whether an agent said it: {meta: {persona}}."""
    return (message.get("meta") or {}).get("persona") is not None


def signed_messages(messages: Sequence[JsonObject], sign: Callable[[str], str]) -> list[JsonObject]:
    """The messages {data, meta} of a turn with the line under the bot's last text or card; without one, as they are.

    `sign` makes of a text (none: "") the one with the line, by the limits of the channel: see `signed`.
    """
    shown = list(messages)
    for index in reversed(range(len(shown))):
        data = shown[index]["data"]
        if is_agents(shown[index]):
            continue
        if data.get("cards"):
            *cards, last = data["cards"]
            cards.append({**last, "description": sign(last.get("description") or "")})
            shown[index] = {**shown[index], "data": {**data, "cards": cards}}
            break
        if data.get("text"):
            shown[index] = {**shown[index], "data": {**data, "text": sign(data["text"])}}
            break
    return shown
