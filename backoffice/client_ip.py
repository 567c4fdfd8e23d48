"""The client IP address of a request, behind our own proxies."""

import ipaddress
from typing import Final

from django.http import HttpRequest

from shared.core import config

_IPV6_NETWORK_BITS: Final = 64
"""Bits of an IPv6 address that identify a connection; its user has all addresses below."""


def get_client_ip(request: HttpRequest) -> str | None:
    """Return the client's address with the configured number of proxies; django-axes calls it."""
    return find_client_ip(request, proxies=config.get_settings().trusted_proxies)


def find_client_ip(request: HttpRequest, *, proxies: int) -> str | None:
    """Return the client's address.

    Args:
        request: the request as it reached us.
        proxies: number of our own proxies that append to `X-Forwarded-For`; the entries before
            theirs are written by the client and cannot be trusted.

    Returns:
        The address; for IPv6, the /64 network of the connection. None if the server does not
        report one.

    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if proxies and len(forwarded) >= proxies and (address := _parse_ip(forwarded[-proxies])):
        return address
    return _parse_ip(request.META.get("REMOTE_ADDR", ""))


def _parse_ip(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        network = ipaddress.ip_network((address, _IPV6_NETWORK_BITS), strict=False)
        return str(network.network_address)
    return str(address)
