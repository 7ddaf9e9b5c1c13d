"""The certificate must be one for the name in the URL, whatever address it was found at."""

import datetime as dt
import ssl
from threading import Event

import pytest
import trustme

from shared.net.guarded_client import OutboundError, OutboundRequest
from tests.integration.net.conftest import client_for, server_context
from tests.loopback_server import LoopbackServer, answering


def send(server, client, name="a.example", **options):
    request = OutboundRequest(method="GET", url=f"https://{name}:{server.port}/")
    return client.send(request, **{"timeout_seconds": 5, **options})


def test_a_certificate_for_the_name_is_accepted(authority, trusting):
    context = server_context(authority.issue_cert("a.example"))
    with LoopbackServer(answering(body=b"secret"), tls=context) as server:
        answer = send(server, client_for(server, ssl_context=trusting))
        assert answer.body == b"secret"
        assert server.requests[0].header("host") == f"a.example:{server.port}"


def test_a_certificate_for_an_address_is_accepted_when_the_url_has_the_address(authority, trusting):
    context = server_context(authority.issue_cert("127.0.0.1"))
    with LoopbackServer(answering(body=b"secret"), tls=context) as server:
        assert send(server, client_for(server, "127.0.0.1", ssl_context=trusting), "127.0.0.1").body == b"secret"


def expired(authority):
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    return authority.issue_cert("a.example", not_before=long_ago, not_after=long_ago + dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("issue", "reason"),
    [
        (expired, "certificate has expired"),
        (lambda authority: authority.issue_cert("b.example"), "Hostname mismatch"),
        (lambda authority: authority.issue_cert("127.0.0.1"), "Hostname mismatch"),
        (lambda _authority: trustme.CA().issue_cert("a.example"), "unable to get local issuer certificate"),
    ],
    ids=["expired", "another name", "the address", "unknown authority"],
)
def test_any_other_certificate_is_refused_before_the_request_is_sent(authority, trusting, issue, reason):
    with LoopbackServer(answering(), tls=server_context(issue(authority))) as server:
        with pytest.raises(OutboundError, match=reason) as failure:
            send(server, client_for(server, ssl_context=trusting))
        assert (failure.value.kind, failure.value.retryable, failure.value.may_have_arrived) == ("tls", False, False)
        assert server.requests == []


def test_a_test_authority_is_not_trusted_by_default(authority):
    with LoopbackServer(answering(), tls=server_context(authority.issue_cert("a.example"))) as server:
        with pytest.raises(OutboundError) as failure:
            send(server, client_for(server))
        assert failure.value.kind == "tls"


def test_a_connection_verified_for_one_name_does_not_serve_another_on_the_same_address(authority, trusting):
    with LoopbackServer(answering(), tls=server_context(authority.issue_cert("a.example"))) as server:
        client = client_for(server, "a.example", "b.example", ssl_context=trusting)
        assert send(server, client, "a.example").status == 200
        with pytest.raises(OutboundError) as failure:
            send(server, client, "b.example")
        assert failure.value.kind == "tls"
        assert len(server.requests) == 1


def test_each_name_on_the_same_address_is_shown_its_own_certificate(authority, trusting):
    contexts = {name: server_context(authority.issue_cert(name)) for name in ("a.example", "b.example")}
    asked_for = []

    def choose(connection, name, _context):
        asked_for.append(name)
        connection.context = contexts[name]

    front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.sni_callback = choose
    with LoopbackServer(answering(), tls=front) as server:
        client = client_for(server, *contexts, ssl_context=trusting)
        assert [send(server, client, name).status for name in ("a.example", "b.example", "a.example")] == [200] * 3
        assert asked_for == ["a.example", "b.example", "a.example"]
        assert server.connections == 3


def test_a_redirect_to_another_name_is_verified_for_that_name(authority, trusting):
    context = server_context(authority.issue_cert("a.example"))
    with LoopbackServer(answering(), tls=context) as server:
        server.script = answering(302, headers=[("Location", f"//b.example:{server.port}/")])
        client = client_for(server, "a.example", "b.example", ssl_context=trusting)
        with pytest.raises(OutboundError) as failure:
            send(server, client, max_redirects=3)
        assert failure.value.kind == "tls"
        assert len(server.requests) == 1


def test_a_server_that_does_not_speak_tls_is_a_tls_failure():
    with LoopbackServer(
        lambda connection, _: connection.send(b"HTTP/1.1 400 No\r\n\r\n"), read_request=False
    ) as server:
        with pytest.raises(OutboundError) as failure:
            send(server, client_for(server))
        assert failure.value.kind == "tls"


def test_a_slow_handshake_ends_at_the_deadline(authority, trusting):
    given_up = Event()
    context = server_context(authority.issue_cert("a.example"))

    def hesitate(_connection, _name, _context):
        given_up.wait(2)

    context.sni_callback = hesitate
    with LoopbackServer(answering(), tls=context) as server:
        with pytest.raises(OutboundError) as failure:
            send(server, client_for(server, ssl_context=trusting), timeout_seconds=0.4)
        assert (failure.value.kind, failure.value.may_have_arrived) == ("timeout", False)
        given_up.set()


def test_a_dripping_handshake_ends_at_the_deadline(trusting):
    record = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(200)
    with LoopbackServer(
        lambda connection, _: connection.drip([record[at : at + 1] for at in range(len(record))]), read_request=False
    ) as server:
        with pytest.raises(OutboundError) as failure:
            send(server, client_for(server, ssl_context=trusting), timeout_seconds=0.4)
        assert failure.value.kind == "timeout"
