"""Error responses in one format: code, message, detail, retryable."""

import backoffice.api.lean_framework  # noqa: F401 # isort: skip - before the framework

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.response import Response

from shared.core import logs
from shared.core.errors import DomainError

log = logs.get_logger(__name__)

STATUS_PER_CODE: Final[Mapping[str, int]] = {
    "address_malformed": 422,
    "address_private": 422,
    "amount_mismatch": 422,
    "amount_out_of_bounds": 422,
    "event_type_unknown": 422,
    "header_refused": 422,
    "idempotency_key_malformed": 400,
    "idempotency_key_reused": 422,
    "link_invalid": 422,
    "note_empty": 422,
    "note_missing": 400,
    "note_too_long": 422,  # e.g. reference and note together; each alone is checked before
    "numbers_unknown": 422,
    "proof_elsewhere": 422,
    "proof_erased": 410,
    "proof_failed": 410,
    "proof_link_broken": 403,
    "proof_link_expired": 403,
    "quantity_out_of_bounds": 422,
    "scope_missing": 403,
    "secret_refused": 422,
    "value_invalid": 422,
}
"""HTTP status by the code of a domain error; by default 404 for `…_not_found` and 409 otherwise."""

_FRAMEWORK_PROBLEMS: Final[Mapping[type[Exception], tuple[str, str]]] = {
    exceptions.ValidationError: ("malformed", "Some values are missing or malformed."),
    exceptions.ParseError: ("malformed", "The body is not valid JSON."),
    exceptions.NotAuthenticated: ("not_authenticated", "A token is needed."),
    exceptions.AuthenticationFailed: ("authentication_failed", "The token is not valid."),
    exceptions.PermissionDenied: ("permission_denied", "This caller may not do this."),
    exceptions.NotFound: ("not_found", "There is nothing at this address."),
    exceptions.MethodNotAllowed: ("method_not_allowed", "This address takes another method."),
    exceptions.NotAcceptable: ("not_acceptable", "Only JSON can be answered."),
    exceptions.UnsupportedMediaType: (
        "unsupported_media_type",
        "Send JSON or a form, written in UTF-8.",
    ),
    exceptions.Throttled: ("throttled", "Too many requests; wait a little."),
}

RETRY_AFTER_SECONDS: Final = "1"
"""`Retry-After` of responses to requests that failed because something was busy, in seconds."""


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """Response to an error: HTTP status, body and headers."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def build_problem(
    code: str, message: str, *, detail: Any = None, retryable: bool = False, **more: Any
) -> dict[str, Any]:
    """Return the body of an error response.

    Args:
        code: stable code for programs.
        message: one sentence for people; n8n shows it first.
        detail: values that belong to the error.
        retryable: whether the same request may succeed later.
        more: further fields of the body.

    """
    return {"code": code, "message": message, "detail": detail, "retryable": retryable, **more}


def handle_api_exception(error: Exception, context: Mapping[str, Any]) -> Response:
    """Return the response to an exception of a view; DRF calls it as its exception handler."""
    described = describe_error(error)
    if described.status == 500:  # noqa: PLR2004 - an unexpected error
        log.error("api_failed", view=type(context["view"]).__name__, exc_info=error)
    elif described.status == 503:  # noqa: PLR2004 - the database is busy
        log.warning("database_busy", error=type(error).__name__)
    return Response(described.body, status=described.status, headers=dict(described.headers))


def describe_error(error: BaseException | None) -> ErrorResponse:
    """Return status, body and headers of the response to any error."""
    match error:
        case DomainError():
            return _describe_domain_error(error)
        case exceptions.APIException():
            return _describe_framework_error(error)
        case Http404():
            return _describe_framework_error(exceptions.NotFound())
        case PermissionDenied():
            return _describe_framework_error(exceptions.PermissionDenied())
        case OperationalError() | InterfaceError():
            message = "The database is busy or out of reach; send the same request again."
            body = build_problem("database_busy", message, retryable=True)
            return ErrorResponse(503, body, {"Retry-After": RETRY_AFTER_SECONDS})
    return _describe_django_error(error) or ErrorResponse(
        500,
        build_problem("internal_error", "Something went wrong here; it is logged.", retryable=True),
    )


def render_json_error(error: BaseException | None) -> HttpResponse:
    """Return the response to an error outside of the views of DRF."""
    described = describe_error(error)
    return JsonResponse(described.body, status=described.status, headers=dict(described.headers))


def convert_to_json_value(value: Any) -> Any:
    """Convert a value of an error's details to one that JSON can represent."""
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [convert_to_json_value(part) for part in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _describe_domain_error(error: DomainError) -> ErrorResponse:
    body = build_problem(
        error.code,
        error.message(),
        detail={key: convert_to_json_value(value) for key, value in error.details.items()},
        retryable=error.retryable,
    )
    default_status = 404 if error.code.endswith("_not_found") else 409
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if error.retryable else {}
    return ErrorResponse(STATUS_PER_CODE.get(error.code, default_status), body, headers)


def _describe_framework_error(error: exceptions.APIException) -> ErrorResponse:
    kinds = type(error).__mro__
    known = next((_FRAMEWORK_PROBLEMS[kind] for kind in kinds if kind in _FRAMEWORK_PROBLEMS), None)
    code, message = known or ("refused", str(error.detail))
    own_code = getattr(error.detail, "code", error.default_code)
    if own_code != error.default_code:  # raised with its own code and sentence
        code, message = own_code, str(error.detail)
    elif isinstance(error, exceptions.ValidationError):
        message = _describe_first_fault(error.detail) or message
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if throttled := isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(max(1, ceil(getattr(error, "wait", None) or 1)))
    body = build_problem(code, message, detail=error.detail, retryable=throttled)
    return ErrorResponse(error.status_code, body, headers)


def _describe_first_fault(detail: Any, *, where: str = "") -> str:
    """Return a message about the first invalid value, such as "proofs.0: Send a number."."""
    if isinstance(detail, dict | list) and detail:
        items = detail.items() if isinstance(detail, dict) else enumerate(detail)
        name, inside = next((item for item in items if item[1]), (None, None))
        leaf = isinstance(detail, list) and isinstance(inside, str)
        return _describe_first_fault(inside, where=where if leaf else f"{where}.{name}".strip("."))
    return f"{where}: {detail}" if where and detail else str(detail or "")


def _describe_django_error(error: BaseException | None) -> ErrorResponse | None:
    match error:
        case RequestDataTooBig():
            return ErrorResponse(413, build_problem("too_large", "The body is too large."))
        case DisallowedHost():
            message = "This host is not served here; PUBLIC_URL says which one is."
            return ErrorResponse(400, build_problem("host_not_served", message))
        case SuspiciousOperation() | BadRequest() | MultiPartParserError():
            return ErrorResponse(400, build_problem("malformed", "The request is malformed."))
    return None
