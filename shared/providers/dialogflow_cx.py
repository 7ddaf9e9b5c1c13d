"""Dialogflow CX, v3: projects.locations.agents.sessions.detectIntent.

https://cloud.google.com/dialogflow/cx/docs/reference/rest/v3/projects.locations.agents.sessions/detectIntent
"""

from shared.providers.answers import Answer
from shared.providers.calls import json_body
from shared.providers.dialogflow_es import DIALOGFLOW_URL, DRAFT, GLOBAL, LONGEST_TEXT, SCOPE, base_url, entities_of
from shared.providers.google_auth import GoogleTokens
from shared.providers.intents import Question, Understood
from shared.providers.settings import IDENTIFIER, LOCATION, session_of

NOTHING_MATCHED = frozenset({"NO_MATCH", "NO_INPUT"})


class DialogflowCx:
    def __init__(self, tokens: GoogleTokens, *, url: str = DIALOGFLOW_URL) -> None:
        self._tokens = tokens
        self._url = url

    def __call__(self, question: Question) -> Understood:
        settings, calls = question.settings, question.calls
        project, agent = settings.text("projectId", IDENTIFIER), settings.text("agentId", IDENTIFIER)
        location = settings.optional("location", LOCATION) or GLOBAL
        environment = settings.optional("environmentId", IDENTIFIER) or DRAFT
        stage = "" if environment == DRAFT else f"/environments/{environment}"
        session = session_of(question.session_id)
        path = f"projects/{project}/locations/{location}/agents/{agent}{stage}/sessions/{session}"
        body = {"queryInput": {"text": {"text": question.text[:LONGEST_TEXT]}, "languageCode": question.language}}
        response = self._tokens.send(
            calls,
            question.needed_credential(),
            scope=SCOPE,
            method="POST",
            url=f"{base_url(self._url, location)}/v3/{path}:detectIntent",
            body=json_body(body),
        )
        return _understood(calls.read(response)["queryResult"])


def _understood(result: Answer) -> Understood:
    result.object()
    match = result["match"]
    nothing = match["matchType"].optional_text() in NOTHING_MATCHED
    said = [text.text() for message in result["responseMessages"].items() for text in message["text"]["text"].items()]
    return Understood(
        intent=None if nothing else match["intent"]["displayName"].optional_text(),
        entities=entities_of(match["parameters"]),
        answer="\n".join(text for text in said if text) or None,
        score=match["confidence"].optional_number(),
    )
