"""Dialogflow ES, v2: projects.agent.sessions.detectIntent.

https://cloud.google.com/dialogflow/es/docs/reference/rest/v2/projects.agent.sessions/detectIntent
"""

from typing import Any, Final

from shared.providers.answers import Answer
from shared.providers.calls import json_body
from shared.providers.google_auth import GoogleTokens
from shared.providers.intents import Entity, Question, Understood
from shared.providers.settings import IDENTIFIER, LOCATION, session_of

DIALOGFLOW_URL: Final = "https://{region}dialogflow.googleapis.com"
"""Regional: `asia-northeast1-dialogflow.googleapis.com`."""
SCOPE: Final = "https://www.googleapis.com/auth/dialogflow"
LONGEST_TEXT: Final = 256
"""Dialogflow: characters of a query."""
DRAFT: Final = "draft"
GLOBAL: Final = "global"
FALLBACK_ACTION: Final = "input.unknown"
"""The default fallback intent's action: older agents leave `isFallback` out."""


def base_url(url: str, location: str) -> str:
    return url.format(region="" if location in {"", GLOBAL} else f"{location}-")


class DialogflowEs:
    def __init__(self, tokens: GoogleTokens, *, url: str = DIALOGFLOW_URL) -> None:
        self._tokens = tokens
        self._url = url

    def __call__(self, question: Question) -> Understood:
        settings, calls = question.settings, question.calls
        project, location = settings.text("projectId", IDENTIFIER), settings.optional("location", LOCATION)
        environment = settings.optional("environmentId", IDENTIFIER) or DRAFT
        place = f"/locations/{location}" if location not in {"", GLOBAL} else ""
        stage = "" if environment == DRAFT else f"/environments/{environment}/users/-"
        session = f"projects/{project}{place}/agent{stage}/sessions/{session_of(question.session_id)}"
        body = {"queryInput": {"text": {"text": question.text[:LONGEST_TEXT], "languageCode": question.language}}}
        response = self._tokens.send(
            calls,
            question.needed_credential(),
            scope=SCOPE,
            method="POST",
            url=f"{base_url(self._url, location)}/v2/{session}:detectIntent",
            body=json_body(body),
        )
        return _understood(calls.read(response)["queryResult"])


def _understood(result: Answer) -> Understood:
    result.object()
    intent = result["intent"]
    is_fallback = intent["isFallback"].flag() or result["action"].optional_text() == FALLBACK_ACTION
    return Understood(
        intent=None if is_fallback else intent["displayName"].optional_text(),
        entities=entities_of(result["parameters"]),
        answer=result["fulfillmentText"].optional_text() or None,
        score=result["intentDetectionConfidence"].optional_number(),
    )


def entities_of(parameters: Answer) -> list[Entity]:
    """Google's parameters are a Struct by name; one that was not said is an empty text or list."""
    if parameters.is_missing:
        return []
    return [Entity(entity=name, value=value) for name, value in parameters.object().items() if not _is_empty(value)]


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
