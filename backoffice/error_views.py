"""Error pages: JSON below `/api/`, HTML elsewhere."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse

from backoffice.accounts import interrupted
from backoffice.api.middleware import is_api_request
from backoffice.api.problems import render_json_error
from backoffice.ui import brand


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """An error page: its heading and one sentence for the person who reads it."""

    title: str
    sentence: str


ERROR_PAGES: Final[Mapping[int, ErrorPage]] = {
    400: ErrorPage(
        "This request cannot be read",
        "The address or the form was incomplete or too large, so nothing was changed.",
    ),
    403: ErrorPage(
        "This is not yours to see",
        "Your account may not open this page or do this; whoever looks after this back office"
        " can allow it.",
    ),
    404: ErrorPage(
        "There is nothing here",
        "The address may have a typing error, or what stood here was deleted.",
    ),
    405: ErrorPage(
        "Nothing was done",
        "This address belongs to a button and shows nothing by itself.",
    ),
    500: ErrorPage(
        "Something went wrong",
        "The error is in the log; please look whether your change was saved before you try again.",
    ),
}
"""The pages by HTTP status."""

_COOKIE_PAGE: Final = ErrorPage(
    "Nothing was done",
    "The form came from another site, or your browser did not send this site's cookie.",
)


def bad_request_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400 for a request that Django itself rejected, such as one for another host."""
    if is_api_request(request):
        return render_json_error(exception)
    # The request may name a host that is not ours, so the link names our own.
    return render_error_page(400, way_on=settings.PUBLIC_URL)


def forbidden_view(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Return 403 for a request without the permission."""
    if is_api_request(request):
        return render_json_error(PermissionDenied())
    return render_error_page(403)


def not_found_view(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Return 404 for an unknown URL."""
    return render_json_error(Http404()) if is_api_request(request) else render_error_page(404)


def server_error_view(request: HttpRequest, **_: Any) -> HttpResponse:
    """Return 500 after an unexpected error, or the API's own answer if the database was busy.

    Django has logged the error.
    """
    if is_api_request(request):
        return render_json_error(sys.exception())
    return render_error_page(500)


def csrf_failure_view(request: HttpRequest, **_: Any) -> HttpResponse:
    """Return to the page of a form whose token is no longer valid.

    A login makes the forms of all open tabs invalid, because it changes the token. A form from
    another site, or a browser without cookies, gets an error page.
    """
    if is_api_request(request):
        return render_json_error(PermissionDenied())
    has_cookie = settings.CSRF_COOKIE_NAME in request.COOKIES
    ours = has_cookie and interrupted.is_from_own_page(request)
    answer = _return_to_page(request) if ours else None
    return answer or render_error_page(403, page=_COOKIE_PAGE)


def _return_to_page(request: HttpRequest) -> HttpResponse | None:
    if request.path == reverse("admin:login"):
        # Somebody who is logged in by now is redirected to the wanted page.
        return redirect(request.get_full_path())
    if request.user.is_authenticated:
        return interrupted.redirect_to_page(request)
    return interrupted.redirect_to_login(request)


def render_blank_errors(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Render a page for responses of 405, which Django sends without content."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != 405 or not request.path.startswith(reverse("admin:index")):  # noqa: PLR2004
            return response
        page = render_error_page(405, way_on=interrupted.find_page_above(request.path))
        page.headers["Allow"] = response.headers["Allow"]
        return page

    return middleware


def render_error_page(
    status: int, *, page: ErrorPage | None = None, way_on: str = ""
) -> HttpResponse:
    """Return an error page, which needs neither the database nor the session.

    Args:
        status: A key of `ERROR_PAGES`.
        page: Another page than that of the status.
        way_on: The address of the link on the page; that of the dashboard by default.

    """
    page = page or ERROR_PAGES[status]
    context = {
        "brand": brand.get_brand(),
        "title": page.title,
        "sentence": page.sentence,
        "way_on": way_on or reverse("admin:index"),
        "way_on_label": "Back to the page" if status == 405 else "To the dashboard",  # noqa: PLR2004
    }
    return HttpResponse(render_to_string("registration/error.html", context), status=status)
