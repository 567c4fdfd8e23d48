"""A request that may be sent twice: the second is given the first one's answer.

Whoever carries a request out holds a lease on its key. What they died over is free again when the
lease ends; carrying it out once more changes nothing, because every use case looks first. Each
step here is a small transaction of its own, before and after that of the use case.
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
"""How long a request may be under way; gunicorn itself ends one after 30 seconds."""
RETENTION_PERIOD: Final = timedelta(hours=24)
OLD_REQUESTS_DELETED_PER_RUN: Final = 50
"""Old requests that a new one clears away at most, so that it never waits for long."""

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
    """A request by its key: whose it is, and what tells it from another."""

    owner: dict[str, Any]
    key: str
    method: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RequestClaim:
    """It is ours to carry out, until the lease ends."""

    id: int
    lease: UUID


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """It was answered before, with this."""

    status: int
    body: str


class IdempotentView(APIView):
    """A view whose changing requests may carry an `Idempotency-Key`."""

    _claimed: RequestClaim | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the caller in, then see whether the request was here before.

        Raises:
            KeyMalformed, KeyReused, RequestInProgress: it cannot be carried out like this, or now.

        """
        key = request.headers.get(KEY_HEADER)
        changes = request.method in self.allowed_methods and request.method not in SAFE_METHODS
        keyed = key is not None and changes
        body = request.body if keyed else b""  # while nobody has read it as a form
        super().initial(request, *args, **kwargs)
        if not keyed:
            return
        match claim_request(
            _build_keyed_request(request, key=str(key), body=body), now=timezone.now()
        ):
            case RequestClaim() as claimed:
                self._claimed = claimed
            case StoredResponse() as kept:
                raise _AlreadyAnswered(kept)

    def handle_exception(self, exc: Exception) -> Response:
        """Give an answer of before where there is one, and every error in its shape."""
        if isinstance(exc, _AlreadyAnswered):
            replayed: Response = _replay_response(exc.kept)
            return replayed
        found: Response = super().handle_exception(exc)
        return found

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep what is answered, once it is written as it will be sent."""
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        if self._claimed is not None:
            final.add_post_render_callback(partial(_store_or_release, self._claimed))
        return final


class _AlreadyAnswered(Exception):
    def __init__(self, kept: StoredResponse) -> None:
        super().__init__(kept.status)
        self.kept = kept


@transaction.atomic(durable=True)
def claim_request(asked: KeyedRequest, *, now: datetime) -> RequestClaim | StoredResponse:
    """Take a request on, unless it was answered or is under way.

    Raises:
        KeyReused: the key belongs to another request.
        RequestInProgress: somebody else carries it out.

    """
    lease = uuid4()
    fresh: dict[str, Any] = {
        "method": asked.method,
        "path": asked.path[:300],
        "fingerprint": asked.fingerprint,
        "created_at": now,
        "lease": lease,
        "lease_until": now + LEASE,
    }
    first = IdempotentRequest(**asked.owner, key=asked.key, **fresh)
    IdempotentRequest.objects.bulk_create([first], ignore_conflicts=True)
    rows = IdempotentRequest.objects.select_for_update()
    row = rows.filter(**asked.owner, key=asked.key).first()
    if row is None:  # given back between the two statements
        raise RequestInProgress
    if row.lease != lease:
        if (kept := _find_stored_response(row, asked, now=now)) is not None:
            return kept
        again = {**fresh, "status": None, "body": ""}
        IdempotentRequest.objects.filter(pk=row.pk).update(**again)
    return RequestClaim(row.pk, lease)


def store_response(claimed: RequestClaim, *, status: int, body: str) -> None:
    """Remember what was answered, unless the lease ended and somebody else took over."""
    held = IdempotentRequest.objects.filter(pk=claimed.id, lease=claimed.lease)
    held.update(status=status, body=body, lease=None, lease_until=None)


def release_claim(claimed: RequestClaim) -> None:
    """Let the same request come again, as if it had never been."""
    IdempotentRequest.objects.filter(pk=claimed.id, lease=claimed.lease).delete()


def delete_old_requests(*, now: datetime) -> int:
    """Delete some of the requests that are older than a day, and say how many."""
    old = IdempotentRequest.objects.filter(created_at__lte=now - RETENTION_PERIOD).order_by(
        "created_at"
    )
    if not old.exists():
        return 0
    with transaction.atomic():
        free = old.select_for_update(skip_locked=True).values_list("pk", flat=True)
        found = list(free[:OLD_REQUESTS_DELETED_PER_RUN])
        IdempotentRequest.objects.filter(pk__in=found).delete()
    return len(found)


def _find_stored_response(
    row: IdempotentRequest, asked: KeyedRequest, *, now: datetime
) -> StoredResponse | None:
    """Say what stands of an earlier request; None: it is over, and may be taken on anew."""
    if row.created_at <= now - RETENTION_PERIOD:
        return None
    if row.fingerprint != asked.fingerprint:
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


def _store_or_release(claimed: RequestClaim, response: Any) -> None:
    """Keep the answer or give the key back; what was done is done, whatever becomes of this."""
    try:
        if _is_final(response):
            store_response(claimed, status=response.status_code, body=response.content.decode())
        else:
            release_claim(claimed)
        delete_old_requests(now=timezone.now())
    except (OperationalError, InterfaceError) as error:  # the lease ends by itself
        _log.warning("answer_not_kept", id=claimed.id, error=type(error).__name__)


def _is_final(response: Any) -> bool:
    """Whether the same request would be answered the same again."""
    status = response.status_code
    if status >= 500 or status in _STATUSES_NEVER_STORED:  # noqa: PLR2004 - a fault of ours
        return False
    data = getattr(response, "data", None)
    return not (isinstance(data, dict) and data.get("retryable"))


def _replay_response(kept: StoredResponse) -> Any:
    content_type = "application/json" if kept.body else None
    answer = HttpResponse(kept.body, status=kept.status, content_type=content_type)
    answer[REPLAYED_HEADER] = "true"
    return answer
