"""Which addresses are public. Python's `is_global` is not the answer: 3.11 calls 64:ff9b::7f00:1 (NAT64 of 127.0.0.1),
::127.0.0.1, fec0::1 and multicast global, and releases differ.

Source: IANA's IPv4 and IPv6 special-purpose address registries. IPv6 is allowed only inside the one block that IANA
hands out (2000::/3), so that whatever is invented outside it stays refused.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

IPAddress = IPv4Address | IPv6Address

IPV4_NOT_PUBLIC: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to loopback
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service lives in it
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: metadata and credential services of AWS, Azure, Google
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service is 192.0.0.192
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's host agent, inside an otherwise public block
    )
)

IPV6_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
IPV6_NOT_PUBLIC: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo carries an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


def unmapped(address: IPAddress) -> IPAddress:
    """::ffff:a.b.c.d as the a.b.c.d that the kernel connects to."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def parse_address(text: str) -> IPAddress:
    """An address in its strict form (no 127.1, no octal), ValueError otherwise."""
    return unmapped(ip_address(text))


def is_public(address: IPAddress) -> bool:
    """Whether a packet to this address leaves for the public internet, whatever network we run in."""
    address = unmapped(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in IPV4_NOT_PUBLIC)
    return (
        address.scope_id is None
        and address in IPV6_GLOBAL_UNICAST
        and not any(address in network for network in IPV6_NOT_PUBLIC)
    )
