"""Every refusal and every fault as one shape: code, message, detail, retryable."""

from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from shared.core import logs
from shared.core.errors import DomainError

log = logs.get(__name__)

STATUS: Final[Mapping[str, int]] = {
    "order_not_found": 404,
    "raffle_not_found": 404,
    "amount_mismatch": 422,
}
"""HTTP status of a domain error by its code; every other one is a conflict, 409."""

_FRAMEWORK: Final[Mapping[type[Exception], tuple[str, str]]] = {
    exceptions.ValidationError: ("malformed", "Some values are missing or malformed."),
    exceptions.ParseError: ("malformed", "The body is not valid JSON."),
    exceptions.NotAuthenticated: ("not_authenticated", "A token is needed."),
    exceptions.AuthenticationFailed: ("authentication_failed", "The token is not valid."),
    exceptions.PermissionDenied: ("permission_denied", "The token's user may not do this."),
    exceptions.NotFound: ("not_found", "There is nothing at this address."),
    exceptions.MethodNotAllowed: ("method_not_allowed", "This address takes another method."),
    exceptions.NotAcceptable: ("not_acceptable", "Only JSON can be answered."),
    exceptions.UnsupportedMediaType: ("unsupported_media_type", "Send JSON or a form."),
    exceptions.Throttled: ("throttled", "Too many requests; wait a little."),
}

RETRY_AFTER: Final = "1"
"""Seconds after which a request that met a busy database may come again."""


def problem(
    code: str, message: str, *, detail: Any = None, retryable: bool = False, **more: Any
) -> dict[str, Any]:
    """Build the body of an error.

    Args:
        code: stable, for programs.
        message: one sentence, for people; n8n shows it first.
        detail: values that belong to it.
        retryable: whether the same request may succeed later.
        more: values that clients expect at the top.

    """
    return {"code": code, "message": message, "detail": detail, "retryable": retryable, **more}


def answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """Turn whatever a view raised into a response; DRF calls it."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    match error:
        case DomainError():
            return refusal(error)
        case exceptions.APIException():
            return _framework(error)
        case OperationalError() | InterfaceError():
            log.warning("database_busy", error=type(error).__name__)
            body = problem(
                "database_busy", "The database is busy; nothing was changed.", retryable=True
            )
            return Response(body, status=503, headers={"Retry-After": RETRY_AFTER})
        case RequestDataTooBig():
            return Response(problem("too_large", "The body is too large."), status=413)
    log.error("api_failed", view=type(context["view"]).__name__, exc_info=error)
    return Response(
        problem("internal_error", "Something went wrong here; it is logged.", retryable=True),
        status=500,
    )


def refusal(error: DomainError) -> Response:
    """Turn a domain error into a response, by the one table of this module."""
    return Response(
        problem(
            error.code,
            error.message(),
            detail={key: plain(value) for key, value in error.details.items()},
            retryable=error.retryable,
        ),
        status=STATUS.get(error.code, 409),
    )


def plain(value: Any) -> Any:
    """Give a value of an error's details as JSON can carry it."""
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _framework(error: exceptions.APIException) -> Response:
    code, message = _FRAMEWORK.get(type(error), ("refused", str(error.detail)))
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    body = problem(
        code, message, detail=error.detail, retryable=isinstance(error, exceptions.Throttled)
    )
    return Response(body, status=error.status_code, headers=headers)
