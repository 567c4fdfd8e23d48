"""Idempotency keys: a repeated request gets the response of the first one.

A process that handles a request holds a lease on its key. If the process dies, the key is free
when the lease ends. Handling the request again is then harmless, because every use case checks
first whether its work was done. Each step in this module is a small transaction of its own, before
or after that of the use case.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api.models import ApiToken, IdempotentRequest
from shared.core import logs
from shared.core.errors import DomainError

KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotent-Replayed"
LEASE: Final = timedelta(seconds=60)
"""Time to handle a request; gunicorn ends a request after 30 seconds."""
RETENTION_PERIOD: Final = timedelta(hours=24)
"""Time for which responses are stored."""
OLD_REQUESTS_DELETED_PER_RUN: Final = 50
"""Largest count of old requests that a new one deletes, so that it is not delayed much."""

_KEY_PATTERN: Final = re.compile(r"[ -~]{1,255}")
_STATUSES_NEVER_STORED: Final = frozenset({401, 403, 429})

_log = logs.get_logger(__name__)


class IdempotencyKeyMalformed(DomainError):
    """An Idempotency-Key has 1 to 255 characters of printable ASCII."""

    code = "idempotency_key_malformed"


class IdempotencyKeyReused(DomainError):
    """This Idempotency-Key belongs to another request; a new request needs a new key."""

    code = "idempotency_key_reused"


class RequestInProgress(DomainError):
    """The first request with this Idempotency-Key still runs; send it again in a second."""

    code = "request_in_progress"
    retryable = True


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with an idempotency key.

    Attributes:
        owner: the field and id of the token or user that sent it.
        key: the key, which is unique per owner.
        method: the HTTP method.
        path: the path, without a trailing slash.
        fingerprint: SHA-256 in hex of method, path, query and body.

    """

    owner: dict[str, Any]
    key: str
    method: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RequestClaim:
    """The right to handle a request until its lease ends."""

    id: int
    lease: UUID


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The stored response to an earlier request."""

    status: int
    body: str


class IdempotentView(APIView):
    """Base of views whose unsafe methods accept an `Idempotency-Key`."""

    _claim: RequestClaim | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate the caller, then claim the request if it has a key.

        Raises:
            IdempotencyKeyMalformed: the key is not valid.
            IdempotencyKeyReused: the key belongs to another request.
            RequestInProgress: the first request with the key is still being handled.

        """
        key = request.headers.get(KEY_HEADER)
        is_unsafe = request.method in self.allowed_methods and request.method not in SAFE_METHODS
        has_key = key is not None and is_unsafe
        body = request.body if has_key else b""  # before it is read as a form
        super().initial(request, *args, **kwargs)
        if not has_key:
            return
        match claim_request(
            _build_keyed_request(request, key=str(key), body=body), now=timezone.now()
        ):
            case RequestClaim() as claim:
                self._claim = claim
            case StoredResponse() as stored:
                raise _AlreadyAnswered(stored)

    def handle_exception(self, exc: Exception) -> Response:
        """Return the stored response if there is one, or the response to an error."""
        if isinstance(exc, _AlreadyAnswered):
            replayed: Response = _replay_response(exc.stored)
            return replayed
        response: Response = super().handle_exception(exc)
        return response

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Store the response once it is rendered."""
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        if self._claim is not None:
            final.add_post_render_callback(partial(_store_or_release, self._claim))
        return final


class _AlreadyAnswered(Exception):
    def __init__(self, stored: StoredResponse) -> None:
        super().__init__(stored.status)
        self.stored = stored


@transaction.atomic(durable=True)
def claim_request(keyed: KeyedRequest, *, now: datetime) -> RequestClaim | StoredResponse:
    """Claim a request, unless it has a response already or is being handled.

    Args:
        keyed: the request.
        now: the current time.

    Returns:
        A claim, or the response that is stored for the request.

    Raises:
        IdempotencyKeyReused: the key belongs to another request.
        RequestInProgress: the first request with the key is still being handled.

    """
    lease = uuid4()
    fresh: dict[str, Any] = {
        "method": keyed.method,
        "path": keyed.path[:300],
        "fingerprint": keyed.fingerprint,
        "created_at": now,
        "lease": lease,
        "lease_until": now + LEASE,
    }
    first = IdempotentRequest(**keyed.owner, key=keyed.key, **fresh)
    IdempotentRequest.objects.bulk_create([first], ignore_conflicts=True)
    rows = IdempotentRequest.objects.select_for_update()
    row = rows.filter(**keyed.owner, key=keyed.key).first()
    if row is None:  # released between the two statements
        raise RequestInProgress
    if row.lease != lease:
        if (stored := _find_stored_response(row, keyed, now=now)) is not None:
            return stored
        again = {**fresh, "status": None, "body": ""}
        IdempotentRequest.objects.filter(pk=row.pk).update(**again)
    return RequestClaim(row.pk, lease)


def store_response(claim: RequestClaim, *, status: int, body: str) -> None:
    """Store the response to a request, unless the lease ended and another process took over.

    Args:
        claim: the claim on the request.
        status: the HTTP status.
        body: the body as it is sent.

    """
    held = IdempotentRequest.objects.filter(pk=claim.id, lease=claim.lease)
    held.update(status=status, body=body, lease=None, lease_until=None)


def release_claim(claim: RequestClaim) -> None:
    """Delete a request that got no final response, so that it can be sent again."""
    IdempotentRequest.objects.filter(pk=claim.id, lease=claim.lease).delete()


def delete_old_requests(*, now: datetime) -> int:
    """Delete some of the requests whose retention period is over, and return their count."""
    old = IdempotentRequest.objects.filter(created_at__lte=now - RETENTION_PERIOD).order_by(
        "created_at"
    )
    if not old.exists():
        return 0
    with transaction.atomic():
        free = old.select_for_update(skip_locked=True).values_list("pk", flat=True)
        ids = list(free[:OLD_REQUESTS_DELETED_PER_RUN])
        IdempotentRequest.objects.filter(pk__in=ids).delete()
    return len(ids)


def _find_stored_response(
    row: IdempotentRequest, keyed: KeyedRequest, *, now: datetime
) -> StoredResponse | None:
    """Return the response to an earlier request with the same key.

    Returns:
        The response; None if the request may be handled again, because its retention period is
        over or its lease has ended without a response.

    Raises:
        IdempotencyKeyReused: the earlier request was another one.
        RequestInProgress: the earlier request is still being handled.

    """
    if row.created_at <= now - RETENTION_PERIOD:
        return None
    if row.fingerprint != keyed.fingerprint:
        raise IdempotencyKeyReused(method=row.method, path=row.path)
    if row.status is not None:
        return StoredResponse(row.status, row.body)
    if row.lease_until is not None and row.lease_until > now:
        raise RequestInProgress
    return None


def _build_keyed_request(request: Request, *, key: str, body: bytes) -> KeyedRequest:
    if not _KEY_PATTERN.fullmatch(key):
        raise IdempotencyKeyMalformed(length=len(key))
    by_token = isinstance(request.auth, ApiToken)
    owner: dict[str, Any] = (
        {"token_id": request.auth.pk} if by_token else {"user_id": request.user.pk}
    )
    method, path = str(request.method), request.path.rstrip("/")
    head = f"{method} {path}?{request.META.get('QUERY_STRING', '')}\n".encode()
    return KeyedRequest(owner, key, method, path, hashlib.sha256(head + body).hexdigest())


def _store_or_release(claim: RequestClaim, response: Any) -> None:
    """Store a final response, or release the claim after any other one.

    An error of the database is only logged, because the work of the use case is committed.
    """
    try:
        if _is_final(response):
            store_response(claim, status=response.status_code, body=response.content.decode())
        else:
            release_claim(claim)
        delete_old_requests(now=timezone.now())
    except (OperationalError, InterfaceError) as error:  # the lease ends by itself
        _log.warning("answer_not_kept", id=claim.id, error=type(error).__name__)


def _is_final(response: Any) -> bool:
    """Whether the same request would get the same response again."""
    status = response.status_code
    if status >= 500 or status in _STATUSES_NEVER_STORED:  # noqa: PLR2004 - a server error
        return False
    data = getattr(response, "data", None)
    return not (isinstance(data, dict) and data.get("retryable"))


def _replay_response(stored: StoredResponse) -> Any:
    content_type = "application/json" if stored.body else None
    response = HttpResponse(stored.body, status=stored.status, content_type=content_type)
    response[REPLAYED_HEADER] = "true"
    return response
