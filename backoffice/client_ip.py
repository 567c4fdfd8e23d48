"""Where a request comes from."""

import ipaddress
from typing import Final

from django.http import HttpRequest

from shared.core import config

_IPV6_NETWORK_BITS: Final = 64
"""Bits that one connection shares in IPv6; whoever has one has all the addresses below."""


def get_client_ip(request: HttpRequest) -> str | None:
    """Say where a request comes from; django-axes asks it, too."""
    return find_client_ip(request, proxies=config.get_settings().trusted_proxies)


def find_client_ip(request: HttpRequest, *, proxies: int) -> str | None:
    """Say where a request comes from.

    Args:
        request: what came in.
        proxies: how many of our own proxies append to `X-Forwarded-For`; the rest of the header
            is whatever the sender liked to write.

    Returns:
        An address; of IPv6 the network of one connection. None where the server does not tell.

    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if proxies and len(forwarded) >= proxies and (found := _parse_ip(forwarded[-proxies])):
        return found
    return _parse_ip(request.META.get("REMOTE_ADDR", ""))


def _parse_ip(written: str) -> str | None:
    try:
        address = ipaddress.ip_address(written.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        network = ipaddress.ip_network((address, _IPV6_NETWORK_BITS), strict=False)
        return str(network.network_address)
    return str(address)
