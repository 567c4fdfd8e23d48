"""How long a session lasts: from its last use, written down now and then, not at every request."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

_USED: Final = "last_used"
_WRITTEN_EVERY: Final = 10 * 60
"""Seconds between two notes of the last use; a session ends at most so much early."""


def begun(request: HttpRequest, **_: Any) -> None:
    """Note the first use; Django calls it at each login."""
    request.session[_USED] = timezone.now().timestamp()


def sliding(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Prolong the session of who goes on working."""

    def middleware(request: HttpRequest) -> HttpResponse:
        now = timezone.now().timestamp()
        session = request.session
        if SESSION_KEY in session and now - session.get(_USED, 0) > _WRITTEN_EVERY:
            session[_USED] = now
        return get_response(request)

    return middleware
