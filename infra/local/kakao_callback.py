"""Kakao's callback server on loopback: takes the reply that a skill posts later, once a token and within its minute,
and shows it to the phone of `malgil kakao --callback`.

Answers in Kakao's words (AI 챗봇 콜백 개발 가이드).
"""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

PATH: Final = "/kakao/callback"
SECONDS: Final = 60.0
MAX_TOKENS: Final = 1_000
INVALID_TOKEN: Final = "Invalid callback token. Check your callback token."  # noqa: S105 - words, not a secret
INVALID_JSON: Final = "Invalid json response from bot-skill."


class KakaoCallback:
    """Replies by their token. A token is good from when the phone announces it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._announced: dict[str, float] = {}
        self._replies: dict[str, Any] = {}

    def add_to(self, app: web.Application) -> None:
        app.router.add_put(f"{PATH}/{{token}}", self._announce)
        app.router.add_post(f"{PATH}/{{token}}", self._take)
        app.router.add_get(f"{PATH}/{{token}}", self._show)

    async def _announce(self, request: web.Request) -> web.Response:
        """The phone makes a call with this token."""
        if len(self._announced) >= MAX_TOKENS:
            self._announced.clear()
            self._replies.clear()
        self._announced[request.match_info["token"]] = self._clock()
        return web.Response(status=204)

    async def _take(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        announced = self._announced.get(token)
        if announced is None or token in self._replies or self._clock() - announced > SECONDS:
            return _answer("FAIL", INVALID_TOKEN)
        try:
            self._replies[token] = json.loads(await request.read())
        except ValueError:
            return _answer("FAIL", INVALID_JSON)
        return _answer("SUCCESS", "")

    async def _show(self, request: web.Request) -> web.Response:
        """The reply; 404 while there is none."""
        token = request.match_info["token"]
        if token not in self._replies:
            return web.Response(status=404)
        return web.json_response(self._replies[token])


def _answer(status: str, message: str) -> web.Response:
    return web.json_response({"taskId": "local", "status": status, "message": message, "timestamp": time.time_ns()})
