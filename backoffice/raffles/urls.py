"""URLs of the number map, of cash sales, of sharing and of draws, below `/admin/`."""

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from backoffice.raffles import cash_sale, number_map
from backoffice.raffles.draws.urls import build_draw_urls
from backoffice.raffles.sharing.urls import build_share_urls


def build_raffle_urls(site: AdminSite) -> list[URLPattern]:
    """Return the URL patterns, for staff only; the views check their own permissions."""
    return [
        path(
            "sell/<id:raffle_id>/",
            site.admin_view(cash_sale.cash_sale_view),
            name="desk_sell",
        ),
        path(
            "numbers/<id:raffle_id>/",
            site.admin_view(number_map.number_map_view),
            name="desk_numbers",
        ),
        *build_share_urls(site),
        *build_draw_urls(site),
    ]
