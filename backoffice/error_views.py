"""What is answered where no view was reached or one broke: JSON to programs, a page to people."""

import sys
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults

from backoffice.api.middleware import from_a_program
from backoffice.api.problems import in_json


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself turned down, such as one for another host."""
    if not from_a_program(request):
        return defaults.bad_request(request, exception)
    return in_json(exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that may not be made."""
    if not from_a_program(request):
        return defaults.permission_denied(request, exception)
    return in_json(PermissionDenied())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that does not exist."""
    if not from_a_program(request):
        return defaults.page_not_found(request, exception)
    return in_json(Http404())


def server_error(request: HttpRequest, **_: Any) -> HttpResponse:
    """Answer after a fault of any part, and where the database was busy; Django has logged it."""
    if not from_a_program(request):
        return defaults.server_error(request)
    return in_json(sys.exception())
