"""Bots exported from CLOSER that reach the world run unchanged: real scripts, real HTTP, real TLS, their own addresses
(found on loopback by an injected resolver, under a test's certificate authority)."""

import json
import ssl
from collections.abc import Iterator, Sequence

import pytest
import trustme

from shared.engine.inbound import Opened, UserMessage
from shared.net import connection
from shared.net.effects import EffectRunner
from shared.net.guarded_client import GuardedClient
from shared.scripting.call import ScriptCall
from shared.scripting.host import ScriptHost
from shared.services.request import Request
from tests.factories import a_closer_bot, a_handle_inbound
from tests.integration.net.conftest import server_context
from tests.loopback_server import LoopbackConnection, LoopbackServer, RecordedRequest, Script, response

STARSHIPS = {
    "results": [{"name": "CR90 corvette", "model": "CR90", "manufacturer": "Corellian Engineering Corporation"}]
}
NAMES = ("swapi.dev", "builder.pingpong.us")


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def a_client(server: LoopbackServer, authority: trustme.CA) -> GuardedClient:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    def resolve(_host: str, _port: int) -> Sequence[str]:
        return [server.host]

    return GuardedClient(resolve=resolve, local_targets=frozenset((name, 443) for name in NAMES), ssl_context=trusting)


@pytest.fixture
def served(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[LoopbackServer, EffectRunner]]:
    """Both servers; connections to their port 443 arrive at the port that a test may open."""
    routes: dict[str, Script] = {"swapi": starships, "pingpong": pingpong}

    def answer(client_side: LoopbackConnection, request: RecordedRequest) -> None:
        routes["swapi" if request.header("host") == "swapi.dev" else "pingpong"](client_side, request)

    tls = server_context(authority.issue_cert(*NAMES))
    with LoopbackServer(answer, tls=tls) as server:
        real = connection.connect
        monkeypatch.setattr(connection, "connect", lambda found, _port, budget: real(found, server.port, budget))
        client = a_client(server, authority)
        scripts = ScriptHost(client)
        yield server, EffectRunner(client, run_script=lambda effect, attempt: scripts(ScriptCall.of(effect, attempt)))
        scripts.close()


def starships(connection: LoopbackConnection, _request: RecordedRequest) -> None:
    connection.send(response(200, json.dumps(STARSHIPS).encode(), [("Content-Type", "application/json")]))


def pingpong(connection: LoopbackConnection, request: RecordedRequest) -> None:
    query = json.loads(request.body)["request"]["query"]
    reply = {"response": {"replies": [{"text": f"{query}? 저도 좋아해요."}]}}
    connection.send(response(200, json.dumps(reply).encode(), [("Content-Type", "application/json")]))


def test_the_script_flow_shows_the_starships(served: tuple[LoopbackServer, EffectRunner]) -> None:
    server, effects = served
    bot = a_closer_bot("flow_http_script.json")
    handled = a_handle_inbound(effects=effects)(Request(bot=bot, platform="web", user_key="user", inbound=Opened()))
    (message,) = handled.messages
    assert message["data"]["cards"] == [
        {"title": "CR90 corvette", "description": "CR90\nCorellian Engineering Corporation"}
    ]
    (request,) = server.requests
    assert (request.method, request.path, request.header("host")) == ("GET", "/api/starships", "swapi.dev")


def test_the_fetch_flow_answers_with_what_the_system_says(served: tuple[LoopbackServer, EffectRunner]) -> None:
    server, effects = served
    bot = a_closer_bot("flow_fallback_pingpong_api.json")
    said = UserMessage(data={"type": "text", "text": "산책"})
    handled = a_handle_inbound(effects=effects)(Request(bot=bot, platform="web", user_key="user", inbound=said))
    assert [message["data"]["text"] for message in handled.messages] == ["산책? 저도 좋아해요."]
    (request,) = server.requests
    assert request.header("content-type") == "application/json"
    assert request.header("idempotency-key")
    assert request.header("authorization") == "Basic [핑퐁 빌더 인증 토큰]".encode().decode("latin-1")
