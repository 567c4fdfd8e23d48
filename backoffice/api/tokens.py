"""Creation, lookup and revocation of API tokens.

The project has a model of its own, because tokens of djangorestframework-api-key have neither
scopes nor a time of last use, and those of django-rest-knox belong to users and have no name.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import CharField, Q

from backoffice.api.models import ApiToken
from shared.core import logs
from shared.core.enums import Scope
from shared.core.errors import DomainError
from shared.core.statements.compiled_queries import CompiledQuery, Parameter

TOKEN_PREFIX: Final = "rtb_"  # noqa: S105 - not a secret: every token begins with it
"""First characters of every token, by which scanners for leaked secrets recognise one."""
_RANDOM_BYTES: Final = 30
"""Random bytes in a token: 240 bits, 40 characters."""
SHOWN_CHARACTERS: Final = 10
"""First characters of a token that are stored to identify it; they reveal 36 random bits."""
_LAST_USE_INTERVAL: Final = timedelta(minutes=1)
"""Precision of the time of last use."""
_SQLITE_BUSY_TIMEOUT_MS: Final = 200
"""Milliseconds to wait for SQLite when a use is recorded."""

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
    """A new token with its text, which is not stored anywhere."""

    token: ApiToken
    text: str


def issue_token(
    *, name: str, scope: Scope, by: str, now: datetime, expires_at: datetime | None = None
) -> IssuedToken:
    """Create a token.

    Args:
        name: name of the program that uses it, at most 60 characters; histories of orders show it.
        scope: the scope of the token.
        by: name of the person who creates it.
        now: the current time.
        expires_at: the time from which it is invalid; None: never.

    Returns:
        The token with its text, which cannot be read again later.

    Raises:
        TokenNameTaken: another token that is not revoked has the name.

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
    """Return the token with a text.

    The lookup is by digest, so its duration reveals nothing about the text.

    Args:
        text: the text that a caller sent.
        now: the current time.

    Raises:
        TokenUnknown: there is no such token.
        TokenRevoked: the token was revoked.
        TokenExpired: the token has expired.

    """
    found = _TOKEN.fetch(digest=hash_token(text))
    if not found:
        raise TokenUnknown
    [token] = found
    if token.revoked_at is not None:
        raise TokenRevoked(revoked_at=token.revoked_at)
    if token.expires_at is not None and token.expires_at <= now:
        raise TokenExpired(expired_at=token.expires_at)
    return token


_TOKEN: Final = CompiledQuery(
    lambda: ApiToken.objects.filter(digest=Parameter("digest", CharField()))
)


def revoke_token(token: ApiToken, *, by: str, now: datetime) -> None:
    """Revoke a token from the next request on; a revoked token stays as it is.

    Args:
        token: the token; it is reloaded.
        by: name of the person who revokes it.
        now: the current time.

    """
    working = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
    if working.update(revoked_at=now, revoked_by=by):
        _log.info("token_revoked", token_id=token.pk, by=by)
    token.refresh_from_db()


def record_token_use(token: ApiToken, *, now: datetime) -> None:
    """Record the time of a token's last use, to the minute.

    If the database is busy, the use is not recorded, and a warning is logged.
    """
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
    """Return the digest of a token that is stored: SHA-256 in hex.

    A slow hash would not add security, because a token has 240 random bits.
    """
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _short_busy_timeout() -> Iterator[None]:
    """Shorten the busy timeout of SQLite, where one writer blocks all others.

    Other databases keep their timeouts.
    """
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
