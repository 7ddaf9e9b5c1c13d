"""Between a name and a connection stands the check of every address that the name has."""

import socket
from ipaddress import ip_address

import pytest

from shared.net.budget import Budget
from shared.net.connection import MAX_CONNECT_ATTEMPTS, GuardedBackend, connect, vetted_addresses
from shared.net.messages import PRIVATE_ADDRESS_MESSAGE, OutboundError
from shared.net.url import parse_url

PUBLIC_NAME = parse_url("https://a.example/")
LOCAL_NAME = parse_url("http://a.example:8789/", {("a.example", 8789)})


def budget():
    return Budget(seconds=5, wire_bytes=1000)


def vetted(target, answers):
    return [str(address) for address in vetted_addresses(target, lambda _host, _port: answers, budget())]


def kind_of(target, resolve):
    with pytest.raises(OutboundError) as failure:
        vetted_addresses(target, resolve, budget())
    return failure.value.kind


def test_public_answers_are_used_once_each():
    answers = ["1.1.1.1", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
    assert vetted(PUBLIC_NAME, answers) == ["1.1.1.1", "2606:4700:4700::1111", "8.8.8.8"]


@pytest.mark.parametrize("private", ["10.0.0.1", "127.0.0.1", "::1", "::ffff:169.254.169.254", "fe80::1%eth0"])
@pytest.mark.parametrize("order", [1, -1])
def test_one_private_answer_refuses_the_name(private, order):
    answers = ["1.1.1.1", private][::order]
    with pytest.raises(OutboundError) as refusal:
        vetted(PUBLIC_NAME, answers)
    assert refusal.value.kind == "blocked"
    assert str(refusal.value) == PRIVATE_ADDRESS_MESSAGE
    assert refusal.value.details == {"kind": "blocked"}


def test_a_local_target_must_be_loopback():
    assert vetted(LOCAL_NAME, ["127.0.0.1", "::1"]) == ["127.0.0.1", "::1"]
    for other in ("1.1.1.1", "10.0.0.1", "169.254.169.254"):
        assert kind_of(LOCAL_NAME, lambda _host, _port, other=other: ["127.0.0.1", other]) == "blocked"


def test_a_local_target_written_as_an_address_must_be_loopback():
    target = parse_url("http://10.0.0.1:8789/", {("10.0.0.1", 8789)})
    assert kind_of(target, lambda _host, _port: []) == "blocked"


@pytest.mark.parametrize("answers", [[], ["not an address"], ["1.1.1.1", ""]])
def test_a_name_without_usable_answers_is_a_dns_failure(answers):
    assert kind_of(PUBLIC_NAME, lambda _host, _port: answers) == "dns"


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_failing_look_up_is_a_dns_failure(error):
    def fail(_host, _port):
        raise error

    assert kind_of(PUBLIC_NAME, fail) == "dns"


def test_a_connection_to_another_target_than_the_checked_one_is_refused():
    backend = GuardedBackend(PUBLIC_NAME, lambda _host, _port: ["1.1.1.1"], budget())
    for host, port in (("b.example", 443), ("a.example", 80)):
        with pytest.raises(OutboundError) as refusal:
            backend.connect_tcp(host, port)
        assert refusal.value.kind == "blocked"


@pytest.fixture
def attempts(monkeypatch):
    """Addresses in the order in which connections to them were tried; none is accepted."""
    tried: list[str] = []

    def refuse(address, _timeout):
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return tried


def test_ipv4_and_ipv6_take_turns(attempts):
    addresses = [ip_address(text) for text in ("2606::1", "2606::2", "2606::3", "2606::4", "1.1.1.1", "1.1.1.2")]
    with pytest.raises(OutboundError) as failure:
        connect(addresses, 443, budget())
    assert failure.value.kind == "connect"
    assert attempts == ["1.1.1.1", "2606::1", "1.1.1.2", "2606::2"]


def test_a_name_with_many_addresses_costs_a_few_attempts(attempts):
    with pytest.raises(OutboundError):
        connect([ip_address(f"1.1.1.{last}") for last in range(50)], 443, budget())
    assert len(attempts) == MAX_CONNECT_ATTEMPTS


def test_a_connection_that_ends_elsewhere_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(OutboundError) as refusal:
        # Linux connects 0.0.0.0 to loopback.
        connect([ip_address("0.0.0.0")], listener.getsockname()[1], budget())  # noqa: S104
    assert refusal.value.kind == "blocked"
