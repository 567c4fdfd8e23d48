"""Rules for the addresses of endpoints: none in a private network, unless the settings allow it.

Nothing here looks up names. The sender does, and checks every IP address it gets with
`is_blocked_ip`.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shared.events.errors import AddressMalformed, AddressPrivate

type IPAddress = IPv4Address | IPv6Address

MAX_ADDRESS_LENGTH: Final = 500
"""Characters of the longest address that can be stored."""

_BLOCKED_NETWORKS: Final = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments; not all of it counts as private in Python
    IPv4Network("192.88.99.0/24"),  # anycast of 6to4 relays
    IPv4Network("168.63.129.16/32"),  # Azure answers its own machines from this public address
)
_GLOBAL_UNICAST_IPV6: Final = IPv6Network("2000::/3")
"""All public unicast addresses; the rest of IPv6 is local, multicast or carries IPv4."""
_IPV4_TUNNEL_NETWORKS: Final = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))
"""6to4 and Teredo: obsolete, and a way around the checks of any IPv4 address."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
_PRIVATE_NAME_SUFFIXES: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""Endings of names that exist in one network only."""


def is_blocked_ip(ip: IPAddress) -> bool:
    """Return whether an address is anything but the public address of a single machine.

    An IPv6 address that carries an IPv4 address (mapped, NAT64) is checked as that one.

    Source: IANA's special-purpose address registries, RFC 6890, RFC 6052, RFC 7526.
    """
    if isinstance(ip, IPv6Address):
        ipv4 = _extract_ipv4(ip)
        return is_blocked_ip(ipv4) if ipv4 is not None else _is_blocked_ipv6(ip)
    not_public = not ip.is_global or ip.is_multicast or ip.is_reserved
    return not_public or any(ip in network for network in _BLOCKED_NETWORKS)


def check_address(url: str, *, allow_private: bool) -> None:
    """Check the address of an endpoint, without looking up its name.

    A public name may still lead into a private network; that is found when events are sent.

    Args:
        url: the full address.
        allow_private: whether it may be in a private network.

    Raises:
        AddressMalformed: nothing can be posted to it.
        AddressPrivate: its host is a private IP address or a local name.

    """
    host = _split_url(url).hostname or ""
    if not allow_private and _is_private_host(host.lower().rstrip(".")):
        raise AddressPrivate


def _split_url(url: str) -> SplitResult:
    if (
        len(url) > MAX_ADDRESS_LENGTH
        or not url.isprintable()
        or any(character.isspace() for character in url)
    ):
        raise AddressMalformed
    try:
        parts = urlsplit(url)
        is_complete = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # an invalid port or bracket
        raise AddressMalformed from None
    if not is_complete or "@" in parts.netloc or "\\" in url:
        raise AddressMalformed
    return parts


def _is_private_host(host: str) -> bool:
    try:
        return is_blocked_ip(ip_address(host))
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_NAME_SUFFIXES)


def _extract_ipv4(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped


def _is_blocked_ipv6(ip: IPv6Address) -> bool:
    if ip not in _GLOBAL_UNICAST_IPV6 or any(ip in network for network in _IPV4_TUNNEL_NETWORKS):
        return True
    return not ip.is_global or ip.is_multicast
