"""Authentication of API requests by token or by the session of a staff user."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from backoffice.api import tokens
from backoffice.api.models import ApiToken

_TOKEN_SCHEMES: Final = frozenset({"bearer", "token"})


@dataclass(frozen=True, slots=True)
class TokenUser:
    """Stand-in for a Django user: a program that was authenticated by its token."""

    token: ApiToken

    pk: ClassVar[None] = None
    id: ClassVar[None] = None
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False

    def __str__(self) -> str:
        return self.token.name

    def get_username(self) -> str:
        """Return the token's name."""
        return self.token.name


class ApiTokenAuthentication(BaseAuthentication):
    """Authentication by a token in a header.

    The header is `Authorization: Bearer …`, `Authorization: Token …` or `X-API-Key: …`. A token in
    the URL is not accepted, because proxies log URLs.
    """

    def authenticate(self, request: Request) -> tuple[TokenUser, ApiToken] | None:
        """Return the program and its token, or None if no token was sent.

        Raises:
            AuthenticationFailed: the token is unknown, expired or revoked.

        """
        text = _read_sent_token(request)
        if text is None:
            return None
        now = timezone.now()
        try:
            token = tokens.find_token(text, now=now)
        except tokens.TokenRefused as refused:
            raise AuthenticationFailed(refused.message(), code=refused.code) from refused
        tokens.record_token_use(token, now=now)
        return TokenUser(token), token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF gives it
        """Return the value of `WWW-Authenticate` in a response 401."""
        return 'Bearer realm="api"'


class StaffSessionAuthentication(SessionAuthentication):
    """Authentication by a back office session of a staff user, with CSRF protection."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the user and None, or None if no staff user is logged in."""
        authenticated: tuple[Any, Any] | None = super().authenticate(request)
        return authenticated if authenticated is not None and authenticated[0].is_staff else None

    def enforce_csrf(self, request: Request) -> None:
        """Check the header `X-CSRFToken` against the cookie.

        Raises:
            PermissionDenied: they differ, or one of them is missing.

        """
        try:
            super().enforce_csrf(request)
        except PermissionDenied as refused:
            raise PermissionDenied(
                "A call with a session needs the header X-CSRFToken; programs use a token.",
                code="csrf_failed",
            ) from refused


def _read_sent_token(request: Request) -> str | None:
    scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() in _TOKEN_SCHEMES:
        return text.strip()
    key = request.headers.get("X-API-Key")
    return None if key is None else key.strip()
