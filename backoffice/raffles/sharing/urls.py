"""URLs of a raffle's link, its QR code and its poster, below `/admin/`."""

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from backoffice.raffles.sharing import share_page


def build_share_urls(site: AdminSite) -> list[URLPattern]:
    """Return the URL patterns, for staff only; the views check their own permissions."""
    return [
        path(f"share/<id:raffle_id>/{route}", site.admin_view(view), name=name)
        for route, view, name in (
            ("", share_page.share_view, "desk_share"),
            ("qr.svg", share_page.qr_svg_view, "desk_share_svg"),
            ("qr.png", share_page.qr_png_view, "desk_share_png"),
            ("poster/", share_page.poster_view, "desk_share_poster"),
        )
    ]
