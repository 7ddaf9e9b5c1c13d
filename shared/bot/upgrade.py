"""Older forms of node data that CLOSER's files carry, read as today's. The file itself is never changed.

One small function a form; a test holds an example of each.
"""

import re
from collections.abc import Callable
from typing import Any, Final

JsonObject = dict[str, Any]


def upgrade_data(node_type: str, data: JsonObject) -> JsonObject:
    """The node's data in today's form; the same object where nothing is old."""
    upgrade = UPGRADES.get(node_type)
    return data if upgrade is None else upgrade(data)


def _manual(data: JsonObject) -> JsonObject:
    """`message` became `messages` (CLOSER's guide still names data.message.kakao)."""
    if "messages" in data or not isinstance(data.get("message"), dict):
        return data
    return {**{key: value for key, value in data.items() if key != "message"}, "messages": data["message"]}


def _response(data: JsonObject) -> JsonObject:
    """A location's `label` became its `title`."""
    message = data.get("message")
    location = message.get("location") if isinstance(message, dict) else None
    if not isinstance(location, dict) or "title" in location or "label" not in location:
        return data
    renamed = {"title" if key == "label" else key: value for key, value in location.items()}
    return {**data, "message": {**message, "location": renamed}} if isinstance(message, dict) else data


def _nlp(data: JsonObject) -> JsonObject:
    """CLOSER's form {nlpType, version: "v1", versionDate: "20170712", token} has a provider, a credential's name and
    Watson's date."""
    if "provider" in data or "nlpType" not in data:
        return data
    kept = {key: value for key, value in data.items() if key not in ("nlpType", "token", "version", "versionDate")}
    kind, date = data["nlpType"], data.get("versionDate")
    renamed = {
        "provider": NLP_TYPES.get(kind, kind) if isinstance(kind, str) else kind,
        "credential": data.get("token"),
    }
    if isinstance(date, int | str) and (parts := SHORT_DATE.fullmatch(str(date))):
        renamed["version"] = "-".join(parts.groups())
    return {**renamed, **kept}


NLP_TYPES: Final = {"dialogflow": "dialogflow-es", "watson_conversation": "watson"}
SHORT_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)")
UPGRADES: Final[dict[str, Callable[[JsonObject], JsonObject]]] = {
    "manual": _manual,
    "nlp": _nlp,
    "response": _response,
}
