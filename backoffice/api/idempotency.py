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

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
LEASE: Final = timedelta(seconds=60)
"""How long a request may be under way; gunicorn itself ends one after 30 seconds."""
KEPT_FOR: Final = timedelta(hours=24)
FORGOTTEN_AT_ONCE: Final = 50
"""Old requests that a new one clears away at most, so that it never waits for long."""

_KEY: Final = re.compile(r"[ -~]{1,255}")
_NEVER_KEPT: Final = frozenset({401, 403, 429})

_log = logs.get_logger(__name__)


class KeyMalformed(DomainError):
    """An Idempotency-Key has 1 to 255 characters of printable ASCII."""

    code = "idempotency_key_malformed"


class KeyReused(DomainError):
    """This Idempotency-Key belongs to another request; a new request needs a new key."""

    code = "idempotency_key_reused"


class RequestInProgress(DomainError):
    """The first request with this Idempotency-Key still runs; send it again in a second."""

    code = "request_in_progress"
    retryable = True


@dataclass(frozen=True, slots=True)
class Asked:
    """A request by its key: whose it is, and what tells it from another."""

    owner: dict[str, Any]
    key: str
    method: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """It is ours to carry out, until the lease ends."""

    id: int
    lease: UUID


@dataclass(frozen=True, slots=True)
class Kept:
    """It was answered before, with this."""

    status: int
    body: str


class Idempotent(APIView):
    """A view whose changing requests may carry an `Idempotency-Key`."""

    _claimed: Claimed | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the caller in, then see whether the request was here before.

        Raises:
            KeyMalformed, KeyReused, RequestInProgress: it cannot be carried out like this, or now.

        """
        key = request.headers.get(HEADER)
        changes = request.method in self.allowed_methods and request.method not in SAFE_METHODS
        keyed = key is not None and changes
        body = request.body if keyed else b""  # while nobody has read it as a form
        super().initial(request, *args, **kwargs)
        if not keyed:
            return
        match begin(_asked(request, key=str(key), body=body), now=timezone.now()):
            case Claimed() as claimed:
                self._claimed = claimed
            case Kept() as kept:
                raise _AnsweredBefore(kept)

    def handle_exception(self, exc: Exception) -> Response:
        """Give an answer of before where there is one, and every error in its shape."""
        if isinstance(exc, _AnsweredBefore):
            replayed: Response = _replay(exc.kept)
            return replayed
        found: Response = super().handle_exception(exc)
        return found

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep what is answered, once it is written as it will be sent."""
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        if self._claimed is not None:
            final.add_post_render_callback(partial(_settle, self._claimed))
        return final


class _AnsweredBefore(Exception):
    def __init__(self, kept: Kept) -> None:
        super().__init__(kept.status)
        self.kept = kept


@transaction.atomic(durable=True)
def begin(asked: Asked, *, now: datetime) -> Claimed | Kept:
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
        if (kept := _standing(row, asked, now=now)) is not None:
            return kept
        again = {**fresh, "status": None, "body": ""}
        IdempotentRequest.objects.filter(pk=row.pk).update(**again)
    return Claimed(row.pk, lease)


def keep(claimed: Claimed, *, status: int, body: str) -> None:
    """Remember what was answered, unless the lease ended and somebody else took over."""
    held = IdempotentRequest.objects.filter(pk=claimed.id, lease=claimed.lease)
    held.update(status=status, body=body, lease=None, lease_until=None)


def give_back(claimed: Claimed) -> None:
    """Let the same request come again, as if it had never been."""
    IdempotentRequest.objects.filter(pk=claimed.id, lease=claimed.lease).delete()


def forget_old(*, now: datetime) -> int:
    """Delete some of the requests that are older than a day, and say how many."""
    old = IdempotentRequest.objects.filter(created_at__lte=now - KEPT_FOR).order_by("created_at")
    if not old.exists():
        return 0
    with transaction.atomic():
        free = old.select_for_update(skip_locked=True).values_list("pk", flat=True)
        found = list(free[:FORGOTTEN_AT_ONCE])
        IdempotentRequest.objects.filter(pk__in=found).delete()
    return len(found)


def _standing(row: IdempotentRequest, asked: Asked, *, now: datetime) -> Kept | None:
    """Say what stands of an earlier request; None: it is over, and may be taken on anew."""
    if row.created_at <= now - KEPT_FOR:
        return None
    if row.fingerprint != asked.fingerprint:
        raise KeyReused(method=row.method, path=row.path)
    if row.status is not None:
        return Kept(row.status, row.body)
    if row.lease_until is not None and row.lease_until > now:
        raise RequestInProgress
    return None


def _asked(request: Request, *, key: str, body: bytes) -> Asked:
    if not _KEY.fullmatch(key):
        raise KeyMalformed(length=len(key))
    by_token = isinstance(request.auth, ApiToken)
    owner: dict[str, Any] = (
        {"token_id": request.auth.pk} if by_token else {"user_id": request.user.pk}
    )
    method, path = str(request.method), request.path.rstrip("/")
    head = f"{method} {path}?{request.META.get('QUERY_STRING', '')}\n".encode()
    return Asked(owner, key, method, path, hashlib.sha256(head + body).hexdigest())


def _settle(claimed: Claimed, response: Any) -> None:
    """Keep the answer or give the key back; what was done is done, whatever becomes of this."""
    try:
        if _is_final(response):
            keep(claimed, status=response.status_code, body=response.content.decode())
        else:
            give_back(claimed)
        forget_old(now=timezone.now())
    except (OperationalError, InterfaceError) as error:  # the lease ends by itself
        _log.warning("answer_not_kept", id=claimed.id, error=type(error).__name__)


def _is_final(response: Any) -> bool:
    """Whether the same request would be answered the same again."""
    status = response.status_code
    if status >= 500 or status in _NEVER_KEPT:  # noqa: PLR2004 - a fault of ours
        return False
    data = getattr(response, "data", None)
    return not (isinstance(data, dict) and data.get("retryable"))


def _replay(kept: Kept) -> Any:
    content_type = "application/json" if kept.body else None
    answer = HttpResponse(kept.body, status=kept.status, content_type=content_type)
    answer[REPLAYED] = "true"
    return answer
