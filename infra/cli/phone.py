"""What a phone makes of a skill response: where Kakao may refuse it, and where texts are cut, folded or not shown.

Source of the limits, unless a line says otherwise: Kakao's "응답 타입별 JSON 포맷" (skill response 2.0).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from infra.cli.language import Language
from shared.channels.kakao import limits
from shared.values import utf16_length

JsonObject = dict[str, Any]

FOLDED_TEXT: Final = 500
"""A bubble shows the rest of a longer simpleText behind "전체 보기"."""
HORIZONTAL_BUTTONS: Final = 2
HORIZONTAL_LABEL: Final = 8
COMMERCE_TITLE: Final = 30
COMMERCE_DESCRIPTION: Final = 40
LIST_ITEMS: Final = {False: 5, True: 4}
"""Alone, in a carousel."""
ITEM_ROWS: Final = {False: 10, True: 5}
ITEM_ROW_TITLE: Final = 6
ITEM_TEXT: Final = {False: 200, True: 100}
"""Title and description of an itemCard together."""
LIST_CAROUSEL_ITEMS: Final = 5
SECONDS: Final = 5.0
"""Kakao hangs up after this."""

Severity = Literal["refused", "shown differently"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """refused: the answer may not be delivered at all."""

    path: str
    severity: Severity
    korean: str
    english: str

    def sentence(self, language: Language) -> str:
        return f"{self.path}: {self.korean if language is Language.KOREAN else self.english}"


def notices(body: Any, size: int) -> list[Notice]:
    """Everything to say about a response of `size` bytes."""
    return list(_body(body, size))


def card_of(output: Any) -> tuple[str, JsonObject] | None:
    """(component, content) of an output, which is an object with one key."""
    if not isinstance(output, dict):
        return None
    return next(((name, content) for name, content in output.items() if isinstance(content, dict)), None)


def objects(value: Any) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _refused(path: str, korean: str, english: str) -> Notice:
    return Notice(path=path, severity="refused", korean=korean, english=english)


def _differs(path: str, korean: str, english: str) -> Notice:
    return Notice(path=path, severity="shown differently", korean=korean, english=english)


def _missing(path: str) -> Notice:
    return _refused(
        path, "값이 없어 카카오톡이 말풍선을 보내지 않을 수 있습니다", "is missing: KakaoTalk may not send it"
    )


def _too_long(path: str, text: Any, limit: int) -> Iterator[Notice]:
    length = utf16_length(text) if isinstance(text, str) else 0
    if length > limit:
        yield _differs(
            path,
            f"{length}자입니다. 휴대폰은 {limit}자까지 보여 줍니다",
            f"a phone shows {limit} of {length} characters",
        )


def _too_many(path: str, count: int, limit: int) -> Iterator[Notice]:
    if count > limit:
        yield _refused(path, f"{count}개입니다. 최대 {limit}개입니다", f"{count} of at most {limit}")


def _body(body: Any, size: int) -> Iterator[Notice]:
    if not isinstance(body, dict):
        yield _refused("$", "객체가 아닙니다", "is not an object")
        return
    if body.get("version") != "2.0":
        yield _refused(
            "version", '"2.0"이 아니면 옛 형식으로 읽어 무시합니다', 'anything but "2.0" is read as the old format'
        )
    if size > limits.BODY_BYTES:
        yield _refused(
            "$",
            f"{size}바이트입니다. 최대 {limits.BODY_BYTES}바이트입니다",
            f"{size} of at most {limits.BODY_BYTES} bytes",
        )
    template = body.get("template")
    if body.get("useCallback") is True:
        if template is not None:
            yield _refused("template", "useCallback과 함께 쓸 수 없습니다", "excludes useCallback")
        return
    if not isinstance(template, dict):
        yield _missing("template")
        return
    outputs = template.get("outputs")
    if not isinstance(outputs, list) or not outputs:
        yield _missing("template.outputs")
    else:
        yield from _too_many("template.outputs", len(outputs), limits.OUTPUTS)
        for index, output in enumerate(outputs):
            yield from _output(output, f"outputs[{index}]")
    quick_replies = objects(template.get("quickReplies"))
    yield from _too_many("template.quickReplies", len(quick_replies), limits.QUICK_REPLIES)
    for index, reply in enumerate(quick_replies):
        yield from _button(reply, f"quickReplies[{index}]", limits.BUTTON_LABEL)


def _output(output: Any, path: str) -> Iterator[Notice]:
    found = card_of(output)
    name = "" if found is None else found[0]
    if found is None or (name not in CARDS and name not in ("simpleText", "simpleImage", "carousel")):
        yield _refused(path, "알 수 없는 말풍선입니다", "is no bubble that KakaoTalk knows")
        return
    path, content = f"{path}.{name}", found[1]
    if name == "simpleText":
        yield from _simple_text(content, path)
    elif name == "simpleImage":
        yield from _image(content, path)
    elif name == "carousel":
        yield from _carousel(content, path)
    else:
        yield from CARDS[name](content, path, False)


def _simple_text(content: JsonObject, path: str) -> Iterator[Notice]:
    text = content.get("text")
    if not isinstance(text, str) or not text.strip():
        yield _missing(f"{path}.text")
        return
    length = utf16_length(text)
    if length > limits.TEXT:
        yield from _too_long(f"{path}.text", text, limits.TEXT)
    elif length > FOLDED_TEXT:
        yield _differs(
            f"{path}.text",
            f"{length}자입니다. {FOLDED_TEXT}자가 넘으면 '전체 보기'로 접힙니다",
            f"{length} characters: past {FOLDED_TEXT} the bubble folds behind '전체 보기'",
        )


def _image(content: JsonObject, path: str) -> Iterator[Notice]:
    if not content.get("imageUrl"):
        yield _missing(f"{path}.imageUrl")
    yield from _too_long(f"{path}.altText", content.get("altText"), limits.ALT_TEXT)


def _text_card(card: JsonObject, path: str, in_carousel: bool) -> Iterator[Notice]:
    if not card.get("title") and not card.get("description"):
        yield _missing(f"{path}.title")
    yield from _too_long(f"{path}.title", card.get("title"), limits.CARD_TITLE)
    if in_carousel:
        yield from _too_long(f"{path}.description", card.get("description"), limits.CAROUSEL_DESCRIPTION["textCard"])
    else:
        yield from _too_long(path, _title_and_description(card), limits.TEXT_CARD)
    yield from _buttons(card, path)


def _basic_card(card: JsonObject, path: str, in_carousel: bool) -> Iterator[Notice]:
    thumbnail = card.get("thumbnail")
    yield from _image(thumbnail if isinstance(thumbnail, dict) else {}, f"{path}.thumbnail")
    yield from _too_long(f"{path}.title", card.get("title"), limits.CARD_TITLE)
    room = limits.CAROUSEL_DESCRIPTION["basicCard"] if in_carousel else limits.BASIC_CARD_DESCRIPTION
    yield from _too_long(f"{path}.description", card.get("description"), room)
    yield from _buttons(card, path)


def _commerce_card(card: JsonObject, path: str, in_carousel: bool) -> Iterator[Notice]:
    del in_carousel
    for key in ("price", "thumbnails"):
        if card.get(key) is None:
            yield _missing(f"{path}.{key}")
    yield from _too_long(f"{path}.title", card.get("title"), COMMERCE_TITLE)
    yield from _too_long(f"{path}.description", card.get("description"), COMMERCE_DESCRIPTION)
    yield from _buttons(card, path)


def _list_card(card: JsonObject, path: str, in_carousel: bool) -> Iterator[Notice]:
    header = card.get("header")
    if not isinstance(header, dict) or not header.get("title"):
        yield _missing(f"{path}.header.title")
    items = objects(card.get("items"))
    if not items:
        yield _missing(f"{path}.items")
    yield from _too_many(f"{path}.items", len(items), LIST_ITEMS[in_carousel])
    yield from _buttons(card, path)


def _item_card(card: JsonObject, path: str, in_carousel: bool) -> Iterator[Notice]:
    rows = objects(card.get("itemList"))
    if not rows:
        yield _missing(f"{path}.itemList")
    yield from _too_many(f"{path}.itemList", len(rows), ITEM_ROWS[in_carousel])
    for index, row in enumerate(rows):
        yield from _too_long(f"{path}.itemList[{index}].title", row.get("title"), ITEM_ROW_TITLE)
    yield from _too_long(path, _title_and_description(card), ITEM_TEXT[in_carousel])
    yield from _buttons(card, path)


CardNotices = Callable[[JsonObject, str, bool], Iterator[Notice]]
CARDS: Final[dict[str, CardNotices]] = {
    "textCard": _text_card,
    "basicCard": _basic_card,
    "commerceCard": _commerce_card,
    "listCard": _list_card,
    "itemCard": _item_card,
}


def _carousel(carousel: JsonObject, path: str) -> Iterator[Notice]:
    kind = carousel.get("type")
    items = objects(carousel.get("items"))
    if kind not in CARDS:
        yield _refused(f"{path}.type", "케로셀에 넣을 수 없는 카드입니다", "is no card that a carousel holds")
        return
    if not items:
        yield _missing(f"{path}.items")
    yield from _too_many(
        f"{path}.items", len(items), LIST_CAROUSEL_ITEMS if kind == "listCard" else limits.CAROUSEL_ITEMS
    )
    for index, item in enumerate(items):
        yield from CARDS[kind](item, f"{path}.items[{index}]", True)


def _buttons(card: JsonObject, path: str) -> Iterator[Notice]:
    buttons = objects(card.get("buttons"))
    is_horizontal = _is_horizontal(card)
    room = HORIZONTAL_BUTTONS if is_horizontal else limits.BUTTONS
    yield from _too_many(f"{path}.buttons", len(buttons), room)
    narrow = is_horizontal and len(buttons) == HORIZONTAL_BUTTONS
    for index, button in enumerate(buttons):
        yield from _button(button, f"{path}.buttons[{index}]", HORIZONTAL_LABEL if narrow else limits.BUTTON_LABEL)


def _is_horizontal(card: JsonObject) -> bool:
    """What the card says, else what its picture implies: a picture that keeps its ratio lays buttons out in a row."""
    layout = card.get("buttonLayout")
    if layout is not None:
        return bool(layout == "horizontal")
    thumbnail = card.get("thumbnail")
    return isinstance(thumbnail, dict) and thumbnail.get("fixedRatio") is True


NEEDS: Final = {"webLink": "webLinkUrl", "message": "messageText", "block": "blockId", "phone": "phoneNumber"}


def _button(button: JsonObject, path: str, room: int) -> Iterator[Notice]:
    if not button.get("label"):
        yield _missing(f"{path}.label")
    yield from _too_long(f"{path}.label", button.get("label"), room)
    needed = NEEDS.get(str(button.get("action")))
    if needed is not None and not button.get(needed):
        yield _missing(f"{path}.{needed}")


def _title_and_description(card: JsonObject) -> str:
    return "".join(text for key in ("title", "description") if isinstance(text := card.get(key), str))
