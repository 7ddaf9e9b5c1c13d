"""Chat completions as OpenAI has them, and as most servers of language models speak them.

https://platform.openai.com/docs/api-reference/chat/create
"""

from typing import Final

from shared.providers.answers import Answer
from shared.providers.calls import json_body
from shared.providers.fault import CREDENTIAL, INVALID_REQUEST, NOT_CONFIGURED, PROVIDER, ProviderFault
from shared.providers.google_auth import FORBIDDEN, UNAUTHORIZED
from shared.providers.settings import over_https
from shared.providers.small_talk import NODE, Remark, Said

OPENAI_URL: Final = "https://api.openai.com/v1"
LIMIT_FIELDS: Final = ("max_tokens", "max_completion_tokens")
"""OpenAI's reasoning models only take the second; most other servers only know the first."""


class OpenAiChat:
    def __init__(self, *, url: str = OPENAI_URL) -> None:
        self._url = url

    def __call__(self, remark: Remark) -> Said:
        settings, calls = remark.settings, remark.calls
        url = settings.optional("uri").rstrip("/") or self._url
        limit = settings.optional("limitField") or LIMIT_FIELDS[0]
        if limit not in LIMIT_FIELDS:
            raise ProviderFault(INVALID_REQUEST, f"{NODE}: limitField is {' or '.join(LIMIT_FIELDS)}")
        model = settings.text("model")
        headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
        if remark.credential is not None:
            over_https(url, f"{NODE}: uri")
            headers["Authorization"] = f"Bearer {remark.credential.text('apiKey', 'apikey')}"
        elif url == self._url:
            raise ProviderFault(NOT_CONFIGURED, f"{NODE}: no credential is set, and {OPENAI_URL} needs one")
        messages = [{"role": "user", "content": remark.text}]
        if remark.instructions:
            messages.insert(0, {"role": "system", "content": remark.instructions})
        body = {"model": model, "messages": messages, limit: remark.max_tokens}
        response = calls.send("POST", f"{url}/chat/completions", headers=headers, body=json_body(body))
        if response.status in {UNAUTHORIZED, FORBIDDEN}:
            raise calls.refused(response, CREDENTIAL)
        return _said(calls.read(response))


def _said(answer: Answer) -> Said:
    choice = next(answer["choices"].items(), None)
    if choice is None:
        raise ProviderFault(PROVIDER, f"{answer.place}.choices is empty")
    usage = answer["usage"]
    return Said(
        answer=choice["message"]["content"].optional_text() or "",
        input_tokens=_count(usage["prompt_tokens"]),
        output_tokens=_count(usage["completion_tokens"]),
    )


def _count(number: Answer) -> int | None:
    value = number.optional_number()
    return None if value is None else int(value)
