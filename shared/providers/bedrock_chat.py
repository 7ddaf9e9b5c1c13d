"""Models of Amazon Bedrock, by the Converse operation: one form for all of them.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

import re
from typing import Final

from botocore.exceptions import ClientError

from shared.engine.effects import TIMEOUT
from shared.providers.answers import Answer
from shared.providers.aws_calls import MakeClient, call_once, code_and_words, default_client
from shared.providers.fault import NOT_CONFIGURED, PROVIDER, ProviderFault
from shared.providers.settings import LOCATION
from shared.providers.small_talk import Remark, Said

MODEL: Final = re.compile(r"[A-Za-z0-9:/._-]{1,2048}")
"""A model's id or ARN, or that of an inference profile."""
PERMISSION: Final = "deploy with the parameter BedrockModelArn set to the model's ARN, and ask for access to the model"


class BedrockChat:
    def __init__(self, *, make_client: MakeClient = default_client) -> None:
        self._make_client = make_client

    def __call__(self, remark: Remark) -> Said:
        settings = remark.settings
        parameters = {
            "modelId": settings.text("model", MODEL),
            "messages": [{"role": "user", "content": [{"text": remark.text}]}],
            "inferenceConfig": {"maxTokens": remark.max_tokens},
        }
        if remark.instructions:
            parameters["system"] = [{"text": remark.instructions}]
        region = settings.optional("region", LOCATION) or None
        try:
            answer = call_once(
                remark.calls, "bedrock-runtime", "converse", parameters, region=region, make=self._make_client
            )
        except ClientError as exc:
            raise _fault(exc) from None
        return _said(Answer(value=answer, place="bedrock: answer"))


def _fault(exc: ClientError) -> ProviderFault:
    code, words = code_and_words(exc)
    if code == "AccessDeniedException":
        return ProviderFault(NOT_CONFIGURED, f"bedrock: {words}: {PERMISSION}")
    return ProviderFault(TIMEOUT if code == "ModelTimeoutException" else PROVIDER, f"bedrock: {code}: {words}")


def _said(answer: Answer) -> Said:
    texts = [part["text"].optional_text() or "" for part in answer["output"]["message"]["content"].items()]
    used, made = (answer["usage"][key].optional_number() for key in ("inputTokens", "outputTokens"))
    return Said(
        answer="".join(texts),
        input_tokens=None if used is None else int(used),
        output_tokens=None if made is None else int(made),
    )
