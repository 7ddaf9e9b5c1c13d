"""A bot's reply as a skill response: at most three outputs and 30 KB, and never a word dropped in silence.

What does not fit is merged with neighbours of its kind; what still does not fit is kept and offered with the quick
reply "계속 보기", whose tap (parse.ContinueReading) asks for the same reply from a later bubble on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.channels.kakao import limits
from shared.channels.kakao.bubbles import Bubble, BubbleWriter
from shared.channels.kakao.buttons import ButtonWriter, Json
from shared.channels.kakao.extra import continue_extra
from shared.channels.kakao.wire import serialize, size
from shared.channels.text import cut, plain_text
from shared.usage.brand import is_agents, signed
from shared.values import utf16_length

__all__ = ["SkillReply", "callback_reply", "error_reply", "render_reply", "serialize", "waiting_reply"]

CONTINUE_LABEL: Final = "계속 보기"
DEFAULT_TEXTS: Final = {
    "empty": "(메시지 없음)",
    "error": "오류가 발생했습니다. 잠시 후 다시 시도해 주세요.",
    "additionalChoice": "(추가 선택지)",
    "unsupportedMedia": "(지원하지 않는 미디어)",
}
"""Used for a systemMessage that a bot leaves blank: Kakao refuses empty text."""
WAITING_TEXT: Final = "답변을 준비하고 있습니다."


@dataclass(frozen=True, slots=True)
class SkillReply:
    """body: the skill response; next_index: where "계속 보기" goes on, None when everything is shown; notes: what was
    cut, merged or left out, for the trace and for lint."""

    body: Json
    next_index: int | None
    notes: list[str]


def render_reply(
    messages: Sequence[Json],
    keyboard: Json | None,
    *,
    revision: int,
    start_index: int = 0,
    system_messages: Mapping[str, str],
    mail_redirect_url: str | None = None,
    brand_line: str | None = None,
) -> SkillReply:
    """The reply of turn `revision` from the bubble `start_index` on.

    messages: {data, meta?, position} of the bot's messages; keyboard: {type, buttons, position?} that the conversation
    waits at (without a position, its buttons are said to come from the last message's node); system_messages: the bot's
    preference.systemMessage; mail_redirect_url: links.mail_link; brand_line: stands under the last text or card, on the
    page that shows it. It changes no page: whoever renders a rest need not know whether the start had it.
    """
    buttons = ButtonWriter(revision=revision, mail_redirect_url=mail_redirect_url)
    writer = BubbleWriter(
        buttons=buttons,
        additional_choice=_system_text(system_messages, "additionalChoice"),
        unsupported_media=_system_text(system_messages, "unsupportedMedia"),
    )
    bubbles: list[Bubble] = []
    for message in messages:
        said = writer.message(message)
        bubbles += [replace(bubble, agents=True) for bubble in said] if is_agents(message) else said
    is_bots = any(not bubble.agents for bubble in bubbles)
    quick_replies: list[Json] = []
    if keyboard is not None:
        position = keyboard.get("position") or (messages[-1].get("position") if messages else None)
        choices, lines = buttons.write(keyboard.get("buttons"), position)
        quick_replies, further = _quick_replies(choices, buttons.notes)
        bubbles += [*writer.text("\n".join(lines)), *writer.button_cards(further)]
    rest = bubbles[start_index:] or writer.text(_system_text(system_messages, "empty"))

    early_quick_replies = [*quick_replies[: limits.QUICK_REPLIES - 1], _continue(revision, len(bubbles))]
    widest = max(quick_replies, early_quick_replies, key=size)
    page = _page(rest, limits.SAFE_BODY_BYTES - size(_body([], widest)))
    shown = sum(len(run) for run in page)
    if brand_line is not None and is_bots:
        page = _signed(page, _last_body(bubbles) - start_index, brand_line, buttons.notes)
    outputs = [_output(run) for run in page]
    if shown == len(rest):
        return SkillReply(_body(outputs, quick_replies), None, buttons.notes)
    next_index = start_index + shown
    buttons.notes.append(f'{next_index} of {len(bubbles)} bubbles fit; the rest is offered with "{CONTINUE_LABEL}"')
    early_quick_replies[-1] = _continue(revision, next_index)
    return SkillReply(_body(outputs, early_quick_replies), next_index, buttons.notes)


def error_reply(text: str) -> Json:
    """The bot's error message: own faults are answered with status 200 and words, since what Kakao shows otherwise is
    not documented."""
    return _body([_text_output(text, DEFAULT_TEXTS["error"])], [])


def waiting_reply(text: str, *, revision: int) -> Json:
    """The bot's waiting text, with "계속 보기" to fetch the reply of turn `revision` once it is there."""
    return _body([_text_output(text, WAITING_TEXT)], [_continue(revision, 0)])


def callback_reply(text: str) -> Json:
    """The acknowledgement that lets the reply be posted to the callback URL; Kakao's block shows `text` meanwhile as
    {{#webhook.text}}."""
    return {"version": "2.0", "useCallback": True, "data": {"text": cut(plain_text(text), limits.TEXT) or WAITING_TEXT}}


def _page(bubbles: list[Bubble], budget: int) -> list[list[Bubble]]:
    """The first runs of bubbles, each shown as one output, that fit a response with `budget` bytes for outputs."""
    page: list[list[Bubble]] = []
    for run in _merged(_runs(bubbles))[: limits.OUTPUTS]:
        fitting = _longest_start(run, budget)
        if fitting:
            page.append(fitting)
        if len(fitting) < len(run):
            break
        budget -= size(_output(run)) + len(",")
    return page


def _last_body(bubbles: list[Bubble]) -> int:
    """Index of the last text or card that is not an agent's; -1: there is none."""
    bodies = [index for index, bubble in enumerate(bubbles) if bubble.kind != "simpleImage" and not bubble.agents]
    return bodies[-1] if bodies else -1


def _signed(page: list[list[Bubble]], place: int, line: str, notes: list[str]) -> list[list[Bubble]]:
    """The page with the brand line under its bubble at `place`, if it shows that one. The bytes of the line are a part
    of what SAFE_BODY_BYTES leaves."""
    shown: list[list[Bubble]] = []
    for run in page:
        shown.append(_signed_run(run, place, line, notes) if 0 <= place < len(run) else run)
        place -= len(run)
    return shown


def _signed_run(run: list[Bubble], place: int, line: str, notes: list[str]) -> list[Bubble]:
    bubble = run[place]
    if bubble.kind == "simpleText":  # joined ones are one bubble, whose last line it is
        text, limit = _joined_text(run), limits.TEXT
        content = {"text": signed(text, line, limit=limit, cut=cut)}
        run = [replace(bubble, content=content)]
    else:
        text, limit = bubble.content.get("description", ""), _description_room(run, bubble)
        content = {**bubble.content, "description": signed(text, line, limit=limit, cut=cut)}
        run = [*run[:place], replace(bubble, content=content), *run[place + 1 :]]
    if utf16_length(text) + len("\n\n") + utf16_length(line) > limit:
        notes.append("a text was cut to leave room for the brand line")
    return run


def _description_room(run: list[Bubble], bubble: Bubble) -> int:
    if len(run) > 1:
        return limits.CAROUSEL_DESCRIPTION[bubble.kind]
    if bubble.kind == "basicCard":
        return limits.BASIC_CARD_DESCRIPTION
    return limits.TEXT_CARD - utf16_length(bubble.content.get("title", ""))


def _runs(bubbles: list[Bubble]) -> list[list[Bubble]]:
    """Carousels as the bot wrote them, everything else by itself."""
    runs: list[list[Bubble]] = []
    for bubble in bubbles:
        if bubble.joined and runs and len(runs[-1]) < limits.CAROUSEL_ITEMS:
            runs[-1].append(bubble)
        else:
            runs.append([bubble])
    return runs


def _merged(runs: list[list[Bubble]]) -> list[list[Bubble]]:
    """Neighbours of one kind merged, the smallest first, until the outputs suffice or nothing more can be merged."""
    while len(runs) > limits.OUTPUTS:
        pairs = [index for index in range(len(runs) - 1) if _can_join(runs[index] + runs[index + 1])]
        if not pairs:
            break
        smallest = min(pairs, key=lambda index: size(_output(runs[index] + runs[index + 1])))
        runs = [*runs[:smallest], runs[smallest] + runs[smallest + 1], *runs[smallest + 2 :]]
    return runs


def _can_join(run: list[Bubble]) -> bool:
    kind = run[0].kind
    if any(bubble.kind != kind or bubble.agents != run[0].agents for bubble in run):
        return False
    if kind == "simpleText":
        return utf16_length(_joined_text(run)) <= limits.TEXT
    room = limits.CAROUSEL_DESCRIPTION.get(kind, 0)
    return len(run) <= limits.CAROUSEL_ITEMS and all(
        utf16_length(bubble.content.get("description", "")) <= room for bubble in run
    )


def _longest_start(run: list[Bubble], budget: int) -> list[Bubble]:
    for count in range(len(run), 0, -1):
        if size(_output(run[:count])) <= budget:
            return run[:count]
    return []


def _output(run: list[Bubble]) -> Json:
    """Several pictures become a carousel of cards that show nothing else and keep the pictures' ratio."""
    kind = run[0].kind
    if kind == "simpleText":
        return {kind: {"text": _joined_text(run)}}
    if len(run) == 1:
        return {kind: run[0].content}
    if kind == "simpleImage":
        items = [{"thumbnail": {**bubble.content, "fixedRatio": True}} for bubble in run]
        return {"carousel": {"type": "basicCard", "items": items}}
    return {"carousel": {"type": kind, "items": [bubble.content for bubble in run]}}


def _joined_text(run: list[Bubble]) -> str:
    return "\n\n".join(bubble.content["text"] for bubble in run)


def _quick_replies(choices: list[Json], notes: list[str]) -> tuple[list[Json], list[Json]]:
    """(quick replies, buttons that go on as cards): as many of the first ones as Kakao shows, each once."""
    distinct: list[Json] = []
    for choice in choices:
        if choice in distinct:
            notes.append(f'quick reply "{choice["label"]}" is there twice; it is shown once')
        else:
            distinct.append(choice)
    count = 0
    while (
        count < min(len(distinct), limits.QUICK_REPLIES)
        and distinct[count]["action"] == "message"
        and size(distinct[: count + 1]) <= limits.QUICK_REPLY_BYTES
    ):
        count += 1
    if count < len(distinct):
        notes.append(f"{len(distinct) - count} of {len(distinct)} choices go on as button cards")
    return distinct[:count], distinct[count:]


def _continue(revision: int, index: int) -> Json:
    return {
        "label": CONTINUE_LABEL,
        "action": "message",
        "messageText": CONTINUE_LABEL,
        "extra": continue_extra(revision, index),
    }


def _body(outputs: list[Json], quick_replies: list[Json]) -> Json:
    template: Json = {"outputs": outputs}
    if quick_replies:
        template["quickReplies"] = quick_replies
    return {"version": "2.0", "template": template}


def _text_output(text: str, default: str) -> Json:
    return {"simpleText": {"text": cut(plain_text(text), limits.TEXT) or default}}


def _system_text(system_messages: Mapping[str, Any], key: str) -> str:
    return plain_text(system_messages.get(key)) or DEFAULT_TEXTS[key]
