"""The WebSocket API as its functions and its clients see it."""

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from infra.local.__main__ import main
from infra.local.cloud import LocalCloud
from infra.local.embedded import client
from tests.integration.local.conftest import FIXTURES, eventually, local_cloud
from tests.integration.local.test_lifecycle import start_command, started


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    app = tmp_path_factory.mktemp("sockets")
    shutil.copytree(FIXTURES / "sockets", app, dirs_exist_ok=True)
    with local_cloud(app, tmp_path_factory.mktemp("state")) as cloud:
        yield cloud


def opened(
    sockets: LocalCloud, token: str = "kim", query: str = "", **options: Any
) -> AbstractContextManager[ClientConnection]:
    return connect(
        sockets.outputs["SocketUrl"] + query,
        subprotocols=[Subprotocol("chat.v1"), Subprotocol(token)],
        compression=None,
        **options,
    )


def told(sockets: LocalCloud, kind: str) -> dict[str, Any]:
    """The next event of a kind that the function was called with."""
    sqs = sockets.client("sqs")

    def next_event() -> dict[str, Any] | None:
        received = sqs.receive_message(QueueUrl=sockets.outputs["Events"], MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in received.get("Messages", ()):
            sqs.delete_message(QueueUrl=sockets.outputs["Events"], ReceiptHandle=message["ReceiptHandle"])
            event: dict[str, Any] = json.loads(message["Body"])
            if event["requestContext"]["eventType"] == kind:
                return event
        return None

    found: dict[str, Any] = eventually(next_event)
    return found


def management(sockets: LocalCloud) -> Any:
    return client("apigatewaymanagementapi", sockets.lambda_endpoint)


@pytest.fixture(autouse=True)
def _nothing_left_over(sockets: LocalCloud) -> Iterator[None]:
    """Events of the connections of one test are no news for the next."""
    yield
    sqs = sockets.client("sqs")
    url = sockets.outputs["Events"]
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in received:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_socket_opens_with_the_subprotocol_that_the_function_chose(sockets: LocalCloud) -> None:
    with opened(sockets, query="?from=page&from=link") as socket:
        assert socket.subprotocol == "chat.v1"
        event = told(sockets, "CONNECT")
    context = event["requestContext"]
    assert (context["routeKey"], context["stage"], context["messageDirection"]) == ("$connect", "live", "IN")
    assert event["queryStringParameters"] == {"from": "link"}
    assert event["multiValueQueryStringParameters"] == {"from": ["page", "link"]}
    assert event["headers"]["Sec-WebSocket-Protocol"] == "chat.v1, kim"
    assert context["authorizer"] == {"principalId": "kim", "endUserId": "kim", "vip": "true", "integrationLatency": 1}
    assert context["identity"]["sourceIp"] == "127.0.0.1"


def test_a_message_is_answered_over_the_route_response(sockets: LocalCloud) -> None:
    with opened(sockets) as socket:
        socket.send("안녕")
        assert socket.recv(timeout=20) == "heard 안녕"
        event = told(sockets, "MESSAGE")
    assert (event["body"], event["isBase64Encoded"]) == ("안녕", False)
    assert event["requestContext"]["routeKey"] == "$default"
    assert event["requestContext"]["authorizer"]["endUserId"] == "kim"
    assert event["requestContext"]["messageId"]


def test_a_message_that_names_a_route_goes_there_and_a_route_without_response_is_silent(sockets: LocalCloud) -> None:
    with opened(sockets) as socket:
        socket.send('{"type": "quiet"}')
        assert told(sockets, "MESSAGE")["requestContext"]["routeKey"] == "quiet"
        socket.send('{"type": "$connect"}')
        assert socket.recv(timeout=20) == 'heard {"type": "$connect"}'


def test_no_body_is_no_answer(sockets: LocalCloud) -> None:
    with opened(sockets) as socket:
        socket.send("silent")
        told(sockets, "MESSAGE")
        socket.send("next")
        assert socket.recv(timeout=20) == "heard next"


@pytest.mark.parametrize(
    ("message", "words"), [("raise", "Internal server error"), ("hang", "Endpoint request timed out")]
)
def test_a_function_that_fails_is_told_of_and_the_socket_stays(sockets: LocalCloud, message: str, words: str) -> None:
    with opened(sockets) as socket:
        socket.send(message)
        answer = json.loads(socket.recv(timeout=20))
        assert answer["message"] == words
        assert set(answer) == {"message", "connectionId", "requestId"}
        socket.send("still here")
        assert socket.recv(timeout=20) == "heard still here"


@pytest.mark.parametrize(("token", "status"), [("stranger", 403), ("unauthorized", 401), ("broken", 500)])
def test_whom_the_authorizer_refuses_cannot_connect(sockets: LocalCloud, token: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(sockets, token):
        pass
    assert refused.value.response.status_code == status


def test_who_sends_no_token_is_refused_unasked(sockets: LocalCloud) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(sockets.outputs["SocketUrl"]):
        pass
    assert refused.value.response.status_code == 401


def test_a_connect_function_can_refuse(sockets: LocalCloud) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(sockets, query="?refuse=yes"):
        pass
    assert refused.value.response.status_code == 418


def test_another_path_is_forbidden(sockets: LocalCloud) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(sockets.socket_url + "/elsewhere"):
        pass
    assert refused.value.response.status_code == 403


def test_the_end_is_told_with_code_and_reason(sockets: LocalCloud) -> None:
    with opened(sockets) as socket:
        connection = told(sockets, "CONNECT")["requestContext"]["connectionId"]
        socket.close(4001, "tab closed")
    context = told(sockets, "DISCONNECT")["requestContext"]
    assert (context["connectionId"], context["routeKey"]) == (connection, "$disconnect")
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (4001, "tab closed")


def test_functions_reach_a_live_connection(sockets: LocalCloud) -> None:
    with opened(sockets) as socket:
        connection = told(sockets, "CONNECT")["requestContext"]["connectionId"]
        connections = management(sockets)
        connections.post_to_connection(ConnectionId=connection, Data="밀어 보냄".encode())
        assert socket.recv(timeout=20) == "밀어 보냄"
        found = connections.get_connection(ConnectionId=connection)
        assert found["Identity"]["SourceIp"] == "127.0.0.1"
        assert found["LastActiveAt"] >= found["ConnectedAt"]
        connections.delete_connection(ConnectionId=connection)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=20)


def test_functions_are_told_where_live_connections_are_reached(sockets: LocalCloud) -> None:
    assert sockets.environment["ChatFunction"]["CALLBACK_URL"] == sockets.lambda_endpoint + "/live"
    assert sockets.environment["ChatFunction"]["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"] == sockets.lambda_endpoint
    with opened(sockets) as socket:
        connection = told(sockets, "CONNECT")["requestContext"]["connectionId"]
        url = sockets.environment["ChatFunction"]["CALLBACK_URL"]
        client("apigatewaymanagementapi", url).post_to_connection(ConnectionId=connection, Data=b"hello")
        assert socket.recv(timeout=20) == "hello"


@pytest.mark.parametrize("call", ["post_to_connection", "get_connection", "delete_connection"])
def test_a_dead_connection_is_gone(sockets: LocalCloud, call: str) -> None:
    with opened(sockets):
        connection = told(sockets, "CONNECT")["requestContext"]["connectionId"]
    told(sockets, "DISCONNECT")
    data = {"Data": b"late"} if call == "post_to_connection" else {}
    with pytest.raises(ClientError) as gone:
        getattr(management(sockets), call)(ConnectionId=connection, **data)
    assert gone.value.response["Error"]["Code"] == "GoneException"
    assert gone.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410


def test_what_is_posted_is_at_most_128_kb(sockets: LocalCloud) -> None:
    with opened(sockets, max_size=2**20) as socket:
        connection = told(sockets, "CONNECT")["requestContext"]["connectionId"]
        connections = management(sockets)
        connections.post_to_connection(ConnectionId=connection, Data=b"x" * 131_072)
        assert len(socket.recv(timeout=20)) == 131_072
        with pytest.raises(ClientError) as refused:
            connections.post_to_connection(ConnectionId=connection, Data=b"x" * 131_073)
        assert refused.value.response["Error"]["Code"] == "PayloadTooLargeException"


def test_a_frame_over_32_kb_ends_the_connection(sockets: LocalCloud) -> None:
    with opened(sockets) as socket:
        socket.send("x" * 32 * 1024)
        assert str(socket.recv(timeout=20)).startswith("heard xxx")
        socket.send("x" * (32 * 1024 + 1))
        assert ended(socket) == 1009


def test_a_message_in_frames_is_at_most_128_kb(sockets: LocalCloud) -> None:
    frame = "x" * 32 * 1024
    with opened(sockets) as socket:
        socket.send([frame] * 4)
        assert str(socket.recv(timeout=20)).startswith("heard xxx")
        socket.send([frame] * 5)
        assert ended(socket) == 1009


def ended(socket: ClientConnection) -> int | None:
    """The code with which the other side ends."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=20)
    return None if closed.value.rcvd is None else closed.value.rcvd.code


@pytest.mark.parametrize("limit", ["socket_idle_seconds", "socket_life_seconds"])
def test_a_connection_ends_when_its_time_is_over(tmp_path: Path, limit: str) -> None:
    app = tmp_path / "app"
    shutil.copytree(FIXTURES / "sockets", app)
    with local_cloud(app, tmp_path / "state", **{limit: 1.0}) as cloud, opened(cloud) as socket:
        assert ended(socket) == 1001


@pytest.mark.parametrize(("flag", "longest"), [("--socket-idle", 600), ("--socket-life", 7200)])
def test_a_time_that_api_gateway_would_not_give_is_refused_by_name(
    flag: str, longest: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([flag, str(longest + 1)])
    assert f"is not a number from 1 to {longest}" in capsys.readouterr().err


def test_a_connection_lives_as_long_as_the_command_line_says(tmp_path: Path) -> None:
    app, state = tmp_path / "app", tmp_path / "state"
    shutil.copytree(FIXTURES / "sockets", app)
    with start_command(app, state, "--socket-life=1") as process:
        url = started(process, state)["socket_url"] + "/live"
        with connect(url, subprotocols=[Subprotocol("chat.v1"), Subprotocol("kim")]) as socket:
            assert ended(socket) == 1001
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
