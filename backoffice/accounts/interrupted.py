"""Redirects for a POST that was not carried out because the session had changed meanwhile."""

from typing import Final
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

INTERRUPTED_PARAM: Final = "interrupted"
"""Parameter of the login page: the login follows a POST that was not carried out."""

NOTHING_DECIDED: Final = "Nothing was decided, because your session had ended. Please look again."
"""Message on the page to which the user returns after the login."""

LOGGED_IN_MEANWHILE: Final = (
    "Nothing was decided, because you logged in again meanwhile, perhaps in another tab. "
    "Please look and press the button again."
)
"""Message on the page whose form belongs to the session before."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ENTRANCES: Final = frozenset({"admin:login", "admin:logout"})


def is_interrupted_post(request: HttpRequest) -> bool:
    """Whether a request without a session would have changed something."""
    if request.method in _SAFE_METHODS:
        return False
    return request.path not in {reverse(name) for name in _ENTRANCES}


def redirect_to_login(request: HttpRequest) -> HttpResponse:
    """Redirect a POST without a session to the login, and from there to its page.

    The address of the POST itself may answer no GET.
    """
    page = find_page_of_post(request) or reverse("admin:index")
    query = urlencode({INTERRUPTED_PARAM: "1", "next": page})
    return redirect(f"{reverse('admin:login')}?{query}")


def redirect_to_page(request: HttpRequest) -> HttpResponse | None:
    """Redirect a POST with the form of an earlier session to its page, with a message.

    Returns:
        None if the page is unknown, for instance because the form is on another site.

    """
    page = find_page_of_post(request)
    if page is None:
        return None
    messages.warning(request, LOGGED_IN_MEANWHILE)
    return redirect(page)


def find_page_of_post(request: HttpRequest) -> str | None:
    """Return the path and query of the page on which a form was sent; None if unknown.

    A browser that names only the site gives the nearest page above the address of the form.
    """
    parts = urlsplit(request.headers.get("Referer", ""))
    if not is_from_own_page(request) or parts.path in {reverse(name) for name in _ENTRANCES}:
        return None
    if not parts.path:
        return find_page_above(request.path)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def is_from_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that the form was on a page of this site."""
    referer = request.headers.get("Referer", "")
    return referer.startswith("http") and url_has_allowed_host_and_scheme(
        referer, {request.get_host()}, require_https=request.is_secure()
    )


def find_page_above(path: str) -> str:
    """Return the nearest page above an address that accepts only a POST.

    Args:
        path: Such as `/admin/raffles/order/5/cancel/`, whose page is
            `/admin/raffles/order/5/change/`.

    """
    parent = path.rstrip("/")
    while "/" in parent.strip("/"):
        parent = parent.rsplit("/", 1)[0]
        for candidate in (f"{parent}/change/", f"{parent}/"):
            if _is_named_page(candidate):
                return candidate
    return reverse("admin:index")


def _is_named_page(path: str) -> bool:
    try:
        return resolve(path).url_name is not None
    except Resolver404:
        return False
