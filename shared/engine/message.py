"""Messages as the bot says them: node data, already rendered, read into the shape of docs/events.md."""

from typing import Any, Final

from shared.bot.model import read_id
from shared.conditions.operators import numeric
from shared.errors import InvalidInput
from shared.json_input import parse_json
from shared.values import to_json, to_text

JsonObject = dict[str, Any]

MAX_LABEL: Final = 255
MAX_PAYLOAD: Final = 1_000
"""Characters of a postback's payload, after rendering."""
MAX_CUSTOM: Final = 1_000
"""Characters of meta.custom, after rendering; what is not text counts as its JSON."""


def parse_payload(payload: Any) -> Any:
    """message.payload: parsed when it is a JSON object or array, otherwise the text itself."""
    if not isinstance(payload, str) or payload.lstrip()[:1] not in ("{", "["):
        return payload
    try:
        return parse_json(payload.encode("utf-8", "replace"), max_bytes=4 * MAX_PAYLOAD)
    except InvalidInput:
        return payload


def read_message(given: Any, notes: list[str]) -> JsonObject | None:
    """A message from rendered node data; None when there is none. What had to be left out is in `notes`."""
    if not isinstance(given, dict):
        return None
    kind = given.get("type", "text")
    message: JsonObject
    if kind == "text":
        if given.get("text") is None:
            return None
        text = given["text"]
        message = {"type": "text", "text": text if isinstance(text, str) else to_text(text)}
    elif kind == "media":
        media = read_media(given.get("media"))
        if media is None:
            return None
        message = {"type": "media", "media": media}
    elif kind == "cards":
        cards = given.get("cards")
        if not isinstance(cards, list):
            return None
        message = {"type": "cards", "cards": [read_card(card, notes) for card in cards if isinstance(card, dict)]}
    elif kind == "location":
        location = read_location(given.get("location"))
        if location is None:
            return None
        message = {"type": "location", "location": location}
    else:
        return None
    buttons = read_buttons(given.get("buttons"), notes)
    if buttons:
        message["buttons"] = buttons
    return message


def is_blank(message: JsonObject) -> bool:
    """Whether there is nothing to see: a text without characters, cards that a template expanded to none."""
    return message.get(message["type"]) in ("", [])


def read_custom(meta: Any, notes: list[str]) -> Any:
    """What a response's meta has for the client; None when there is nothing, or too much."""
    custom = meta.get("custom") if isinstance(meta, dict) else None
    if len(custom if isinstance(custom, str) else to_json(custom)) > MAX_CUSTOM:
        notes.append(f"meta.custom is longer than {MAX_CUSTOM} characters and was left out")
        return None
    return custom


def read_media(given: Any) -> JsonObject | None:
    if not isinstance(given, dict) or not given.get("uri"):
        return None
    media = {"contentType": given.get("contentType") or "image", "uri": to_text(given["uri"])}
    if given.get("altText"):
        media["altText"] = to_text(given["altText"])
    return media


def read_card(given: JsonObject, notes: list[str]) -> JsonObject:
    texts = {key: to_text(given.get(key)) for key in ("title", "description", "uri")}
    card: JsonObject = {key: text for key, text in texts.items() if text}
    media = read_media(given.get("media"))
    if media is not None:
        card["media"] = media
    buttons = read_buttons(given.get("buttons"), notes)
    if buttons:
        card["buttons"] = buttons
    return card


def read_location(given: Any) -> JsonObject | None:
    if not isinstance(given, dict):
        return None
    latitude, longitude = numeric(given.get("latitude")), numeric(given.get("longitude"))
    if latitude is None or longitude is None:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 - degrees
        return None
    title = given.get("title")
    return {"title": to_text(title), "latitude": latitude, "longitude": longitude}


def read_buttons(given: Any, notes: list[str]) -> list[JsonObject]:
    buttons = (
        [read_button(button, notes) for button in given if isinstance(button, dict)] if isinstance(given, list) else []
    )
    return [button for button in buttons if button is not None]


def read_button(given: JsonObject, notes: list[str]) -> JsonObject | None:
    label = to_text(given.get("label"))[:MAX_LABEL]
    if not label:
        notes.append("a button without a label was left out")
        return None
    kind = given.get("type") or ("link" if given.get("uri") else "postback")  # older exports only have the uri
    if kind == "link":
        return {"type": "link", "label": label, "uri": to_text(given.get("uri"))}
    if kind == "goto":
        button: JsonObject = {"type": "goto", "label": label, "flowId": read_id(given.get("flowId"))}
        if given.get("nodeId") not in (None, ""):
            button["nodeId"] = read_id(given["nodeId"])
        return button
    button = {"type": "postback", "label": label}
    payload = read_payload(given, notes)
    if payload is not None:
        button["payload"] = payload
    return button


def read_payload(button: JsonObject, notes: list[str]) -> str | None:
    """A button's payload as text; None when there is none or too much of it."""
    payload = button.get("payload")
    text = to_json(payload) if isinstance(payload, list) else to_text(payload)
    if len(text) > MAX_PAYLOAD:
        label = to_text(button.get("label"))[:MAX_LABEL]
        notes.append(f"the payload of button '{label}' is longer than {MAX_PAYLOAD} characters and was left out")
        return None
    return text or None
