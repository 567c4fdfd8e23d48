"""How a program, or a person who is logged in, says who asks."""

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
    """Stands where Django has a user: a program that has proved itself with its token."""

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
        """Give the token's name."""
        return self.token.name


class ApiTokenAuthentication(BaseAuthentication):
    """A token in `Authorization: Bearer …`, `Authorization: Token …` or `X-API-Key: …`.

    Never in the address, which ends up in the logs of everything in between.
    """

    def authenticate(self, request: Request) -> tuple[TokenUser, ApiToken] | None:
        """Give the program and its token, or None where no token was sent.

        Raises:
            AuthenticationFailed: the token is not one of ours, or not any more.

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
        """Name the scheme that a 401 asks for."""
        return 'Bearer realm="api"'


class StaffSessionAuthentication(SessionAuthentication):
    """A person of the staff who is logged in to the back office, with CSRF protection."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Give the person, or None where nobody of the staff is logged in."""
        found: tuple[Any, Any] | None = super().authenticate(request)
        return found if found is not None and found[0].is_staff else None

    def enforce_csrf(self, request: Request) -> None:
        """Compare the header `X-CSRFToken` with the cookie.

        Raises:
            PermissionDenied: they differ, or one is missing.

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
