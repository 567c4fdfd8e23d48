"""Where events may be sent: not into a private network, unless whoever runs this allows it.

Pure: names are looked up by whoever sends, and every address that comes back is asked about here.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shared.events.errors import AddressMalformed, AddressPrivate

type IPAddress = IPv4Address | IPv6Address

MAX_ADDRESS_LENGTH: Final = 500
"""Characters of an address that is kept."""

_BLOCKED_NETWORKS: Final = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments; not all of it counts as private in Python
    IPv4Network("192.88.99.0/24"),  # anycast of 6to4 relays
    IPv4Network("168.63.129.16/32"),  # Azure answers its own machines from this public address
)
_GLOBAL_UNICAST_IPV6: Final = IPv6Network("2000::/3")
"""All that is handed out to anybody; the rest of IPv6 is local, multicast or carries IPv4."""
_IPV4_TUNNEL_NETWORKS: Final = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))
"""6to4 and Teredo: given up long ago, and a detour to any IPv4 address."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
_PRIVATE_NAME_SUFFIXES: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""How names end that mean something in one network only."""


def is_blocked_ip(ip: IPAddress) -> bool:
    """Whether an address is anything else than a public one of a single machine.

    An IPv6 address that carries an IPv4 address (mapped, NAT64) is judged by that one.

    Source: IANA's special-purpose address registries, RFC 6890, RFC 6052, RFC 7526.
    """
    if isinstance(ip, IPv6Address):
        carried = _extract_ipv4(ip)
        return is_blocked_ip(carried) if carried is not None else _is_blocked_ipv6(ip)
    not_public = not ip.is_global or ip.is_multicast or ip.is_reserved
    return not_public or any(ip in network for network in _BLOCKED_NETWORKS)


def check_address(url: str, *, allow_private: bool) -> None:
    """Look at an address that somebody wants events at, without looking its name up.

    A public name may still lead into a private network; that is found when events are sent.

    Args:
        url: the whole address.
        allow_private: whether it may be in a private network.

    Raises:
        AddressMalformed: it is no address that can be posted to.
        AddressPrivate: it is in a private network by its own words.

    """
    host = _split_url(url).hostname or ""
    if not allow_private and _is_private_host(host.lower().rstrip(".")):
        raise AddressPrivate


def _split_url(url: str) -> SplitResult:
    if (
        len(url) > MAX_ADDRESS_LENGTH
        or not url.isprintable()
        or any(sign.isspace() for sign in url)
    ):
        raise AddressMalformed
    try:
        parts = urlsplit(url)
        complete = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port or a bracket that is none
        raise AddressMalformed from None
    if not complete or "@" in parts.netloc or "\\" in url:
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
