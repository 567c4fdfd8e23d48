"""Idempotency keys: a repeated request gets the response of the first one."""

import hashlib
import re
from functools import partial
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.api.idempotency import request_claims
from backoffice.api.idempotency.request_claims import KeyedRequest, RequestClaim, StoredResponse
from backoffice.api.models import ApiToken
from shared.core import logs
from shared.core.errors import DomainError

KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotent-Replayed"

_KEY_PATTERN: Final = re.compile(r"[ -~]{1,255}")
_STATUSES_NEVER_STORED: Final = frozenset({401, 403, 429})

_log = logs.get_logger(__name__)


class IdempotencyKeyMalformed(DomainError):
    """An Idempotency-Key has 1 to 255 characters of printable ASCII."""

    code = "idempotency_key_malformed"


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
        match request_claims.claim_request(
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
            request_claims.store_response(
                claim, status=response.status_code, body=response.content.decode()
            )
        else:
            request_claims.release_claim(claim)
        request_claims.delete_old_requests(now=timezone.now())
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
