"""How a program says who it is."""
# ruff: noqa: ARG002 - DRF gives these arguments

from typing import Any, Final

from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

_SCHEMES: Final = frozenset({"bearer", "token"})


class ApiToken(TokenAuthentication):
    """A token in `Authorization: Bearer …`, `Authorization: Token …` or `X-API-Key: …`.

    DRF itself knows `Token` only, which is the first thing that fails for users of n8n.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Give the user and the token, or None where no token was sent.

        Raises:
            AuthenticationFailed: the token is not one of ours, or its user is inactive.

        """
        scheme, _, key = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() not in _SCHEMES:
            key = request.headers.get("X-API-Key", "")
            if not key:
                return None
        key = key.strip()
        if not (key.isascii() and key.isalnum()):
            raise AuthenticationFailed("Invalid token.")
        return self.authenticate_credentials(key)

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme that a 401 asks for."""
        return 'Bearer realm="api"'
