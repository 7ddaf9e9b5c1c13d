"""What a server sees and what comes back, when all is well."""

import pytest

from shared.net.guarded_client import GuardedClient, OutboundError, OutboundRequest
from tests.integration.net.conftest import client_for
from tests.loopback_server import LoopbackServer, answering, response, routing, saying


def get(server, path="/", **fields):
    return OutboundRequest(method=fields.pop("method", "GET"), url=f"http://a.example:{server.port}{path}", **fields)


def test_a_get_brings_status_headers_body_and_url():
    with LoopbackServer(answering(201, b"hello", [("X-One", "1"), ("x-one", "2")])) as server:
        answer = client_for(server).send(get(server, "/path?q=1"), timeout_seconds=5)
        assert (answer.status, answer.body, answer.truncated) == (201, b"hello", False)
        assert [value for name, value in answer.headers if name == "x-one"] == ["1", "2"]
        assert answer.header("content-length") == "5"
        assert answer.url == f"http://a.example:{server.port}/path?q=1"


def test_the_server_is_asked_by_name_and_told_that_nothing_is_kept():
    with LoopbackServer(answering()) as server:
        client_for(server).send(get(server, "/path?q=한글"), timeout_seconds=5)
        [request] = server.requests
    assert (request.method, request.path) == ("GET", "/path?q=%ED%95%9C%EA%B8%80")
    assert sorted(request.headers) == [
        ("accept-encoding", "identity"),
        ("connection", "close"),
        ("host", f"a.example:{server_port(request)}"),
        ("user-agent", "Malgil"),
    ]


def server_port(request):
    return request.header("host").partition(":")[2]


def test_a_post_carries_its_headers_and_body():
    headers = {"Content-Type": "application/json", "X-Name": "caf\xe9", "User-Agent": "mine", "Accept-Encoding": "br"}
    with LoopbackServer(answering()) as server:
        client_for(server).send(get(server, method="POST", headers=headers, body=b'{"a": 1}'), timeout_seconds=5)
        [request] = server.requests
    assert request.body == b'{"a": 1}'
    assert request.header("content-length") == "8"
    assert request.header("x-name") == "caf\xe9"
    assert request.header("user-agent") == "mine"
    assert [value for name, value in request.headers if name == "accept-encoding"] == ["identity"]


def test_a_post_without_a_body_says_so():
    with LoopbackServer(answering()) as server:
        client_for(server).send(get(server, method="POST"), timeout_seconds=5)
        assert server.requests[0].header("content-length") == "0"


def test_a_large_body_is_sent_whole():
    body = bytes(range(256)) * 8192
    with LoopbackServer(answering()) as server:
        client_for(server).send(get(server, method="PUT", body=body), timeout_seconds=20)
        assert server.requests[0].body == body


def test_an_answer_given_before_the_request_was_read_counts():
    def refuse(connection, _request):
        connection.receive()
        connection.send(response(413, b"too much"))
        connection.reset()

    with LoopbackServer(refuse, read_request=False) as server:
        answer = client_for(server).send(get(server, method="POST", body=bytes(20_000_000)), timeout_seconds=5)
        assert (answer.status, answer.body) == (413, b"too much")


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Encoding: gzip\r\n\r\n"),
    ],
)
def test_an_answer_without_a_body_ends_with_its_headers(method, said):
    def say_and_wait(connection, _request):
        connection.send(said)
        connection.hang()

    with LoopbackServer(say_and_wait) as server:
        assert client_for(server).send(get(server, method=method), timeout_seconds=5).body == b""


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
def test_every_framing_of_a_body_is_read(said):
    with LoopbackServer(saying(said)) as server:
        answer = client_for(server).send(get(server), timeout_seconds=5)
        assert (answer.status, answer.body) == (200, b"hello")


def test_an_ipv6_answer_is_connected_to():
    with LoopbackServer(answering(body=b"six"), host="::1") as server:
        assert client_for(server).send(get(server), timeout_seconds=5).body == b"six"


def test_an_address_is_sent_as_the_host_in_brackets_when_it_is_ipv6():
    with LoopbackServer(answering(), host="::1") as server:
        client = GuardedClient(local_targets=frozenset({("::1", server.port)}))
        client.send(OutboundRequest(method="GET", url=f"http://[::1]:{server.port}/"), timeout_seconds=5)
        assert server.requests[0].header("host") == f"[::1]:{server.port}"


def test_the_next_address_is_tried_when_one_refuses():
    with LoopbackServer(answering(body=b"second")) as server:
        client = client_for(server, answers={"a.example": ["127.0.0.2", "127.0.0.1"]})
        assert client.send(get(server), timeout_seconds=5).body == b"second"


def test_the_local_cloud_reaches_localhost_through_the_system_resolver():
    with LoopbackServer(answering(body=b"local")) as server:
        client = GuardedClient(local_targets=frozenset({("localhost", server.port)}))
        url = f"http://localhost:{server.port}/"
        assert client.send(OutboundRequest(method="GET", url=url), timeout_seconds=5).body == b"local"


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    with LoopbackServer(answering(502)) as proxy, LoopbackServer(answering(body=b"direct")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert client_for(server).send(get(server), timeout_seconds=5).body == b"direct"
        assert proxy.connections == 0


def test_cookies_of_one_answer_are_not_sent_with_the_next_request():
    with LoopbackServer(answering(headers=[("Set-Cookie", "a=b")])) as server:
        client = client_for(server)
        for _ in range(2):
            client.send(get(server), timeout_seconds=5)
        assert [request.header("cookie") for request in server.requests] == [None, None]


class TestRedirects:
    def test_a_redirect_is_an_answer_unless_following_was_asked_for(self):
        with LoopbackServer(answering(302, b"moved", [("Location", "/two")])) as server:
            answer = client_for(server).send(get(server), timeout_seconds=5)
            assert (answer.status, answer.body, len(server.requests)) == (302, b"moved", 1)

    def test_three_redirects_are_followed(self):
        routes = {f"/{step}": answering(302, headers=[("Location", f"/{step + 1}")]) for step in range(3)}
        with LoopbackServer(routing({**routes, "/3": answering(body=b"there")})) as server:
            answer = client_for(server).send(get(server, "/0"), timeout_seconds=5, max_redirects=3)
            assert answer.body == b"there"
            assert answer.url.endswith("/3")

    def test_a_fourth_redirect_is_an_error_whatever_was_asked_for(self):
        with LoopbackServer(answering(302, headers=[("Location", "/")])) as server:
            with pytest.raises(OutboundError, match="too often") as failure:
                client_for(server).send(get(server), timeout_seconds=5, max_redirects=50)
            assert failure.value.kind == "http"
            assert len(server.requests) == 4

    def test_a_redirect_to_a_metadata_service_is_refused_unvisited(self):
        with LoopbackServer(answering(302, headers=[("Location", "http://169.254.169.254/latest/")])) as server:
            with pytest.raises(OutboundError, match="Cannot use private IP address for request url") as failure:
                client_for(server).send(get(server), timeout_seconds=5, max_redirects=3)
            assert failure.value.kind == "blocked"
            assert failure.value.may_have_arrived

    def test_a_redirect_to_another_origin_loses_the_secrets(self):
        with LoopbackServer(answering(body=b"there")) as other:
            location = [("Location", f"http://b.example:{other.port}/")]
            with LoopbackServer(answering(307, headers=location)) as server:
                client = GuardedClient(
                    resolve=lambda _host, _port: ["127.0.0.1"],
                    local_targets=frozenset({("a.example", server.port), ("b.example", other.port)}),
                    max_redirects=1,
                )
                headers = {"Authorization": "Bearer secret", "Cookie": "a=b", "X-Mine": "kept"}
                client.send(get(server, method="POST", headers=headers, body=b"{}"), timeout_seconds=5)
                [request] = other.requests
        assert (request.method, request.body, request.header("x-mine")) == ("POST", b"{}", "kept")
        assert (request.header("authorization"), request.header("cookie")) == (None, None)

    def test_the_body_of_a_followed_redirect_is_not_waited_for(self):
        def redirect(connection, _request):
            connection.send(b"HTTP/1.1 302 Found\r\nLocation: /two\r\nContent-Length: 1000\r\n\r\n")
            connection.hang()

        with LoopbackServer(routing({"/": redirect, "/two": answering(body=b"there")})) as server:
            assert client_for(server).send(get(server), timeout_seconds=5, max_redirects=1).body == b"there"

    def test_each_hop_is_looked_up_and_checked_anew(self):
        answers = iter([["127.0.0.1"], ["169.254.169.254"]])
        with LoopbackServer(answering(302, headers=[("Location", "/two")])) as server:
            client = GuardedClient(
                resolve=lambda _host, _port: next(answers), local_targets=frozenset({("a.example", server.port)})
            )
            with pytest.raises(OutboundError) as failure:
                client.send(get(server), timeout_seconds=5, max_redirects=1)
            assert failure.value.kind == "blocked"
            assert len(server.requests) == 1
