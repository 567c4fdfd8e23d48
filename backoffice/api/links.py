"""Absolute links in API responses."""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from rest_framework.request import Request

_LOCAL_HOSTS: Final = ("127.0.0.1", "localhost", "::1")
_FORWARDED_HEADERS: Final = (
    "Forwarded",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
)


def build_base_url(request: Request) -> str:
    """Return the scheme and host for links to this back office.

    The result comes from `PUBLIC_URL`, because a proxy may forward any host and scheme. A request
    to a local host name without forwarding headers, such as one made by curl on this machine, gets
    links to the same host.

    Returns:
        A URL without a path or a trailing slash, such as `https://raffles.example`.

    """
    host = request.get_host()
    is_local = urlsplit(f"//{host}").hostname in _LOCAL_HOSTS
    if is_local and not any(name in request.headers for name in _FORWARDED_HEADERS):
        return f"{request.scheme}://{host}"
    public = urlsplit(settings.PUBLIC_URL)
    return f"{public.scheme}://{public.netloc}"


def build_link_with_query(request: Request, query: str) -> str:
    """Return a link to the address of the request with another query.

    Args:
        request: the request.
        query: the URL-encoded query, without a question mark.

    """
    return f"{build_base_url(request)}{request.path}?{query}"
