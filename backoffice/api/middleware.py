"""Middleware that rejects malformed API requests before authentication."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import UnsupportedMediaType

from backoffice.api.problems import render_json_error

API_PREFIX: Final = "/api/"
"""First part of the path of all API addresses; errors below it are JSON."""

_ACCEPTED_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii"})


def reject_malformed_requests(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Reject API requests with a huge body, another character set than UTF-8, or a NUL."""

    def middleware(request: HttpRequest) -> HttpResponse:
        fault = _find_fault(request) if is_api_request(request) else None
        return get_response(request) if fault is None else render_json_error(fault)

    return middleware


def is_api_request(request: HttpRequest) -> bool:
    """Whether the request is to an address of the API."""
    return request.path.startswith(API_PREFIX)


def _find_fault(request: HttpRequest) -> Exception | None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length[:18]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return RequestDataTooBig()
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in _ACCEPTED_CHARSETS:
        return UnsupportedMediaType(str(request.content_type))
    if "%00" in request.META.get("QUERY_STRING", ""):
        return BadRequest()
    return None
