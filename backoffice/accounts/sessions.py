"""Session lifetime, counted from the last use; the last use is written only now and then.

Django's `SESSION_SAVE_EVERY_REQUEST` would write the session with each page, picture and poll of a
review page. SQLite has one writer, which the gateway needs for each message, and two requests at
once would overwrite each other's session. It would also set the cookie on every answer.

A page that polls by itself is no use: its requests carry the header `X-Background-Request`, or a
page that somebody left open would never be logged out.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

_LAST_USED_KEY: Final = "last_used"
BACKGROUND_HEADER: Final = "X-Background-Request"
"""Header of the requests that scripts send without anybody's doing."""
_SECONDS_BETWEEN_WRITES: Final = 10 * 60
"""Seconds between two writes of the last use; a session may end that much too early."""


def record_session_start(request: HttpRequest, **_: Any) -> None:
    """Store the first use; Django sends `user_logged_in` at each login."""
    request.session[_LAST_USED_KEY] = timezone.now().timestamp()


def extend_active_sessions(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Extend the session of a user who continues to work."""

    def middleware(request: HttpRequest) -> HttpResponse:
        now = timezone.now().timestamp()
        session = request.session
        if (
            SESSION_KEY in session
            and BACKGROUND_HEADER not in request.headers
            and now - session.get(_LAST_USED_KEY, 0) > _SECONDS_BETWEEN_WRITES
        ):
            session[_LAST_USED_KEY] = now
        return get_response(request)

    return middleware
