"""A WebSocket API as the template writes it: plain AWS::ApiGatewayV2 resources, which SAM has no shorthand for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.errors import InvalidInput

MAX_INTEGRATION_SECONDS: Final = 29.0
"""WebSocket APIs: an integration has at most 29 s."""
CONNECT: Final = "$connect"
DISCONNECT: Final = "$disconnect"
DEFAULT: Final = "$default"

RESOURCES: Final = frozenset(
    {
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Deployment",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::RouteResponse",
    }
)
"""Types that belong to a WebSocket API here; those of an HTTP API are written by SAM's translator into its body."""

_SELECTION: Final = re.compile(r"\$request\.body\.([A-Za-z0-9_]+)")
_IDENTITY: Final = re.compile(r"route\.request\.(header|querystring)\.(.+)")
_FUNCTION_ARN: Final = re.compile(r"(?:.*/functions/)?(arn:[^/]+)(?:/invocations)?")


@dataclass(frozen=True)
class Authorizer:
    """The function that says who may connect. `sources` are (header or querystring, name); one that is missing is a
    refusal without asking."""

    function: str
    sources: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SocketRoute:
    """`answers`: what the function returns goes back over the socket."""

    key: str
    function: str
    timeout_seconds: float = MAX_INTEGRATION_SECONDS
    answers: bool = False
    authorizer: Authorizer | None = None


@dataclass(frozen=True)
class SocketApi:
    """One WebSocket API. `selector` is the key of a JSON message that names its route."""

    name: str
    stage: str
    selector: str
    routes: Mapping[str, SocketRoute] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the stage: functions find them in their events."""


class ApiReader:
    """Reads the API `name` out of resolved resources {logical id: (type, properties)}; `functions` are logical ids by
    ARN. Raises InvalidInput for what is not run here."""

    def __init__(
        self, name: str, resources: Mapping[str, tuple[str, dict[str, Any]]], functions: Mapping[str, str]
    ) -> None:
        self._name = name
        self._properties = resources[name][1]
        self._resources = resources
        self._functions = functions

    def read(self) -> SocketApi:
        selection = str(self._properties.get("RouteSelectionExpression", ""))
        found = _SELECTION.fullmatch(selection)
        if found is None:
            raise InvalidInput(f"{self._name}: RouteSelectionExpression {selection}: $request.body.KEY is understood")
        routes = [self._route(name, properties) for name, properties in self._of_type("Route")]
        stages = [properties for _, properties in self._of_type("Stage")]
        if len(stages) != 1:
            raise InvalidInput(f"{self._name}: exactly one stage is run, and there are {len(stages)}")
        (stage,) = stages
        variables = {name: str(value) for name, value in (stage.get("StageVariables") or {}).items()}
        return SocketApi(
            self._name, str(stage["StageName"]), found[1], {route.key: route for route in routes}, variables
        )

    def _of_type(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Those of this API: properties carry the resolved reference, which is the logical id in lower case."""
        return [
            (name, properties)
            for name, (type_, properties) in self._resources.items()
            if type_ == f"AWS::ApiGatewayV2::{kind}" and properties.get("ApiId") == self._name.lower()
        ]

    def _route(self, name: str, properties: dict[str, Any]) -> SocketRoute:
        target = str(properties.get("Target", "")).removeprefix("integrations/")
        integration = dict(self._of_type("Integration")).get(target)
        if integration is None:
            raise InvalidInput(f"{name}: its target {target!r} is no integration of {self._name}")
        if integration.get("IntegrationType") != "AWS_PROXY":
            raise InvalidInput(f"{target}: only AWS_PROXY is run by the local cloud")
        has_response = any(
            response.get("RouteId") == name and response.get("RouteResponseKey") == DEFAULT
            for _, response in self._of_type("RouteResponse")
        )
        seconds = float(integration.get("TimeoutInMillis", MAX_INTEGRATION_SECONDS * 1000)) / 1000
        return SocketRoute(
            key=str(properties["RouteKey"]),
            function=self._function(target, integration.get("IntegrationUri")),
            timeout_seconds=min(seconds, MAX_INTEGRATION_SECONDS),
            answers=has_response and properties.get("RouteResponseSelectionExpression") == DEFAULT,
            authorizer=self._authorizer(name, properties),
        )

    def _authorizer(self, name: str, properties: dict[str, Any]) -> Authorizer | None:
        kind = properties.get("AuthorizationType", "NONE")
        if kind == "NONE":
            return None
        reference = str(properties.get("AuthorizerId", ""))
        authorizer = dict(self._of_type("Authorizer")).get(reference)
        if kind != "CUSTOM" or authorizer is None or authorizer.get("AuthorizerType") != "REQUEST":
            raise InvalidInput(f"{name}: only an authorizer of type REQUEST is run by the local cloud")
        if properties["RouteKey"] != CONNECT:
            raise InvalidInput(f"{name}: API Gateway allows an authorizer on {CONNECT} alone")
        sources = []
        for source in authorizer.get("IdentitySource") or ():
            found = _IDENTITY.fullmatch(str(source))
            if found is None:
                raise InvalidInput(f"{reference}: identity source {source} is not understood")
            sources.append((found[1], found[2]))
        return Authorizer(self._function(reference, authorizer.get("AuthorizerUri")), tuple(sources))

    def _function(self, name: str, uri: Any) -> str:
        found = _FUNCTION_ARN.fullmatch(str(uri))
        if found is None or found[1] not in self._functions:
            raise InvalidInput(f"{name}: {uri} does not lead to a function of this template")
        return self._functions[found[1]]
