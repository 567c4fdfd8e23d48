"""Where people look after their own way in, below `/admin/`."""

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from backoffice.accounts import security


def build_security_urls(site: AdminSite) -> list[URLPattern]:
    """Give the addresses; every person of the staff may use them for themselves."""
    return [
        path("security/", site.admin_view(security.security_view), name="desk_security"),
        path(
            "security/start/",
            site.admin_view(security.start_second_factor_view),
            name="desk_security_start",
        ),
        path(
            "security/stop/",
            site.admin_view(security.cancel_second_factor_view),
            name="desk_security_stop",
        ),
        path(
            "security/confirm/",
            site.admin_view(security.confirm_second_factor_view),
            name="desk_security_confirm",
        ),
        path(
            "security/codes/",
            site.admin_view(security.new_recovery_codes_view),
            name="desk_security_codes",
        ),
        path(
            "security/off/",
            site.admin_view(security.turn_off_second_factor_view),
            name="desk_security_off",
        ),
    ]
