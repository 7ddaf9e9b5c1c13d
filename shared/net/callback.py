"""Posts replies to Kakao's callback URLs through the guarded client."""

from typing import Final

from shared.channels.kakao.callback import CallbackOutcome, read_callback_answer
from shared.errors import InvalidInput
from shared.net.guarded_client import GuardedClient
from shared.net.messages import OutboundError, OutboundRequest

HEADERS: Final = {"content-type": "application/json; charset=utf-8"}
MILLISECONDS: Final = 1_000


class CallbackClient:
    """The port PostReply."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def __call__(self, url: str, body: bytes, timeout_ms: int) -> CallbackOutcome:
        """No redirect is followed: the URL was checked to be Kakao's, another one was not."""
        request = OutboundRequest(method="POST", url=url, headers=HEADERS, body=body)
        try:
            response = self._client.send(request, timeout_seconds=timeout_ms / MILLISECONDS)
        except OutboundError as exc:
            return "unknown" if exc.may_have_arrived else "refused"
        except InvalidInput:
            return "refused"
        return read_callback_answer(response.body)
