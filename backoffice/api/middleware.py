"""What is refused below `/api/` before anybody looks at who asks."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import UnsupportedMediaType

from backoffice.api.problems import in_json

API: Final = "/api/"
"""Below this address nothing but JSON is answered."""

_UTF_8: Final = frozenset({"utf-8", "utf8", "us-ascii"})


def gate(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Turn down what no view could read: a huge body, another character set, a NUL."""

    def middleware(request: HttpRequest) -> HttpResponse:
        refused = _refused(request) if from_a_program(request) else None
        return get_response(request) if refused is None else in_json(refused)

    return middleware


def from_a_program(request: HttpRequest) -> bool:
    """Whether the address is one of the API."""
    return request.path.startswith(API)


def _refused(request: HttpRequest) -> Exception | None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length[:18]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return RequestDataTooBig()
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in _UTF_8:
        return UnsupportedMediaType(str(request.content_type))
    if "%00" in request.META.get("QUERY_STRING", ""):
        return BadRequest()
    return None
