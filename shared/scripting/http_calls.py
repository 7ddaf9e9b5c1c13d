"""HTTP calls of one run, made by the parent through the guarded client: a script names a URL and never has a socket."""

import base64
import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from shared.errors import InvalidInput
from shared.net.guarded_client import GuardedClient
from shared.net.messages import OutboundError, OutboundErrorKind, OutboundRequest, OutboundResponse
from shared.redaction import SECRET_KEY
from shared.scripting.child import ChildEnded

JsonObject = dict[str, Any]

MAX_CALLS: Final = 5
MAX_REDIRECTS: Final = 3
KEY_HEADER: Final = "Idempotency-Key"
SHOWN_URL_CHARACTERS: Final = 300

CODES: Final[dict[OutboundErrorKind, str]] = {
    "blocked": "EBLOCKED",
    "dns": "ENOTFOUND",
    "connect": "ECONNREFUSED",
    "tls": "ECERT",
    "timeout": "ETIMEDOUT",
    "http": "EPROTO",
    "too_large": "EMSGSIZE",
}
"""As Node.js calls them, for scripts that look at `error.code`."""


class HttpCalls:
    """Carries out at most MAX_CALLS calls, each on a thread of its own that ends with the run's time.

    `answer` is told {id, status, headers, text...} or {id, error}; `note` gets a line for each call.
    """

    def __init__(
        self,
        client: GuardedClient,
        *,
        idempotency_key: str,
        allowed: bool,
        seconds_left: Callable[[], float],
        answer: Callable[[JsonObject], None],
        note: Callable[[str], None],
    ) -> None:
        self._client = client
        self._key = idempotency_key
        self._allowed = allowed
        self._seconds_left = seconds_left
        self._answer = answer
        self._note = note
        self._made = 0
        self._lock = Lock()

    def start(self, call: Any) -> None:
        """Begin a call as the child describes it; nothing in the description is trusted. Raises ChildEnded for what
        the prelude never says."""
        match call:
            case {"id": int(number), "method": str(method), "url": str(url), "headers": dict(headers)}:
                pass
            case _:
                raise ChildEnded(timed_out=False)
        if not self._allowed:
            self._answer(refusal(number, "EBLOCKED", "This script may not make HTTP calls: it requires no HTTP module"))
            return
        self._made += 1
        if self._made > MAX_CALLS:
            message = f"A script may make at most {MAX_CALLS} HTTP calls a run"
            self._answer(refusal(number, "ETOOMANYCALLS", message))
            return
        request = OutboundRequest(
            method=method, url=url, headers=self._with_key(headers, self._made), body=_body(call.get("body"))
        )
        Thread(target=self._carry_out, args=(number, call, request), name="script-http", daemon=True).start()

    def _with_key(self, headers: JsonObject, number: int) -> dict[str, str]:
        given = {str(name): str(value) for name, value in headers.items()}
        has_key = KEY_HEADER.lower() in {name.lower() for name in given}
        return given if has_key else {**given, KEY_HEADER: f"{self._key}:{number}"}

    def _carry_out(self, number: int, call: JsonObject, request: OutboundRequest) -> None:
        started = time.monotonic()
        outcome: str
        try:
            response = self._client.send(
                request,
                timeout_seconds=self._timeout(call.get("timeout")),
                max_redirects=MAX_REDIRECTS if call.get("follow", True) else 0,
            )
        except OutboundError as exc:
            outcome, answer = exc.kind, refusal(number, CODES[exc.kind], str(exc))
        except InvalidInput as exc:
            outcome, answer = "refused", refusal(number, "EINVAL", str(exc))
        else:
            outcome, answer = str(response.status), _described(number, response)
        milliseconds = round((time.monotonic() - started) * 1000)
        self._note(f"{request.method[:10]} {shown_url(request.url)} {outcome} {milliseconds} ms")
        self._answer(answer)

    def _timeout(self, wanted_ms: Any) -> float:
        left = max(self._seconds_left(), 0.001)
        is_number = isinstance(wanted_ms, int | float) and wanted_ms > 0
        return min(left, wanted_ms / 1000) if is_number else left


def _body(body: Any) -> bytes:
    """A text, or bytes as {base64}."""
    match body:
        case {"base64": str(text)}:
            try:
                return base64.b64decode(text)
            except ValueError as exc:
                raise ChildEnded(timed_out=False) from exc
        case str(text):
            return text.encode("utf-8", "replace")
        case _:
            return b""


def refusal(number: int, code: str, message: str) -> JsonObject:
    return {"id": number, "error": {"message": message, "code": code}}


def _described(number: int, response: OutboundResponse) -> JsonObject:
    """Text for most scripts; what is not UTF-8 comes as bytes too."""
    headers: JsonObject = {}
    for name, value in response.headers:
        if name == "set-cookie":
            headers.setdefault(name, []).append(value)
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    answer: JsonObject = {"id": number, "status": response.status, "headers": headers, "url": response.url}
    try:
        return {**answer, "text": response.body.decode("utf-8")}
    except UnicodeDecodeError:
        raw = base64.b64encode(response.body).decode("ascii")
        return {**answer, "text": response.body.decode("utf-8", "replace"), "base64": raw}


def shown_url(url: str) -> str:
    """A URL for the trace: no user, and stars for values whose names call them secret."""
    try:
        parts = urlsplit(url)
        query = [(name, "***" if SECRET_KEY.search(name) else value) for name, value in parse_qsl(parts.query)]
        place = parts.netloc.rpartition("@")[2]
        shown = parts._replace(netloc=place, query=urlencode(query, safe="*"), fragment="").geturl()
    except ValueError:
        shown = "a URL that cannot be read"
    return shown[:SHOWN_URL_CHARACTERS]
