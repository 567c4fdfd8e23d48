"""What is answered where no view was reached or one broke: JSON to programs, a page to people."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from backoffice.api.errors import problem


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself turned down, such as one for another host."""
    if not _from_a_program(request):
        return defaults.bad_request(request, exception)
    return JsonResponse(problem("malformed", "The request is malformed."), status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that does not exist."""
    if not _from_a_program(request):
        return defaults.page_not_found(request, exception)
    return JsonResponse(problem("not_found", "There is nothing at this address."), status=404)


def server_error(request: HttpRequest, **_: Any) -> HttpResponse:
    """Answer after a fault that nobody foresaw; Django has logged it."""
    if not _from_a_program(request):
        return defaults.server_error(request)
    return JsonResponse(
        problem("internal_error", "Something went wrong here; it is logged.", retryable=True),
        status=500,
    )


def _from_a_program(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
