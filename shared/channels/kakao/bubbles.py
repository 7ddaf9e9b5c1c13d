"""Messages of a bot as the smallest bubbles that KakaoTalk shows whole.

The same messages always give the same list of bubbles, so that an index into it says where reading goes on. Nothing is
lost on the way: a text that one bubble cannot hold goes on in the next, and so do buttons; a card of a carousel goes on
in a further card with the same picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest
from typing import Any, Final

from shared.channels.kakao import limits, links
from shared.channels.kakao.buttons import ButtonWriter, Json
from shared.channels.kakao.wire import size
from shared.channels.text import cut, plain_line, plain_text, split, split_off_end, split_off_start
from shared.values import utf16_length

IMAGE_ALT_TEXT: Final = "이미지"
PLACE_NAME: Final = "위치"
MAP_LABEL: Final = "지도 보기"
_MEDIA_WORDS: Final = {"video": ("동영상", "동영상 보기"), "audio": ("오디오", "오디오 듣기")}
_OTHER_MEDIA_WORDS: Final = ("링크", "링크 열기")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """`content` of a `kind`: simpleText, simpleImage, textCard or basicCard.

    joined: it stands in one carousel with the bubble before it; agents: an agent said it.
    """

    kind: str
    content: Json
    joined: bool = False
    agents: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    title: str
    description: str
    thumbnail: Json | None
    buttons: list[Json]

    @property
    def kind(self) -> str:
        return "textCard" if self.thumbnail is None else "basicCard"


@dataclass(frozen=True, slots=True, kw_only=True)
class BubbleWriter:
    """additional_choice: title of a card that only goes on with buttons; unsupported_media: said for media without a
    usable address."""

    buttons: ButtonWriter
    additional_choice: str
    unsupported_media: str

    def message(self, message: Json) -> list[Bubble]:
        """The bubbles of one message {data, position}."""
        data, position = _object(message.get("data")), message.get("position")
        buttons, lines = self.buttons.write(data.get("buttons"), position)
        text = _lines(plain_text(data.get("text")), *lines)
        match data.get("type"):
            case "media":
                return self._media(_object(data.get("media")), text, buttons)
            case "cards":
                cards = self._cards(data.get("cards"), position)
                return [*self.text(text), *cards, *self.button_cards(buttons)]
            case "location":
                return self._location(_object(data.get("location")), text, buttons)
            case _:
                return self._text_with_buttons(text, buttons)

    def text(self, text: str) -> list[Bubble]:
        pieces = split(text, limits.TEXT)
        if len(pieces) > 1:
            self.buttons.notes.append(f"a text over {limits.TEXT} characters is split into {len(pieces)} bubbles")
        return [Bubble(kind="simpleText", content={"text": piece}) for piece in pieces]

    def button_cards(self, buttons: list[Json]) -> list[Bubble]:
        """Cards that hold nothing but buttons."""
        return [
            self._bubble(_Card(title="", description="", thumbnail=None, buttons=load)) for load in _card_loads(buttons)
        ]

    def _text_with_buttons(self, text: str, buttons: list[Json]) -> list[Bubble]:
        """The buttons stand under the last sentences of the text."""
        if not buttons:
            return self.text(text)
        head, end = split_off_end(text, limits.TEXT_CARD)
        card = _Card(title="", description=end, thumbnail=None, buttons=buttons)
        return [*self.text(head), *self._single(card)]

    def _media(self, media: Json, text: str, buttons: list[Json]) -> list[Bubble]:
        address = self._address(media.get("uri"))
        if address is None:
            return self._text_with_buttons(_lines(self.unsupported_media, text), buttons)
        if media.get("contentType") != "image":
            name, label = _MEDIA_WORDS.get(str(media.get("contentType")), _OTHER_MEDIA_WORDS)
            text = text or self._alt_text(media) or name
            return self._text_with_buttons(text, [_web_link(label, address), *buttons])
        image = {"imageUrl": address, "altText": self._alt_text(media) or IMAGE_ALT_TEXT}
        if buttons and not text:
            return self._single(_Card(title="", description="", thumbnail=image, buttons=buttons))
        return [Bubble(kind="simpleImage", content=image), *self._text_with_buttons(text, buttons)]

    def _location(self, location: Json, text: str, buttons: list[Json]) -> list[Bubble]:
        name = plain_line(location.get("title") or location.get("label")) or PLACE_NAME
        link = links.map_link(cut(name, limits.CARD_TITLE), location.get("latitude"), location.get("longitude"))
        if link is None:
            self.buttons.notes.append(f'location "{name[:20]}" is shown without a map: no coordinates')
            return self._text_with_buttons(_lines(name, text), buttons)
        title, rest = split_off_start(name, limits.CARD_TITLE)
        buttons = [_web_link(MAP_LABEL, link), *buttons]
        return self._single(_Card(title=title, description=_lines(rest, text), thumbnail=None, buttons=buttons))

    def _cards(self, cards: Any, position: Any) -> list[Bubble]:
        """One card stands alone; neighbours with pictures, or without, form a carousel, which holds one kind only."""
        read = [self._card(_object(card), position) for card in (cards if isinstance(cards, list) else [])]
        shown = [card for card in read if card.title or card.description or card.thumbnail or card.buttons]
        if len(shown) < len(read):
            self.buttons.notes.append("a card without any content was left out")
        bubbles: list[Bubble] = []
        for _, neighbours in groupby(shown, key=lambda card: card.kind):
            run = list(neighbours)
            bubbles += self._single(run[0]) if len(run) == 1 else self._carousel(run)
        return bubbles

    def _card(self, card: Json, position: Any) -> _Card:
        buttons, lines = self.buttons.write(card.get("buttons"), position)
        media = _object(card.get("media"))
        address = self._address(media["uri"]) if media.get("uri") else None
        thumbnail: Json | None = None
        if address is not None and media.get("contentType", "image") == "image":
            thumbnail = {"imageUrl": address}
            if alt_text := self._alt_text(media):
                thumbnail["altText"] = alt_text
        elif address is not None:
            _, label = _MEDIA_WORDS.get(str(media.get("contentType")), _OTHER_MEDIA_WORDS)
            buttons.insert(0, _web_link(label, address))
        link = links.web_address(plain_line(card.get("uri")))
        if thumbnail is not None and link is not None:
            thumbnail["link"] = {"web": link}
        elif card.get("uri"):
            further, more_lines = self.buttons.write([{"type": "link", "uri": card["uri"]}], position)
            buttons += further
            lines += more_lines
        title, rest = split_off_start(plain_line(card.get("title")), limits.CARD_TITLE)
        description = _lines(rest, plain_text(card.get("description")), *lines)
        return _Card(title=title, description=description, thumbnail=thumbnail, buttons=buttons)

    def _single(self, card: _Card) -> list[Bubble]:
        """A card alone; what it cannot hold follows as text and as cards of buttons."""
        room = limits.BASIC_CARD_DESCRIPTION if card.thumbnail else limits.TEXT_CARD - utf16_length(card.title)
        description, rest = split_off_start(card.description, room)
        loads = _card_loads(card.buttons)
        first = replace(card, description=description, buttons=loads[0] if loads else [])
        further = [button for load in loads[1:] for button in load]
        return [self._bubble(first), *self.text(rest), *self.button_cards(further)]

    def _carousel(self, cards: list[_Card]) -> list[Bubble]:
        shown = [part for card in cards for part in _carousel_parts(card)]
        return [self._bubble(card, joined=index > 0) for index, card in enumerate(shown)]

    def _bubble(self, card: _Card, *, joined: bool = False) -> Bubble:
        content: Json = {}
        title = card.title
        if card.thumbnail is None and not (title or card.description):
            title = cut(self.additional_choice, limits.CARD_TITLE)
        if title:
            content["title"] = title
        if card.description:
            content["description"] = card.description
        if card.thumbnail is not None:
            content["thumbnail"] = card.thumbnail
        if card.buttons:
            content["buttons"] = card.buttons
        return Bubble(kind=card.kind, content=content, joined=joined)

    def _address(self, uri: Any) -> str | None:
        address = links.web_address(plain_line(uri))
        if address is None:
            self.buttons.notes.append(f"media was left out: not a web address: {plain_line(uri)[:100]}")
        return address

    def _alt_text(self, media: Json) -> str:
        whole = plain_line(media.get("altText"))
        shown = cut(whole, limits.ALT_TEXT)
        if shown != whole:
            self.buttons.notes.append(f'alternative text "{shown}" cut to {limits.ALT_TEXT} characters')
        return shown


def _carousel_parts(card: _Card) -> Iterator[_Card]:
    """The card, then cards for what is left of its text and buttons."""
    pieces = split(card.description, limits.CAROUSEL_DESCRIPTION[card.kind]) or [""]
    for index, (piece, load) in enumerate(zip_longest(pieces, _card_loads(card.buttons))):
        yield replace(card, title="" if index else card.title, description=piece or "", buttons=load or [])


def _card_loads(buttons: list[Json]) -> list[list[Json]]:
    """Buttons as cards can hold them, by number and by bytes."""
    loads: list[list[Json]] = []
    for button in buttons:
        if not loads or len(loads[-1]) == limits.BUTTONS or size([*loads[-1], button]) > limits.CARD_BUTTON_BYTES:
            loads.append([])
        loads[-1].append(button)
    return loads


def _web_link(label: str, address: str) -> Json:
    return {"label": label, "action": "webLink", "webLinkUrl": address}


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
