"""Any service that speaks JSON over HTTP, with the author's own words for where things stand in its answer."""

from typing import Any, Final

from shared.engine.effects import JsonObject
from shared.providers.answers import Answer
from shared.providers.calls import json_body
from shared.providers.fault import CREDENTIAL, INVALID_REQUEST, ProviderFault
from shared.providers.google_auth import FORBIDDEN, UNAUTHORIZED
from shared.providers.intents import NODE, Entity, Question, Understood
from shared.providers.settings import over_https

FIELDS: Final = ("intent", "entities", "answer", "score")
MOST_ENTITIES: Final = 100
_NAMES: Final = ("entity", "name", "type")
_SCORES: Final = ("score", "confidence")


def ask_over_http(question: Question) -> Understood:
    settings, calls = question.settings, question.calls
    method = (settings.optional("method") or "POST").upper()
    headers = {"Accept": "application/json", **_headers_of(settings.any("headers"))}
    url, mapping = settings.text("uri"), _mapping(settings.any("mapping"))
    if question.credential is not None:
        over_https(url, f"{NODE}: uri")
        headers |= _authorization(question)
    body = b""
    if method in {"POST", "PUT", "PATCH"}:
        body = _body(question)
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json; charset=utf-8"
    response = calls.send(method, url, headers=headers, body=body)
    if question.credential is not None and response.status in {UNAUTHORIZED, FORBIDDEN}:
        raise calls.refused(response, CREDENTIAL)
    return _understood(calls.read(response), mapping)


def _body(question: Question) -> bytes:
    given = question.settings.any("body")
    if given is None or given == "":
        return json_body({"text": question.text, "sessionId": question.session_id, "language": question.language})
    return given.encode() if isinstance(given, str) else json_body(given)


def _headers_of(given: Any) -> dict[str, str]:
    """An object of texts, or rows {key, value} as the HTTP node has them."""
    if given is None:
        return {}
    if isinstance(given, list) and all(isinstance(row, dict) for row in given):
        given = {row.get("key"): row.get("value") for row in given}
    if not isinstance(given, dict) or not all(
        isinstance(name, str) and isinstance(value, str) for name, value in given.items()
    ):
        raise ProviderFault(INVALID_REQUEST, f"{NODE}: headers is not an object of texts")
    return given


def _authorization(question: Question) -> dict[str, str]:
    """{"headers": {...}} as they are, or {"apiKey"} as a bearer token."""
    credential = question.needed_credential()
    headers = credential.value.get("headers")
    if isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values()):
        return headers
    return {"Authorization": f"Bearer {credential.text('apiKey', 'apikey', 'token')}"}


def _mapping(given: Any) -> JsonObject:
    """Dotted paths by field; a field without one has its own name as its path."""
    if given is None:
        given = {}
    if not isinstance(given, dict) or not all(isinstance(path, str) for path in given.values()):
        raise ProviderFault(INVALID_REQUEST, f"{NODE}: mapping is not an object of dotted paths")
    return {field: given.get(field) or field for field in FIELDS}


def _understood(answer: Answer, mapping: JsonObject) -> Understood:
    intent, said = _at(answer, mapping["intent"]), _at(answer, mapping["answer"])
    return Understood(
        intent=intent.optional_text() or None,
        entities=_entities(_at(answer, mapping["entities"])),
        answer=said.optional_text() or None,
        score=_at(answer, mapping["score"]).optional_number(),
    )


def _at(answer: Answer, path: str) -> Answer:
    """What stands at a path such as `result.intents.0.name`; missing when a part of it is."""
    found = answer
    for key in path.split("."):
        place = f"{found.place}.{key}"
        if isinstance(found.value, dict):
            found = Answer(value=found.value.get(key), place=place)
        elif isinstance(found.value, list) and key.isascii() and key.isdigit() and int(key[:6]) < len(found.value):
            found = Answer(value=found.value[int(key[:6])], place=place)
        else:
            return Answer(value=None, place=place)
    return found


def _entities(found: Answer) -> list[Entity]:
    """A list of objects {entity or name or type, value, score or confidence}, or an object of values by name."""
    if isinstance(found.value, dict):
        return [Entity(entity=name, value=value) for name, value in list(found.value.items())[:MOST_ENTITIES]]
    return [_entity(item) for item in list(found.items())[:MOST_ENTITIES]]


def _entity(item: Answer) -> Entity:
    name = next((item[key] for key in _NAMES if not item[key].is_missing), item[_NAMES[0]])
    score = next((item[key] for key in _SCORES if not item[key].is_missing), item["score"])
    return Entity(entity=name.text(), value=item["value"].value, score=score.optional_number())
