"""Where the pages of the seller's day are, below `/admin/`."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path


def paths(site: AdminSite) -> list[URLPattern]:
    """Give the addresses, each for staff alone; the views ask for their own permissions."""

    def desk(route: str, view: Callable[..., Any], name: str) -> URLPattern:
        return path(route, site.admin_view(view), name=f"desk_{name}")

    return [
        desk("queue/", _soon, "queue"),
        desk("queue/<int:order_id>/", _soon, "review"),
        desk("orphans/", _soon, "orphans"),
        desk("orphans/<int:proof_id>/", _soon, "orphan"),
        desk("late/", _soon, "late"),
        desk("sell/<int:raffle_id>/", _soon, "sell"),
        desk("numbers/<int:raffle_id>/", _soon, "numbers"),
        desk("export/", _soon, "export"),
        desk("security/", _soon, "security"),
    ]


def _soon(_request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse("not built yet")
