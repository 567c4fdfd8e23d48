"""What happens after too many wrong passwords: a pause, said kindly and with its length."""

import ipaddress
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.contrib import admin
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from shared.core import config

FAILURES: Final = 5
PAUSE: Final = timedelta(minutes=15)
_IPV6_HOME: Final = 64
"""Bits that one connection shares in IPv6; whoever has one has all the addresses below."""


def client_address(request: HttpRequest) -> str | None:
    """Say where a request comes from; django-axes asks it."""
    return address_of(request, proxies=config.current().trusted_proxies)


def address_of(request: HttpRequest, *, proxies: int) -> str | None:
    """Say where a request comes from.

    Args:
        request: what came in.
        proxies: how many of our own proxies append to `X-Forwarded-For`; the rest of the header
            is whatever the sender liked to write.

    Returns:
        An address; of IPv6 the network of one connection. None where the server does not tell.

    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if proxies and len(forwarded) >= proxies and (found := _address(forwarded[-proxies])):
        return found
    return _address(request.META.get("REMOTE_ADDR", ""))


def answer(
    request: HttpRequest,
    _response: HttpResponse | None = None,
    credentials: dict[str, Any] | None = None,
) -> HttpResponse:
    """Answer somebody who typed too many wrong passwords; django-axes calls it."""
    name = get_client_username(request, credentials) or ""
    minutes = minutes_left(name, address=client_address(request), now=timezone.now())
    context = {"title": "A short pause", "minutes": minutes, "failures": FAILURES}
    page = admin.site.each_context(request) | context
    locked = render(request, "admin/locked.html", page, status=429)
    locked["Retry-After"] = str(minutes * 60)
    return locked


def minutes_left(username: str, *, address: str | None, now: datetime) -> int:
    """Count the minutes until a name is let in again from an address; at least one."""
    attempts = AccessAttempt.objects.filter(username=username, ip_address=address)
    last: datetime = attempts.aggregate(last=Max("attempt_time"))["last"] or now
    return max(1, ceil((last + PAUSE - now).total_seconds() / 60))


def _address(written: str) -> str | None:
    try:
        address = ipaddress.ip_address(written.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        network = ipaddress.ip_network((address, _IPV6_HOME), strict=False)
        return str(network.network_address)
    return str(address)
