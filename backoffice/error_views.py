"""Error pages: JSON below `/api/`, HTML elsewhere."""

import sys
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults

from backoffice.api.middleware import is_api_request
from backoffice.api.problems import render_json_error


def bad_request_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400 for a request that Django itself rejected, such as one for another host."""
    if not is_api_request(request):
        return defaults.bad_request(request, exception)
    return render_json_error(exception)


def forbidden_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 403 for a request without the permission."""
    if not is_api_request(request):
        return defaults.permission_denied(request, exception)
    return render_json_error(PermissionDenied())


def not_found_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 404 for an unknown URL."""
    if not is_api_request(request):
        return defaults.page_not_found(request, exception)
    return render_json_error(Http404())


def server_error_view(request: HttpRequest, **_: Any) -> HttpResponse:
    """Return 500 after an unexpected error, or the API's own answer if the database was busy.

    Django has logged the error.
    """
    if not is_api_request(request):
        return defaults.server_error(request)
    return render_json_error(sys.exception())
