"""Only addresses of the public internet are public, whatever form they come in."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ssrfguard._address import DEFAULT_DENIED

from shared.net.address import IPAddress, is_public, parse_address

HOSTILE = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",  # SIIT
    "::5efe:127.0.0.1",  # ISATAP
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001:0:7f00:1::",  # Teredo
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4
    "2002:a9fe:a9fe::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "8000::1",
    "fc00::1",
    "fd00:ec2::23",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "13.124.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2406:da12::1",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
]

# Others let these pass: AS112, AMT and the anycast services of 192.0.0.0/24 and 2001::/23, where nobody serves a
# webhook; Azure's host agent; wrappers of a public IPv4 address (NAT64, 6to4, ::a.b.c.d), which lead who knows where;
# and what lies outside of 2000::/3, where nothing is handed out.
KNOWINGLY_REFUSED: list[IPv4Network | IPv6Network] = [
    *map(IPv4Network, ("168.63.129.16/32", "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24")),
    *map(IPv4Network, ("192.175.48.0/24",)),
    *map(IPv6Network, ("::/3", "4000::/2", "8000::/1", "2001::/23", "2002::/16", "2620:4f:8000::/48")),
]

ADDRESSES = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address),
    st.integers(0, 2**128 - 1).map(IPv6Address),
    st.ip_addresses(v=4),
    st.ip_addresses(v=6),  # leans to the special networks
    st.ip_addresses(v=4).map(lambda address: IPv6Address(int(address))),
    st.ip_addresses(v=4).map(lambda address: IPv6Address((0xFFFF << 32) | int(address))),
    st.ip_addresses(v=4).map(lambda address: IPv6Address((0x2002 << 112) | (int(address) << 80))),
    st.ip_addresses(v=4).map(lambda address: IPv6Address((0x64FF9B << 96) | int(address))),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_address_is_not_public(text):
    assert not is_public(parse_address(text))
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_public(text):
    assert is_public(parse_address(text))


def test_a_mapped_address_is_connected_to_as_the_ipv4_address_it_means():
    assert parse_address("::ffff:8.8.8.8") == IPv4Address("8.8.8.8")


@pytest.mark.parametrize(
    "text", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "010.0.0.1", "", "localhost", "1.1.1.1 "]
)
def test_only_the_strict_form_of_an_address_is_read(text):
    with pytest.raises(ValueError, match="address"):
        parse_address(text)


@given(ADDRESSES)
@example(IPv6Address("64:ff9b::7f00:1"))
@example(IPv6Address("2002:7f00:1::"))
def test_whatever_an_independent_classifier_refuses_is_refused(address: IPAddress):
    if DEFAULT_DENIED.classify(address).blocked:
        assert not is_public(address)


@given(ADDRESSES)
def test_whatever_python_calls_not_global_is_refused(address: IPAddress):
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if not (mapped or address).is_global:
        assert not is_public(address)


@given(ADDRESSES)
def test_nothing_else_is_refused_but_what_is_known(address: IPAddress):
    blocked_by_others = DEFAULT_DENIED.classify(address).blocked or not address.is_global
    if not blocked_by_others:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        assert is_public(address) or any((mapped or address) in network for network in KNOWINGLY_REFUSED)
