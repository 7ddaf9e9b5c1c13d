"""IBM watsonx Assistant, v2: a stateless message.

https://cloud.ibm.com/apidocs/assistant-v2#messagestateless
"""

import base64
from typing import Final
from urllib.parse import urlencode

from shared.providers.answers import Answer
from shared.providers.calls import json_body
from shared.providers.fault import CREDENTIAL
from shared.providers.google_auth import FORBIDDEN, UNAUTHORIZED
from shared.providers.intents import Entity, Question, Understood
from shared.providers.settings import IDENTIFIER, VERSION_DATE, over_https, session_of

VERSION: Final = "2024-08-25"
LONGEST_TEXT: Final = 2048
"""IBM: characters of an input."""


def ask_watson(question: Question) -> Understood:
    settings, calls = question.settings, question.calls
    url = over_https(settings.text("url"), "nlp: url").rstrip("/")
    # For messages IBM wants the environment's id in the assistant's place; only the classic experience has none.
    assistant = settings.optional("environmentId", IDENTIFIER) or settings.text("assistantId", IDENTIFIER)
    query = urlencode({"version": settings.optional("version", VERSION_DATE) or VERSION})
    key = question.needed_credential().text("apikey", "apiKey")
    basic = base64.b64encode(f"apikey:{key}".encode()).decode("ascii")
    calls.hide(basic)
    # The input may not hold line ends or tabs.
    text = " ".join(question.text[:LONGEST_TEXT].split())
    body = {"input": {"message_type": "text", "text": text}, "user_id": session_of(question.session_id)}
    headers = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
    }
    response = calls.send(
        "POST", f"{url}/v2/assistants/{assistant}/message?{query}", headers=headers, body=json_body(body)
    )
    if response.status in {UNAUTHORIZED, FORBIDDEN}:
        raise calls.refused(response, CREDENTIAL)
    return _understood(calls.read(response)["output"])


def _understood(output: Answer) -> Understood:
    output.object()
    best = next(output["intents"].items(), None)
    said = [
        message["text"].text()
        for message in output["generic"].items()
        if message["response_type"].optional_text() == "text"
    ]
    entities = [
        Entity(entity=found["entity"].text(), value=found["value"].value, score=found["confidence"].optional_number())
        for found in output["entities"].items()
    ]
    return Understood(
        intent=None if best is None else best["intent"].text(),
        entities=entities,
        answer="\n".join(text for text in said if text) or None,
        score=None if best is None else best["confidence"].optional_number(),
    )
