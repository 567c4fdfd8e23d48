"""What happens after too many wrong passwords: a pause, said kindly and with its length."""

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

from backoffice.client_ip import get_client_ip

MAX_LOGIN_FAILURES: Final = 5
LOCKOUT_DURATION: Final = timedelta(minutes=15)


def lockout_view(
    request: HttpRequest,
    _response: HttpResponse | None = None,
    credentials: dict[str, Any] | None = None,
) -> HttpResponse:
    """Answer somebody who typed too many wrong passwords; django-axes calls it."""
    name = get_client_username(request, credentials) or ""
    minutes = count_minutes_left(name, address=get_client_ip(request), now=timezone.now())
    context = {"title": "A short pause", "minutes": minutes, "failures": MAX_LOGIN_FAILURES}
    page = admin.site.each_context(request) | context
    locked = render(request, "admin/locked.html", page, status=429)
    locked["Retry-After"] = str(minutes * 60)
    return locked


def count_minutes_left(username: str, *, address: str | None, now: datetime) -> int:
    """Count the minutes until a name is let in again from an address; at least one."""
    attempts = AccessAttempt.objects.filter(username=username, ip_address=address)
    last: datetime = attempts.aggregate(last=Max("attempt_time"))["last"] or now
    return max(1, ceil((last + LOCKOUT_DURATION - now).total_seconds() / 60))
