"""A server may do anything: the request ends at its deadline or at its ceilings, with a class word and no address."""

import gzip
import itertools
import socket
import subprocess
import sys
from threading import Event

import pytest

from shared.net.guarded_client import MAX_BODY_BYTES, GuardedClient, OutboundError, OutboundRequest
from tests.integration.net.conftest import client_for
from tests.loopback_server import LoopbackServer, answering, response, saying

HEAD = b"HTTP/1.1 200 OK\r\n"
SHORT_DEADLINE = 0.5
SLOW = 2.0


def request_to(server, **fields):
    return OutboundRequest(method="GET", url=f"http://a.example:{server.port}/", **fields)


def failure_of(server, client=None, *, timeout_seconds=20.0, **limits):
    with pytest.raises(OutboundError) as failure:
        (client or client_for(server)).send(request_to(server), timeout_seconds=timeout_seconds, **limits)
    assert "127.0.0" not in f"{failure.value} {failure.value.details}"
    return failure.value


def forever(connection, piece):
    for data in itertools.repeat(piece):
        connection.send(data)


class TestTime:
    """Each of these servers would answer in the end, if only one waited longer than the deadline."""

    def test_a_server_that_never_answers_ends_at_the_deadline(self):
        with LoopbackServer(lambda connection, _: connection.hang()) as server:
            failure = failure_of(server, timeout_seconds=2.0)  # the request must get out, also on a busy machine
            assert (failure.kind, failure.retryable, failure.may_have_arrived) == ("timeout", True, True)

    def test_dripping_headers_end_at_the_total_deadline(self):
        def drip(connection, _request):
            connection.send(HEAD)
            connection.drip(b"X-%d: a\r\n" % number for number in range(40))
            connection.send(b"Content-Length: 0\r\n\r\n")

        with LoopbackServer(drip) as server:
            assert failure_of(server, timeout_seconds=SHORT_DEADLINE).kind == "timeout"

    def test_a_dripping_body_ends_at_the_total_deadline(self):
        def drip(connection, _request):
            connection.send(HEAD + b"Content-Length: 40\r\n\r\n")
            connection.drip([b"x"] * 40)

        with LoopbackServer(drip) as server:
            assert failure_of(server, timeout_seconds=SHORT_DEADLINE).kind == "timeout"

    def test_endless_early_hints_end_at_the_total_deadline(self):
        def drip(connection, _request):
            connection.drip([b"HTTP/1.1 103 Early Hints\r\n\r\n"] * 40)
            connection.send(response())

        with LoopbackServer(drip) as server:
            assert failure_of(server, timeout_seconds=SHORT_DEADLINE).kind == "timeout"

    def test_a_server_that_does_not_read_ends_at_the_deadline(self):
        given_up = Event()
        outlasted = []

        def read_late(connection, _request):
            outlasted.append(not given_up.wait(SLOW))
            connection.send(response())

        with LoopbackServer(read_late, read_request=False) as server:
            request = OutboundRequest(method="POST", url=f"http://a.example:{server.port}/", body=bytes(20_000_000))
            with pytest.raises(OutboundError) as failure:
                client_for(server).send(request, timeout_seconds=SHORT_DEADLINE)
            assert failure.value.kind == "timeout"
            given_up.set()
        assert outlasted == [False]

    def test_redirects_share_one_deadline(self):
        def slow_redirect(connection, _request):
            connection.drip([response(302, headers=[("Location", "/")])], every_seconds=0.3)

        with LoopbackServer(slow_redirect) as server:
            assert failure_of(server, timeout_seconds=SHORT_DEADLINE, max_redirects=3).kind == "timeout"

    def test_a_deadline_in_the_past_sends_nothing(self):
        with LoopbackServer(answering()) as server:
            failure = failure_of(server, timeout_seconds=0)
            assert (failure.kind, failure.may_have_arrived) == ("timeout", False)
            assert server.connections == 0


class TestSize:
    def test_an_endless_body_ends_at_the_ceiling(self):
        def endless(connection, _request):
            connection.send(HEAD + b"\r\n")
            forever(connection, bytes(65536))

        with LoopbackServer(endless) as server:
            failure = failure_of(server)
            assert (failure.kind, failure.retryable) == ("too_large", False)

    def test_a_body_announced_with_100_mb_ends_at_the_ceiling(self):
        def huge(connection, _request):
            connection.send(HEAD + b"Content-Length: 100000000\r\n\r\n")
            forever(connection, bytes(65536))

        with LoopbackServer(huge) as server:
            assert failure_of(server).kind == "too_large"

    def test_endless_chunk_framing_ends_at_the_ceiling(self):
        def endless(connection, _request):
            connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            forever(connection, b"1;" + b"x" * 1000 + b"\r\na\r\n")

        with LoopbackServer(endless) as server:
            assert failure_of(server).kind == "too_large"

    def test_a_gzip_bomb_of_200_mb_ends_at_the_ceiling(self):
        bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
        with LoopbackServer(answering(200, bomb, [("Content-Encoding", "gzip")])) as server:
            assert failure_of(server).kind == "too_large"
            cut = client_for(server).send(request_to(server), timeout_seconds=20, allow_truncated=True)
            assert (len(cut.body), cut.truncated) == (MAX_BODY_BYTES, True)

    def test_a_body_of_gzip_is_unpacked_though_nobody_asked_for_it(self):
        packed = gzip.compress("안녕".encode())
        with LoopbackServer(answering(200, packed, [("Content-Encoding", "gzip")])) as server:
            assert client_for(server).send(request_to(server), timeout_seconds=5).body == "안녕".encode()

    def test_everything_received_counts_for_the_wire_ceiling(self):
        answer = response(200, b"x" * 100)
        with LoopbackServer(saying(answer)) as server:
            client = client_for(server)
            assert len(client.send(request_to(server), timeout_seconds=5, max_wire_bytes=len(answer)).body) == 100
            assert failure_of(server, max_wire_bytes=len(answer) - 1).kind == "too_large"

    @pytest.mark.parametrize("line", [b"X: " + b"a" * 1000 + b"\r\n", b"X" * 1000])
    def test_endless_headers_are_refused(self, line):
        def endless(connection, _request):
            connection.send(HEAD)
            forever(connection, line)

        with LoopbackServer(endless) as server:
            assert failure_of(server).kind == "http"


class TestTruncation:
    """Whoever needs the status only (a webhook) takes a body that breaks off."""

    @pytest.mark.parametrize(
        "ending",
        [
            lambda connection: connection.hang(),
            lambda connection: connection.drip([b"d"] * 40),
            lambda connection: connection.reset(),
            lambda connection: connection.finish(),
            lambda connection: forever(connection, bytes(65536)),
        ],
        ids=["hang", "drip", "reset", "hang-up", "flood"],
    )
    def test_a_body_that_breaks_off_is_cut(self, ending):
        def break_off(connection, _request):
            connection.send(HEAD + b"Content-Length: 100000000\r\n\r\nabc")
            ending(connection)

        with LoopbackServer(break_off) as server:
            answer = client_for(server).send(
                request_to(server), timeout_seconds=1, max_body_bytes=10, allow_truncated=True
            )
            assert (answer.status, answer.truncated) == (200, True)
            assert len(answer.body) <= 10

    def test_a_body_in_an_unknown_encoding_is_cut_to_nothing(self):
        with LoopbackServer(answering(200, b"x", [("Content-Encoding", "br")])) as server:
            assert failure_of(server).kind == "http"
            answer = client_for(server).send(request_to(server), timeout_seconds=5, allow_truncated=True)
            assert (answer.body, answer.truncated) == (b"", True)

    def test_headers_that_break_off_are_an_error_still(self):
        with LoopbackServer(saying(HEAD + b"Content-Le")) as server:
            assert failure_of(server, allow_truncated=True).kind == "http"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x16\x03\x01\x02\x00",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 99999 Strange\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        HEAD + b"Content-Length: 5\r\n\r\nabc",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nab",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\nabc\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\nabc",
        HEAD + b"Bad Header\r\n\r\n",
        HEAD + b"X: a\x00b\r\n\r\n",
    ],
)
def test_what_is_not_http_is_an_error(said):
    with LoopbackServer(saying(said)) as server:
        failure = failure_of(server)
        assert (failure.kind, failure.may_have_arrived) == ("http", True)


class TestConnections:
    def test_a_reset_is_an_error_that_may_have_arrived(self):
        with LoopbackServer(lambda connection, _: connection.reset()) as server:
            failure = failure_of(server)
            assert (failure.kind, failure.retryable, failure.may_have_arrived) == ("http", True, True)

    def test_a_refused_connection_never_arrived(self):
        with LoopbackServer(answering()) as server:
            client = client_for(server)
        failure = failure_of_url(client, f"http://a.example:{next(iter(client._local_targets))[1]}/")
        assert (failure.kind, failure.retryable, failure.may_have_arrived) == ("connect", True, False)


def failure_of_url(client, url, *, timeout_seconds=5.0, **fields):
    with pytest.raises(OutboundError) as failure:
        client.send(OutboundRequest(method="GET", url=url, **fields), timeout_seconds=timeout_seconds)
    return failure.value


class TestNames:
    def test_a_name_is_looked_up_once_for_a_connection(self):
        answers = iter([["127.0.0.1"], ["169.254.169.254"]])
        with LoopbackServer(answering(body=b"pinned")) as server:
            client = GuardedClient(
                resolve=lambda _host, _port: next(answers), local_targets=frozenset({("a.example", server.port)})
            )
            assert client.send(request_to(server), timeout_seconds=5).body == b"pinned"
        assert next(answers) == ["169.254.169.254"]

    def test_a_name_that_leads_to_loopback_is_refused_unless_listed(self):
        with LoopbackServer(answering()) as server:
            client = GuardedClient(resolve=lambda _host, _port: [server.host])
            failure = failure_of_url(client, "http://a.example:8080/")
            assert (failure.kind, failure.retryable, failure.may_have_arrived) == ("blocked", False, False)
            assert server.connections == 0

    def test_a_mixed_answer_is_refused_without_a_connection(self):
        with LoopbackServer(answering()) as server:
            client = client_for(server, answers={"a.example": ["127.0.0.1", "10.0.0.1"]})
            assert failure_of(server, client).kind == "blocked"
            assert server.connections == 0

    def test_an_unknown_name_is_a_dns_failure(self):
        def unknown(_host, _port):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        failure = failure_of_url(GuardedClient(resolve=unknown), "https://nobody.example/")
        assert (failure.kind, failure.retryable, failure.may_have_arrived) == ("dns", True, False)

    def test_a_hanging_look_up_ends_at_the_deadline(self):
        given_up = Event()
        answered = Event()

        def hang(_host, _port):
            given_up.wait(SLOW)
            answered.set()
            return []

        failure = failure_of_url(GuardedClient(resolve=hang), "https://a.example/", timeout_seconds=SHORT_DEADLINE)
        assert (failure.kind, failure.may_have_arrived) == ("timeout", False)
        assert not answered.is_set()
        given_up.set()

    def test_a_hanging_look_up_does_not_keep_the_process_from_exiting(self):
        program = """
import threading
from shared.net.guarded_client import GuardedClient, OutboundError, OutboundRequest
client = GuardedClient(resolve=lambda host, port: threading.Event().wait())
try:
    client.send(OutboundRequest(method="GET", url="https://a.example/"), timeout_seconds=0.1)
except OutboundError as error:
    print(error.kind)
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == "timeout\n"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"url": "http://169.254.169.254/latest/"}, "Cannot use private IP address for request url"),
        ({"url": "http://localhost:8080/"}, "Cannot use private IP address for request url"),
        ({"url": "http://u:p@a.example/"}, "user name"),
        ({"method": "CONNECT"}, "method"),
        ({"headers": {"Host": "b.example"}}, "Host"),
        ({"headers": {"X": "a\r\nHost: evil"}}, "line break"),
    ],
)
def test_a_refused_request_looks_nothing_up(fields, message):
    looked_up = []

    def resolve(host, _port):
        looked_up.append(host)
        return []

    client = GuardedClient(resolve=resolve)
    request = OutboundRequest(**{"method": "GET", "url": "https://a.example/", **fields})
    with pytest.raises(OutboundError, match=message) as refusal:
        client.send(request, timeout_seconds=5)
    assert (refusal.value.kind, refusal.value.may_have_arrived) == ("blocked", False)
    assert looked_up == []


def test_no_http_library_is_imported_before_the_first_request():
    program = """
import sys
import shared.net.guarded_client, shared.net.url, shared.net.redirects
print(sorted({"httpx", "httpcore", "h11", "idna", "certifi"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
