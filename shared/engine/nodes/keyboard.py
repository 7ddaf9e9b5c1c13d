"""keyboard: waits for the end user and suggests how to answer. It validates nothing, except with `strict`."""

import re
from typing import Any, Final
from unicodedata import normalize

from shared.bot.model import Node
from shared.engine.message import MAX_LABEL, is_blank, parse_payload, read_message, read_payload
from shared.engine.outcome import WAIT_FOR_INPUT, Outcome
from shared.engine.walk import Walk
from shared.values import to_number, to_text

MAX_BUTTONS: Final = 50
NUMBER_IN_TEXT: Final = re.compile(r"[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)", re.ASCII)
SETTINGS: Final = ("min", "max", "integer", "parse", "actions", "strict")


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    shown = node.compiled.get("keyboard")
    if shown is None:
        shown = _shown(data)
        if node.data.is_constant:
            node.compiled["keyboard"] = shown
    walk.session.keyboard, notes = shown
    walk.entry.notes.extend(notes)
    walk.set_result("keyboard", {"status": "PENDING"})
    return WAIT_FOR_INPUT


def _shown(data: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The keyboard as conversations keep it, with notes; shared by all of them where the data has no templates."""
    notes: list[str] = []
    keyboard: dict[str, Any] = {"type": data.get("type") or "any"}
    buttons = data.get("buttons")
    if isinstance(buttons, list) and buttons:
        keyboard["buttons"] = _buttons(buttons, notes)
    for key in SETTINGS:
        value = data.get(key)
        if value is not None and value is not False:  # 0 is a limit like any other
            keyboard[key] = value
    return keyboard, notes


def _buttons(given: list[Any], notes: list[str]) -> list[dict[str, Any]]:
    shown = [_button(button, notes) for button in given if isinstance(button, dict) and to_text(button.get("label"))]
    if len(shown) > MAX_BUTTONS:
        notes.append(
            f"{len(shown) - MAX_BUTTONS} of {len(shown)} buttons were left out: at most {MAX_BUTTONS} are shown"
        )
    return shown[:MAX_BUTTONS]


def _button(given: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    button: dict[str, Any] = {"type": "postback", "label": to_text(given["label"])[:MAX_LABEL]}
    payload = read_payload(given, notes)
    if payload is not None:
        button["payload"] = payload
    if given.get("params") not in (None, ""):
        button["params"] = given["params"]
    return button


def answer(walk: Walk, node: Node) -> bool:
    """Take the end user's message as the answer. False: a strict keyboard refused it and still waits."""
    keyboard = walk.session.keyboard or {"type": "any"}
    message = walk.session.message or {}
    chosen = _chosen_button(keyboard.get("buttons") or (), message)
    value = _value(keyboard, message)
    if keyboard.get("strict") and not _fits(keyboard, message, chosen, value):
        _refuse(walk, node)
        return False
    if chosen is not None and isinstance(chosen.get("params"), dict):
        walk.set_params(chosen["params"])
    result: dict[str, Any] = {"status": "COMPLETED"}
    if value is not None:
        result["value"] = value
    walk.set_result("keyboard", result)
    return True


def _chosen_button(buttons: Any, message: dict[str, Any]) -> dict[str, Any] | None:
    """The pressed button: the one with this payload and label, else with this payload, else with this label."""
    text, payload = to_text(message.get("text")).strip(), message.get("payload")
    candidates: list[tuple[bool, bool, dict[str, Any]]] = []
    for button in buttons:
        same_label = text != "" and button["label"].strip() == text
        same_payload = payload is not None and "payload" in button and parse_payload(button["payload"]) == payload
        if same_label or same_payload:
            candidates.append((same_payload, same_label, button))
    return max(candidates, key=lambda found: found[:2])[2] if candidates else None


def _value(keyboard: dict[str, Any], message: dict[str, Any]) -> Any:
    """keyboard.value: the number of a number keyboard, the place of a location keyboard; None when there is none."""
    if keyboard["type"] == "number":
        text = normalize("NFKC", to_text(message.get("text"))).strip()  # full-width digits are digits
        if keyboard.get("parse"):
            found = NUMBER_IN_TEXT.search(text)
            text = found[0].replace(",", "") if found else ""
        number = to_number(text) if text else float("nan")
        return number if number - number == 0 else None  # neither NaN nor infinite
    location = message.get("location")
    if keyboard["type"] == "location" and isinstance(location, dict):
        return {key: location.get(key) for key in ("latitude", "longitude")}
    return None


def _fits(keyboard: dict[str, Any], message: dict[str, Any], chosen: dict[str, Any] | None, value: Any) -> bool:
    kind = keyboard["type"]
    if kind == "buttons":
        return chosen is not None
    if kind == "text":
        return message.get("type") == "text"
    if kind == "location":
        return message.get("type") == "location"
    if kind == "number":
        return value is not None and _in_range(keyboard, value)
    return True


def _in_range(keyboard: dict[str, Any], value: float) -> bool:
    minimum, maximum = to_number(keyboard.get("min", "")), to_number(keyboard.get("max", ""))
    if keyboard.get("min") not in (None, "") and value < minimum:
        return False
    if keyboard.get("max") not in (None, "") and value > maximum:
        return False
    return not keyboard.get("integer") or float(value).is_integer()


def _refuse(walk: Walk, node: Node) -> None:
    data = node.data.render(walk.context, walk.environment)
    messages = data.get("messages")
    failure = read_message(messages.get("failure") if isinstance(messages, dict) else None, walk.entry.notes)
    if failure is not None and not is_blank(failure):
        walk.say(failure)
    walk.entry.notes.append("the strict keyboard refused the answer and still waits")
