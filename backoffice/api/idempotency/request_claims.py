"""Stored idempotent requests: who handles one, and the response that a repeated one gets.

A process that handles a request holds a lease on its key. If the process dies, the key is free
when the lease ends. Handling the request again is then harmless, because every use case checks
first whether its work was done. Each step in this module is a small transaction of its own, before
or after that of the use case. It needs no REST framework: every command loads it, to erase.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import transaction

from backoffice.api.models import IdempotentRequest
from shared.core.errors import DomainError

LEASE: Final = timedelta(seconds=60)
"""Time to handle a request; gunicorn ends a request after 30 seconds."""
RETENTION_PERIOD: Final = timedelta(hours=24)
"""Time for which responses are stored."""
OLD_REQUESTS_DELETED_PER_RUN: Final = 50
"""Largest count of old requests that a new one deletes, so that it is not delayed much."""


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
