"""Middleware: the second factor of sessions, and the Permissions-Policy header."""

from collections.abc import Callable
from functools import partial
from typing import Final, cast

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from backoffice.accounts import second_factor

type GetResponse = Callable[[HttpRequest], HttpResponse]

_PERMISSIONS_POLICY: Final = (
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
)


class SecondFactorMiddleware:
    """Middleware that makes a session anonymous until the user's second factor is verified.

    This covers pages and the API's session logins; API tokens are not sessions.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Replace the request's user by one that is resolved together with the second factor."""
        known = partial(_resolve_user, request.user)
        request.user = cast("User", SimpleLazyObject(known))
        return self.get_response(request)


def _resolve_user(user: User | AnonymousUser) -> User | AnonymousUser:
    if not user.is_authenticated:
        return user
    if second_factor.has_second_factor(user) and not user.is_verified():  # type: ignore[attr-defined]
        return AnonymousUser()
    return user


def set_permissions_policy(get_response: GetResponse) -> GetResponse:
    """Disallow camera, location, microphone and other devices on every page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS_POLICY)
        return response

    return middleware
