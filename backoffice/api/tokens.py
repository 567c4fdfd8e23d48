"""Makes tokens, knows them again and takes them back.

A model of our own: djangorestframework-api-key has neither scopes nor a last use, and the tokens of
django-rest-knox are logins of people, without a name.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Q

from backoffice.api.models import ApiToken
from shared.core import logs
from shared.core.enums import Scope
from shared.core.errors import DomainError

TOKEN_PREFIX: Final = "rtb_"  # noqa: S105 - no secret: what every token begins with
"""How every token begins, so that scanners for leaked secrets can know one."""
_RANDOM_BYTES: Final = 30
"""Of randomness: 240 bits, 40 characters."""
SHOWN_CHARACTERS: Final = 10
"""Characters of a token that are kept to tell it from others; 36 bits of it are then known."""
_LAST_USE_INTERVAL: Final = timedelta(minutes=1)
_SQLITE_BUSY_TIMEOUT_MS: Final = 200
"""Milliseconds that SQLite may be waited for to note a use."""

_log = logs.get_logger(__name__)


class TokenRefused(DomainError):
    """The token is not valid."""

    code = "authentication_failed"


class TokenUnknown(TokenRefused):
    """The token is not valid."""


class TokenExpired(TokenRefused):
    """The token has expired; a new one is made in the back office or by `manage api_token`."""

    code = "token_expired"


class TokenRevoked(TokenRefused):
    """The token was taken back."""

    code = "token_revoked"


class TokenNameTaken(DomainError):
    """Another token that works has this name; revoke that one first, or choose another name."""

    code = "token_name_taken"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; its text is known here and now, and nowhere afterwards."""

    token: ApiToken
    text: str


def issue_token(
    *, name: str, scope: Scope, by: str, now: datetime, expires_at: datetime | None = None
) -> IssuedToken:
    """Make a token.

    Args:
        name: who uses it, at most 60 characters; the histories of orders show it.
        scope: what it may do.
        by: who makes it.
        now: the clock.
        expires_at: from when it is refused; None: never.

    Raises:
        TokenNameTaken: a token that is not revoked has the name.

    """
    text = TOKEN_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                name=name,
                prefix=text[:SHOWN_CHARACTERS],
                digest=hash_token(text),
                scope=scope,
                created_at=now,
                created_by=by,
                expires_at=expires_at,
            )
    except IntegrityError:
        raise TokenNameTaken(name=name) from None
    _log.info("token_issued", token_id=token.pk, scope=scope, by=by)
    return IssuedToken(token, text)


def find_token(text: str, *, now: datetime) -> ApiToken:
    """Give the token that somebody sent.

    It is looked up by its digest, so that how long the search takes says nothing about the text.

    Raises:
        TokenUnknown, TokenRevoked, TokenExpired: it opens nothing.

    """
    token = ApiToken.objects.filter(digest=hash_token(text)).first()
    if token is None:
        raise TokenUnknown
    if token.revoked_at is not None:
        raise TokenRevoked(revoked_at=token.revoked_at)
    if token.expires_at is not None and token.expires_at <= now:
        raise TokenExpired(expired_at=token.expires_at)
    return token


def revoke_token(token: ApiToken, *, by: str, now: datetime) -> None:
    """Take a token back, from the next request on; a second time changes nothing."""
    working = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
    if working.update(revoked_at=now, revoked_by=by):
        _log.info("token_revoked", token_id=token.pk, by=by)
    token.refresh_from_db()


def record_token_use(token: ApiToken, *, now: datetime) -> None:
    """Write down that a token was used, to the minute; a database that is busy is left alone."""
    before = now - _LAST_USE_INTERVAL
    if token.last_used_at is not None and token.last_used_at > before:
        return
    stale = ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=token.pk)
    try:
        with _short_busy_timeout():
            stale.update(last_used_at=now)
    except (OperationalError, InterfaceError) as error:
        _log.warning("token_use_not_noted", token_id=token.pk, error=type(error).__name__)


def hash_token(text: str) -> str:
    """Give what is kept of a token: with 240 random bits, a slow hash would add nothing."""
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _short_busy_timeout() -> Iterator[None]:
    """Wait for a moment only where one writer keeps out all others, as in SQLite."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    sqlite = connection.connection
    before = int(sqlite.execute("PRAGMA busy_timeout").fetchone()[0])
    sqlite.execute(f"PRAGMA busy_timeout = {_SQLITE_BUSY_TIMEOUT_MS}")
    try:
        yield
    finally:
        sqlite.execute(f"PRAGMA busy_timeout = {before}")
