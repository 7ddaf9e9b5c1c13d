"""The shell that every HTTP API for customers shares: keys and their scopes, routes, strict input, errors as JSON.

    api = Api(wiring.api_keys)

    @api.route("GET", "/api/bots/{botId}/webhooks", scope="webhooks:read")
    def list_webhooks(request: Request) -> Reply:
        return reply(HTTPStatus.OK, ...)

    def handler(event, context):
        return api(event, context)

A route answers with a reply or raises; whatever it raises becomes an answer here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from shared.api_key import SCOPES, ApiKey
from shared.errors import AccessDenied, InvalidInput, MalgilError, NotFound
from shared.json_input import clean_text, parse_json
from shared.runtime.fields import Fields
from shared.runtime.http import Event, Reply, body_of, error_reply, header, reply
from shared.runtime.observability import report_own_fault

if TYPE_CHECKING:
    from shared.services.api_keys import ApiKeys

MAX_BODY_BYTES: Final = 64 * 1024
MAX_QUERY_FIELDS: Final = 20
OWN_FAULT: Final = {"error": {"code": MalgilError.code, "message": "a fault of ours: it was reported"}}

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")

_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class MethodNotAllowed(MalgilError):
    """The path is there, but not for this method."""

    code = "method_not_allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """A call, whoever it is from. `path` holds the parameters of the route."""

    event: Event
    path: Mapping[str, str]

    def body(self, *known: str, max_bytes: int = MAX_BODY_BYTES) -> Fields:
        """The body, an object of the fields `known`; none at all is an empty one. Raises InvalidInput."""
        raw = body_of(self.event)
        return Fields(parse_json(raw, max_bytes=max_bytes) if raw.strip() else {}, known, "body")

    def query(self, *known: str) -> Fields:
        """The query, of the fields `known`, each at most once. Raises InvalidInput."""
        text = str(self.event.get("rawQueryString") or "")
        try:
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS)
        except ValueError as exc:  # not UTF-8, or too many
            raise InvalidInput("query: it cannot be read") from exc
        values = {clean_text(name): clean_text(value) for name, value in pairs}
        if len(values) < len(pairs):
            raise InvalidInput("query: a field is given twice")
        return Fields(values, known, "query")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(OpenRequest):
    """A call whose key is good for it."""

    key: ApiKey


Route = Callable[[Request], Reply]


@dataclass(frozen=True, slots=True)
class Api:
    """The routes of a function. `keys` is asked at the first request, so that importing a handler connects nothing."""

    keys: "Callable[[], ApiKeys]"
    routes: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each, as OpenAPI writes them."""
    _resolver: APIGatewayHttpResolver = field(default_factory=APIGatewayHttpResolver)

    def __post_init__(self) -> None:
        self._resolver.not_found(self._no_route)

    def route(self, method: str, path: str, *, scope: str) -> Callable[[Route], Route]:
        """Make a function the answer to `method` on `path`, whose parameters stand in {braces}, for keys of `scope`."""
        if scope not in SCOPES or method not in METHODS:
            raise ValueError(f"{method} {path}: unknown method or scope {scope}")

        def register(answer: Route) -> Route:
            def call(**parameters: str) -> Response[str]:
                return _response(self._answer(answer, scope, parameters))

            self._resolver.route(_PARAMETER.sub(r"<\1>", path), method)(call)
            self.routes.append((method, path))
            return answer

        return register

    def __call__(self, event: Event, context: Any) -> Reply:
        return self._resolver.resolve(event, context)

    def _answer(self, answer: Route, scope: str, parameters: dict[str, str]) -> Reply:
        event = self._resolver.current_event.raw_event
        try:
            try:
                key = self.keys().of(header(event, "authorization"))
            except AccessDenied as exc:
                return _with(error_reply(exc), HTTPStatus.UNAUTHORIZED, {"www-authenticate": "Bearer"})
            key.require(scope)
            return answer(Request(event=event, path=parameters, key=key))
        except MalgilError as exc:
            answered = error_reply(exc)
            if answered["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
                report_own_fault(exc, route=event.get("routeKey"))
            return answered
        except Exception as exc:  # noqa: BLE001 - a fault of ours: the alarm gets its details, the caller does not
            report_own_fault(exc, route=event.get("routeKey"))
            return reply(HTTPStatus.INTERNAL_SERVER_ERROR, OWN_FAULT)

    def _no_route(self, _: Exception) -> Response[str]:
        event = self._resolver.current_event
        path = event.path
        allowed = [method for method, known in self.routes if _matches(known, path)]
        if not allowed or event.http_method in allowed:  # the latter: a parameter with characters that none can have
            return _response(error_reply(NotFound("no such route")))
        refusal = error_reply(MethodNotAllowed(f"allowed here: {', '.join(allowed)}"))
        return _response(_with(refusal, HTTPStatus.METHOD_NOT_ALLOWED, {"allow": ", ".join(allowed)}))


def _matches(known: str, path: str) -> bool:
    return re.fullmatch(_PARAMETER.sub("[^/]+", known), path) is not None


def _with(answered: Reply, status: HTTPStatus, headers: Mapping[str, str]) -> Reply:
    return {**answered, "statusCode": int(status), "headers": {**answered["headers"], **headers}}


def _response(answered: Reply) -> Response[str]:
    return Response(answered["statusCode"], headers=answered["headers"], body=answered["body"])
