"""Login lockout after too many wrong passwords."""

from datetime import datetime
from math import ceil
from typing import Any

from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from backoffice.client_ip import get_client_ip


def lockout_view(
    request: HttpRequest,
    _response: HttpResponse | None = None,
    credentials: dict[str, Any] | None = None,
) -> HttpResponse:
    """Return the lockout page with status 429; django-axes calls this view."""
    name = get_client_username(request, credentials) or ""
    minutes = count_minutes_left(name, address=get_client_ip(request), now=timezone.now())
    context = {
        "title": "A short pause",
        "minutes": minutes,
        "failures": settings.AXES_FAILURE_LIMIT,
    }
    response = render(
        request, "admin/locked.html", admin.site.each_context(request) | context, status=429
    )
    response["Retry-After"] = str(minutes * 60)
    return response


def count_minutes_left(username: str, *, address: str | None, now: datetime) -> int:
    """Return the minutes until the user may log in again from an address, at least one."""
    attempts = AccessAttempt.objects.filter(username=username, ip_address=address)
    last: datetime = attempts.aggregate(last=Max("attempt_time"))["last"] or now
    return max(1, ceil((last + settings.AXES_COOLOFF_TIME - now).total_seconds() / 60))
